/* The engine's allocator: made for one short-lived, single-threaded command that frees nothing at its end. */
#ifndef BERTH_MEMORY_H
#define BERTH_MEMORY_H

#include "quickjs.h"

extern const JSMallocFunctions memory_functions;

/* For the image: the end of what is used. New blocks come from above it and none from what was freed in between, so that a
 * command writes to as few of the image's pages as can be: each costs a fault and a copy. */
const char *memory_seal(void);

/* Maps the image and the first pages above it at once: for a command that is going to touch most of them, one by one. */
void memory_prefault(void);

#endif
