/* A child that shares our memory until it execs: clone3(CLONE_VM|CLONE_VFORK|CLONE_PIDFD), on a stack of its own. */
#ifndef BERTH_CLONE_H
#define BERTH_CLONE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
    /* In: what the child runs; it execs or calls child_exit. It is CHILD_CODE and makes raw system calls only. */
    void (*run)(void *argument);
    void *argument;
    /* In: further CLONE_ flags, and a v2 cgroup directory or -1. */
    uint64_t flags;
    int cgroup;
    /* In: PR_SET_DUMPABLE while the child shares our memory: 0, 1, or -1 to leave it. */
    int dumpable;
    /* Out. */
    pid_t pid;
    int pidfd;
};

/* Starts the child and returns when it has exec'd or ended: 0, or -errno of clone3 (nothing is left then). It starts
 * with every signal blocked and no handler; ignored signals are still ignored. */
int clone_child(struct child *child);

/* Waits for the end of a child and closes its pidfd; its status is in info when that is not NULL. */
int reap_child(struct child *child, void *info);

/* Ends the child. */
void child_exit(int code) __attribute__((noreturn));

#endif
