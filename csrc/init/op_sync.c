/* The protocol with the runtime: csrc/init/report.h. */

#include "ctx.h"
#include "sys.h"
#include "wait.h"

int op_sync(struct ctx *c, const struct args_sync *a)
{
    struct go go;
    report(c, REPORT_BARRIER, (int32_t)a->barrier);
    long n = sys_read(c->report_fd, &go, sizeof go);
    if (n == 0 || n == -EPIPE || n == -ECONNRESET)
        sys_exit(1); /* the runtime is dead */
    if (n < 0)
        return (int)n;
    if (n != (long)sizeof go || go.barrier != a->barrier) {
        detail(c, "the runtime released another barrier");
        return -EPROTO;
    }
    return 0;
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
