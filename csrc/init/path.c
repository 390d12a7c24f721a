#include "path.h"

#include "mem.h"
#include "sys.h"

#include <linux/magic.h>

/* Symlinks that are followed by hand (dangling ones), and attempts lost to somebody who renames meanwhile. */
enum { TRIES = 64 };

/* RESOLVE_ flags for one component below a descriptor that has been reached. */
#define ONE_COMPONENT (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)

int root_open(const struct ctx *c, uint32_t slot, struct root *root)
{
    root->opened = slot == PLAN_NONE;
    root->fd = root->opened ? sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0) : c->fd[slot];
    return root->fd < 0 ? root->fd : 0;
}

void root_close(const struct root *root)
{
    if (root->opened)
        sys_close(root->fd);
}

int path_existing(const struct root *root, const char *path, int flags)
{
    return sys_openat2(root->fd, *path == '\0' ? "." : path, (uint32_t)(O_PATH | flags), 0, IN_ROOT);
}

int own_descriptors(void)
{
    struct statfs fs;
    int folder = sys_openat(AT_FDCWD, "/proc/self/fd", O_PATH | O_DIRECTORY, 0);
    int result = folder < 0 ? folder : (int)SYS2(fstatfs, folder, &fs);
    if (result == 0 && fs.f_type == PROC_SUPER_MAGIC)
        return folder;
    if (folder >= 0)
        sys_close(folder);
    return result < 0 ? result : -EINVAL;
}

/* A path on its way: `text[0..reached)` exists and is the folder `fd`; the rest does not exist, or did not. */
struct walk {
    struct ctx *c;
    const struct root *root;
    const struct path_make *how;
    int fd;
    size_t reached;
    char text[PATH_MAX];
};

static void leave(struct walk *w)
{
    if (w->fd >= 0)
        sys_close(w->fd);
    w->fd = -1;
}

static int blame(struct walk *w, size_t length, int error)
{
    leave(w);
    detail_bytes(w->c, w->text, length);
    return error;
}

/* The end of the component that begins at or behind `at`, slashes skipped; *start is its begin. */
static size_t component(const char *text, size_t at, size_t *start)
{
    while (text[at] == '/')
        at++;
    *start = at;
    while (text[at] != '\0' && text[at] != '/')
        at++;
    return at;
}

static size_t skip_slashes(const char *text, size_t at)
{
    while (text[at] == '/')
        at++;
    return at;
}

/* Opens the longest prefix that is there. The whole text is known to be missing. */
static int reach_prefix(struct walk *w)
{
    size_t end = strlen(w->text);
    for (;;) {
        while (end > 0 && w->text[end - 1] == '/')
            end--;
        while (end > 0 && w->text[end - 1] != '/')
            end--;
        char saved = w->text[end];
        w->text[end] = '\0';
        int fd = path_existing(w->root, w->text, O_DIRECTORY);
        w->text[end] = saved;
        w->reached = end;
        w->fd = fd;
        if (fd >= 0)
            return 0;
        if (fd != -ENOENT || end == 0)
            return blame(w, end, fd);
    }
}

/* Puts the target of the symlink text[start..end) in its place: absolute ones start at the root again. */
static int expand(struct walk *w, size_t start, size_t end, const char *target, size_t length)
{
    size_t rest = strlen(w->text + end);
    size_t keep = target[0] == '/' ? 0 : start;
    if (keep + length + rest + 1 > sizeof w->text)
        return blame(w, end, -ENAMETOOLONG);
    memmove(w->text + keep + length, w->text + end, rest + 1);
    memcpy(w->text + keep, target, length);
    leave(w);
    return -EAGAIN;
}

/* The component text[start..end) has appeared, or was a dangling symlink all the time. -EAGAIN: resolve again. */
static int follow(struct walk *w, size_t start, size_t end)
{
    char target[PATH_MAX];
    char saved = w->text[end];
    w->text[end] = '\0';
    long n = SYS4(readlinkat, w->fd, w->text + start, target, sizeof target - 1);
    w->text[end] = saved;
    if (n == -EINVAL || n == -ENOENT) {
        leave(w);
        return -EAGAIN;
    }
    if (n < 0)
        return blame(w, end, (int)n);
    if (w->how->nofollow && w->text[skip_slashes(w->text, end)] == '\0')
        return blame(w, end, -ELOOP);
    target[n] = '\0';
    return expand(w, start, end, target, (size_t)n);
}

/* A new folder, as descriptor. What somebody put in its place meanwhile is refused, unless it is a folder as well. */
static int make_folder(int parent, const char *name, uint32_t mode)
{
    long result = SYS3(mkdirat, parent, name, (unsigned long)mode);
    if (result < 0)
        return (int)result;
    return sys_openat2(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, ONE_COMPONENT);
}

/* A new file. Its own descriptor is the result: nobody can have replaced it. */
static int make_file(int parent, const char *name)
{
    return sys_openat(parent, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY, 0644);
}

/* Makes the components behind text[reached), each below the one before. 0, or -EAGAIN to begin anew. */
static int make_rest(struct walk *w)
{
    for (;;) {
        size_t start;
        size_t end = component(w->text, w->reached, &start);
        if (start == end)
            return 0;
        char saved = w->text[end];
        w->text[end] = '\0';
        const char *name = w->text + start;
        int step_back = strcmp(name, "..") == 0;
        int stay = strcmp(name, ".") == 0;
        int last = saved == '\0';
        int fd = -EAGAIN;
        if (!stay && !step_back)
            fd = last && w->how->kind == PATH_FILE ? make_file(w->fd, name) : make_folder(w->fd, name, w->how->mode);
        w->text[end] = saved;
        if (stay) {
            w->reached = end;
            continue;
        }
        if (step_back) { /* only the kernel can tell safely where it leads */
            leave(w);
            return -EAGAIN;
        }
        if (fd == -EEXIST)
            return follow(w, start, end);
        if (fd < 0)
            return blame(w, end, fd);
        leave(w);
        w->fd = fd;
        w->reached = end;
        w->c->path_made = 1;
    }
}

/* Somebody else's choice of type: the descriptor is what the caller asked for, or it is closed. */
static int check_kind(struct walk *w, int fd)
{
    struct stat st;
    int error = sys_fstat(fd, &st);
    uint32_t type = st.st_mode & S_IFMT;
    if (error == 0 && w->how->nofollow && type == S_IFLNK)
        error = -ELOOP;
    if (error == 0 && w->how->kind == PATH_FOLDER && type != S_IFDIR)
        error = -ENOTDIR;
    if (error == 0 && w->how->kind == PATH_FILE && type == S_IFDIR)
        error = -EISDIR;
    if (error == 0)
        return fd;
    w->fd = fd;
    return blame(w, strlen(w->text), error);
}

int path_make(struct ctx *c, const struct root *root, const char *path, const struct path_make *how)
{
    struct walk w;
    w.c = c;
    w.root = root;
    w.how = how;
    w.fd = -1;
    size_t length = strlen(path);
    if (length >= sizeof w.text)
        return -ENAMETOOLONG;
    memcpy(w.text, path, length + 1);
    for (int tries = 0; tries < TRIES; tries++) {
        c->path_made = 0;
        int fd = path_existing(root, w.text, how->nofollow ? O_NOFOLLOW : 0);
        if (fd >= 0)
            return check_kind(&w, fd);
        if (fd != -ENOENT)
            return blame(&w, strlen(w.text), fd);
        int result = reach_prefix(&w);
        if (result == 0)
            result = make_rest(&w);
        if (result == 0)
            return check_kind(&w, w.fd);
        if (result != -EAGAIN)
            return result;
    }
    return blame(&w, strlen(w.text), -ELOOP);
}

int path_parent(struct ctx *c, const struct root *root, const char *path, const char **name)
{
    const struct path_make how = {.kind = PATH_FOLDER, .mode = 0755};
    char folder[PATH_MAX];
    size_t end = strlen(path);
    while (end > 0 && path[end - 1] != '/')
        end--;
    *name = path + end;
    if (end >= sizeof folder)
        return -ENAMETOOLONG;
    if (**name == '\0' || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
        return -EINVAL; /* the compilers clean paths: there is no entry to make */
    memcpy(folder, path, end);
    folder[end] = '\0';
    return path_make(c, root, folder, &how);
}
