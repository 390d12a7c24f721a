/* Blocks are cut one after the other from arenas, and freed ones are kept in a list for each size. The first arena is part
 * of the image; another is mapped with its pages present: one system call instead of a fault for each page, which is what
 * most of a short run costs. Above LARGE a block is a mapping of its own, so that what a big config.json needs is given
 * back; what boot makes stays in the image, whatever its size.
 */
#define _GNU_SOURCE 1
#include "memory.h"

#include <linux/mman.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "image.h"

enum {
    STEP = 16,
    /* Sizes up to SMALL have a list for every STEP, above it lists double. */
    SMALL = 1024,
    LARGE = 64 << 10,
    LISTS = SMALL / STEP + 1 + 6,
    FIRST_ARENA = 2 << 20,
    NEXT_ARENA = 128 << 10,
    PAGE = 4096,
    /* What a create allocates. */
    FRESH = 32 * PAGE,
    /* What it writes to in one of the engine's tables, at most. */
    TABLE = 2 * PAGE,
};

/* `size` counts the header and is what the block's list holds. */
struct block {
    size_t size;
    struct block *next; /* while it is free */
};

#define HEADER offsetof(struct block, next)

IN_IMAGE static struct block *lists[LISTS];
IN_IMAGE static char *top;
IN_IMAGE static char *arena_end;
IN_IMAGE static const char *marked;
/* What QuickJS counts no references in: see build/quickjs-patch.ts. */
IN_IMAGE unsigned long image_span;
IN_IMAGE_HEAP static char first_arena[FIRST_ARENA];

static size_t rounded(size_t payload)
{
    size_t size = payload + HEADER;
    if (size <= SMALL)
        return size < 2 * STEP ? 2 * STEP : (size + STEP - 1) & ~(size_t)(STEP - 1);
    if (size > LARGE)
        return (size + PAGE - 1) & ~(size_t)(PAGE - 1);
    size_t power = 2 * SMALL;
    while (power < size)
        power *= 2;
    return power;
}

static struct block **list_of(size_t size)
{
    if (size <= SMALL)
        return &lists[size / STEP];
    return &lists[SMALL / STEP + __builtin_ctzl(size / SMALL)];
}

static void *map(size_t size, int flags)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* A block that is not cut from an arena. */
static int is_mapping(const struct block *block)
{
    const char *at = (const char *)block;
    return block->size > LARGE && !(at >= first_arena && at < first_arena + sizeof first_arena);
}

/* What is left of the old arena is lost: at most LARGE of address space. */
static int new_arena(void)
{
    if (top == NULL) {
        top = first_arena;
        arena_end = first_arena + sizeof first_arena;
        return 1;
    }
    top = map(NEXT_ARENA, MAP_POPULATE);
    if (top == NULL)
        return 0;
    arena_end = top + NEXT_ARENA;
    return 1;
}

static struct block *cut(size_t size)
{
    if ((size_t)(arena_end - top) < size && !new_arena())
        return NULL;
    struct block *block = (struct block *)(void *)top;
    top += size;
    return block;
}

static struct block *block_of(const void *payload)
{
    return (struct block *)((uintptr_t)payload - HEADER);
}

static void *payload_of(struct block *block)
{
    return (char *)block + HEADER;
}

static void *allocate(JSMallocState *state, size_t payload)
{
    (void)state;
    if (payload > SIZE_MAX / 2)
        return NULL;
    size_t size = rounded(payload);
    struct block *block;
    if (size > LARGE && booted) {
        block = map(size, 0);
    } else if (size > LARGE) {
        block = cut(size);
    } else {
        struct block **list = list_of(size);
        block = *list;
        if (block != NULL)
            *list = block->next;
        else
            block = cut(size);
    }
    if (block == NULL)
        return NULL;
    block->size = size;
    return payload_of(block);
}

static void release(JSMallocState *state, void *payload)
{
    (void)state;
    if (payload == NULL)
        return;
    struct block *block = block_of(payload);
    if (block->size > LARGE) {
        if (is_mapping(block))
            munmap(block, block->size);
        return;
    }
    struct block **list = list_of(block->size);
    block->next = *list;
    *list = block;
}

static void *move(JSMallocState *state, struct block *old, size_t payload)
{
    void *moved = allocate(state, payload);
    if (moved == NULL)
        return NULL;
    size_t kept = old->size - HEADER;
    memcpy(moved, payload_of(old), kept < payload ? kept : payload);
    release(state, payload_of(old));
    return moved;
}

static void *resize(JSMallocState *state, void *payload, size_t wanted)
{
    if (payload == NULL)
        return allocate(state, wanted);
    if (wanted == 0) {
        release(state, payload);
        return NULL;
    }
    if (wanted > SIZE_MAX / 2)
        return NULL;
    struct block *block = block_of(payload);
    size_t size = rounded(wanted);
    if (size == block->size || (size < block->size && block->size <= LARGE))
        return payload;
    if (size <= LARGE || !is_mapping(block))
        return move(state, block, wanted);
    block = mremap(block, block->size, size, MREMAP_MAYMOVE);
    if (block == MAP_FAILED)
        return NULL;
    block->size = size;
    return payload_of(block);
}

static size_t usable_size(const void *payload)
{
    return payload == NULL ? 0 : block_of(payload)->size - HEADER;
}

void memory_mark(void)
{
    marked = top;
}

const char *memory_seal(void)
{
    memset(lists, 0, sizeof lists);
    top = first_arena + (((size_t)(top - first_arena) + PAGE - 1) & ~(size_t)(PAGE - 1));
    image_span = (unsigned long)(top - __start_image);
    return top;
}

/* Kernels from before Linux 5.14 have no such advice, and nothing is lost. */
static void populate(const char *start, size_t size, int advice)
{
    uintptr_t page = (uintptr_t)start & -(uintptr_t)PAGE;
    (void)madvise((void *)page, (uintptr_t)start + size - page, advice);
}

/* A page that is mapped for reading and written to later is copied at that moment, and every processor that runs a thread
 * of ours is interrupted to forget the old one: while the clone's thread runs, that costs more than the copy. */
static void copy_table(const void *table, size_t size)
{
    populate(table, size < TABLE ? size : TABLE, MADV_POPULATE_WRITE);
}

void memory_prefault(JSRuntime *runtime)
{
    const char *image = __start_image;
    JS_EachTable(runtime, copy_table);
    populate(image, (size_t)(marked - image), MADV_POPULATE_READ);
    populate(image + image_span, FRESH, MADV_POPULATE_WRITE);
}

const JSMallocFunctions memory_functions = {allocate, release, resize, usable_size};
