/* Everything in libberth that depends on the processor: a raw system call, and clone3 onto a new stack. */
#ifndef BERTH_ARCH_H
#define BERTH_ARCH_H

#include <stddef.h>
#include <sys/syscall.h>

#if defined(__x86_64__)

/* A system call without libc: answers -errno, touches no thread-local errno. */
static inline __attribute__((always_inline)) long raw_syscall(long number, long a, long b, long c, long d, long e,
                                                              long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* clone3(args, size); the child runs entry(argument) on the stack that args name and never comes back here. */
static inline __attribute__((always_inline)) long raw_clone3(const void *args, size_t size, void (*entry)(void *),
                                                             void *argument)
{
    long result;
    register long r8 __asm__("r8") = (long)entry;
    register long r9 __asm__("r9") = (long)argument;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%r9, %%rdi\n\t"
                     "call *%%r8\n\t"
                     "hlt\n"
                     "1:"
                     : "=a"(result)
                     : "0"((long)SYS_clone3), "D"(args), "S"(size), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#else
#error "libberth has no raw system call and clone3 for this processor yet: add them to csrc/host/arch.h"
#endif

#endif
