/* The kernel maps up to 16 pages around each fault, as far as the mapping reaches. So the code that waits lies in a
 * segment of one page for itself (init.ld): after the rest was given back, no fault brings it in again. */

#include "wait.h"

#include "sys.h"

#include <linux/mman.h>
#include <linux/poll.h>
#include <linux/seccomp.h>

#define IN_WAIT_PAGE __attribute__((section(".wait_page"), noinline))
#define INLINE __attribute__((always_inline)) static inline

enum { PAGE = 4096, STACK_USED = 1 << 19 };

/* From the linker script: where the other segments begin and end. */
extern const char init_code_start[];
extern const char init_code_end[];

INLINE void give_back(uintptr_t frame, const void *plan, const void *plan_end)
{
    uintptr_t start = (uintptr_t)plan & -(uintptr_t)PAGE;
    uintptr_t stack = (frame & -(uintptr_t)PAGE) - PAGE;
    (void)SYS3(madvise, start, (uintptr_t)plan_end - start, MADV_DONTNEED);
    /* Below the frame; the kernel passes over the part of the range that is not mapped. */
    (void)SYS3(madvise, stack - STACK_USED, (uintptr_t)STACK_USED, MADV_DONTNEED);
    (void)SYS3(madvise, init_code_start, init_code_end - init_code_start, MADV_DONTNEED);
}

/* `run` has drained the pipe already when nothing is left to be done before the start. */
INLINE int will_wait(int pipe)
{
    struct pollfd full = {.fd = pipe, .events = POLLOUT};
    return SYS3(poll, &full, 1, 0) == 0;
}

INLINE long write_all(int fd, const void *data, size_t size)
{
    long n;
    do
        n = SYS3(write, fd, data, size);
    while (n == -EINTR);
    return n;
}

INLINE long write_byte(int pipe)
{
    const char byte = STARTED;
    return write_all(pipe, &byte, 1);
}

INLINE long write_report(const struct filtered_wait *w, enum report_kind kind, int32_t value)
{
    w->report->kind = kind;
    w->report->value = value;
    return write_all(w->sync, w->report, REPORT_HEAD);
}

INLINE long set_caps(const struct __user_cap_data_struct *data)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    return SYS2(capset, &header, data);
}

IN_WAIT_PAGE long wait_in_few_pages(int pipe, const void *plan, const void *plan_end)
{
    if (will_wait(pipe))
        give_back((uintptr_t)__builtin_frame_address(0), plan, plan_end);
    return write_byte(pipe);
}

IN_WAIT_PAGE long wait_filtered(struct filtered_wait *w, const void *plan, const void *plan_end)
{
    give_back((uintptr_t)__builtin_frame_address(0), plan, plan_end);
    long result = w->privileged ? set_caps(w->raised) : 0;
    if (result < 0)
        return result;
    result = SYS3(seccomp, SECCOMP_SET_MODE_FILTER, (unsigned long)w->flags, &w->program);
    if (result < 0)
        return result;
    w->loaded = 1;
    /* First of all: any call but write may have to wait for who listens. */
    if (w->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)
        result = write_report(w, REPORT_LISTENER, (int32_t)result);
    if (result >= 0 && w->privileged)
        result = set_caps(w->final);
    if (result >= 0)
        result = write_report(w, REPORT_READY, 0);
    if (result >= 0 && w->commit >= 0)
        result = write_byte(w->commit);
    return result < 0 ? result : write_byte(w->pipe);
}
