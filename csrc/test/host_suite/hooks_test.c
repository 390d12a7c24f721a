/* Hooks: what they get, and that none of them can hold us. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native.h"
#include "suite.h"

enum { MEGABYTE = 1 << 20, SOON = 3000 };

static const char *const no_env[] = {NULL};
static int64_t took;

/* sh -c SCRIPT with the input. */
static int64_t shell(const char *script, const char *input, size_t size, int64_t timeout, int64_t abort)
{
    const char *const args[] = {"sh", "-c", script, NULL};
    const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    int64_t start = berth_monotonic();
    int64_t result = berth_run_hook("/bin/sh", args, 3, env, 1, input, size, timeout, abort);
    took = berth_monotonic() - start;
    return result;
}

static int ended_with(int64_t code, int64_t status, int64_t how)
{
    int same = result_at(0) == code && result_at(1) == status && result_at(2) == how;
    if (!same)
        printf("# [%d, %d, %d]\n", (int)result_at(0), (int)result_at(1), (int)result_at(2));
    return same;
}

static void test_ends(void)
{
    EQUAL(shell("cat; echo error >&2", "state", 5, -1, -1), 0, "a hook runs");
    CHECK(ended_with(CLD_EXITED, 0, 0), "and ends");
    CHECK(strcmp(detail_now(), "stateerror\n") == 0, "with its input, and output of both kinds");
    EQUAL(shell("exit 3", "", 0, -1, -1), 0, "a hook that fails");
    CHECK(ended_with(CLD_EXITED, 3, 0), "has its exit status");
    CHECK(strcmp(detail_now(), "") == 0, "and no output of the one before");
    EQUAL(shell("kill -TERM $$", "", 0, -1, -1), 0, "a hook that is killed");
    CHECK(ended_with(CLD_KILLED, SIGTERM, 0), "has its signal");
}

static void test_failures(void)
{
    const char *const args[] = {"x", NULL};
    EQUAL(berth_run_hook("/no/such/hook", args, 1, no_env, 0, "", 0, -1, -1), -ENOENT, "a missing hook is ENOENT");
    CHECK(strcmp(detail_now(), "execve") == 0, "of execve");
    EQUAL(berth_run_hook("/", args, 1, no_env, 0, "", 0, -1, -1), -EACCES, "a folder is EACCES");
    EQUAL(berth_peek_child(), -ECHILD, "the child of a failed exec is reaped");
    EQUAL(shell(":", "", 0, -1, 999), -EBADF, "an abort descriptor that is not open is EBADF");
    EQUAL(berth_run_hook("/bin/true", no_env, 0, no_env, 0, "", 0, -1, -1), 0, "a hook without args runs");
    CHECK(ended_with(CLD_EXITED, 0, 0), "with its path as argv[0]");
}

/* sh -c SCRIPT with at most 1 MiB of output. */
static int64_t program(const char *script)
{
    const char *const args[] = {"sh", "-c", script, NULL};
    const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    return berth_run_program("/bin/sh", args, 3, env, 1, MEGABYTE);
}

static void test_programs(void)
{
    const char *const args[] = {"x", NULL};
    EQUAL(program("cat; echo out; sleep 0.1; echo error >&2"), 0, "a program runs");
    CHECK(berth_result_size() == 10 && memcmp(berth_result_data(), "out\nerror\n", 10) == 0,
          "without input; its output of both kinds is the result");
    CHECK(strcmp(detail_now(), "") == 0, "success has no detail");
    EQUAL(program("echo why; exit 3"), 0, "a program that fails");
    CHECK(berth_result_size() == 4, "still has output");
    CHECK(strcmp(detail_now(), "exit status 3") == 0, "and says so in the detail");
    EQUAL(program("kill -TERM $$"), 0, "a program that is killed");
    CHECK(strcmp(detail_now(), "killed by signal 15") == 0, "has its signal");
    EQUAL(program("head -c 1048576 /dev/zero"), 0, "as much output as is allowed");
    CHECK(berth_result_size() == MEGABYTE, "is whole");
    EQUAL(program("head -c 1048577 /dev/zero"), -EFBIG, "a byte more is EFBIG");
    EQUAL(program("yes"), -EFBIG, "and so is output without end");
    EQUAL(berth_peek_child(), -ECHILD, "whose program is killed and reaped");
    EQUAL(berth_run_program("/no/such", args, 1, no_env, 0, MEGABYTE), -ENOENT, "a missing program is ENOENT");
    EQUAL(berth_run_program("/bin/true", args, 1, no_env, 0, 0), -EINVAL, "no room at all is EINVAL");
}

static int gone(pid_t group)
{
    for (int i = 0; i < 200; i++) {
        if (kill(-group, 0) < 0 && errno == ESRCH)
            return 1;
        usleep(10000);
    }
    return 0;
}

static void test_limits(void)
{
    char script[9000];
    (void)snprintf(script, sizeof script, "echo $$ > %s; sleep 100 & wait", scratch_path("group"));
    EQUAL(shell(script, "", 0, 300, -1), 0, "a hook that does not end");
    CHECK(ended_with(CLD_KILLED, SIGKILL, 1) && took >= 290 && took < SOON, "is killed after its timeout");
    EQUAL(berth_read_file(AT_FDCWD, scratch_path("group"), 100), 0, "its process group");
    CHECK(gone((pid_t)strtol(result_text(), NULL, 10)), "is gone with it");

    EQUAL(berth_pipe(), 0, "a pipe");
    int ends[2] = {(int)result_at(0), (int)result_at(1)};
    pid_t pid = fork();
    if (pid == 0) {
        usleep(200000);
        (void)!write(ends[1], "x", 1);
        _exit(0);
    }
    EQUAL(shell("sleep 100", "", 0, -1, ends[0]), 0, "that becomes readable meanwhile");
    CHECK(ended_with(CLD_KILLED, SIGKILL, 2) && took < SOON, "aborts the hook");
    (void)waitpid(pid, NULL, 0);
    berth_close(ends[0]);
    berth_close(ends[1]);

    EQUAL(shell("yes", "", 0, 300, -1), 0, "a hook that floods its output for ever");
    CHECK(ended_with(CLD_KILLED, SIGKILL, 1) && took < SOON, "is killed after its timeout");
    EQUAL((int64_t)strlen(detail_now()), 1024, "1 KiB is kept");
    EQUAL(shell("head -c 20000000 /dev/zero; exit 5", "", 0, -1, -1), 0, "20 MB of output");
    CHECK(ended_with(CLD_EXITED, 5, 0), "do not hold a hook");
}

static void test_input(void)
{
    char *large = malloc(MEGABYTE);
    memset(large, 'i', MEGABYTE);
    EQUAL(shell("wc -c", large, MEGABYTE, -1, -1), 0, "1 MiB of input");
    CHECK(strtol(detail_now(), NULL, 10) == MEGABYTE, "reaches the hook");
    EQUAL(shell("exec <&-; sleep 0.2; exit 4", large, MEGABYTE, -1, -1), 0, "a hook that closes its stdin");
    CHECK(ended_with(CLD_EXITED, 4, 0), "is no error");
    EQUAL(shell("exit 0", large, MEGABYTE, -1, -1), 0, "nor one that ends without reading");
    sigset_t pending;
    CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE), "no SIGPIPE is left");
    EQUAL(shell("sleep 100", large, MEGABYTE, 200, -1), 0, "one that never reads");
    CHECK(ended_with(CLD_KILLED, SIGKILL, 1), "is still timed out");
    EQUAL(shell("sleep 4 & echo started", "", 0, -1, -1), 0, "a background process that keeps stdout");
    CHECK(ended_with(CLD_EXITED, 0, 0) && took < SOON, "does not hold us");
    CHECK(strcmp(detail_now(), "started\n") == 0, "and what the hook said is kept");
    free(large);
}

static void test_surroundings(void)
{
    const char *const args[] = {"env", NULL};
    const char *const env[] = {"A=1", "B=\xff", NULL};
    EQUAL(berth_run_hook("/usr/bin/env", args, 1, env, 2, "", 0, -1, -1), 0, "a hook");
    CHECK(strcmp(detail_now(), "A=1\nB=\xff\n") == 0, "has exactly the environment that is given");

    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &old);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    int leaked = open("/dev/null", O_RDONLY);
    EQUAL(shell("grep Sig /proc/self/status; ls /proc/self/fd | tr '\\n' ' '", "", 0, -1, -1), 0,
          "a caller that blocks SIGTERM, ignores SIGPIPE and SIGCHLD and has an open descriptor");
    const char *text = detail_now();
    CHECK(strstr(text, "SigBlk:\t0000000000000000") != NULL, "hands on no blocked signal");
    CHECK(strstr(text, "SigIgn:\t0000000000000000") != NULL, "no ignored signal");
    CHECK(strstr(text, "\n0 1 2 3 ") != NULL && strstr(text, "3 4") == NULL, "and no descriptor (3 is that of ls)");
    sigset_t after;
    sigprocmask(SIG_SETMASK, &old, &after);
    CHECK(sigismember(&after, SIGTERM) && !sigismember(&after, SIGPIPE), "its own mask is as before");
    signal(SIGPIPE, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    close(leaked);
    EQUAL(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1, "dumpable is as before");

    pid_t pid = fork();
    if (pid == 0) {
        for (int fd = 0; fd < 3; fd++)
            close(fd);
        int64_t result = shell("cat; echo out; echo err >&2", "in ", 3, -1, -1);
        _exit(result == 0 && strcmp(detail_now(), "in out\nerr\n") == 0 ? 0 : 1);
    }
    int status = -1;
    (void)waitpid(pid, &status, 0);
    EQUAL(status, 0, "a caller without stdio gives a hook its pipes all the same");
}

void test_hooks(void)
{
    test_ends();
    test_failures();
    test_programs();
    test_limits();
    test_input();
    test_surroundings();
}
