// Built and run by fuzz.sh.
/* init's side of the sync socket: the first message with its descriptors and the plan file, a go, a mount, the seccomp
 * filter, the files of cgroups. Whatever comes: the op's answer, a failure, or the end; never more than there is room for. */
#include "fuzz_init.h"

#include "ctx.h"
#include "fdpass.h"
#include "wait.h"

/* sys_exit and fail do not come back; here they do. */
typedef long jump_buffer[64];
int _setjmp(jump_buffer buffer);
_Noreturn void longjmp(jump_buffer buffer, int value);
static _Alignas(16) jump_buffer over;

/* What init maps it keeps for good; here it is given back after each input. */
static struct {
    long address;
    size_t size;
} maps[4];
static size_t map_count;

static long keep_map(long address, size_t size)
{
    if (map_count == sizeof maps / sizeof *maps)
        abort();
    maps[map_count].address = address;
    maps[map_count++].size = size;
    return address;
}

#define sys_exit(status) longjmp(over, 1 + (status))
#define fail(c, error) longjmp(over, (c)->base + ((error) != 0))
#define op_dispatch(c, code, args) ((void)(c), (void)(code), (void)(args), 0)
#define report(c, kind, value) ((void)(c), (void)(kind), (void)(value))
#undef ARCH_START
#define ARCH_START(entry)
#undef SYS6
#define SYS6(n, a, b, c, d, e, f)                                                                                      \
    keep_map(syscall6(__NR_##n, ARG(a), ARG(b), ARG(c), ARG(d), ARG(e), ARG(f)), (size_t)(b))
#include "../init/exec.c"
#include "../init/launch.c"
#include "../init/op_cgroup.c"
#include "../init/op_seccomp.c"
#include "../init/op_sync.c"

enum { BASE = 300, FDS = 120, AF_UNIX = 1, SOCK_SEQPACKET = 5, MSG_DONTWAIT = 0x40 };

long wait_filtered(struct filtered_wait *w, const void *plan, const void *plan_end)
{
    (void)plan;
    (void)plan_end;
    /* What the kernel would read. */
    uint32_t sum = 0;
    const unsigned char *bytes = (const unsigned char *)w->program.filter;
    for (size_t i = 0; i < w->program.len * sizeof(struct sock_filter); i++)
        sum += bytes[i];
    return sum == 1 ? -EINVAL : 0;
}

long wait_in_few_pages(int pipe, const void *plan, const void *plan_end)
{
    (void)pipe;
    (void)plan;
    (void)plan_end;
    return 0;
}

static int make_plan_file(const uint8_t *data, size_t size)
{
    int fd = (int)SYS2(memfd_create, "plan", 1);
    if (fd < 0 || sys_write(fd, data, size) != (long)size)
        abort();
    return fd;
}

/* One message with `fds` copies of a descriptor. */
static void send_fds(int socket, const void *data, size_t size, int fd, size_t fds)
{
    struct {
        struct control_head head;
        int fds[FDS];
    } control = {
        .head = {.length = sizeof(struct control_head) + fds * sizeof(int), .level = SOL_SOCKET, .type = SCM_RIGHTS}};
    for (size_t i = 0; i < fds; i++)
        control.fds[i] = fd;
    struct iovec_raw part = {data, size};
    struct message_header message = {.parts = &part, .part_count = 1};
    if (fds > 0) {
        message.control = &control;
        message.control_length = (control.head.length + 7) & ~(size_t)7;
    }
    if (SYS3(sendmsg, socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        abort();
}

static void receive(struct ctx *c, unsigned what)
{
    const struct args_sync sync = {.barrier = 7};
    const struct args_receive_mount mount = {.mount = 9, .barrier = 7};
    const struct args_join_cgroups cgroups = {.files = {.first = 0, .count = 3}};
    const struct args_filter_and_wait load = {.commit = PLAN_NONE, .pipe = 0};
    switch (what) {
    case 0:
        load_plan(c);
        run(c);
        break;
    case 1:
        (void)op_sync(c, &sync);
        break;
    case 2:
        if (op_receive_mount(c, &mount) == 0 && (c->fd[9] < c->base || c->about[9] != SLOT_DETACHED))
            abort();
        break;
    case 3:
        (void)op_join_cgroups(c, &cgroups);
        break;
    default:
        if (op_receive_filter(c, NULL) == 0) {
            if (c->filter_size > FILTER_MAX || c->filter_size % sizeof(struct sock_filter) != 0)
                abort();
            (void)op_filter_and_wait(c, &load);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2];
    if (size < 4 || size > 40000)
        return 0;
    if (SYS4(socketpair, AF_UNIX, SOCK_SEQPACKET | O_CLOEXEC, 0, ends) < 0 || SYS3(dup3, ends[0], BASE, O_CLOEXEC) < 0)
        abort();
    struct ctx *c = calloc(1, sizeof *c);
    c->base = BASE;
    c->report_fd = BASE;
    static const uint32_t nothing[1];
    c->plan = (struct plan){.words = nothing, .strings = NULL, .data = (const char *)nothing};
    for (int i = 0; i < SLOTS; i++)
        c->fd[i] = i == 0 ? BASE : -1;
    unsigned what = data[0] % 5;
    size_t fds = data[1] % (FDS + 1);
    /* 0: the head of the message, the rest is the plan; else all of it is the message. */
    size_t head = what == 0 ? 4 + data[2] % 2 : size - 3;
    head = head > size - 3 ? size - 3 : head;
    int file = make_plan_file(data + 3 + head, what == 0 ? size - 3 - head : 0);
    send_fds(ends[1], data + 3, head, file, fds);
    if (data[2] & 128) /* no more will come */
        sys_close(ends[1]);
    if (_setjmp(over) == 0)
        receive(c, what);
    if (c->report.length > REPORT_DETAIL)
        abort();
    /* init that fails ends; what it has received meanwhile has the numbers behind. */
    (void)SYS3(close_range, ends[0], ~0u, 0);
    while (map_count > 0) {
        map_count--;
        (void)SYS2(munmap, maps[map_count].address, maps[map_count].size);
    }
    free(c);
    return 0;
}
