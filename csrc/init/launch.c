#include "launch.h"

#include "mem.h"
#include "sys.h"

#include <linux/mman.h>

void *map_memory(size_t size)
{
    long at = SYS6(mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at < 0 && at > -4096 ? NULL : (void *)at;
}

int op_reserve_launch(struct ctx *c, const struct args_reserve_launch *a)
{
    /* The three that every launch has beside its arguments and environment: two ends and HOME. */
    size_t size = ((size_t)a->pointers + 3) * sizeof(char *);
    c->room = map_memory(size);
    c->room_size = c->room == NULL ? 0 : size;
    return c->room == NULL ? -ENOMEM : 0;
}

int launch_prepare(const struct ctx *c, struct string_range args, struct string_range env, const char *home,
                   struct launch *launch)
{
    size_t size = ((size_t)args.count + env.count + 3) * sizeof(char *);
    char **next = c->room;
    if (size > c->room_size) {
        next = map_memory(size);
        if (next == NULL)
            return -ENOMEM;
    }
    launch->args = next;
    for (uint32_t i = 0; i < args.count; i++)
        *next++ = (char *)(uintptr_t)text(c, args.first + i);
    *next++ = NULL;
    launch->env = next;
    for (uint32_t i = 0; i < env.count; i++) {
        const char *entry = text(c, env.first + i);
        if (home == NULL || text_length(c, env.first + i) < 5 || memcmp(entry, "HOME=", 5) != 0)
            *next++ = (char *)(uintptr_t)entry;
    }
    if (home != NULL)
        *next++ = (char *)(uintptr_t)home;
    *next = NULL;
    return 0;
}

/* The first bytes of a regular file of the image; nothing else is opened for long, and nothing blocks. */
static long read_beginning(const char *path, char *buffer, size_t size)
{
    struct stat st;
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return fd;
    long n = sys_fstat(fd, &st);
    if (n == 0)
        n = (st.st_mode & S_IFMT) == S_IFREG ? sys_read(fd, buffer, size) : -EINVAL;
    sys_close(fd);
    return n;
}

void launch_explain(struct ctx *c, const char *path, int error)
{
    char begin[128];
    if (c->filtered || (error != -ENOENT && error != -ENOEXEC))
        return;
    long n = read_beginning(path, begin, sizeof begin - 1);
    if (n < 2)
        return;
    begin[n] = '\0';
    if (begin[0] == '#' && begin[1] == '!') {
        char *name = begin + 2;
        while (*name == ' ' || *name == '\t')
            name++;
        size_t length = 0;
        while (name[length] > ' ')
            length++;
        detail(c, error == -ENOENT ? "its interpreter does not exist: " : "its interpreter cannot be run: ");
        detail_bytes(c, name, length);
    } else if (error == -ENOENT && n > 4 && memcmp(begin, "\177ELF", 4) == 0)
        detail(c, "its dynamic loader does not exist");
    else if (error == -ENOEXEC)
        detail(c, "it is neither a program for this machine nor a script that begins with #!");
}
