/* Writes a plan as csrc/init/plan.h describes it. */
#define _GNU_SOURCE 1
#include "plan_seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../init/plan.h"

/* Most plans fit, and the process needs no allocator for them. */
static char room[16384];

/* Bytes of all strings, each with its NUL. The sum is bounded at every step, so it cannot overflow. */
static int data_size(const char *const *strings, size_t count, size_t *size)
{
    *size = 0;
    for (size_t i = 0; i < count; i++) {
        if (strings[i] == NULL)
            return -EINVAL;
        *size += strnlen(strings[i], PLAN_MAX_SIZE) + 1;
        if (*size > PLAN_MAX_SIZE)
            return -E2BIG;
    }
    return 0;
}

static void write_strings(char *table, char *data, const char *const *strings, size_t count)
{
    uint32_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        struct plan_string entry = {.offset = offset, .length = (uint32_t)strlen(strings[i])};
        memcpy(table + i * sizeof entry, &entry, sizeof entry);
        memcpy(data + offset, strings[i], (size_t)entry.length + 1);
        offset += entry.length + 1;
    }
}

int plan_build(const uint32_t *words, size_t word_count, const char *const *strings, size_t string_count,
               size_t inherited, struct plan_bytes *plan)
{
    /* Each part is bounded before it is multiplied, all of them together before anything is allocated. */
    if (word_count > PLAN_MAX_SIZE / sizeof *words || string_count > PLAN_MAX_SIZE / sizeof(struct plan_string) ||
        inherited > UINT32_MAX)
        return -E2BIG;
    size_t data;
    int error = data_size(strings, string_count, &data);
    if (error < 0)
        return error;
    size_t table_at = sizeof(struct plan_header) + word_count * sizeof *words;
    size_t data_at = table_at + string_count * sizeof(struct plan_string);
    size_t size = data_at + data;
    if (size > PLAN_MAX_SIZE)
        return -E2BIG;
    char *bytes = size <= sizeof room ? room : malloc(size);
    if (bytes == NULL)
        return -ENOMEM;
    struct plan_header header = {
        .magic = PLAN_MAGIC,
        .size = (uint32_t)size,
        .word_count = (uint32_t)word_count,
        .string_count = (uint32_t)string_count,
        .data_size = (uint32_t)data,
        .inherited = (uint32_t)inherited,
    };
    memcpy(bytes, &header, sizeof header);
    if (word_count > 0)
        memcpy(bytes + sizeof header, words, word_count * sizeof *words);
    write_strings(bytes + table_at, bytes + data_at, strings, string_count);
    plan->data = bytes;
    plan->size = size;
    return 0;
}

void plan_free(struct plan_bytes *plan)
{
    if (plan->data != room)
        free(plan->data);
    plan->data = NULL;
}
