/* Files that nobody can write to: the one that init is executed from, and the plan. */
#ifndef BERTH_SEALED_FILE_H
#define BERTH_SEALED_FILE_H

#include <stddef.h>

struct bytes {
    const char *data;
    size_t size;
};

/* The image of csrc/init; empty when libberth was linked without it. */
struct bytes init_elf(void);

enum sealed_kind { SEALED_EXECUTABLE, SEALED_DATA };

struct sealed_file {
    int fd;
    /* Which system call failed; set with every error. */
    const char *step;
};

/* A sealed memfd. -EACCES or -EPERM of memfd_create: this system lets nobody make one, or (of execveat) execute it. */
int sealed_memfd(const struct bytes *content, enum sealed_kind kind, struct sealed_file *file);

/* A file on a read-only tmpfs that is mounted nowhere, for systems where a memfd cannot be made or executed. Without
 * privilege (`rootless`) it is made inside a user and mount namespace of its own, which is gone afterwards. */
int sealed_tmpfs(const struct bytes *content, int rootless, struct sealed_file *file);

#endif
