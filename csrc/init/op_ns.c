/* Namespaces, and the second clone that joining some of them needs. */

#include "ctx.h"
#include "fdpass.h"
#include "mem.h"
#include "sys.h"

#include <linux/sched.h>

int op_unshare(struct ctx *c, const struct args_unshare *a)
{
    (void)c;
    return (int)SYS1(unshare, (unsigned long)a->flags);
}

int op_setns(struct ctx *c, const struct args_setns *a)
{
    return (int)SYS2(setns, slot_fd(c, a->ns), (unsigned long)a->nstype);
}

/* The joiner's last act. The child waits for the byte behind it, so that CHILD comes before any report of the child. */
_Noreturn static void announce(struct ctx *c, int pid, int pidfd, int gate)
{
    struct report r = {.kind = REPORT_CHILD, .op = c->op, .value = pid};
    if (send_with_fd(c->report_fd, &r, REPORT_HEAD, pidfd) < 0)
        sys_exit(1); /* the gate closes with us and ends the child */
    (void)sys_write(gate, "", 1);
    sys_exit(0);
}

static int sibling_clone(const struct ctx *c, const struct args_sibling *a, int *pidfd)
{
    struct clone_args args = {
        .flags = (uint64_t)CLONE_PARENT | CLONE_PIDFD | a->flags,
        .pidfd = (uint64_t)(uintptr_t)pidfd,
    };
    if (a->cgroup != PLAN_NONE) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint32_t)slot_fd(c, a->cgroup);
    }
    return (int)SYS2(clone3, &args, sizeof args);
}

int op_sibling(struct ctx *c, const struct args_sibling *a)
{
    int gate[2];
    int pidfd = -1;
    long result = SYS2(pipe2, gate, O_CLOEXEC);
    if (result < 0)
        return (int)result;
    int pid = sibling_clone(c, a, &pidfd);
    if (pid > 0)
        announce(c, pid, pidfd, gate[1]);
    if (pid < 0)
        return pid;
    char byte;
    sys_close(gate[1]);
    if (sys_read(gate[0], &byte, 1) != 1)
        sys_exit(1);
    sys_close(gate[0]);
    return 0;
}

int op_hostname(struct ctx *c, const struct args_hostname *a)
{
    return (int)SYS2(sethostname, text(c, a->name), (unsigned long)text_length(c, a->name));
}

int op_domainname(struct ctx *c, const struct args_domainname *a)
{
    return (int)SYS2(setdomainname, text(c, a->name), (unsigned long)text_length(c, a->name));
}

/* struct ifreq of <net/if.h>, of which only the flags are used. */
struct interface_flags {
    char name[16];
    short flags;
    char rest[22];
};

int op_loopback_up(struct ctx *c, const struct args_loopback_up *a)
{
    (void)c;
    (void)a;
    enum { UNIX = 1, DATAGRAM = 2, SET_FLAGS = 0x8914, UP = 1 };
    /* Any socket takes interface ioctls; a UNIX one is the cheapest. */
    int fd = (int)SYS3(socket, UNIX, DATAGRAM | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    struct interface_flags lo = {.name = "lo", .flags = UP};
    int result = (int)SYS3(ioctl, fd, SET_FLAGS, &lo);
    sys_close(fd);
    return result;
}
