/* Attributes of the process that it keeps over execve. */

#include "ctx.h"
#include "mem.h"
#include "sys.h"

#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/sched/types.h>

enum { SIGNALS = 64, SIGSET_BYTES = 8, IOPRIO_WHO_PROCESS = 1 };

int op_dumpable(struct ctx *c, const struct args_dumpable *a)
{
    (void)c;
    return sys_prctl(PR_SET_DUMPABLE, a->value, 0, 0);
}

/* The kernel's own struct: <asm/signal.h> has libc's older one. */
struct kernel_sigaction {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

int op_reset_signals(struct ctx *c, const struct args_reset_signals *a)
{
    (void)c;
    (void)a;
    const struct kernel_sigaction none = {0};
    const uint64_t empty = 0;
    for (int signal = 1; signal <= SIGNALS; signal++)
        if (signal != SIGKILL && signal != SIGSTOP)
            (void)SYS4(rt_sigaction, signal, &none, NULL, SIGSET_BYTES);
    return (int)SYS4(rt_sigprocmask, SIG_SETMASK, &empty, NULL, SIGSET_BYTES);
}

int op_setsid(struct ctx *c, const struct args_setsid *a)
{
    (void)c;
    (void)a;
    long result = SYS0(setsid);
    return result < 0 ? (int)result : 0;
}

/* The permission field of a key's description: type;uid;gid;PERM;name, in hexadecimal digits. */
static int key_permissions(long key, uint32_t *permissions)
{
    char description[256];
    long n = SYS4(keyctl, KEYCTL_DESCRIBE, key, description, sizeof description - 1);
    if (n < 0)
        return (int)n;
    if (n > (long)sizeof description - 1)
        n = (long)sizeof description - 1;
    description[n] = '\0';
    const char *p = description;
    for (int fields = 0; fields < 3 && p != NULL; fields++)
        p = strchr(p, ';') == NULL ? NULL : strchr(p, ';') + 1;
    if (p == NULL)
        return -EPROTO;
    *permissions = 0;
    for (; *p != ';' && *p != '\0'; p++)
        *permissions = *permissions << 4 | (uint32_t)(*p <= '9' ? *p - '0' : (*p | 32) - 'a' + 10);
    return 0;
}

int op_join_keyring(struct ctx *c, const struct args_join_keyring *a)
{
    long key = SYS2(keyctl, KEYCTL_JOIN_SESSION_KEYRING, text(c, a->name));
    if (key == -ENOSYS)
        return 0;
    if (key < 0)
        return (int)key;
    if (a->add == 0)
        return 0;
    uint32_t permissions;
    int result = key_permissions(key, &permissions);
    if (result < 0)
        return result;
    return (int)SYS3(keyctl, KEYCTL_SETPERM, key, (unsigned long)(permissions | a->add));
}

int op_umask(struct ctx *c, const struct args_umask *a)
{
    (void)SYS1(umask, (unsigned long)a->mode);
    c->umask = -1;
    return 0;
}

int op_rlimit(struct ctx *c, const struct args_rlimit *a)
{
    (void)c;
    const uint64_t limit[2] = {pair(a->soft), pair(a->hard)};
    return (int)SYS4(prlimit64, 0, (unsigned long)a->resource, limit, NULL);
}

int op_scheduler(struct ctx *c, const struct args_scheduler *a)
{
    (void)c;
    struct sched_attr attr = {
        .size = SCHED_ATTR_SIZE_VER0,
        .sched_policy = a->policy,
        .sched_flags = pair(a->flags),
        .sched_nice = (int32_t)a->nice,
        .sched_priority = a->priority,
        .sched_runtime = pair(a->runtime),
        .sched_deadline = pair(a->deadline),
        .sched_period = pair(a->period),
    };
    return (int)SYS3(sched_setattr, 0, &attr, 0);
}

int op_io_priority(struct ctx *c, const struct args_io_priority *a)
{
    (void)c;
    return (int)SYS3(ioprio_set, IOPRIO_WHO_PROCESS, 0, (unsigned long)a->value);
}

int op_personality(struct ctx *c, const struct args_personality *a)
{
    (void)c;
    long result = SYS1(personality, (unsigned long)a->persona);
    return result < 0 ? (int)result : 0;
}

int op_reset_affinity(struct ctx *c, const struct args_reset_affinity *a)
{
    (void)c;
    (void)a;
    char every[1024]; /* the kernel ignores the bits of CPUs that it cannot have */
    memset(every, 0xff, sizeof every);
    int result = (int)SYS3(sched_setaffinity, 0, sizeof every, every);
    return result == -EPERM || result == -EINVAL ? 0 : result;
}

int op_affinity(struct ctx *c, const struct args_affinity *a)
{
    (void)c;
    /* The kernel's mask is one of longs: the encoder sends an even number of words. */
    return (int)SYS3(sched_setaffinity, 0, (unsigned long)a->cpus_count * sizeof(uint32_t), a->cpus);
}
