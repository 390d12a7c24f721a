/* A short-lived child with memory of its own that shares what `flags` say: it may enter a namespace (see spawn.c for what a
 * child that shares our memory must not do), and makes raw system calls only. It stays in our pid namespace and has our
 * credentials: nobody in a container can trace it.
 */
#ifndef BERTH_FORK_H
#define BERTH_FORK_H

#include <linux/sched.h>
#include <stdint.h>
#include <sys/wait.h>

#include "sys.h"

/* fork(2) without libc's handlers and without SIGCHLD at its end; no signal handler of ours runs in the child. */
static inline long fork_quietly(uint64_t flags)
{
    struct clone_args args = {.flags = CLONE_CLEAR_SIGHAND | flags};
    return SYS2(SYS_clone3, &args, sizeof args);
}

static inline void reap(long pid)
{
    (void)RETRY(waitpid((pid_t)pid, NULL, __WALL));
}

#endif
