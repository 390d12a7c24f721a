/* Into the new root: pivot_root, a moved mount and chroot for --no-pivot, or only chroot without a mount namespace. */

#include "ctx.h"
#include "mem.h"
#include "mount.h"
#include "sys.h"

/* MS_SLAVE of <sys/mount.h>. */
enum { SLAVE = 1 << 19 };

/* Detaches what lies below the old root. Slave first: unmounting must not reach the host. */
static int detach_old_root(int old)
{
    const struct mount_attr slave = {.propagation = SLAVE};
    /* "." is the old root after pivot_root, but no manual promises it. */
    long result = SYS1(fchdir, old);
    if (result == 0)
        result = mount_setattr(old, "", AT_EMPTY_PATH | AT_RECURSIVE, &slave);
    if (result == 0)
        result = SYS2(umount2, ".", MNT_DETACH);
    return (int)result;
}

int op_pivot_root(struct ctx *c, const struct args_pivot_root *a)
{
    int old = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
    if (old < 0)
        return old;
    long result = SYS1(fchdir, slot_fd(c, a->root));
    if (result == 0)
        result = SYS2(pivot_root, ".", ".");
    if (result == 0)
        result = detach_old_root(old);
    if (result == 0)
        result = SYS1(chdir, "/");
    sys_close(old);
    return (int)result;
}

/* The next field of a mountinfo line, ended by NUL in place; NULL at the end. */
static char *next_field(char **at)
{
    char *field = *at;
    if (field == NULL)
        return NULL;
    char *space = strchr(field, ' ');
    if (space != NULL)
        *space = '\0';
    *at = space == NULL ? NULL : space + 1;
    return field;
}

/* \040 and the like, in place. */
static void unescape(char *s)
{
    char *to = s;
    for (; *s != '\0'; s++, to++) {
        if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] != '\0' && s[3] != '\0') {
            *to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
            s += 3;
        } else
            *to = *s;
    }
    *to = '\0';
}

/* The mount point of a line of mountinfo that is a whole procfs or sysfs (proc(5)); NULL for every other one. */
static char *whole_kernel_fs(char *line)
{
    char *at = line;
    char *root = NULL;
    char *point = NULL;
    for (int i = 0; i < 5; i++) {
        char *field = next_field(&at);
        if (i == 3)
            root = field;
        point = field;
    }
    char *field = next_field(&at);
    while (field != NULL && strcmp(field, "-") != 0)
        field = next_field(&at);
    char *type = next_field(&at);
    if (type == NULL || strcmp(root, "/") != 0 || (strcmp(type, "proc") != 0 && strcmp(type, "sysfs") != 0))
        return NULL;
    unescape(point);
    return point;
}

/* An empty tmpfs over what we may not unmount. */
static int cover_with_tmpfs(const char *path)
{
    int target = sys_openat(AT_FDCWD, path, O_PATH, 0);
    int fs = (int)SYS2(fsopen, "tmpfs", FSOPEN_CLOEXEC);
    long mount = fs < 0 ? fs : SYS5(fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    if (mount == 0)
        mount = SYS3(fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
    long result = target < 0 ? target : mount < 0 ? mount : mount_move((int)mount, target);
    if (mount > 0)
        sys_close((int)mount);
    if (fs >= 0)
        sys_close(fs);
    if (target >= 0)
        sys_close(target);
    return (int)result;
}

static int hide_mount(const char *path)
{
    const struct mount_attr slave = {.propagation = SLAVE};
    long result = mount_setattr(AT_FDCWD, path, AT_RECURSIVE, &slave);
    if (result == -ENOENT)
        return 0; /* went with one above it */
    if (result == 0)
        result = SYS2(umount2, path, MNT_DETACH | UMOUNT_NOFOLLOW);
    return result == -EINVAL || result == -EPERM ? cover_with_tmpfs(path) : (int)result;
}

static int is_below(const char *path, const char *root, size_t root_length)
{
    return memcmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == '\0');
}

/* Where the new root is, as a path of now: only mounts outside of it are hidden. */
static long root_path(int fd, char *path, size_t size)
{
    char link[40] = "/proc/self/fd/";
    (void)format_number(link + strlen(link), (uint64_t)fd, 10);
    long n = SYS4(readlinkat, AT_FDCWD, link, path, size - 1);
    if (n >= 0)
        path[n] = '\0';
    return n;
}

/* Reads mountinfo by lines; what does not fit into the buffer has a path that is too long to be used. */
static int hide_kernel_mounts(struct ctx *c, int info, const char *root, size_t root_length)
{
    char lines[2 * PATH_MAX];
    size_t held = 0;
    for (;;) {
        long n = sys_read(info, lines + held, sizeof lines - 1 - held);
        if (n <= 0)
            return n < 0 ? (int)n : held == 0 ? 0 : -EPROTO;
        held += (size_t)n;
        lines[held] = '\0';
        char *line = lines;
        for (char *end = strchr(line, '\n'); end != NULL; end = strchr(line, '\n')) {
            *end = '\0';
            const char *point = whole_kernel_fs(line);
            int result = point == NULL || is_below(point, root, root_length) ? 0 : hide_mount(point);
            if (result < 0) {
                detail(c, point);
                return result;
            }
            line = end + 1;
        }
        held -= (size_t)(line - lines);
        memmove(lines, line, held);
        if (held == sizeof lines - 1)
            return -ENAMETOOLONG;
    }
}

int op_change_root(struct ctx *c, const struct args_change_root *a)
{
    long result = SYS1(fchdir, slot_fd(c, a->root));
    if (result == 0)
        result = SYS1(chroot, ".");
    if (result == 0)
        result = SYS1(chdir, "/");
    return (int)result;
}

/* chroot does not hide the host's procfs and sysfs, and the kernel lets a container mount its own where a whole one is
 * visible: they go first. */
int op_move_root(struct ctx *c, const struct args_move_root *a)
{
    char root[PATH_MAX];
    int fd = slot_fd(c, a->root);
    int info = sys_openat(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY, 0);
    if (info < 0)
        return info;
    long result = root_path(fd, root, sizeof root);
    if (result >= 0)
        result = hide_kernel_mounts(c, info, root, (size_t)result);
    sys_close(info);
    if (result == 0)
        result = SYS1(fchdir, fd);
    if (result == 0)
        result = SYS5(move_mount, fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
    if (result == 0)
        result = SYS1(chroot, ".");
    if (result == 0)
        result = SYS1(chdir, "/");
    return (int)result;
}
