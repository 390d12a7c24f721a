/* What the spawn tests start in place of init: looks around, reports in its slot 0, ends when told. Static. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../init/plan.h"
#include "../../init/report.h"

extern char **environ;
static char text[16384];
static size_t used;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int count = vsnprintf(text + used, sizeof text - used, format, list);
    va_end(list);
    if (count > 0 && used + (size_t)count < sizeof text)
        used += (size_t)count;
}

/* Number, CLOEXEC and inode of each open descriptor. */
static void say_descriptors(void)
{
    say("fds=");
    for (int fd = 0; fd < 4096; fd++) {
        struct stat status;
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0 && fstat(fd, &status) == 0)
            say("%d%s:%llu ", fd, flags & FD_CLOEXEC ? "c" : "", (unsigned long long)status.st_ino);
    }
    say("\n");
}

static void say_signals(void)
{
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    int blocked = 0, handled = 0;
    for (int i = 1; i < 32; i++) {
        struct sigaction action;
        blocked += sigismember(&mask, i);
        if (sigaction(i, NULL, &action) == 0)
            handled += action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
    }
    say("blocked=%d\nhandled=%d\n", blocked, handled);
}

static void say_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    memset(sets, 0, sizeof sets);
    (void)syscall(SYS_capget, &header, sets);
    say("effective=%x %x\ninheritable=%x %x\n", sets[1].effective, sets[0].effective, sets[1].inheritable,
        sets[0].inheritable);
}

/* Can the file be written to? */
static void say_protection(const char *name, int fd)
{
    struct stat status;
    char path[64];
    (void)fstat(fd, &status);
    say("%s mode=%o\n%s seals=%d\n", name, status.st_mode & 07777, name, fcntl(fd, F_GET_SEALS));
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, O_RDWR | O_CLOEXEC);
    int error = again < 0 ? errno : 0;
    ssize_t wrote = pwrite(again < 0 ? fd : again, "x", 1, 0);
    say("%s reopen=%d\n%s pwrite=%zd\n%s ftruncate=%d\n%s fchmod=%d\n", name, error, name, wrote, name,
        ftruncate(fd, 0), name, fchmod(fd, 0644));
    void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, again < 0 ? fd : again, 0);
    say("%s map=%d\n", name, map != MAP_FAILED);
    if (again >= 0)
        close(again);
}

static void say_plan(int fd)
{
    struct plan_header header;
    memset(&header, 0, sizeof header);
    ssize_t count = pread(fd, &header, sizeof header, 0);
    void *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    say("plan=%d %u %u %u\nmapped=%d\n", count == sizeof header && header.magic == PLAN_MAGIC, header.word_count,
        header.string_count, header.inherited, map != MAP_FAILED);
}

/* The message with the plan and the slots; the plan's descriptor. */
static int receive(int sync)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(96 * sizeof(int))];
    struct slots slots = {0};
    struct iovec part = {&slots, sizeof slots};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(sync, &message, MSG_CMSG_CLOEXEC) != sizeof slots)
        return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    size_t count = header == NULL ? 0 : (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    int plan = -1;
    say("slots=%u\nreceived=", slots.count);
    for (size_t i = 0; i < count; i++) {
        int fd;
        struct stat status;
        memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
        if (i == 0)
            plan = fd;
        else if (fstat(fd, &status) == 0)
            say("%llu ", (unsigned long long)status.st_ino);
    }
    say("\n");
    return plan;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 100;
    int base = atoi(argv[1]);
    say("argc=%d\nname=%s\nbase=%s\n", argc, argv[0], argv[1]);
    if (argc > 2)
        say("failpoint=%s\n", argv[2]);
    say("umask=%o\n", umask(0));
    int variables = 0;
    while (environ[variables] != NULL)
        variables++;
    say("environ=%d\npid=%d\nppid=%d\nuid=%u\n", variables, getpid(), getppid(), getuid());
    int death = -1;
    prctl(PR_GET_PDEATHSIG, &death);
    say("dumpable=%d\npdeath=%d\n", prctl(PR_GET_DUMPABLE), death);
    say_descriptors();
    say_signals();
    say_capabilities();
    say_protection("exe", open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    int plan = receive(base);
    if (plan < 0)
        return 101;
    say_plan(plan);
    say_protection("plan", plan);
    (void)send(base, text, used, MSG_NOSIGNAL);
    char byte;
    (void)!recv(base, &byte, 1, 0);
    return 42;
}
