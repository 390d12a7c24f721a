/* System calls and constants that Debian 12's glibc lacks, and small conversions between the ABI's int64_t and what the
 * kernel takes. */
#ifndef BERTH_SYS_H
#define BERTH_SYS_H

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "arch.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

/* Code that a CLONE_VM child runs: no libc, and nothing that a sanitizer or the stack protector adds, because the stack
 * is not the one they know. */
#define CHILD_CODE __attribute__((no_sanitize("address", "undefined"), no_stack_protector))

#define SYS0(n) raw_syscall((n), 0, 0, 0, 0, 0, 0)
#define SYS1(n, a) raw_syscall((n), (long)(a), 0, 0, 0, 0, 0)
#define SYS2(n, a, b) raw_syscall((n), (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(n, a, b, c) raw_syscall((n), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(n, a, b, c, d) raw_syscall((n), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS5(n, a, b, c, d, e) raw_syscall((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

/* The value of `call`, again and again while it is interrupted. */
#define RETRY(call)                                                                                                    \
    __extension__({                                                                                                    \
        __typeof__(call) retry_result;                                                                                 \
        do                                                                                                             \
            retry_result = (call);                                                                                     \
        while (retry_result < 0 && errno == EINTR);                                                                    \
        retry_result;                                                                                                  \
    })

/* A libc result in the ABI's form. */
static inline int64_t answer(int64_t result)
{
    return result < 0 ? -(int64_t)errno : result;
}

/* A descriptor, pid or flag word. What does not fit becomes INT_MIN, which every system call refuses, instead of
 * some other valid number. */
static inline int as_int(int64_t value)
{
    return value < INT_MIN || value > INT_MAX ? INT_MIN : (int)value;
}

/* A flag word, mode or id: 32 bits, -1 included (it stands for "keep" in chown). */
static inline uint32_t as_word(int64_t value)
{
    return (uint32_t)(uint64_t)value;
}

static inline int word_fits(int64_t value)
{
    return value >= -1 && value <= (int64_t)UINT32_MAX;
}

#endif
