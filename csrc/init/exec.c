/* init: maps the plan, verifies it, runs one op after the other. argv: name, base, offset of the plan in its file.
 * Slot i of what is inherited is descriptor base + i. */

#include "ctx.h"
#include "failpoint.h"
#include "mem.h"
#include "sys.h"

#include <linux/mman.h>

ARCH_START(init_main);

int sys_openat2(int dir, const char *path, uint32_t flags, uint32_t mode, uint32_t resolve)
{
    struct open_how how = {.flags = flags | (uint32_t)O_CLOEXEC, .mode = mode, .resolve = resolve};
    long fd = -EAGAIN;
    for (int tries = 0; tries < 1000 && (fd == -EAGAIN || fd == -EINTR); tries++)
        fd = SYS4(openat2, dir, path, &how, sizeof how);
    return (int)fd;
}

int slot_fd(const struct ctx *c, uint32_t slot)
{
    return slot == PLAN_NONE ? AT_FDCWD : c->fd[slot];
}

int fill_slot(struct ctx *c, uint32_t slot, int fd)
{
    if (fd < 0)
        return fd;
    if (fd < c->base) {
        /* The caller has closed one of its descriptors: that number belongs to the container. */
        int moved = (int)SYS3(fcntl, fd, F_DUPFD_CLOEXEC, c->base);
        sys_close(fd);
        if (moved < 0)
            return moved;
        fd = moved;
    }
    c->fd[slot] = fd;
    c->about[slot] = 0;
    return 0;
}

/* A decimal number that fills the string; -1 when it is none. */
static long parse_number(const char *s)
{
    long number = 0;
    if (*s == '\0')
        return -1;
    for (; *s != '\0'; s++) {
        if (*s < '0' || *s > '9' || number > INT32_MAX / 10 - 1)
            return -1;
        number = number * 10 + (*s - '0');
    }
    return number;
}

/* The plan's bytes, mapped read-only from the plan file; NULL with the reason in the report. */
static const void *map_plan(struct ctx *c, long offset, size_t *size)
{
    int fd = c->base + 1;
    struct plan_header header;
    struct stat st;
    long n = SYS4(pread64, fd, &header, sizeof header, offset);
    if (n != (long)sizeof header || sys_fstat(fd, &st) < 0 || header.size < sizeof header ||
        offset + (long)header.size > st.st_size) {
        detail(c, "the plan file is too short");
        return NULL;
    }
    *size = header.size;
    long address = SYS6(mmap, NULL, header.size, PROT_READ, MAP_PRIVATE, fd, offset);
    if (address < 0 && address > -4096) {
        detail(c, "the plan cannot be mapped");
        return NULL;
    }
    sys_close(fd);
    return (const void *)address;
}

static void load_plan(struct ctx *c, long offset)
{
    size_t size;
    const void *bytes = map_plan(c, offset, &size);
    if (bytes == NULL)
        fail(c, EINVAL);
    struct plan_error error;
    if (plan_verify(&c->plan, bytes, size, &error) < 0) {
        c->op = error.op;
        detail(c, "the plan is broken: ");
        detail(c, error.reason);
        fail(c, EINVAL);
    }
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        c->fd[slot] = slot < c->plan.inherited && slot != 1 ? c->base + (int)slot : -1;
}

static void run(struct ctx *c)
{
    const uint32_t *end = c->plan.words + c->plan.word_count;
    for (const uint32_t *at = c->plan.words; at < end; at += 1 + (*at >> 16), c->op++) {
        failpoint(c);
        c->report.length = 0;
        int result = op_dispatch(c, *at & 0xffff, at + 1);
        if (result < 0)
            fail(c, -result);
    }
}

/* `stack` is what the kernel left there: argc, argv[0], ... */
_Noreturn __attribute__((used)) void init_main(long *stack)
{
    char **argv = (char **)(stack + 1);
    struct ctx c;
    long base = stack[0] >= 3 ? parse_number(argv[1]) : -1;
    long offset = stack[0] >= 3 ? parse_number(argv[2]) : -1;
    if (base < 3 || offset < 0)
        sys_exit(2);
    /* Not all of it: home's pages are touched only by plans that need them. */
    memset(&c, 0, offsetof(struct ctx, home));
    c.base = (int)base;
    c.report_fd = (int)base;
    failpoint_setup(&c, stack[0] >= 4 ? argv[3] : NULL);
    (void)SYS3(close_range, base, ~0u, CLOSE_RANGE_CLOEXEC);
    (void)sys_prctl(PR_SET_NAME, (unsigned long)ARG("berth:[init]"), 0, 0);
    c.umask = (int)SYS1(umask, 0);
    load_plan(&c, offset);
    run(&c);
    /* A program that does not end in `execute` (or in `sibling`'s caller) has done its work. */
    sys_exit(0);
}
