/* The end: working directory, finding the program, HOME, execve. */

#include "ctx.h"
#include "launch.h"
#include "mem.h"
#include "sys.h"

/* The kernel's own answer: libc would hide "(unreachable)", the mark of a working directory that lies outside of the
 * root (CVE-2024-21626). */
static int check_cwd(struct ctx *c)
{
    char path[PATH_MAX];
    long n = SYS2(getcwd, path, sizeof path);
    if (n < 0)
        return (int)n;
    if (path[0] == '/')
        return 0;
    detail(c, "the working directory is outside of the container");
    return -ENOENT;
}

int op_chdir(struct ctx *c, const struct args_chdir *a)
{
    if (!c->cwd_reached) {
        long result = SYS1(chdir, text(c, a->path));
        if (result == -EACCES && a->optional)
            return 0;
        if (result < 0)
            return (int)result;
        c->cwd_reached = a->optional != 0;
    }
    return check_cwd(c);
}

/* 0 when `path` is a regular file that this process may execute. */
static int check_executable(const char *path)
{
    struct stat st;
    int result = (int)SYS4(newfstatat, AT_FDCWD, path, &st, 0);
    if (result < 0)
        return result;
    if ((st.st_mode & S_IFMT) != S_IFREG)
        return -EACCES;
    result = (int)SYS4(faccessat2, AT_FDCWD, path, 1 /* X_OK */, AT_EACCESS);
    if (result == -ENOSYS || result == -EPERM)
        return st.st_mode & 0111 ? 0 : -EACCES;
    return result;
}

/* folder/name; an empty folder is the working directory. */
static int join(char *path, const char *folder, size_t folder_length, const char *name)
{
    size_t name_length = strlen(name);
    if (folder_length + name_length + 2 > PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(path, folder, folder_length);
    if (folder_length > 0)
        path[folder_length++] = '/';
    memcpy(path + folder_length, name, name_length + 1);
    return 0;
}

/* Go's LookPath says "not found" for whatever it meets on the way; the detail tells what was there. */
static int search_path(struct ctx *c, const char *search, const char *name)
{
    char path[PATH_MAX];
    for (;;) {
        const char *colon = strchr(search, ':');
        size_t length = colon == NULL ? strlen(search) : (size_t)(colon - search);
        int result = join(path, search, length, name);
        if (result == 0)
            result = check_executable(path);
        if (result == 0) {
            c->folder = search;
            c->folder_length = (uint32_t)length;
            c->name = name;
            return 0;
        }
        if (result == -EACCES && c->report.length == 0) {
            detail(c, path);
            detail(c, " may not be executed");
        }
        if (colon == NULL)
            return -ENOENT;
        search = colon + 1;
    }
}

int op_find_executable(struct ctx *c, const struct args_find_executable *a)
{
    const char *name = text(c, a->name);
    if (strchr(name, '/') == NULL)
        return *name == '\0' || text_length(c, a->path) == 0 ? -ENOENT : search_path(c, text(c, a->path), name);
    int result = check_executable(name);
    c->folder_length = 0;
    c->name = name;
    return result;
}

/* The uid and home fields of a line of passwd(5) when it is uid's; the length of HOME or -1. */
static long home_of_line(const char *line, size_t length, uint32_t uid, const char **home)
{
    const char *field[6] = {line};
    const char *end = line + length;
    for (int i = 1; i < 6; i++) {
        const char *colon = memchr(field[i - 1], ':', (size_t)(end - field[i - 1]));
        if (colon == NULL)
            return -1;
        field[i] = colon + 1;
    }
    uint64_t number = 0;
    const char *digit = field[2];
    for (; *digit >= '0' && *digit <= '9' && number <= UINT32_MAX; digit++)
        number = number * 10 + (uint64_t)(*digit - '0');
    if (digit == field[2] || *digit != ':' || number != uid)
        return -1;
    *home = field[5];
    const char *colon = memchr(*home, ':', (size_t)(end - *home));
    return (colon == NULL ? end : colon) - *home;
}

/* Reads by blocks and looks at whole lines; one that does not fit is skipped. The buffer is a line's limit. */
static long scan_passwd(struct ctx *c, int fd, uint32_t uid)
{
    enum { LIMIT = 1 << 20, LINE = 4096 };
    char buffer[LINE + 1];
    size_t held = 0;
    int skipping = 0;
    for (size_t total = 0; total < LIMIT;) {
        long n = sys_read(fd, buffer + held, LINE - held);
        if (n < 0)
            return n;
        total += (size_t)n;
        held += (size_t)n;
        if (n == 0 && held > 0 && held < LINE)
            buffer[held++] = '\n'; /* the last line may lack it */
        char *line = buffer;
        char *end;
        while ((end = memchr(line, '\n', held - (size_t)(line - buffer))) != NULL) {
            const char *home;
            long length = skipping ? -1 : home_of_line(line, (size_t)(end - line), uid, &home);
            if (length >= 0 && memchr(home, '\0', (size_t)length) == NULL) {
                memcpy(c->home + 5, home, (size_t)length);
                return length;
            }
            skipping = 0;
            line = end + 1;
        }
        if (n == 0)
            return -ENOENT;
        held -= (size_t)(line - buffer);
        memmove(buffer, line, held);
        if (held == LINE) {
            skipping = 1;
            held = 0;
        }
    }
    return -ENOENT;
}

/* Looked at before it is opened: to open a device of the image may do something, and device rules come later. What
 * somebody puts there in between is not read either. */
static int open_passwd(void)
{
    static const char path[] = "/etc/passwd";
    struct stat st;
    int result = (int)SYS4(newfstatat, AT_FDCWD, path, &st, 0);
    if (result < 0 || (st.st_mode & S_IFMT) != S_IFREG)
        return result < 0 ? result : -EINVAL;
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd >= 0 && sys_fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == S_IFREG)
        return fd;
    if (fd >= 0)
        sys_close(fd);
    return fd < 0 ? fd : -EINVAL;
}

int op_home(struct ctx *c, const struct args_home *a)
{
    memcpy(c->home, "HOME=/", 7);
    int fd = open_passwd();
    long length = fd < 0 ? fd : scan_passwd(c, fd, a->uid);
    if (fd >= 0)
        sys_close(fd);
    if (length < 0) {
        memcpy(c->home, "HOME=/", 7);
        length = 1;
    }
    c->home[5 + length] = '\0';
    c->home_length = (size_t)length + 6;
    return 0;
}

int op_execute(struct ctx *c, const struct args_execute *a)
{
    char path[PATH_MAX];
    struct launch launch;
    if (c->name == NULL)
        return -EINVAL;
    int result = join(path, c->folder, c->folder_length, c->name);
    if (result == 0)
        result = launch_prepare(c, a->args, a->env, c->home_length > 0 ? c->home : NULL, &launch);
    if (result < 0)
        return result;
    if (c->umask >= 0)
        (void)SYS1(umask, c->umask);
    result = (int)SYS3(execve, path, launch.args, launch.env);
    launch_explain(c, path, result);
    return result;
}
