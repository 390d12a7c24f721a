// Built and run by fuzz.sh.
/* Paths of a configuration in a root full of links that lead out of it: what is reached or made lies inside, nothing
 * outside changes, and no descriptor stays open. The root is made anew when it has become too full. */
#include "fuzz_init.h"

#include "path.h"

/* For sys_openat2. */
#undef ARCH_START
#define ARCH_START(entry)
#define op_dispatch(c, code, args) ((void)(c), (void)(code), (void)(args), 0)
#include "../init/exec.c"

enum { PATH_TEXT = 512 };

char *mkdtemp(char *template);
char *getenv(const char *name);
int snprintf(char *to, size_t size, const char *format, ...);
int system(const char *command);

static char base[PATH_TEXT];
static int outside;
static int root_fd;
static int inputs;

/* The links: absolute, relative, dangling, in a circle, to a folder and to a file outside. */
static void make_root(void)
{
    static const char script[] =
        "cd '%s' && rm -rf root && mkdir -p root/d/e outside/f && touch root/file outside/file && "
        "ln -s .. root/u && ln -s '%s/outside' root/o && ln -s ../../outside root/d/r && "
        "ln -s ../outside/new root/n && ln -s l root/l && ln -s /d/e root/d/a && "
        "ln -s /../../outside/file root/x && ln -s missing/way root/m";
    char command[sizeof script + 2 * PATH_TEXT];
    (void)snprintf(command, sizeof command, script, base, base);
    char path[PATH_TEXT + 16];
    if (root_fd > 0)
        sys_close(root_fd);
    if (system(command) != 0)
        abort();
    (void)snprintf(path, sizeof path, "%s/root", base);
    root_fd = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
    if (root_fd < 0)
        abort();
    inputs = 0;
}

static void set_up(void)
{
    const char *folder = getenv("FUZZ_FOLDER");
    (void)snprintf(base, sizeof base, "%s/path.XXXXXX", folder == NULL ? "/tmp" : folder);
    if (mkdtemp(base) == NULL)
        abort();
    make_root();
    char path[PATH_TEXT + 16];
    (void)snprintf(path, sizeof path, "%s/outside", base);
    outside = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
}

/* What make_root has put there, and the file is still empty. */
static void check_outside(void)
{
    char entries[1024];
    struct stat st;
    (void)SYS3(lseek, outside, 0, 0);
    size_t count = 0;
    for (long n; (n = SYS3(getdents64, outside, entries, sizeof entries)) > 0;)
        for (long at = 0; at < n; at += *(unsigned short *)(void *)(entries + at + 16))
            count++;
    if (count != 4 /* with . and .. */ || SYS4(newfstatat, outside, "file", &st, 0) < 0 || st.st_size != 0)
        abort();
}

/* The lowest number that no descriptor has. */
static int next_free(void)
{
    int fd = (int)SYS1(dup, outside);
    sys_close(fd);
    return fd;
}

static void check_inside(int fd)
{
    char link[64];
    char path[PATH_MAX + 64];
    char prefix[PATH_TEXT + 16];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long n = SYS4(readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    size_t length = (size_t)snprintf(prefix, sizeof prefix, "%s/root", base);
    if (n < (long)length || memcmp(path, prefix, length) != 0 || (n > (long)length && path[length] != '/'))
        abort();
}

/* A letter of the input is a piece of a path. */
static size_t spell(const uint8_t *data, size_t size, char *path, size_t room)
{
    static const char *const pieces[] = {"/", "..", ".", "u", "o", "d",    "r",   "n",
                                         "l", "a",  "x", "m", "e", "file", "new", "//"};
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        const char *piece = pieces[data[i] % 16];
        char own[2] = {(char)data[i], '\0'};
        if (data[i] >= 0xe0)
            piece = own;
        size_t more = strlen(piece) + (data[i] & 16 ? 1 : 0);
        if (length + more >= room)
            break;
        if (data[i] & 16)
            path[length++] = '/';
        memcpy(path + length, piece, strlen(piece));
        length += strlen(piece);
    }
    path[length] = '\0';
    return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (base[0] == '\0')
        set_up();
    if (size < 2)
        return 0;
    if (++inputs > 300)
        make_root();
    int free_before = next_free();
    struct ctx *c = calloc(1, sizeof *c);
    char *path = malloc(PATH_MAX + 64);
    size_t length = spell(data + 1, size - 1, path, PATH_MAX + 64);
    const struct root root = {.fd = root_fd};
    const struct path_make how = {.kind = data[0] % 3, .mode = 0755, .nofollow = data[0] & 8};
    const char *name;
    int fd = data[0] & 4 ? path_parent(c, &root, path, &name) : path_make(c, &root, path, &how);
    if (fd >= 0) {
        if ((data[0] & 4) && (name < path || name + strlen(name) != path + length || strchr(name, '/') != NULL))
            abort();
        check_inside(fd);
        sys_close(fd);
    }
    check_outside();
    if (c->report.length > REPORT_DETAIL || next_free() != free_before)
        abort();
    free(path);
    free(c);
    return 0;
}
