/* The engine's allocator: made for one short-lived, single-threaded command that frees nothing at its end. */
#ifndef BERTH_MEMORY_H
#define BERTH_MEMORY_H

#include "quickjs.h"

extern const JSMallocFunctions memory_functions;

#endif
