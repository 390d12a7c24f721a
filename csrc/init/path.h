/* Paths inside a root that a container may change at any time. Everything is resolved by openat2(RESOLVE_IN_ROOT |
 * RESOLVE_NO_MAGICLINKS) and made by one-component *at calls below a descriptor: whatever is swapped, nothing outside
 * the root is reached. */
#ifndef BERTH_PATH_H
#define BERTH_PATH_H

#include "ctx.h"

#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

enum path_kind { PATH_FOLDER = 0, PATH_FILE = 1, PATH_ANY = 2, PATH_LAST_KIND };

/* A root to resolve in: a slot's descriptor, or `/` opened for NONE (then `opened`). */
struct root {
    int fd;
    int opened;
};

int root_open(const struct ctx *c, uint32_t slot, struct root *root);
void root_close(const struct root *root);

/* An existing path in root as O_PATH descriptor; `flags` adds O_NOFOLLOW or O_DIRECTORY. */
int path_existing(const struct root *root, const char *path, int flags);

/* procfs's folder of this process's descriptors, O_PATH, checked to be procfs: the way to what an O_PATH descriptor is. */
int own_descriptors(void);

struct path_make {
    enum path_kind kind; /* of the last component when it is missing */
    uint32_t mode;       /* of folders that are missing */
    int nofollow;        /* a symlink as last component is ELOOP */
};

/* A path in root as descriptor, what is missing made. A dangling symlink is followed in root. */
int path_make(struct ctx *c, const struct root *root, const char *path, const struct path_make *how);

/* The folder of `path` in root, made (0755) where it is missing; *name is the last component, in `path`. */
int path_parent(struct ctx *c, const struct root *root, const char *path, const char **name);

#endif
