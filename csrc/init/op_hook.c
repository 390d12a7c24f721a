/* Hooks that run in the container's namespaces: fork, exec, state on stdin, output kept, a time limit. */

#include "ctx.h"
#include "launch.h"
#include "mem.h"
#include "sys.h"

#include <asm/poll.h>
#include <linux/sched.h>
#include <linux/time.h>
#include <linux/wait.h>

enum { OUTPUT_MAX = 400, SIG_IGNORE = 1 };

struct hook {
    const struct args_hook *args;
    int pidfd;
    int input;   /* write end of its stdin; -1 once all is written or it has closed it */
    int output;  /* read end of its stdout and stderr; -1 at its end */
    int failure; /* read end: the errno of a failed exec */
    int64_t deadline;
    char pid[24];
    size_t written;
};

static int64_t now_ms(void)
{
    struct timespec t = {0, 0};
    (void)SYS2(clock_gettime, CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void handle_sigpipe(uintptr_t handler)
{
    const uintptr_t action[4] = {handler, 0, 0, 0};
    (void)SYS4(rt_sigaction, SIGPIPE, action, NULL, 8);
}

/* The child: never returns. `failure` is CLOEXEC, so that its end without bytes means that exec worked. */
_Noreturn static void become_hook(struct ctx *c, const struct args_hook *a, int input, int output, int failure)
{
    struct launch launch;
    (void)op_reset_signals(c, NULL);
    if (c->umask >= 0)
        (void)SYS1(umask, c->umask);
    long result = SYS3(dup3, input, 0, 0);
    for (int fd = 1; fd <= 2 && result >= 0; fd++)
        result = SYS3(dup3, output, fd, 0);
    if (result >= 0)
        result = SYS3(close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC);
    if (result < 0 && c->filtered) {
        /* Older seccomp profiles do not know it. From base on all are CLOEXEC already. */
        result = 0;
        for (int fd = 3; fd < c->base; fd++)
            (void)SYS3(fcntl, fd, F_SETFD, FD_CLOEXEC);
    }
    if (result >= 0)
        result = launch_prepare(c, a->args, a->env, NULL, &launch);
    if (result >= 0)
        result = SYS3(execve, text(c, a->path), launch.args, launch.env);
    int32_t error = (int32_t)-result;
    (void)sys_write(failure, &error, sizeof error);
    sys_exit(127);
}

/* Not clone3: seccomp profiles of engines refuse it, as its flags lie in memory. */
static long fork_with_pidfd(int *pidfd)
{
    return SYS5(clone, CLONE_PIDFD | SIGCHLD, NULL, pidfd, NULL, 0L);
}

/* A pipe both ends of which are above stdio, where the child puts its own: the caller may have closed streams. */
static long make_pipe(const struct ctx *c, int ends[2])
{
    long result = SYS2(pipe2, ends, O_CLOEXEC);
    for (int i = 0; i < 2 && result >= 0; i++) {
        if (ends[i] > 2)
            continue;
        int low = ends[i];
        result = SYS3(fcntl, low, F_DUPFD_CLOEXEC, c->base);
        ends[i] = (int)result;
        sys_close(low);
    }
    return result < 0 ? result : 0;
}

/* Three pipes and the child. Descriptors are left open on failure: init ends with it. */
static int start_hook(struct ctx *c, struct hook *h)
{
    int input[2];
    int output[2];
    int failure[2];
    long result = make_pipe(c, input);
    if (result == 0)
        result = make_pipe(c, output);
    if (result == 0)
        result = make_pipe(c, failure);
    if (result == 0)
        result = fork_with_pidfd(&h->pidfd);
    if (result < 0)
        return (int)result;
    if (result == 0)
        become_hook(c, h->args, input[0], output[1], failure[1]);
    sys_close(input[0]);
    sys_close(output[1]);
    sys_close(failure[1]);
    h->input = input[1];
    h->output = output[0];
    h->failure = failure[0];
    /* A hook that reads nothing must not block init, nor one whose children keep its output open. */
    (void)SYS3(fcntl, h->input, F_SETFL, O_NONBLOCK);
    (void)SYS3(fcntl, h->output, F_SETFL, O_NONBLOCK);
    return 0;
}

/* The state's next piece: before, pid, after. 0 at the end. */
static size_t next_piece(const struct ctx *c, const struct hook *h, const char **piece)
{
    const char *parts[3] = {text(c, h->args->before), h->pid, text(c, h->args->after)};
    const size_t sizes[3] = {text_length(c, h->args->before), strlen(h->pid), text_length(c, h->args->after)};
    size_t at = h->written;
    for (int i = 0; i < 3; i++) {
        if (at < sizes[i]) {
            *piece = parts[i] + at;
            return sizes[i] - at;
        }
        at -= sizes[i];
    }
    return 0;
}

/* Writes what the pipe takes. That the hook has closed its stdin is its own affair. */
static void feed(const struct ctx *c, struct hook *h)
{
    const char *piece;
    size_t size;
    while ((size = next_piece(c, h, &piece)) > 0) {
        long n = sys_write(h->input, piece, size);
        if (n == -EAGAIN)
            return;
        if (n <= 0)
            break;
        h->written += (size_t)n;
    }
    sys_close(h->input);
    h->input = -1;
}

/* Keeps the first bytes and throws away the rest, so that the hook never blocks. */
static void drain(struct ctx *c, struct hook *h)
{
    char buffer[512];
    for (int blocks = 0; blocks < 64; blocks++) {
        long n = sys_read(h->output, buffer, sizeof buffer);
        if (n == -EAGAIN)
            return;
        if (n <= 0) {
            sys_close(h->output);
            h->output = -1;
            return;
        }
        size_t room = c->report.length < OUTPUT_MAX ? OUTPUT_MAX - c->report.length : 0;
        detail_bytes(c, buffer, (size_t)n < room ? (size_t)n : room);
    }
}

/* Until the hook has ended: 0, or -ETIMEDOUT. */
static int accompany(struct ctx *c, struct hook *h)
{
    for (;;) {
        struct pollfd fds[3] = {
            {.fd = h->pidfd, .events = POLLIN},
            {.fd = h->output, .events = POLLIN},
            {.fd = h->input, .events = POLLOUT},
        };
        int64_t left = h->deadline == 0 ? 0 : h->deadline - now_ms();
        if (h->deadline != 0 && left <= 0)
            return -ETIMEDOUT;
        const struct timespec limit = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
        long ready = SYS5(ppoll, fds, 3, h->deadline == 0 ? NULL : &limit, NULL, 0);
        if (ready < 0 && ready != -EINTR)
            return (int)ready;
        if (fds[2].revents != 0)
            feed(c, h);
        if (fds[1].revents != 0)
            drain(c, h);
        if (fds[0].revents != 0)
            return 0;
    }
}

/* siginfo_t as waitid(2) fills it for a child; 128 bytes in all. */
struct child_info {
    int32_t signal, error, code, padding;
    int32_t pid, uid, status;
    char rest[100];
};

static int reap(struct ctx *c, const struct hook *h)
{
    enum { EXITED = 1 };
    struct child_info info = {0};
    int result = (int)SYS5(waitid, P_PIDFD, h->pidfd, &info, WEXITED, NULL);
    if (result < 0)
        return result;
    c->report.value = info.code == EXITED ? info.status : -info.status;
    return c->report.value == 0 ? 0 : -ECHILD;
}

static void close_all(const struct hook *h)
{
    sys_close(h->pidfd);
    sys_close(h->failure);
    if (h->input >= 0)
        sys_close(h->input);
    if (h->output >= 0)
        sys_close(h->output);
}

int op_hook(struct ctx *c, const struct args_hook *a)
{
    struct hook h = {.args = a, .deadline = a->timeout == 0 ? 0 : now_ms() + a->timeout};
    int32_t exec_error = 0;
    (void)format_number(h.pid, (uint64_t)SYS0(getpid), 10);
    int result = start_hook(c, &h);
    if (result < 0)
        return result;
    handle_sigpipe(SIG_IGNORE);
    /* The pipe ends when exec has worked, at once in any case. */
    if (sys_read(h.failure, &exec_error, sizeof exec_error) == (long)sizeof exec_error) {
        c->report.length = 0;
        launch_explain(c, text(c, a->path), -exec_error);
        return -exec_error;
    }
    result = accompany(c, &h);
    if (result < 0)
        (void)SYS4(pidfd_send_signal, h.pidfd, SIGKILL, NULL, 0);
    else if (h.output >= 0)
        drain(c, &h);
    int status = reap(c, &h);
    handle_sigpipe(0);
    close_all(&h);
    return result < 0 ? result : status;
}
