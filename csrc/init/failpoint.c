#include "failpoint.h"

#ifdef BERTH_FAILPOINTS
#include "mem.h"
#include "sys.h"

#include <asm/poll.h>

static const char *number(const char *s, uint32_t *value)
{
    *value = 0;
    for (; *s >= '0' && *s <= '9'; s++)
        *value = *value * 10 + (uint32_t)(*s - '0');
    return s;
}

void failpoint_setup(struct ctx *c, const char *argument)
{
    uint32_t value;
    c->fail_op = PLAN_NONE;
    c->stop_op = PLAN_NONE;
    if (argument == NULL)
        return;
    if (memcmp(argument, "fail=", 5) == 0) {
        const char *rest = number(argument + 5, &c->fail_op);
        if (*rest == ':') {
            (void)number(rest + 1, &value);
            c->fail_errno = (int)value;
        }
    } else if (memcmp(argument, "stop=", 5) == 0)
        (void)number(argument + 5, &c->stop_op);
}

void failpoint(struct ctx *c)
{
    if (c->op == c->fail_op)
        fail(c, c->fail_errno);
    if (c->op != c->stop_op)
        return;
    /* Until the runtime is dead: what it sends meanwhile (a seccomp filter) is for later. */
    struct pollfd peer = {.fd = c->fd[0], .events = 0};
    (void)sys_prctl(PR_SET_NAME, (unsigned long)ARG("berth:stop"), 0, 0);
    (void)SYS5(ppoll, &peer, 1, NULL, NULL, 0);
    (void)sys_prctl(PR_SET_NAME, (unsigned long)ARG("berth:[init]"), 0, 0);
}
#endif
