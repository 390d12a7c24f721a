/* The protocol with the runtime: csrc/init/report.h. */

#include "ctx.h"
#include "fdpass.h"
#include "sys.h"
#include "wait.h"

/* What a message that should release init says instead; `n` is its size or -errno. */
static int check_go(struct ctx *c, long n, const struct go *go, uint32_t barrier)
{
    if (n == 0 || n == -EPIPE || n == -ECONNRESET)
        sys_exit(1); /* the runtime is dead */
    if (n < 0)
        return (int)n;
    if (n == (long)sizeof *go && go->barrier == barrier)
        return 0;
    detail(c, "the runtime released another barrier");
    return -EPROTO;
}

int op_sync(struct ctx *c, const struct args_sync *a)
{
    struct go go;
    report(c, REPORT_BARRIER, (int32_t)a->barrier);
    long n = sys_read(c->report_fd, &go, sizeof go);
    return check_go(c, n, &go, a->barrier);
}

int op_announce(struct ctx *c, const struct args_announce *a)
{
    report(c, REPORT_BARRIER, (int32_t)a->barrier);
    return 0;
}

int op_receive_mount(struct ctx *c, const struct args_receive_mount *a)
{
    struct go go;
    struct fd_control control = {.head = {0}};
    struct iovec_raw part = {&go, sizeof go};
    struct message_header message = {
        .parts = &part, .part_count = 1, .control = &control, .control_length = sizeof control};
    report(c, REPORT_BARRIER, (int32_t)a->barrier);
    long n = receive_with_fds(c->report_fd, &message);
    int result = check_go(c, n, &go, a->barrier);
    if (result < 0)
        return result;
    if (message.control_length < control.head.length || control.head.length != offsetof(struct fd_control, padding) ||
        control.head.type != SCM_RIGHTS || message.flags & (MSG_TRUNC | MSG_CTRUNC)) {
        detail(c, "the runtime sent no mount");
        return -EPROTO;
    }
    result = fill_slot(c, a->mount, control.fd);
    if (result == 0)
        c->about[a->mount] |= SLOT_DETACHED;
    return result;
}

int op_ready(struct ctx *c, const struct args_ready *a)
{
    (void)a;
    report(c, REPORT_READY, 0);
    return 0;
}

int op_wait_commit(struct ctx *c, const struct args_wait_commit *a)
{
    const char byte = STARTED;
    long n = sys_write(slot_fd(c, a->pipe), &byte, 1);
    if (n == -EPIPE)
        sys_exit(1); /* pid 1 of a pid namespace is spared the SIGPIPE */
    return n < 0 ? (int)n : 0;
}

int op_wait_start(struct ctx *c, const struct args_wait_start *a)
{
    int fd = slot_fd(c, a->pipe);
    long n = wait_in_few_pages(fd, c->plan.words, c->plan.data + c->plan.data_size);
    if (n == -EPIPE)
        sys_exit(1);
    if (n < 0)
        return (int)n;
    c->report_fd = fd;
    return 0;
}
