/* Entries in the root file system: mount targets, nodes, symlinks, folders. */

#include "ctx.h"
#include "mem.h"
#include "path.h"
#include "sys.h"

static int kind_like(const struct ctx *c, uint32_t kind, uint32_t like, enum path_kind *result)
{
    struct stat st;
    if (kind > PATH_ANY)
        return -EINVAL;
    *result = (enum path_kind)kind;
    if (kind != PATH_ANY)
        return 0;
    int error = like == PLAN_NONE ? -EINVAL : sys_fstat(c->fd[like], &st);
    if (error == 0)
        *result = (st.st_mode & S_IFMT) == S_IFDIR ? PATH_FOLDER : PATH_FILE;
    return error;
}

int op_target(struct ctx *c, const struct args_target *a)
{
    struct root root;
    struct path_make how = {.mode = 0755, .nofollow = a->nofollow != 0};
    int result = kind_like(c, a->kind, a->like, &how.kind);
    if (result < 0)
        return result;
    result = root_open(c, a->root, &root);
    if (result < 0)
        return result;
    result = fill_slot(c, a->fd, path_make(c, &root, text(c, a->path), &how));
    root_close(&root);
    if (result == 0 && c->path_made)
        c->about[a->fd] |= SLOT_MADE;
    return result;
}

int op_make_dir(struct ctx *c, const struct args_make_dir *a)
{
    struct root root;
    const struct path_make how = {.kind = PATH_FOLDER, .mode = a->mode};
    int result = root_open(c, a->root, &root);
    if (result < 0)
        return result;
    result = path_make(c, &root, text(c, a->path), &how);
    root_close(&root);
    if (result < 0)
        return result;
    sys_close(result);
    return 0;
}

/* chmod of an O_PATH descriptor. Before Linux 6.6 only procfs can do it. */
static int chmod_descriptor(int fd, uint32_t mode)
{
    long result = SYS4(fchmodat2, fd, "", (unsigned long)mode, AT_EMPTY_PATH);
    if (result != -ENOSYS)
        return (int)result;
    char number[24];
    int folder = own_descriptors();
    if (folder < 0)
        return folder;
    (void)format_number(number, (uint64_t)fd, 10);
    result = SYS3(fchmodat, folder, number, (unsigned long)mode);
    sys_close(folder);
    return (int)result;
}

/* Mode and owner of a node through its descriptor, once it is the one that the plan means. */
static int dress_node(int fd, const struct args_make_node *a, uint64_t device)
{
    struct stat st;
    int result = sys_fstat(fd, &st);
    if (result < 0)
        return result;
    int numbered = (a->mode & S_IFMT) == S_IFCHR || (a->mode & S_IFMT) == S_IFBLK;
    if ((st.st_mode & S_IFMT) != (a->mode & S_IFMT) || (numbered && st.st_rdev != device))
        return -EEXIST;
    if (st.st_uid != a->uid || st.st_gid != a->gid) {
        result = (int)SYS5(fchownat, fd, "", (unsigned long)a->uid, (unsigned long)a->gid, AT_EMPTY_PATH);
        if (result < 0)
            return result;
    }
    return st.st_mode == a->mode ? 0 : chmod_descriptor(fd, a->mode & 07777);
}

static int make_node_at(int folder, const char *name, const struct args_make_node *a)
{
    uint64_t device = (a->minor & 0xff) | (uint64_t)a->major << 8 | (uint64_t)(a->minor & ~0xffu) << 12;
    long result = SYS4(mknodat, folder, name, (unsigned long)a->mode, device);
    if (result < 0 && result != -EEXIST)
        return (int)result;
    int fd = sys_openat(folder, name, O_PATH | O_NOFOLLOW, 0);
    if (fd < 0)
        return fd;
    result = dress_node(fd, a, device);
    sys_close(fd);
    return (int)result;
}

int op_make_node(struct ctx *c, const struct args_make_node *a)
{
    struct root root;
    const char *name;
    int result = root_open(c, a->root, &root);
    if (result < 0)
        return result;
    int folder = path_parent(c, &root, text(c, a->path), &name);
    root_close(&root);
    if (folder < 0)
        return folder;
    result = make_node_at(folder, name, a);
    sys_close(folder);
    return result;
}

static int make_symlink_at(int folder, const char *name, const char *to, int replace)
{
    long result = SYS3(symlinkat, to, folder, name);
    if (result != -EEXIST)
        return (int)result;
    if (!replace)
        return 0;
    result = SYS3(unlinkat, folder, name, 0);
    if (result < 0 && result != -ENOENT)
        return (int)result;
    return (int)SYS3(symlinkat, to, folder, name);
}

int op_make_symlink(struct ctx *c, const struct args_make_symlink *a)
{
    struct root root;
    const char *name;
    int result = root_open(c, a->root, &root);
    if (result < 0)
        return result;
    int folder = path_parent(c, &root, text(c, a->path), &name);
    root_close(&root);
    if (folder < 0)
        return folder;
    result = make_symlink_at(folder, name, text(c, a->to), a->replace != 0);
    sys_close(folder);
    return result;
}
