/* The file that init is executed from: its ELF image, then the plan, page-aligned. Nobody can write to it. */
#ifndef BERTH_INIT_FILE_H
#define BERTH_INIT_FILE_H

#include <stddef.h>

#include "plan_seal.h"

struct init_file {
    int fd;
    size_t plan_offset;
    /* Which system call failed; set with every error. */
    const char *step;
};

/* A sealed memfd. -EACCES or -EPERM: this system lets nobody execute one. */
int init_file_memfd(const struct plan_bytes *plan, struct init_file *file);

/* A file on a read-only tmpfs that is mounted nowhere, for systems where a memfd cannot be executed. Without privilege
 * (`rootless`) it is made inside a user and mount namespace of its own, which is gone afterwards. */
int init_file_tmpfs(const struct plan_bytes *plan, int rootless, struct init_file *file);

#endif
