/* The result buffer and the detail buffer. */
#define _GNU_SOURCE 1
#include "result.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "failpoint.h"
#include "native.h"

/* A create needs no more, and never an allocator: the largest is what a full pipe may hold. */
static char first[65536];

static char *buffer = first;
static size_t used;
static size_t capacity = sizeof first;
static bool exhausted;

static char detail[DETAIL_MAX];
static size_t detail_size;

void result_reset(void)
{
    used = 0;
    exhausted = false;
}

static bool grow_to(size_t needed)
{
    size_t grown = capacity;
    while (grown < needed)
        grown = grown > SIZE_MAX / 2 ? needed : grown * 2;
    char *moved = realloc(buffer == first ? NULL : buffer, grown);
    if (moved == NULL)
        return false;
    if (buffer == first)
        memcpy(moved, first, used);
    buffer = moved;
    capacity = grown;
    return true;
}

char *result_reserve(size_t size)
{
    size_t needed;
    if (__builtin_add_overflow(used, size, &needed)) {
        exhausted = true;
        return NULL;
    }
    if (needed > capacity && !grow_to(needed)) {
        exhausted = true;
        return NULL;
    }
    return buffer + used;
}

void result_commit(size_t size)
{
    used += size;
}

void result_bytes(const void *data, size_t size)
{
    char *room = result_reserve(size);
    if (room == NULL || size == 0)
        return;
    memcpy(room, data, size);
    used += size;
}

void result_int(int64_t value)
{
    result_bytes(&value, sizeof value);
}

int64_t result_done(void)
{
    return exhausted ? -ENOMEM : 0;
}

const char *berth_result_data(void)
{
    return buffer;
}

size_t berth_result_size(void)
{
    return used;
}

void detail_set(const void *data, size_t size)
{
    detail_size = size < DETAIL_MAX ? size : DETAIL_MAX;
    if (detail_size > 0)
        memcpy(detail, data, detail_size);
}

void detail_text(const char *text)
{
    detail_set(text, strlen(text));
}

void detail_clear(void)
{
    detail_size = 0;
}

int64_t berth_detail(void)
{
    FAILPOINT("detail");
    result_reset();
    result_bytes(detail, detail_size);
    detail_clear();
    return result_done();
}
