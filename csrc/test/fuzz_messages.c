// Built and run by fuzz.sh.
/* What the runtime reads from init and from agents: reports with and without descriptors, the start pipe, a descriptor of
 * a console socket. Whatever comes, no descriptor stays open but the one that is handed out, and nothing is longer than
 * it says. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../init/report.h"
#include "native.h"
#include "result.h"

enum { FDS = 5 };

/* One message with `count` descriptors of the null device. */
static void send_message(int socket, const void *data, size_t size, size_t count, int null)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS * sizeof(int))] = {0};
    struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(count * sizeof null);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof null);
        for (size_t i = 0; i < count; i++)
            memcpy(CMSG_DATA(header) + i * sizeof null, &null, sizeof null);
    }
    if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN && errno != EMSGSIZE)
        abort();
}

static int64_t result_at(size_t index)
{
    int64_t value;
    if (berth_result_size() < (index + 1) * sizeof value)
        abort();
    memcpy(&value, berth_result_data() + index * sizeof value, sizeof value);
    return value;
}

/* Takes the place of the result. */
static int fits_detail(void)
{
    return berth_detail() >= 0 && berth_result_size() <= REPORT_DETAIL;
}

/* Reports one after the other: `lengths` says where each ends and how many descriptors it has. */
static void reports(const uint8_t *data, size_t size, int null)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        abort();
    while (size >= 2) {
        size_t length = (size_t)data[0] * (data[1] & 8 ? 8 : 1);
        size_t fds = data[1] % (FDS + 1);
        data += 2;
        size -= 2;
        length = length > size ? size : length;
        /* An empty message with a descriptor is one; without, it is like an end. */
        send_message(ends[1], data, length, fds, null);
        int64_t result = berth_receive_report(ends[0]);
        if (result == 0) {
            int64_t kind = result_at(0);
            int64_t fd = result_at(4);
            if (kind < REPORT_EOF || kind > REPORT_LISTENER || !fits_detail())
                abort();
            if ((kind == REPORT_CHILD) != (fd >= 0) || (fd >= 0 && fcntl((int)fd, F_GETFD) != FD_CLOEXEC))
                abort();
            if (fd >= 0)
                close((int)fd);
        }
        data += length;
        size -= length;
    }
    close(ends[0]);
    close(ends[1]);
}

/* The pipe in which zeros are followed by 'S' and perhaps a report; read in two commands or in one. */
static void start_pipe(const uint8_t *data, size_t size)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        abort();
    size_t first = size == 0 ? 0 : data[0] % (size + 1);
    if (write(ends[1], data, first) != (ssize_t)first)
        abort();
    if (memchr(data, STARTED, first) == NULL) {
        close(ends[1]);
        ends[1] = -1;
    }
    int64_t started = berth_drain_start(ends[0], -1);
    if (started != (memchr(data, STARTED, first) != NULL))
        abort();
    if (ends[1] >= 0) {
        if (write(ends[1], data + first, size - first) != (ssize_t)(size - first))
            abort();
        close(ends[1]);
        if (berth_receive_start(ends[0], -1) < 0 || result_at(0) < 0 || result_at(0) > 1)
            abort();
        if (result_at(0) == 1 && !fits_detail())
            abort();
    }
    close(ends[0]);
}

static void descriptor(const uint8_t *data, size_t size, int null)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        abort();
    size_t count = size == 0 ? 0 : data[0] % (FDS + 1);
    if (size > 0)
        send_message(ends[1], data, size, count, null);
    close(ends[1]);
    int64_t fd = berth_receive_fd(ends[0]);
    if (fd >= 0) {
        if (count != 1 || fcntl((int)fd, F_GETFD) != FD_CLOEXEC)
            abort();
        close((int)fd);
    } else if (size > 0 && size <= 4096 && count == 1) {
        abort();
    }
    close(ends[0]);
}

/* The lowest number that is free. */
static int next_free(int fd)
{
    int next = dup(fd);
    close(next);
    return next;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int null = -1;
    if (null < 0)
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (size == 0 || size > 8192)
        return 0;
    int free_before = next_free(null);
    switch (data[0] % 3) {
    case 0:
        reports(data + 1, size - 1, null);
        break;
    case 1:
        start_pipe(data + 1, size - 1);
        break;
    default:
        descriptor(data + 1, size - 1, null);
    }
    if (next_free(null) != free_before)
        abort(); /* one has leaked */
    return 0;
}
