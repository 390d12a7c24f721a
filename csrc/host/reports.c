/* The runtime's side of the sync socket: csrc/init/report.h. */
#define _GNU_SOURCE 1
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../init/report.h"
#include "failpoint.h"
#include "native.h"
#include "result.h"
#include "sockets.h"
#include "sys.h"

static int64_t give(int64_t kind, int64_t op, int64_t error, int64_t value, int64_t fd)
{
    result_reset();
    result_int(kind);
    result_int(op);
    result_int(error);
    result_int(value);
    result_int(fd);
    return result_done();
}

/* A packet is a report when it has a known kind, exactly the detail that it announces, and a descriptor if and only if
 * it tells of a child. */
static int is_report(const struct report *report, size_t size, int fd)
{
    if (size < REPORT_HEAD || report->length > REPORT_DETAIL || size != REPORT_HEAD + report->length)
        return 0;
    if (report->kind < REPORT_FAILED || report->kind > REPORT_LISTENER)
        return 0;
    return (report->kind == REPORT_CHILD) == (fd >= 0);
}

int64_t berth_receive_report(int64_t socket)
{
    FAILPOINT("receive_report");
    detail_clear();
    struct report report;
    memset(&report, 0, sizeof report);
    int fd;
    ssize_t size = receive_message(as_int(socket), &report, sizeof report, &fd);
    if (size < 0)
        return size;
    if (size == 0 && fd < 0)
        return give(REPORT_EOF, 0, 0, 0, -1);
    if (!is_report(&report, (size_t)size, fd)) {
        if (fd >= 0)
            close(fd);
        return -EPROTO;
    }
    detail_set(report.detail, report.length);
    return give(report.kind, report.op, report.error, report.value, fd);
}

int64_t berth_send_go(int64_t socket, int64_t barrier)
{
    FAILPOINT("send_go");
    struct go go = {.barrier = as_word(barrier)};
    ssize_t count = RETRY(send(as_int(socket), &go, sizeof go, MSG_NOSIGNAL));
    if (count < 0)
        return -errno;
    return count == (ssize_t)sizeof go ? 0 : -EIO;
}
