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

struct start_stream {
    bool started;
    size_t size; /* bytes of `report` that have come */
    struct report report;
};

/* Zeros fill the pipe until 'S'; what follows is at most one report. */
static void take(struct start_stream *s, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!s->started) {
            s->started = bytes[i] == STARTED;
        } else if (s->size < sizeof s->report) {
            ((unsigned char *)&s->report)[s->size++] = bytes[i];
        }
    }
}

/* The descriptor may be O_NONBLOCK: `start` opens the FIFO that way. */
static int read_to_end(int fd, struct start_stream *s)
{
    unsigned char buffer[4096];
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n == 0)
            return 0;
        if (n > 0) {
            take(s, buffer, (size_t)n);
        } else if (errno == EAGAIN) {
            struct pollfd p = {.fd = fd, .events = POLLIN};
            (void)poll(&p, 1, -1);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
}

int64_t berth_receive_start(int64_t pipe)
{
    FAILPOINT("receive_start");
    detail_clear();
    struct start_stream s;
    memset(&s, 0, sizeof s);
    int result = read_to_end(as_int(pipe), &s);
    if (result < 0)
        return result;
    bool failed = s.size >= REPORT_HEAD;
    result_reset();
    result_int(s.started);
    result_int(failed);
    result_int(s.report.op);
    result_int(s.report.error);
    result_int(s.report.value);
    if (failed) {
        size_t length = s.size - REPORT_HEAD;
        detail_set(s.report.detail, s.report.length < length ? s.report.length : length);
    }
    return result_done();
}
