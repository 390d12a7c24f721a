/* Signals, children, and waiting for descriptors. */
#define _GNU_SOURCE 1
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "affinity.h"
#include "failpoint.h"
#include "native.h"
#include "result.h"
#include "sys.h"

enum { POLL_MAX = 256 };

int64_t berth_pidfd_getfd(int64_t pidfd, int64_t fd)
{
    FAILPOINT("pidfd_getfd");
    return SYS3(SYS_pidfd_getfd, as_int(pidfd), as_int(fd), 0);
}

int64_t berth_pidfd_open(int64_t pid)
{
    FAILPOINT("pidfd_open");
    return SYS2(SYS_pidfd_open, as_int(pid), 0);
}

int64_t berth_pidfd_kill(int64_t pidfd, int64_t signal)
{
    FAILPOINT("pidfd_kill");
    return SYS4(SYS_pidfd_send_signal, as_int(pidfd), as_int(signal), 0, 0);
}

int64_t berth_kill(int64_t pid, int64_t signal)
{
    FAILPOINT("kill");
    return answer(kill(as_int(pid), as_int(signal)));
}

int64_t berth_wait_child(int64_t pid, int64_t flags)
{
    FAILPOINT("wait_child");
    if (pid != -1 && pid <= 0)
        return -EINVAL;
    siginfo_t info;
    memset(&info, 0, sizeof info); /* with WNOHANG and nobody ready, some kernels leave it as it is */
    idtype_t which = pid == -1 ? P_ALL : P_PID;
    id_t id = pid == -1 ? 0 : (id_t)as_int(pid);
    if (RETRY(waitid(which, id, &info, as_int(flags) | WEXITED)) < 0)
        return -errno;
    int none = info.si_pid == 0;
    result_reset();
    result_int(info.si_pid);
    result_int(none ? 0 : info.si_code);
    result_int(none ? 0 : info.si_status);
    return result_done();
}

int64_t berth_peek_child(void)
{
    FAILPOINT("peek_child");
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (RETRY(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT)) < 0)
        return -errno;
    return info.si_pid;
}

static pid_t reader; /* the thread that reads the signalfd */

/* In a process with more threads (Node), a signal that is blocked here is delivered to another thread, where it would
 * take its default action. This handler passes it on to the thread in which it is blocked, so that it becomes readable.
 */
static void forward(int signal)
{
    int saved = errno;
    (void)SYS3(SYS_tgkill, getpid(), reader, signal);
    errno = saved;
}

/* Unsharing the thread group does nothing, but is refused to who has other threads. Refused for another reason (seccomp),
 * the handlers are there in vain: with one thread they never run. */
static int has_threads(void)
{
    return SYS1(SYS_unshare, CLONE_THREAD) != 0;
}

/* Signals that a fault in the thread itself raises: a handler that returns would fault for ever. */
static int is_fault(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL || signal == SIGTRAP ||
           signal == SIGSYS || signal == SIGABRT;
}

/* As the kernel has it: sigaddset of musl keeps 34, a caller's SIGRTMIN, for itself. 32 and 33 are for the threads of
 * any libc. -EINVAL for these and for what is no signal. */
static int kernel_mask(const uint32_t *signals, size_t count, uint64_t *mask)
{
    for (size_t i = 0; i < count; i++) {
        if (signals[i] < 1 || signals[i] > 64 || signals[i] == 32 || signals[i] == 33)
            return -EINVAL;
        *mask |= UINT64_C(1) << (signals[i] - 1);
    }
    return 0;
}

static void forward_all(const uint32_t *signals, size_t count)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = forward;
    action.sa_flags = SA_RESTART;
    reader = (pid_t)SYS0(SYS_gettid);
    for (size_t i = 0; i < count; i++)
        if (!is_fault((int)signals[i])) /* SIGKILL and SIGSTOP answer EINVAL, and no signalfd reads them either */
            (void)sigaction((int)signals[i], &action, NULL);
}

int64_t berth_signal_fd(const uint32_t *signals, size_t count)
{
    FAILPOINT("signal_fd");
    uint64_t mask = 0;
    int invalid = kernel_mask(signals, count, &mask);
    if (invalid < 0)
        return invalid;
    int64_t fd = SYS4(SYS_signalfd4, -1, &mask, sizeof mask, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return fd;
    int64_t error = SYS4(SYS_rt_sigprocmask, SIG_BLOCK, &mask, 0, sizeof mask);
    if (error < 0) {
        close((int)fd);
        return error;
    }
    if (has_threads())
        forward_all(signals, count);
    return fd;
}

int64_t berth_eventfd(void)
{
    FAILPOINT("eventfd");
    return answer(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

int64_t berth_read_signal(int64_t fd)
{
    FAILPOINT("read_signal");
    struct signalfd_siginfo info;
    ssize_t count = RETRY(read(as_int(fd), &info, sizeof info));
    if (count < 0)
        return -errno;
    return count == (ssize_t)sizeof info ? (int64_t)info.ssi_signo : -EIO;
}

static int64_t poll_all(const uint32_t *fds, size_t count, const uint32_t *events, size_t events_count, int timeout)
{
    if (count != events_count || count > POLL_MAX)
        return -EINVAL;
    struct pollfd entries[POLL_MAX];
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct pollfd){.fd = (int)fds[i], .events = (short)events[i], .revents = 0};
    if (poll(entries, count, timeout) < 0)
        return -errno;
    result_reset();
    for (size_t i = 0; i < count; i++)
        result_int((unsigned short)entries[i].revents);
    return result_done();
}

int64_t berth_poll(const uint32_t *fds, size_t count, const uint32_t *events, size_t events_count, int64_t timeout)
{
    FAILPOINT("poll");
    return poll_all(fds, count, events, events_count, timeout < 0 ? -1 : as_int(timeout > INT_MAX ? INT_MAX : timeout));
}

/* Binds this thread to the processor that it is on; `before` gets what it was bound to. 0 when it could not be done. */
static int stay(cpu_set_t *before)
{
    unsigned here = 0;
    if (!processors(before, &here))
        return 0;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(here, &only);
    return sched_setaffinity(0, sizeof only, &only) == 0;
}

int64_t berth_poll_here(const uint32_t *fds, size_t count, const uint32_t *events, size_t events_count)
{
    FAILPOINT("poll_here");
    cpu_set_t before;
    int bound = stay(&before);
    int64_t result = poll_all(fds, count, events, events_count, -1);
    if (bound)
        (void)sched_setaffinity(0, sizeof before, &before);
    return result;
}
