/* Signals, children, poll, terminals. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "native.h"
#include "suite.h"

static void *idle(void *argument)
{
    (void)argument;
    for (;;)
        (void)pause();
    return NULL;
}

/* Wakes the thread that polls once it is bound to one processor, or after 5 s. */
struct waker {
    pid_t polling;
    int pipe;
    int bound;
};

static void *wake_when_bound(void *argument)
{
    struct waker *waker = argument;
    cpu_set_t now;
    for (int tries = 0; tries < 5000 && !waker->bound; tries++) {
        waker->bound = sched_getaffinity(waker->polling, sizeof now, &now) == 0 && CPU_COUNT(&now) == 1;
        (void)usleep(1000);
    }
    CHECK(write(waker->pipe, "x", 1) == 1, "the poll is woken");
    return NULL;
}

static void test_poll_here(void)
{
    cpu_set_t before;
    cpu_set_t after;
    int ends[2];
    CHECK(pipe(ends) == 0 && sched_getaffinity(0, sizeof before, &before) == 0, "a pipe");
    struct waker waker = {.polling = gettid(), .pipe = ends[1]};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, wake_when_bound, &waker) == 0, "a second thread");
    const uint32_t fds[] = {(uint32_t)ends[0]};
    const uint32_t events[] = {POLLIN};
    EQUAL(berth_poll_here(fds, 1, events, 1), 0, "poll_here ends when there is something to read");
    EQUAL(result_at(0), POLLIN, "and says so");
    (void)pthread_join(thread, NULL);
    CHECK(waker.bound, "it waits on one processor");
    CHECK(sched_getaffinity(0, sizeof after, &after) == 0 && CPU_EQUAL(&before, &after), "and leaves no trace of that");
    close(ends[0]);
    close(ends[1]);
}

static void test_signal_fd(void)
{
    const uint32_t signals[] = {SIGTERM, SIGWINCH, SIGUSR1};
    const uint32_t wrong[] = {65};
    EQUAL(berth_signal_fd(wrong, 1), -EINVAL, "signal 65 is EINVAL");
    pthread_t thread; /* started before, so that the signals are not blocked in it: as Node's threads */
    CHECK(pthread_create(&thread, NULL, idle, NULL) == 0, "a second thread");
    int64_t fd = berth_signal_fd(signals, 3);
    CHECK(fd >= 0, "a signalfd");
    EQUAL(berth_read_signal(fd), -EAGAIN, "no signal is EAGAIN");
    kill(getpid(), SIGTERM);
    const uint32_t fds[] = {(uint32_t)fd};
    const uint32_t events[] = {POLLIN};
    EQUAL(berth_poll(fds, 1, events, 1, 5000), 0, "a signal makes it readable");
    EQUAL(result_at(0), POLLIN, "in a process with other threads too");
    EQUAL(berth_read_signal(fd), SIGTERM, "and is read");
    EQUAL(berth_poll(fds, 1, events, 1, 10), 0, "poll ends at its timeout");
    EQUAL(result_at(0), 0, "with nothing");
    EQUAL(berth_poll(fds, 1, events, 0, 0), -EINVAL, "lists of different length are EINVAL");
    (void)pthread_cancel(thread);
    (void)pthread_join(thread, NULL);
    berth_close(fd);
    /* One more that has come from outside is dropped: the handler would send it to this thread for ever. */
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal((int)signals[i], SIG_IGN);
    sigset_t empty;
    sigemptyset(&empty);
    sigprocmask(SIG_SETMASK, &empty, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal((int)signals[i], SIG_DFL);
}

static void test_children(void)
{
    EQUAL(berth_peek_child(), -ECHILD, "without children there is none to peek at");
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    int64_t pidfd = berth_pidfd_open(pid);
    CHECK(pidfd >= 0 && berth_fd_flags(pidfd) == FD_CLOEXEC, "a pidfd is CLOEXEC");
    const uint32_t fds[] = {(uint32_t)pidfd};
    const uint32_t events[] = {POLLIN};
    EQUAL(berth_poll(fds, 1, events, 1, 5000), 0, "the child ends");
    EQUAL(berth_peek_child(), pid, "peek_child names it");
    EQUAL(berth_wait_child(-1, 0), 0, "wait_child reaps it");
    CHECK(result_at(0) == pid && result_at(1) == CLD_EXITED && result_at(2) == 7, "with its status");
    EQUAL(berth_pidfd_kill(pidfd, 9), -ESRCH, "a pidfd of a reaped child is ESRCH");
    berth_close(pidfd);
    pid = fork();
    if (pid == 0)
        (void)pause();
    EQUAL(berth_wait_child(pid, WNOHANG), 0, "WNOHANG");
    CHECK(result_at(0) == 0 && result_at(1) == 0 && result_at(2) == 0, "finds nobody");
    EQUAL(berth_kill(pid, SIGKILL), 0, "kill");
    EQUAL(berth_wait_child(pid, 0), 0, "wait");
    CHECK(result_at(1) == CLD_KILLED && result_at(2) == SIGKILL, "tells the signal");
    EQUAL(berth_wait_child(0, 0), -EINVAL, "pid 0 is EINVAL");
    EQUAL(berth_kill((int64_t)1 << 32, 9), -ESRCH, "a pid beyond 32 bits is ESRCH, not pid 0");
}

static void test_tty(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) {
        skip("terminals", "no pty here");
        close(master);
        return;
    }
    int64_t peer = berth_open(AT_FDCWD, ptsname(master), O_RDWR | O_NOCTTY, 0);
    struct termios now;
    EQUAL(berth_isatty(peer), 1, "isatty of a terminal");
    EQUAL(berth_tty_set_size(peer, 25, 132), 0, "its size is set");
    EQUAL(berth_tty_size(master), 0, "and read");
    CHECK(result_at(0) == 25 && result_at(1) == 132, "at the other end");
    EQUAL(berth_tty_set_size(peer, 65536, 1), -EINVAL, "65536 rows are EINVAL");
    EQUAL(berth_tty_restore(), 0, "restore without raw is 0");
    EQUAL(berth_tty_raw(peer), 0, "raw");
    CHECK(tcgetattr((int)peer, &now) == 0 && (now.c_lflag & ECHO) == 0, "has no echo");
    EQUAL(berth_tty_raw(peer), 0, "raw again keeps the first settings");
    EQUAL(berth_tty_restore(), 0, "restore");
    CHECK(tcgetattr((int)peer, &now) == 0 && (now.c_lflag & ECHO) != 0, "has echo again");
    berth_close(peer);
    close(master);
    int64_t null = berth_open(AT_FDCWD, "/dev/null", O_RDWR, 0);
    EQUAL(berth_isatty(null), 0, "isatty of something else");
    EQUAL(berth_tty_raw(null), -ENOTTY, "raw of something else is ENOTTY");
    berth_close(null);
}

static void test_eventfd(void)
{
    const uint64_t twice = 2;
    int64_t fd = berth_eventfd();
    CHECK(fd >= 0, "an eventfd");
    CHECK((fcntl((int)fd, F_GETFD) & FD_CLOEXEC) != 0, "that is CLOEXEC");
    EQUAL(berth_read(fd, 8), -EAGAIN, "its counter is 0");
    CHECK(write((int)fd, &twice, sizeof twice) == sizeof twice, "and counts");
    EQUAL(berth_read(fd, 8), 0, "the count is read");
    EQUAL(berth_read(fd, 8), -EAGAIN, "and then 0 again");
    berth_close(fd);
}

void test_signals(void)
{
    test_poll_here();
    test_eventfd();
    test_signal_fd();
    test_children();
    test_tty();
}
