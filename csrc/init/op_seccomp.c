/* The seccomp filter: received while it is still allowed to receive, loaded last. */

#include "ctx.h"
#include "fdpass.h"
#include "launch.h"
#include "sys.h"
#include "wait.h"

int op_receive_filter(struct ctx *c, const struct args_receive_filter *a)
{
    (void)a;
    /* Only the pages that the filter fills are ever there. */
    void *filter = map_memory(FILTER_MAX);
    if (filter == NULL)
        return -ENOMEM;
    struct iovec_raw part = {filter, FILTER_MAX};
    struct message_header message = {.parts = &part, .part_count = 1};
    long n = receive_with_fds(c->fd[0], &message);
    if (n == 0 || n == -ECONNRESET)
        sys_exit(1); /* the runtime is dead */
    if (n < 0)
        return (int)n;
    if (n % (long)sizeof(struct sock_filter) != 0 || (message.flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        detail(c, "the runtime sent no filter");
        return -EPROTO;
    }
    c->filter = filter;
    c->filter_size = (uint32_t)n;
    return 0;
}

/* Without no_new_privs the kernel wants CAP_SYS_ADMIN of the own user namespace for it. */
static int plan_caps(const struct args_filter_and_wait *a, struct filtered_wait *w)
{
    const uint64_t admin = UINT64_C(1) << CAP_SYS_ADMIN;
    struct caps have;
    struct caps wanted = {
        .effective = pair(a->effective), .permitted = pair(a->permitted), .inheritable = pair(a->inheritable)};
    int result = get_caps(&have);
    if (result < 0)
        return result;
    trim_caps(&wanted, &have);
    have.effective |= have.permitted & admin;
    encode_caps(&have, w->raised);
    encode_caps(&wanted, w->final);
    return 0;
}

static void explain(struct ctx *c, const struct filtered_wait *w, long error)
{
    if (w->loaded)
        detail(c, "the filter itself refuses what is to be done before the program is executed");
    else if (error == -EACCES)
        detail(c, "without noNewPrivileges it needs CAP_SYS_ADMIN");
    else if (error == -EINVAL)
        detail(c, "the kernel does not take this filter, or one of its flags");
}

int op_filter_and_wait(struct ctx *c, const struct args_filter_and_wait *a)
{
    struct filtered_wait w = {
        .program = {.len = (unsigned short)(c->filter_size / sizeof(struct sock_filter)),
                    .filter = (struct sock_filter *)(uintptr_t)c->filter},
        .flags = a->flags,
        .privileged = a->privileged != 0,
        .report = &c->report,
        .sync = c->report_fd,
        .commit = a->commit == PLAN_NONE ? -1 : c->fd[a->commit],
        .pipe = slot_fd(c, a->pipe),
    };
    if (c->filter == NULL) {
        detail(c, "no filter was received");
        return -EINVAL;
    }
    int result = w.privileged ? plan_caps(a, &w) : 0;
    if (result < 0)
        return result;
    c->report.op = c->op;
    c->report.error = 0;
    long n = wait_filtered(&w, c->plan.words, c->plan.data + c->plan.data_size);
    c->filtered = w.loaded;
    c->report.value = 0;
    if (n == -EPIPE)
        sys_exit(1);
    if (n < 0) {
        explain(c, &w, n);
        return (int)n;
    }
    c->report_fd = w.pipe;
    return 0;
}
