/* Failing or stopping at the nth native call, for the tests that prove that every failure is undone. Only builds with
 * -DBERTH_FAILPOINTS have it.
 *
 *   BERTH_FAIL_NATIVE="name:n:errno"  the nth call (from 1) of that function fails with that errno number and does
 *                                     nothing; the name "*" counts the calls of all functions
 *   BERTH_STOP_NATIVE="n"             the process stops itself (SIGSTOP) before its nth call of any function
 */
#ifndef BERTH_FAILPOINT_H
#define BERTH_FAILPOINT_H

#include <stdint.h>

#ifdef BERTH_FAILPOINTS
/* Counts a call of the function; 0, or -errno when it is the one that is to fail. */
int64_t berth_failpoint(const char *name);

#define FAILPOINT(name)                                                                                                \
    do {                                                                                                               \
        int64_t failpoint_error = berth_failpoint(name);                                                               \
        if (failpoint_error < 0)                                                                                       \
            return failpoint_error;                                                                                    \
    } while (0)
#else
#define FAILPOINT(name) ((void)0)
#endif

#endif
