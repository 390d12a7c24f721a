/* init: receives the plan, verifies it, runs one op after the other. argv: name, base. The sync socket is descriptor base;
 * slot i of what comes with the plan becomes descriptor base + i. */

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
static const void *map_plan(struct ctx *c, size_t *size)
{
    int fd = c->base + 1;
    struct stat st;
    if (sys_fstat(fd, &st) < 0 || st.st_size < (long)sizeof(struct plan_header) || st.st_size > PLAN_MAX_SIZE) {
        detail(c, "the plan file has a wrong size");
        return NULL;
    }
    *size = (size_t)st.st_size;
    long address = SYS6(mmap, NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (address < 0 && address > -4096) {
        detail(c, "the plan cannot be mapped");
        return NULL;
    }
    sys_close(fd);
    return (const void *)address;
}

/* Descriptors come in at the lowest free numbers, in order: at base + 1 and up, unless the caller has closed some of its
 * own. Those below base belong to the container. From the last to the first, none is overwritten before it is moved. */
static int place_slots(struct ctx *c, const int *fds, uint32_t count)
{
    for (uint32_t i = count; i-- > 0;) {
        int to = c->base + 1 + (int)i;
        if (fds[i] == to)
            continue;
        int error = (int)SYS3(dup3, fds[i], to, O_CLOEXEC);
        if (error < 0)
            return error;
        if (fds[i] < c->base)
            sys_close(fds[i]);
    }
    return 0;
}

/* Waits for the runtime's first message; the number of slots. */
static uint32_t receive_slots(struct ctx *c)
{
    int fds[SLOTS];
    uint32_t slots = 0;
    int count = receive_descriptors(c, fds, &slots);
    if (count < 0)
        fail(c, -count);
    if (count == 0 || slots != (uint32_t)count + 1) {
        detail(c, "the runtime sent no plan");
        fail(c, EPROTO);
    }
    int error = place_slots(c, fds, (uint32_t)count);
    if (error < 0)
        fail(c, -error);
    return slots;
}

static void load_plan(struct ctx *c)
{
    size_t size;
    uint32_t received = receive_slots(c);
    const void *bytes = map_plan(c, &size);
    if (bytes == NULL)
        fail(c, EINVAL);
    struct plan_error error;
    if (plan_verify(&c->plan, bytes, size, &error) < 0) {
        c->op = error.op;
        detail(c, "the plan is broken: ");
        detail(c, error.reason);
        fail(c, EINVAL);
    }
    if (c->plan.inherited != received) {
        detail(c, "the plan has another number of slots");
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
    long base = stack[0] >= 2 ? parse_number(argv[1]) : -1;
    if (base < 3)
        sys_exit(2);
    /* Not all of it: home's pages are touched only by plans that need them. */
    memset(&c, 0, offsetof(struct ctx, home));
    c.base = (int)base;
    c.report_fd = (int)base;
    failpoint_setup(&c, stack[0] >= 3 ? argv[2] : NULL);
    (void)SYS3(close_range, base, ~0u, CLOSE_RANGE_CLOEXEC);
    (void)sys_prctl(PR_SET_NAME, (unsigned long)ARG("berth:[init]"), 0, 0);
    c.umask = (int)SYS1(umask, 0);
    load_plan(&c);
    run(&c);
    /* A program that does not end in `execute` (or in `sibling`'s caller) has done its work. */
    sys_exit(0);
}
