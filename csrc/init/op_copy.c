/* tmpcopyup: what lies in a folder of the image is copied into a new tmpfs. The image is hostile: its folder may change
 * meanwhile, and nothing in it is opened that is not a regular file or a folder. */

#include "ctx.h"
#include "mem.h"
#include "mount.h"
#include "sys.h"

enum { DEPTH = 128, NAMES = 2048 };

struct level {
    int from;
    int to;
    int64_t position; /* of the next entry, for lseek */
};

struct entry {
    uint64_t inode;
    int64_t next;
    uint16_t size;
    uint8_t type;
    char name[];
};

struct copy {
    struct ctx *c;
    int depth;
    struct level level[DEPTH];
};

/* Of `name` in a folder, or of the descriptor itself when it is NULL. */
static int put_times(int fd, const char *name, const struct stat *st, int flags)
{
    const int64_t times[4] = {(int64_t)st->st_atime, (int64_t)st->st_atime_nsec, (int64_t)st->st_mtime,
                              (int64_t)st->st_mtime_nsec};
    return (int)SYS4(utimensat, fd, name, times, flags);
}

/* Every attribute that the target's file system knows. */
static int copy_attributes(int from, int to)
{
    char names[NAMES];
    char value[4096];
    long size = SYS3(flistxattr, from, names, sizeof names);
    if (size == -EOPNOTSUPP)
        return 0;
    if (size < 0)
        return (int)size;
    for (const char *name = names; name < names + size; name += strlen(name) + 1) {
        long length = SYS4(fgetxattr, from, name, value, sizeof value);
        if (length == -ENODATA)
            continue;
        if (length < 0)
            return (int)length;
        long result = SYS5(fsetxattr, to, name, value, length, 0);
        if (result < 0 && result != -EOPNOTSUPP)
            return (int)result;
    }
    return 0;
}

/* Owner, then mode (a change of owner clears setuid), attributes, times. */
static int put_metadata(int from, int to, const struct stat *st)
{
    int result = (int)SYS3(fchown, to, (unsigned long)st->st_uid, (unsigned long)st->st_gid);
    if (result == 0)
        result = (int)SYS2(fchmod, to, (unsigned long)(st->st_mode & 07777));
    if (result == 0)
        result = copy_attributes(from, to);
    return result == 0 ? put_times(to, NULL, st, 0) : result;
}

/* At most as many bytes as the file had when it was opened: somebody may append for ever. */
static int copy_bytes(int from, int to, uint64_t size)
{
    while (size > 0) {
        long n = SYS4(sendfile, to, from, NULL, size < 1u << 30 ? size : 1u << 30);
        if (n == -EINTR)
            continue;
        if (n <= 0)
            return (int)n;
        size -= (uint64_t)n;
    }
    return 0;
}

/* Opens an entry of the source again for reading; -ESTALE when it is not what `st` says any more. */
static int open_same(int folder, const char *name, int flags, struct stat *st)
{
    struct stat now;
    int fd = sys_openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | flags, 0);
    if (fd < 0)
        return fd;
    int result = sys_fstat(fd, &now);
    if (result == 0 && (now.st_ino != st->st_ino || now.st_dev != st->st_dev || (now.st_mode ^ st->st_mode) & S_IFMT))
        result = -ESTALE;
    if (result == 0) {
        *st = now;
        return fd;
    }
    sys_close(fd);
    return result;
}

static int copy_file(const struct level *l, const char *name, struct stat *st)
{
    int from = open_same(l->from, name, 0, st);
    if (from < 0)
        return from;
    int to = sys_openat(l->to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    int result = to;
    if (to >= 0) {
        result = copy_bytes(from, to, (uint64_t)st->st_size);
        if (result == 0)
            result = put_metadata(from, to, st);
        sys_close(to);
    }
    sys_close(from);
    return result;
}

static int copy_symlink(const struct level *l, const char *name)
{
    char target[PATH_MAX];
    long n = SYS4(readlinkat, l->from, name, target, sizeof target - 1);
    if (n < 0)
        return (int)n;
    target[n] = '\0';
    return (int)SYS3(symlinkat, target, l->to, name);
}

/* Symlinks, devices, FIFOs, sockets: made anew by name, in a folder that nobody else sees yet. */
static int copy_special(const struct level *l, const char *name, const struct stat *st)
{
    long result = (st->st_mode & S_IFMT) == S_IFLNK
                      ? copy_symlink(l, name)
                      : SYS4(mknodat, l->to, name, (unsigned long)st->st_mode, st->st_rdev);
    if (result == 0)
        result = SYS5(fchownat, l->to, name, (unsigned long)st->st_uid, (unsigned long)st->st_gid, AT_SYMLINK_NOFOLLOW);
    if (result == 0)
        result = put_times(l->to, name, st, AT_SYMLINK_NOFOLLOW);
    return (int)result;
}

/* One more level: the loop goes on inside the folder. */
static int enter_folder(struct copy *copy, const char *name, struct stat *st)
{
    const struct level *l = &copy->level[copy->depth];
    if (copy->depth + 1 == DEPTH) {
        detail(copy->c, "folders are nested too deeply in ");
        return -ELOOP;
    }
    int from = open_same(l->from, name, O_DIRECTORY, st);
    if (from < 0)
        return from;
    long result = SYS3(mkdirat, l->to, name, 0700);
    int to = result < 0 ? (int)result : sys_openat(l->to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (to < 0) {
        sys_close(from);
        return to;
    }
    copy->depth++;
    copy->level[copy->depth] = (struct level){.from = from, .to = to};
    return 0;
}

static int copy_entry(struct copy *copy, const char *name)
{
    struct stat st;
    struct level *l = &copy->level[copy->depth];
    int result = (int)SYS4(newfstatat, l->from, name, &st, AT_SYMLINK_NOFOLLOW);
    if (result < 0)
        return result;
    switch (st.st_mode & S_IFMT) {
    case S_IFDIR:
        return enter_folder(copy, name, &st);
    case S_IFREG:
        return copy_file(l, name, &st);
    default:
        return copy_special(l, name, &st);
    }
}

static int leave_folder(struct copy *copy)
{
    struct stat st;
    struct level *l = &copy->level[copy->depth--];
    int result = sys_fstat(l->from, &st);
    if (result == 0)
        result = put_metadata(l->from, l->to, &st);
    sys_close(l->from);
    sys_close(l->to);
    return result;
}

/* Entries of the current level until one of them is a folder, which becomes the current level, or the end: then 1. */
static int copy_level(struct copy *copy)
{
    _Alignas(8) char buffer[1024];
    int depth = copy->depth;
    struct level *l = &copy->level[depth];
    (void)SYS3(lseek, l->from, l->position, 0);
    for (;;) {
        long n = SYS3(getdents64, l->from, buffer, sizeof buffer);
        if (n <= 0)
            return n < 0 ? (int)n : 1;
        for (long at = 0; at < n;) {
            const struct entry *e = (const struct entry *)(buffer + at);
            at += e->size;
            l->position = e->next;
            if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0)
                continue;
            int result = copy_entry(copy, e->name);
            if (result == -ENOENT)
                continue; /* removed meanwhile */
            if (result < 0) {
                detail(copy->c, e->name);
                return result;
            }
            if (copy->depth != depth)
                return 0;
        }
    }
}

static int copy_all(struct copy *copy)
{
    for (;;) {
        int result = copy_level(copy);
        if (result < 0)
            return result;
        if (result == 1 && copy->depth == 0)
            return 0;
        if (result == 1)
            result = leave_folder(copy);
        if (result < 0)
            return result;
    }
}

/* The source as a clone of its mount where device nodes do not work: not even a race lets one be opened. */
static int clone_source(int from)
{
    const struct mount_attr safe = {.attr_set =
                                        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID};
    int clone = mount_clone(from, AT_RECURSIVE);
    if (clone < 0)
        return clone;
    int result = mount_setattr(clone, "", AT_EMPTY_PATH | AT_RECURSIVE, &safe);
    if (result == 0)
        return clone;
    sys_close(clone);
    return result;
}

int op_copy_tree(struct ctx *c, const struct args_copy_tree *a)
{
    struct copy copy;
    copy.c = c;
    copy.depth = 0;
    int clone = clone_source(slot_fd(c, a->from));
    if (clone < 0)
        return clone;
    int from = sys_openat(clone, ".", O_RDONLY | O_DIRECTORY, 0);
    int to = sys_openat(slot_fd(c, a->to), ".", O_RDONLY | O_DIRECTORY, 0);
    int result = from < 0 ? from : to;
    if (result >= 0) {
        copy.level[0] = (struct level){.from = from, .to = to};
        result = copy_all(&copy);
    }
    if (from >= 0)
        sys_close(from);
    if (to >= 0)
        sys_close(to);
    sys_close(clone); /* the mounts below it live as long as it does */
    return result;
}
