/* The reading end of the start pipe: see csrc/init/report.h for what is in the stream. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "../init/report.h"
#include "failpoint.h"
#include "native.h"
#include "result.h"
#include "sys.h"

/* What has been read: the same read may bring init's byte and the report behind it. A command starts one container. */
static struct start_stream {
    bool started;
    size_t size; /* bytes of `report` that have come */
    struct report report;
} stream;

/* Zeros fill the pipe until 'S'; what follows is at most one report. */
static void take(const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!stream.started) {
            stream.started = bytes[i] == STARTED;
        } else if (stream.size < sizeof stream.report) {
            ((unsigned char *)&stream.report)[stream.size++] = bytes[i];
        }
    }
}

/* Waits for what is to be read. With an `abort` that becomes readable first: -ECANCELED. */
static int wait_for(int fd, int abort)
{
    struct pollfd both[2] = {{.fd = fd, .events = POLLIN}, {.fd = abort, .events = POLLIN}};
    while (poll(both, abort < 0 ? 1 : 2, -1) < 0)
        if (errno != EINTR)
            return -errno;
    return both[0].revents == 0 ? -ECANCELED : 0;
}

/* Reads to the end, or until 'S'. The descriptor may be O_NONBLOCK: `start` opens the FIFO that way. */
static int read_stream(int fd, bool to_end, int abort)
{
    unsigned char buffer[4096];
    while (to_end || !stream.started) {
        int waited = abort < 0 ? 0 : wait_for(fd, abort);
        if (waited < 0)
            return waited;
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n == 0)
            return 0;
        if (n > 0) {
            take(buffer, (size_t)n);
        } else if (errno == EAGAIN) {
            (void)wait_for(fd, -1);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

int64_t berth_drain_start(int64_t pipe, int64_t abort)
{
    FAILPOINT("drain_start");
    memset(&stream, 0, sizeof stream);
    int result = read_stream(as_int(pipe), false, as_int(abort));
    return result < 0 ? result : stream.started;
}

int64_t berth_receive_start(int64_t pipe, int64_t abort)
{
    FAILPOINT("receive_start");
    detail_clear();
    int result = read_stream(as_int(pipe), true, as_int(abort));
    if (result < 0)
        return result;
    bool failed = stream.size >= REPORT_HEAD;
    result_reset();
    result_int(failed);
    result_int(stream.report.op);
    result_int(stream.report.error);
    result_int(stream.report.value);
    if (failed) {
        size_t length = stream.size - REPORT_HEAD;
        detail_set(stream.report.detail, stream.report.length < length ? stream.report.length : length);
    }
    return result_done();
}
