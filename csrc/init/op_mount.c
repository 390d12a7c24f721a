/* Mounts. Only the API that works on descriptors: no op mounts through a path that a container can swap, and a failure
 * never falls back to one. */

#include "ctx.h"
#include "mem.h"
#include "mount.h"
#include "path.h"
#include "sys.h"

#include <linux/stat.h>

int op_open_tree(struct ctx *c, const struct args_open_tree *a)
{
    uint32_t flags = a->flags | OPEN_TREE_CLOEXEC;
    if (text_length(c, a->path) == 0)
        flags |= AT_EMPTY_PATH;
    int result = fill_slot(c, a->fd, (int)SYS3(open_tree, slot_fd(c, a->dir), text(c, a->path), (unsigned long)flags));
    if (result == 0 && flags & OPEN_TREE_CLONE)
        c->about[a->fd] |= SLOT_DETACHED;
    return result;
}

int mount_setattr(int fd, const char *path, uint32_t flags, const struct mount_attr *attr)
{
    return (int)SYS5(mount_setattr, fd, path, (unsigned long)flags, attr, sizeof *attr);
}

int mount_move(int mount, int target)
{
    return (int)SYS5(move_mount, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int mount_clone(int fd, uint32_t flags)
{
    return (int)SYS3(open_tree, fd, "", (unsigned long)(AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags));
}

/* The file system's own words: "e tmpfs: Bad value for 'size'". Several are joined. */
static void file_system_message(struct ctx *c, int fs)
{
    char message[256];
    for (int count = 0; count < 8; count++) {
        long n = sys_read(fs, message, sizeof message);
        if (n <= 0)
            return;
        while (n > 0 && message[n - 1] == '\n')
            n--;
        long skip = n > 2 && message[1] == ' ' ? 2 : 0;
        if (c->report.length > 0)
            detail(c, "; ");
        detail_bytes(c, message + skip, (size_t)(n - skip));
    }
}

/* One parameter: `key=value`, or a flag. fsconfig wants the key alone and takes at most 255 bytes of each. */
static int set_parameter(struct ctx *c, int fs, const char *parameter)
{
    char key[256];
    const char *equals = strchr(parameter, '=');
    if (equals == NULL)
        return (int)SYS5(fsconfig, fs, FSCONFIG_SET_FLAG, parameter, NULL, 0);
    size_t length = (size_t)(equals - parameter);
    if (length >= sizeof key || strlen(equals + 1) > 255) {
        detail(c, "the kernel takes at most 255 bytes in a parameter: ");
        detail_bytes(c, parameter, length < 64 ? length : 64);
        return -EINVAL;
    }
    memcpy(key, parameter, length);
    key[length] = '\0';
    int result = (int)SYS5(fsconfig, fs, FSCONFIG_SET_STRING, key, equals + 1, 0);
    if (result < 0 && length + strlen(equals) < 128) {
        detail(c, "parameter ");
        detail(c, parameter);
    }
    return result;
}

static int set_mode_of(int fs, int folder)
{
    char mode[24];
    struct stat st;
    int result = sys_fstat(folder, &st);
    if (result < 0)
        return result;
    (void)format_number(mode, st.st_mode & 07777, 8);
    return (int)SYS5(fsconfig, fs, FSCONFIG_SET_STRING, "mode", mode, 0);
}

static int configure_mount(struct ctx *c, int fs, const struct args_new_mount *a)
{
    int result = 0;
    for (uint32_t i = 0; i < a->parameters.count && result == 0; i++)
        result = set_parameter(c, fs, text(c, a->parameters.first + i));
    if (result == 0 && a->mode_of != PLAN_NONE && !(c->about[a->mode_of] & SLOT_MADE))
        result = set_mode_of(fs, c->fd[a->mode_of]);
    if (result == 0)
        result = (int)SYS5(fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    if (result == 0)
        result = (int)SYS3(fsmount, fs, FSMOUNT_CLOEXEC, (unsigned long)a->attributes);
    return result;
}

int op_new_mount(struct ctx *c, const struct args_new_mount *a)
{
    int fs = (int)SYS2(fsopen, text(c, a->fstype), FSOPEN_CLOEXEC);
    if (fs < 0)
        return fs;
    int mount = configure_mount(c, fs, a);
    if (mount < 0)
        file_system_message(c, fs);
    sys_close(fs);
    int result = fill_slot(c, a->fd, mount);
    if (result == 0)
        c->about[a->fd] |= SLOT_DETACHED;
    return result;
}

int op_mount_attributes(struct ctx *c, const struct args_mount_attributes *a)
{
    const struct mount_attr attr = {
        .attr_set = pair(a->set), .attr_clr = pair(a->clear), .propagation = a->propagation};
    return mount_setattr(slot_fd(c, a->mount), "", AT_EMPTY_PATH | (a->recursive ? AT_RECURSIVE : 0u), &attr);
}

/* The descriptor of a mount is O_PATH, which has no attributes: the folder is opened once more. */
int op_label(struct ctx *c, const struct args_label *a)
{
    int fd = sys_openat(slot_fd(c, a->mount), ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return fd;
    int result = (int)SYS5(fsetxattr, fd, "security.selinux", text(c, a->context), text_length(c, a->context), 0);
    sys_close(fd);
    return result;
}

int op_root_propagation(struct ctx *c, const struct args_root_propagation *a)
{
    (void)c;
    const struct mount_attr attr = {.propagation = a->propagation};
    return mount_setattr(AT_FDCWD, "/", a->recursive ? AT_RECURSIVE : 0u, &attr);
}

/* The mount that the folder lies in begins at the first of its parents that says so. */
int op_parent_propagation(struct ctx *c, const struct args_parent_propagation *a)
{
    const struct mount_attr attr = {.propagation = a->propagation};
    struct statx st;
    int fd = sys_openat(slot_fd(c, a->folder), ".", O_PATH | O_DIRECTORY, 0);
    int result = fd < 0 ? fd : -ELOOP;
    for (int depth = 0; depth < PATH_MAX / 2 && fd >= 0; depth++) {
        result = (int)SYS5(statx, fd, "", AT_EMPTY_PATH, 0, &st);
        if (result < 0 || st.stx_attributes & STATX_ATTR_MOUNT_ROOT)
            break;
        int parent = sys_openat(fd, "..", O_PATH | O_DIRECTORY, 0);
        sys_close(fd);
        fd = parent;
        result = parent < 0 ? parent : -ELOOP;
    }
    if (result == 0)
        result = mount_setattr(fd, "", AT_EMPTY_PATH, &attr);
    if (fd >= 0)
        sys_close(fd);
    return result;
}

int op_move_mount(struct ctx *c, const struct args_move_mount *a)
{
    int result = mount_move(slot_fd(c, a->mount), slot_fd(c, a->target));
    if (result == 0 && a->mount != PLAN_NONE)
        c->about[a->mount] &= (uint8_t)~SLOT_DETACHED;
    return result;
}

int op_bind_new(struct ctx *c, const struct args_bind_new *a)
{
    const struct mount_attr attr = {.attr_set = pair(a->set), .attr_clr = pair(a->clear)};
    int folder = slot_fd(c, a->folder);
    int result = (int)SYS3(mkdirat, folder, text(c, a->name), 0755);
    if (result < 0)
        return result;
    int fd = (int)SYS3(open_tree, AT_FDCWD, text(c, a->source),
                       (unsigned long)(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
    if (fd < 0)
        return fd;
    if ((attr.attr_set | attr.attr_clr) != 0)
        result = mount_setattr(fd, "", AT_EMPTY_PATH, &attr);
    if (result == 0)
        result = (int)SYS5(move_mount, fd, "", folder, text(c, a->name), MOVE_MOUNT_F_EMPTY_PATH);
    sys_close(fd);
    return result;
}

/* A path in root that is to be hidden or protected. Missing, also because a component is a file: there is nothing. */
static int existing_target(const struct ctx *c, uint32_t slot, const char *path)
{
    struct root root;
    int fd = root_open(c, slot, &root);
    if (fd < 0)
        return fd;
    fd = path_existing(&root, path, 0);
    root_close(&root);
    return fd == -ENOTDIR ? -ENOENT : fd;
}

/* Moves a new detached mount onto the target and closes both. That the target has vanished is an error here. */
static int cover(int mount, int target)
{
    int result = mount < 0 ? mount : mount_move(mount, target);
    if (mount >= 0)
        sys_close(mount);
    sys_close(target);
    return result;
}

int op_read_only_path(struct ctx *c, const struct args_read_only_path *a)
{
    const struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
    int target = existing_target(c, a->root, text(c, a->path));
    if (target < 0)
        return target == -ENOENT ? 0 : target;
    int mount = mount_clone(target, AT_RECURSIVE);
    if (mount >= 0) {
        int result = mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &read_only);
        if (result < 0) {
            sys_close(mount);
            mount = result;
        }
    }
    return cover(mount, target);
}

int op_mask_path(struct ctx *c, const struct args_mask_path *a)
{
    struct stat st;
    int target = existing_target(c, a->root, text(c, a->path));
    if (target < 0)
        return target == -ENOENT ? 0 : target;
    int result = sys_fstat(target, &st);
    if (result < 0) {
        sys_close(target);
        return result;
    }
    uint32_t with = (st.st_mode & S_IFMT) == S_IFDIR ? a->folder : a->file;
    if (with == PLAN_NONE) {
        sys_close(target);
        return -EBADF;
    }
    if (!(c->about[with] & SLOT_DETACHED))
        return cover(mount_clone(c->fd[with], 0), target);
    result = mount_move(c->fd[with], target);
    sys_close(target);
    if (result == 0)
        c->about[with] &= (uint8_t)~SLOT_DETACHED;
    return result;
}
