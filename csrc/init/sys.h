/* The system calls of init, raw: each returns a negative errno on failure. No libc, no errno variable. */
#ifndef BERTH_SYS_H
#define BERTH_SYS_H

#if defined(__x86_64__)
#include "arch_x86_64.h"
#else
#error "no system call header for this architecture"
#endif

#include <asm/ioctls.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/unistd.h>
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <stddef.h>
#include <stdint.h>

/* Not in the headers of every machine that builds Berth. */
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

#define S_IFMT 0170000u
#define S_IFSOCK 0140000u
#define S_IFLNK 0120000u
#define S_IFREG 0100000u
#define S_IFBLK 0060000u
#define S_IFDIR 0040000u
#define S_IFCHR 0020000u
#define S_IFIFO 0010000u

#define PATH_MAX 4096

/* umount2 and the propagation flags come from <sys/mount.h> in a libc. */
#define MNT_DETACH 2
#define UMOUNT_NOFOLLOW 8

#define DEVPTS_MAGIC 0x1cd1

struct iovec_raw {
    const void *base;
    size_t length;
};

#define ARG(x) ((long)(uintptr_t)(x))
#define SYS0(n) syscall3(__NR_##n, 0, 0, 0)
#define SYS1(n, a) syscall3(__NR_##n, ARG(a), 0, 0)
#define SYS2(n, a, b) syscall3(__NR_##n, ARG(a), ARG(b), 0)
#define SYS3(n, a, b, c) syscall3(__NR_##n, ARG(a), ARG(b), ARG(c))
#define SYS4(n, a, b, c, d) syscall6(__NR_##n, ARG(a), ARG(b), ARG(c), ARG(d), 0, 0)
#define SYS5(n, a, b, c, d, e) syscall6(__NR_##n, ARG(a), ARG(b), ARG(c), ARG(d), ARG(e), 0)
#define SYS6(n, a, b, c, d, e, f) syscall6(__NR_##n, ARG(a), ARG(b), ARG(c), ARG(d), ARG(e), ARG(f))

_Noreturn static inline void sys_exit(int status)
{
    SYS1(exit_group, status);
    /* A seccomp filter may refuse it. */
    SYS1(exit, status);
    __builtin_trap();
}

static inline void sys_close(int fd)
{
    (void)SYS1(close, fd);
}

static inline long sys_read(int fd, void *buffer, size_t size)
{
    long n;
    do
        n = SYS3(read, fd, buffer, size);
    while (n == -EINTR);
    return n;
}

static inline long sys_write(int fd, const void *data, size_t size)
{
    long n;
    do
        n = SYS3(write, fd, data, size);
    while (n == -EINTR);
    return n;
}

static inline int sys_openat(int dir, const char *path, int flags, uint32_t mode)
{
    return (int)SYS4(openat, dir, path, flags | O_CLOEXEC, mode);
}

static inline int sys_fstat(int fd, struct stat *st)
{
    return (int)SYS2(fstat, fd, st);
}

static inline int sys_prctl(int option, unsigned long a, unsigned long b, unsigned long c)
{
    return (int)SYS5(prctl, option, a, b, c, 0);
}

/* openat2 with O_CLOEXEC. A concurrent rename gives EAGAIN; somebody who renames for ever gets it in the end. */
int sys_openat2(int dir, const char *path, uint32_t flags, uint32_t mode, uint32_t resolve);

#endif
