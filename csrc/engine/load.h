/* Loading chunks of bytecode into a context. */
#ifndef BERTH_LOAD_H
#define BERTH_LOAD_H

#include "chunks.h"
#include "quickjs.h"

/* A context with base objects only; NULL when memory is short. */
JSContext *new_bare_context(JSRuntime *runtime);

/* The exports of a chunk, run on first use. */
JSValue load_chunk(JSContext *ctx, int index);

/* Loads the chunks that the image is to hold and whose turn it is; -1 when one throws. */
int preload_chunks(JSContext *ctx, enum turn turn);

#endif
