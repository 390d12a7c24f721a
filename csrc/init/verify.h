/* The view of a plan that has been verified: every index that an op uses lies inside it. */
#ifndef BERTH_VERIFY_H
#define BERTH_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "plan.h"

struct plan {
    const uint32_t *words;
    uint32_t word_count;
    const struct plan_string *strings;
    uint32_t string_count;
    const char *data;
    uint32_t data_size;
    uint32_t inherited;
};

struct plan_error {
    uint32_t op;
    const char *reason;
};

/* Fills `plan` from `size` bytes at `bytes` (aligned to words) and checks all of it. 0, or -1 with the reason and the
 * index of the op that is at fault. Nothing of `plan` may be used after a failure. */
int plan_verify(struct plan *plan, const void *bytes, size_t size, struct plan_error *error);

/* The C string and its length of a verified string operand. */
static inline const char *plan_text(const struct plan *p, uint32_t index)
{
    return p->data + p->strings[index].offset;
}

static inline uint32_t plan_length(const struct plan *p, uint32_t index)
{
    return p->strings[index].length;
}

#endif
