/* The program as bytecode: one chunk a file that rollup made of src/, generated into dist/gen/<variant>/chunks.c by
 * build/engine.ts. Chunk 0 is the entry, the others are loaded by `require(index)` when they are needed.
 */
#ifndef BERTH_CHUNKS_H
#define BERTH_CHUNKS_H

#include <stdint.h>

/* What a chunk uses beyond ECMAScript's base objects. The build finds it out by looking for the names; the context gets
 * each when the first chunk that needs it is loaded. */
enum {
    USES_JSON = 1 << 0,
    USES_MAP_SET = 1 << 1,
    USES_TYPED_ARRAYS = 1 << 2,
    USES_REGEXP = 1 << 3,
    USES_DATE = 1 << 4,
    USES_PROXY = 1 << 5,
    USES_WEAK_REF = 1 << 6,
    USES_NORMALIZE = 1 << 7,
};

/* When a chunk is loaded into the image, if at all (build/preloaded.ts). Where there is an image, the bytecode of those
 * that it holds is not (build/image.ts takes it out). */
enum turn { NOT_PRELOADED, PRELOADED_FIRST, PRELOADED_LATER };

struct chunk {
    const char *name;
    const uint8_t *start;
    const uint8_t *end;
    unsigned uses;
    enum turn turn;
};

extern const struct chunk chunks[];
extern const int chunk_count;

#endif
