/* Test builds (-DBERTH_FAILPOINTS) take argv[3]: "fail=N:ERRNO" makes op N fail before it does anything; "stop=N" makes
 * init wait before op N, named "berth:stop", until the runtime has died or closed the sync socket. Absent from others. */
#ifndef BERTH_FAILPOINT_H
#define BERTH_FAILPOINT_H

#include "ctx.h"

#ifdef BERTH_FAILPOINTS
void failpoint_setup(struct ctx *c, const char *argument);
void failpoint(struct ctx *c);
#else
static inline void failpoint_setup(struct ctx *c, const char *argument)
{
    (void)c;
    (void)argument;
}

static inline void failpoint(struct ctx *c)
{
    (void)c;
}
#endif

#endif
