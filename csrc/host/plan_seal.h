/* The plan as bytes (csrc/init/plan.h). */
#ifndef BERTH_PLAN_SEAL_H
#define BERTH_PLAN_SEAL_H

#include <stddef.h>
#include <stdint.h>

struct plan_bytes {
    char *data;
    size_t size;
};

/* Lays the plan out in one piece, for plan_free before the next one is built: 0, -E2BIG when it would be larger than
 * PLAN_MAX_SIZE (or the sizes are nonsense), -EINVAL for a missing string, -ENOMEM. `inherited` is the number of slots that
 * have a descriptor at the start. */
int plan_build(const uint32_t *words, size_t word_count, const char *const *strings, size_t string_count,
               size_t inherited, struct plan_bytes *plan);

void plan_free(struct plan_bytes *plan);

#endif
