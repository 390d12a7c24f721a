/* clone3 as vfork: see clone.h. */
#define _GNU_SOURCE 1
#include "clone.h"

#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys.h"

enum {
    STACK_SIZE = 1 << 16,
    GUARD_SIZE = 1 << 16, /* a multiple of every page size that Linux has */
};

/* Made once and kept: one child at a time uses it, because the parent sleeps meanwhile. */
static char *stack;

static int make_stack(void)
{
    if (stack != NULL)
        return 0;
    void *memory =
        mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED)
        return -errno;
    if (mprotect(memory, GUARD_SIZE, PROT_NONE) < 0) {
        int error = -errno;
        munmap(memory, GUARD_SIZE + STACK_SIZE);
        return error;
    }
    stack = (char *)memory + GUARD_SIZE;
    return 0;
}

/* A caller that ignores SIGCHLD has made the kernel reap our children at once: no status, and a pid that may be somebody
 * else's when we look. */
static void keep_children(void)
{
    struct sigaction action;
    if (sigaction(SIGCHLD, NULL, &action) < 0)
        return;
    if (action.sa_handler != SIG_IGN && (action.sa_flags & SA_NOCLDWAIT) == 0)
        return;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    (void)sigaction(SIGCHLD, &action, NULL);
}

/* All 64 signals, libc's internal ones too, which sigprocmask(3) would leave out: a handler that ran in the child would
 * run on memory that is ours. */
static void block_signals(uint64_t *old)
{
    uint64_t all = ~(uint64_t)0;
    (void)SYS4(SYS_rt_sigprocmask, SIG_SETMASK, &all, old, sizeof all);
}

/* Sets PR_SET_DUMPABLE; the value from before, or -1 when it stays as it is. 2 (suid_dumpable) cannot be put back, so it
 * is left: it is no weaker than 0. */
static int set_dumpable(int value)
{
    if (value < 0)
        return -1;
    int old = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    if (old == value || old < 0 || old > 1)
        return -1;
    return prctl(PR_SET_DUMPABLE, value, 0, 0, 0) < 0 ? -1 : old;
}

int clone_child(struct child *child)
{
    int error = make_stack();
    if (error < 0)
        return error;
    keep_children();
    child->pidfd = -1;
    struct clone_args args = {
        .flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND | child->flags,
        .pidfd = (uint64_t)(uintptr_t)&child->pidfd,
        .exit_signal = SIGCHLD,
        .stack = (uint64_t)(uintptr_t)stack,
        .stack_size = STACK_SIZE,
    };
    if (child->cgroup >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)(unsigned)child->cgroup;
    }
    uint64_t mask;
    block_signals(&mask);
    int dumpable = set_dumpable(child->dumpable);
    long pid = raw_clone3(&args, sizeof args, child->run, child->argument);
    (void)set_dumpable(dumpable);
    (void)SYS4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof mask);
    if (pid < 0)
        return (int)pid;
    child->pid = (pid_t)pid;
    return 0;
}

int reap_child(struct child *child, void *info)
{
    siginfo_t own;
    int result = RETRY(waitid(P_PIDFD, (id_t)child->pidfd, info == NULL ? &own : info, WEXITED)) < 0 ? -errno : 0;
    close(child->pidfd);
    child->pidfd = -1;
    return result;
}

CHILD_CODE void child_exit(int code)
{
    for (;;)
        (void)SYS1(SYS_exit_group, code);
}
