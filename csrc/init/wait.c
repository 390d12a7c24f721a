/* The kernel maps up to 16 pages around each fault, as far as the mapping reaches. So the code that waits lies in a
 * segment of one page for itself (init.ld): after the rest was given back, no fault brings it in again. */

#include "wait.h"

#include "report.h"
#include "sys.h"

#include <linux/mman.h>

enum { PAGE = 4096, STACK_USED = 1 << 19 };

/* From the linker script: where the other segments begin and end. */
extern const char init_code_start[];
extern const char init_code_end[];

__attribute__((section(".wait_page"), noinline)) long wait_in_few_pages(int pipe, const void *plan,
                                                                        const void *plan_end)
{
    const char byte = STARTED;
    uintptr_t start = (uintptr_t)plan & -(uintptr_t)PAGE;
    uintptr_t stack = ((uintptr_t)__builtin_frame_address(0) & -(uintptr_t)PAGE) - PAGE;
    (void)SYS3(madvise, start, (uintptr_t)plan_end - start, MADV_DONTNEED);
    /* Below this frame; the kernel passes over the part of the range that is not mapped. */
    (void)SYS3(madvise, stack - STACK_USED, (uintptr_t)STACK_USED, MADV_DONTNEED);
    (void)SYS3(madvise, init_code_start, init_code_end - init_code_start, MADV_DONTNEED);
    long n;
    do
        n = SYS3(write, pipe, &byte, 1);
    while (n == -EINTR);
    return n;
}
