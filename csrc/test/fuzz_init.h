/* Parts of csrc/init inside of a hosted fuzzer. Its system call headers and libc's do not go together: what is needed of
 * libc is declared here. */
#ifndef BERTH_FUZZ_INIT_H
#define BERTH_FUZZ_INIT_H

#include <stddef.h>
#include <stdint.h>

#include "mem.h"
#include "sys.h"

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void free(void *memory);
_Noreturn void abort(void);

/* A file whose content is the fuzzer's input. */
struct bytes_in {
    const char *data;
    size_t size;
    size_t piece; /* no read gives more */
    int fail_at;  /* the read that fails; -1: none */
    int failed;
};

static inline long fuzz_read(struct bytes_in *in, void *buffer, size_t size)
{
    if (in->fail_at == 0) {
        in->failed = 1;
        return -EIO;
    }
    if (in->fail_at > 0)
        in->fail_at--;
    if (size > in->piece)
        size = in->piece;
    if (size > in->size)
        size = in->size;
    memcpy(buffer, in->data, size);
    in->data += size;
    in->size -= size;
    return (long)size;
}

#endif
