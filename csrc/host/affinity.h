/* Which processors this thread may use, and which one it is on. */
#ifndef BERTH_AFFINITY_H
#define BERTH_AFFINITY_H

#include <sched.h>

#include "sys.h"

/* 1, or 0 when it cannot be told: with more processors than the set has bits, for one. */
static inline int processors(cpu_set_t *allowed, unsigned *here)
{
    return sched_getaffinity(0, sizeof *allowed, allowed) == 0 && SYS3(SYS_getcpu, here, NULL, NULL) == 0;
}

#endif
