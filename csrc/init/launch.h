/* What a hook and the container's program have in common: pointer arrays for execve, made only then. */
#ifndef BERTH_LAUNCH_H
#define BERTH_LAUNCH_H

#include "ctx.h"

struct launch {
    char **args;
    char **env;
};

/* An anonymous mapping; NULL when there is no memory. */
void *map_memory(size_t size);

/* Pointers to the strings of the plan, in one anonymous mapping that is never given back: reserve_launch's or its own. `home` (NULL: none) is an
 * entry that replaces all that begin with HOME=. 0 or a negative errno. */
int launch_prepare(const struct ctx *c, struct string_range args, struct string_range env, const char *home,
                   struct launch *launch);

/* Says in the detail why the kernel did not find `path` although it exists: a missing interpreter. */
void launch_explain(struct ctx *c, const char *path, int error);

#endif
