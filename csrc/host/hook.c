/* Runs a hook, or another program of the runtime namespace, to its end. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clone.h"
#include "failpoint.h"
#include "native.h"
#include "result.h"
#include "sys.h"

enum {
    SIGNALS = 64,
    FIRST_FREE = 3,     /* descriptors below are the hook's stdio */
    DRAIN_SIZE = 65536, /* at most this much output between two looks at the clock */
    LAST_DRAINS = 32,   /* what may still be in the pipe when the hook has ended: the largest pipe is 1 MiB */
    ENDED = 0,
    TIMED_OUT = 1,
    ABORTED = 2,
    TOO_LONG = 3,
};

struct hook {
    const char *path;
    char *const *args;
    char *const *env;
    /* The hook's ends of both pipes, then ours; -1 when closed. */
    int stdin_end;
    int output_end;
    int input;
    int output;
    int abort;
    const char *rest; /* of the input */
    size_t rest_size;
    int64_t deadline; /* CLOCK_MONOTONIC in ms, -1: none */
    char kept[DETAIL_MAX];
    size_t kept_size;
    /* Not 0: the output goes whole into the result, if it is no longer than this. */
    size_t output_max;
    size_t output_size;
    /* Left by the child when it could not exec. */
    int error;
    const char *step;
};

/* --- in the child ------------------------------------------------------------------------------------------------ */

CHILD_CODE __attribute__((noreturn)) static void fail(struct hook *h, const char *step, long error)
{
    h->step = step;
    h->error = (int)error;
    child_exit(127);
}

/* The kernel's struct sigaction: all zero is SIG_DFL. The signal mask comes last. */
CHILD_CODE static void default_signals(void)
{
    const uint64_t action[4] = {0, 0, 0, 0};
    const uint64_t empty = 0;
    for (int signal = 1; signal <= SIGNALS; signal++)
        (void)SYS4(SYS_rt_sigaction, signal, action, 0, sizeof empty);
    (void)SYS4(SYS_rt_sigprocmask, SIG_SETMASK, &empty, 0, sizeof empty);
}

/* A process group of its own, so that a timeout also ends what the hook has started. */
CHILD_CODE static void run_child(void *argument)
{
    struct hook *h = argument;
    (void)SYS2(SYS_setpgid, 0, 0);
    long error = SYS3(SYS_dup3, h->stdin_end, 0, 0);
    if (error >= 0)
        error = SYS3(SYS_dup3, h->output_end, 1, 0);
    if (error >= 0)
        error = SYS3(SYS_dup3, h->output_end, 2, 0);
    if (error < 0)
        fail(h, "dup3", error);
    error = SYS3(SYS_close_range, FIRST_FREE, ~0U, 0);
    if (error < 0)
        fail(h, "close_range", error);
    default_signals();
    error = SYS3(SYS_execve, h->path, h->args, h->env);
    fail(h, "execve", error);
}

/* --- in the parent ----------------------------------------------------------------------------------------------- */

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* A pipe both ends of which are above stdio: a caller may have closed its own. */
static int high_pipe(int *read_end, int *write_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= FIRST_FREE)
            continue;
        int moved = fcntl(ends[i], F_DUPFD_CLOEXEC, FIRST_FREE);
        int error = -errno;
        close(ends[i]);
        ends[i] = moved;
        if (moved < 0) {
            close(ends[1 - i]);
            return error;
        }
    }
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}

/* Our ends must not block: a hook may read or write as little as it likes. The open file of each end is ours alone, so
 * the hook's own ends block as it expects. */
static int make_pipes(struct hook *h)
{
    int error = high_pipe(&h->stdin_end, &h->input);
    if (error == 0)
        error = high_pipe(&h->output, &h->output_end);
    if (error < 0)
        return error;
    if (fcntl(h->input, F_SETFL, O_WRONLY | O_NONBLOCK) < 0 || fcntl(h->output, F_SETFL, O_RDONLY | O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

/* Gives the hook what its pipe takes. A hook that does not read its stdin is no error. */
static void feed(struct hook *h)
{
    ssize_t count = RETRY(write(h->input, h->rest, h->rest_size));
    if (count < 0 && errno == EAGAIN)
        return;
    if (count > 0) {
        h->rest += count;
        h->rest_size -= (size_t)count;
    }
    if (count < 0 || h->rest_size == 0)
        close_end(&h->input);
}

/* The first bytes of a hook's output are kept, and all of a program's. */
static void keep(struct hook *h, const char *bytes, size_t count)
{
    if (h->output_max == 0) {
        size_t room = sizeof h->kept - h->kept_size;
        size_t taken = count < room ? count : room;
        memcpy(h->kept + h->kept_size, bytes, taken);
        h->kept_size += taken;
        return;
    }
    h->output_size += count;
    if (h->output_size <= h->output_max)
        result_bytes(bytes, count);
}

/* Reads once; false when nothing was there. */
static bool drain(struct hook *h)
{
    static char buffer[DRAIN_SIZE];
    ssize_t count = RETRY(read(h->output, buffer, sizeof buffer));
    if (count < 0 && errno == EAGAIN)
        return false;
    if (count <= 0) {
        close_end(&h->output);
        return false;
    }
    keep(h, buffer, (size_t)count);
    return true;
}

/* Serves the pipes until the hook ends, its time is up, or `abort` is readable. A background process of the hook that
 * keeps its stdout open is not waited for. */
static int serve(struct hook *h, int pidfd)
{
    for (;;) {
        int64_t left = h->deadline < 0 ? -1 : h->deadline - now();
        if (h->deadline >= 0 && left <= 0)
            return TIMED_OUT;
        struct pollfd fds[4] = {
            {.fd = pidfd, .events = POLLIN},
            {.fd = h->abort, .events = POLLIN},
            {.fd = h->output, .events = POLLIN},
            {.fd = h->input, .events = POLLOUT},
        };
        if (poll(fds, 4, left > INT_MAX ? INT_MAX : (int)left) < 0)
            continue; /* EINTR */
        if (fds[2].revents != 0)
            (void)drain(h);
        if (fds[3].revents != 0)
            feed(h);
        if (fds[0].revents != 0)
            return ENDED;
        if (fds[1].revents != 0)
            return ABORTED;
        if (h->output_size > h->output_max)
            return TOO_LONG;
    }
}

/* Killed as a group before it is reaped, while the pid is still its own. */
static int finish(struct hook *h, struct child *child, int how, siginfo_t *info)
{
    if (how != ENDED) {
        (void)kill(-child->pid, SIGKILL);
        (void)SYS4(SYS_pidfd_send_signal, child->pidfd, SIGKILL, 0, 0);
    }
    memset(info, 0, sizeof *info);
    int error = reap_child(child, info);
    for (int i = 0; i < LAST_DRAINS && h->output >= 0 && drain(h); i++)
        continue;
    return error;
}

/* What is told of an end that is no success. */
static void describe_end(const siginfo_t *info)
{
    char text[64] = "";
    if (info->si_code != CLD_EXITED)
        (void)snprintf(text, sizeof text, "killed by signal %d", info->si_status);
    else if (info->si_status != 0)
        (void)snprintf(text, sizeof text, "exit status %d", info->si_status);
    detail_text(text);
}

static int64_t answer_program(const struct hook *h, const siginfo_t *info, int how)
{
    if (how == TOO_LONG || h->output_size > h->output_max)
        return -EFBIG;
    describe_end(info);
    return result_done();
}

static int64_t answer_hook(const struct hook *h, const siginfo_t *info, int how)
{
    detail_set(h->kept, h->kept_size);
    result_reset();
    result_int(info->si_code);
    result_int(info->si_status);
    result_int(how);
    return result_done();
}

/* Starts and serves the hook; its answer goes into the result. */
static int64_t run(struct hook *h)
{
    struct child child = {.run = run_child, .argument = h, .cgroup = -1, .dumpable = 0};
    int64_t error = make_pipes(h);
    h->step = error < 0 ? "pipe2" : "clone3";
    if (error == 0)
        error = clone_child(&child);
    close_end(&h->stdin_end);
    close_end(&h->output_end);
    if (error == 0 && h->error != 0) {
        (void)reap_child(&child, NULL);
        error = h->error;
    }
    if (error < 0) {
        detail_text(h->step);
        return error;
    }
    if (h->rest_size == 0)
        close_end(&h->input);
    int how = serve(h, child.pidfd);
    siginfo_t info;
    error = finish(h, &child, how, &info);
    if (error < 0)
        return error;
    return h->output_max == 0 ? answer_hook(h, &info, how) : answer_program(h, &info, how);
}

/* Runs the hook with SIGPIPE blocked in this thread, so that a hook that closes its stdin costs no more than an EPIPE;
 * the signal that this leaves pending is taken away, unless it was there before. */
static int64_t run_without_sigpipe(struct hook *h)
{
    sigset_t pipe_signal, old, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &old);
    int64_t result = run(h);
    if (!sigismember(&pending, SIGPIPE)) {
        struct timespec at_once = {0, 0};
        while (sigtimedwait(&pipe_signal, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    close_end(&h->stdin_end);
    close_end(&h->output_end);
    close_end(&h->input);
    close_end(&h->output);
    return result;
}

int64_t berth_run_hook(const char *path, const char *const *args, size_t args_count, const char *const *env,
                       size_t env_count, const char *input, size_t input_size, int64_t timeout, int64_t abort)
{
    FAILPOINT("run_hook");
    detail_clear();
    (void)env_count; /* both lists end in NULL */
    if (abort != -1 && fcntl(as_int(abort), F_GETFD) < 0) {
        detail_text("abort descriptor");
        return -errno;
    }
    /* Without args the program gets its path as argv[0], as programs expect. */
    const char *const only_path[] = {path, NULL};
    struct hook h = {
        .path = path,
        .args = (char *const *)(uintptr_t)(args_count == 0 ? only_path : args),
        .env = (char *const *)(uintptr_t)env,
        .stdin_end = -1,
        .output_end = -1,
        .input = -1,
        .output = -1,
        .abort = abort == -1 ? -1 : as_int(abort),
        .rest = input,
        .rest_size = input_size,
        .deadline = timeout < 0 ? -1 : now() + timeout,
    };
    return run_without_sigpipe(&h);
}

int64_t berth_run_program(const char *path, const char *const *args, size_t args_count, const char *const *env,
                          size_t env_count, int64_t max)
{
    FAILPOINT("run_program");
    detail_clear();
    result_reset();
    (void)args_count; /* both lists end in NULL */
    (void)env_count;
    if (max <= 0)
        return -EINVAL;
    struct hook h = {
        .path = path,
        .args = (char *const *)(uintptr_t)args,
        .env = (char *const *)(uintptr_t)env,
        .stdin_end = -1,
        .output_end = -1,
        .input = -1,
        .output = -1,
        .abort = -1,
        .rest = "",
        .deadline = -1,
        .output_max = (size_t)max,
    };
    return run_without_sigpipe(&h);
}
