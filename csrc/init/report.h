/* What init tells the runtime, and the runtime tells init. The same header on both sides.
 *
 *   sync socket (SOCK_SEQPACKET), one struct report a packet, its detail cut to `length`:
 *     init -> runtime   FAILED {op, error, value, detail}   init has exited or is about to
 *                       BARRIER {value = number}            waits for a struct go with that number
 *                       READY                               everything but start and exec is done
 *                       CHILD {value = pid} + SCM_RIGHTS pidfd   the joiner's child, which goes on with the plan
 *                       LISTENER {value = descriptor}      of the filter just loaded; the runtime takes a copy by pidfd_getfd
 *     runtime -> init   first, once: struct slots {count} + SCM_RIGHTS: the plan file, then the descriptors of slots 2.. count-1
 *                       for join_cgroups: struct slots {count} + SCM_RIGHTS: so many descriptors
 *                       struct go {number}
 *                       once, when there is a seccomp profile: struct sock_filter, at most FILTER_MAX bytes
 *     EOF without READY: init died. EOF at init's side: the runtime died, init exits.
 *
 *   start pipe (exec.fifo, or a pipe for `run`), init -> start; it is full of zero bytes, so that init blocks:
 *     'S'               started: somebody drained the pipe
 *     struct report     FAILED, when a startContainer hook or execve fails
 *     EOF after 'S'     execve succeeded (the descriptor is CLOEXEC)
 *     EOF without 'S'   init died while created
 */
#ifndef BERTH_REPORT_H
#define BERTH_REPORT_H

#include <stdint.h>

enum report_kind {
    REPORT_EOF = 0,
    REPORT_FAILED = 1,
    REPORT_BARRIER = 2,
    REPORT_READY = 3,
    REPORT_CHILD = 4,
    REPORT_LISTENER = 5
};

#define REPORT_DETAIL 480
#define REPORT_HEAD 20

struct report {
    uint32_t kind;
    uint32_t op;
    int32_t error;
    int32_t value;
    uint32_t length; /* bytes of detail that follow */
    char detail[REPORT_DETAIL];
};

struct slots {
    uint32_t count; /* with a plan: the sync socket and the plan file included */
};

struct go {
    uint32_t barrier;
};

/* BPF_MAXINSNS of struct sock_filter. */
#define FILTER_MAX (4096 * 8)

#define STARTED 'S'

#endif
