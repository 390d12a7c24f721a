/* A created container waits for hours. What init does not need meanwhile is given back. */
#ifndef BERTH_WAIT_H
#define BERTH_WAIT_H

#include "caps.h"
#include "report.h"

#include <linux/filter.h>

/* Gives back init's code, the plan between `plan` and `plan_end`, and unused stack; writes STARTED to the pipe, which
 * blocks; the write's result. */
long wait_in_few_pages(int pipe, const void *plan, const void *plan_end);

/* Everything that is done with a filter loaded, up to the wait: nothing of it may lie in the plan. */
struct filtered_wait {
    struct sock_fprog program;
    uint32_t flags; /* of seccomp(2) */
    int privileged; /* the sets below are capset before and after */
    struct __user_cap_data_struct raised[2];
    struct __user_cap_data_struct final[2];
    struct report *report; /* `op` is set */
    int sync;
    int commit; /* -1: none */
    int pipe;
    int loaded; /* out: the filter is */
};

/* As wait_in_few_pages; before it writes, loads the filter, and reports. The result of what failed, or of the last
 * write. */
long wait_filtered(struct filtered_wait *w, const void *plan, const void *plan_end);

#endif
