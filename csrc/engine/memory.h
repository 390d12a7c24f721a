/* The engine's allocator: made for one short-lived, single-threaded command that frees nothing at its end. */
#ifndef BERTH_MEMORY_H
#define BERTH_MEMORY_H

#include "quickjs.h"

extern const JSMallocFunctions memory_functions;

/* For the image: the end of what is used. New blocks come from above it and none from what was freed in between, so that a
 * command writes to as few of the image's pages as can be: each costs a fault and a copy. */
const char *memory_seal(void);

/* For the image: what has been allocated is what memory_prefault is for, what comes later is not. */
void memory_mark(void);

/* Maps that part of the image, the engine's tables and the first pages above the image at once: for a command that is going
 * to touch most of them, one by one. */
void memory_prefault(JSRuntime *runtime);

#endif
