/* The start pipe. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../init/report.h"
#include "native.h"
#include "suite.h"

static int is_full(int fd)
{
    struct pollfd entry = {.fd = fd, .events = POLLOUT};
    int flags = fcntl(fd, F_GETFL);
    (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    ssize_t count = write(fd, "x", 1);
    int full = count < 0 && errno == EAGAIN && poll(&entry, 1, 0) == 0;
    (void)fcntl(fd, F_SETFL, flags);
    return full;
}

static void test_fill(void)
{
    EQUAL(berth_pipe(), 0, "a pipe");
    int ends[2] = {(int)result_at(0), (int)result_at(1)};
    CHECK((fcntl(ends[0], F_GETFD) & fcntl(ends[1], F_GETFD)) == FD_CLOEXEC, "is CLOEXEC at both ends");
    EQUAL(berth_fill_pipe(ends[1]), 4096, "is filled by one page");
    CHECK(is_full(ends[1]), "and takes not one byte more");
    EQUAL(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0, "and blocks");
    EQUAL(berth_fill_pipe(ends[1]), 0, "filling a full one adds nothing");
    berth_close(ends[0]);
    berth_close(ends[1]);

    EQUAL(berth_pipe(), 0, "a pipe that already has a byte");
    ends[0] = (int)result_at(0);
    ends[1] = (int)result_at(1);
    CHECK(write(ends[1], "x", 1) == 1, "in its first page");
    EQUAL(berth_fill_pipe(ends[1]), 4095, "is filled to the last byte");
    CHECK(is_full(ends[1]), "and takes not one byte more");
    berth_close(ends[0]);
    berth_close(ends[1]);

    EQUAL(berth_mkfifo(AT_FDCWD, scratch_path("start"), 0600), 0, "a FIFO");
    int64_t fifo = berth_open(AT_FDCWD, scratch_path("start"), O_RDWR, 0);
    EQUAL(berth_fill_pipe(fifo), 4096, "is filled too");
    CHECK(is_full((int)fifo), "and takes not one byte more");
    berth_close(fifo);
    int64_t file = berth_open(AT_FDCWD, "/proc/self/status", O_RDONLY, 0);
    CHECK(berth_fill_pipe(file) < 0, "a file that is no pipe is an error");
    berth_close(file);
    EQUAL(berth_fill_pipe(-1), -EBADF, "as is no file");
}

/* What init does: one byte into the full pipe, then maybe a report. */
static int64_t started_with(const void *report, size_t size, int start)
{
    (void)berth_pipe();
    int ends[2] = {(int)result_at(0), (int)result_at(1)};
    (void)berth_fill_pipe(ends[1]);
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    pid_t pid = fork();
    if (pid == 0) {
        char byte = STARTED;
        if (start && write(ends[1], &byte, 1) == 1 && size > 0)
            (void)!write(ends[1], report, size);
        _exit(0);
    }
    berth_close(ends[1]);
    int64_t result = berth_drain_start(ends[0], -1);
    if (result == 1)
        result = 1000 + berth_receive_start(ends[0], -1);
    (void)waitpid(pid, NULL, 0);
    berth_close(ends[0]);
    return result;
}

static void test_start(void)
{
    struct report report = {.kind = REPORT_FAILED, .op = 41, .error = 2, .value = -7, .length = 3};
    memcpy(report.detail, "abcdef", 6);
    EQUAL(started_with(NULL, 0, 1), 1000, "the start pipe is drained");
    CHECK(result_at(0) == 0, "'S' and EOF: started");
    EQUAL(started_with(&report, REPORT_HEAD + 3, 1), 1000, "'S' and a report");
    CHECK(result_at(0) == 1 && result_at(1) == 41 && result_at(2) == 2 && result_at(3) == -7, "is a failed start");
    CHECK(strcmp(detail_now(), "abc") == 0, "with its detail");
    report.length = UINT32_MAX;
    EQUAL(started_with(&report, REPORT_HEAD + 3, 1), 1000, "a report that announces 4 GiB of detail");
    CHECK(strcmp(detail_now(), "abc") == 0, "has what came");
    EQUAL(started_with(NULL, 0, 0), 0, "EOF without 'S' is not started");
}

void test_pipes(void)
{
    test_fill();
    test_start();
}
