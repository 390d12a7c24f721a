/* One message with a descriptor over a UNIX socket. */
#ifndef BERTH_FDPASS_H
#define BERTH_FDPASS_H

#include "sys.h"

struct message_header {
    void *name;
    uint32_t name_length;
    struct iovec_raw *parts;
    size_t part_count;
    void *control;
    size_t control_length;
    int flags;
};

struct fd_control {
    size_t length;
    int level;
    int type;
    int fd;
    int padding;
};

/* sendmsg(2) of `size` bytes with `fd` as SCM_RIGHTS; the number of bytes. */
static inline int send_with_fd(int socket, const void *data, size_t size, int fd)
{
    enum { SOCKET_LEVEL = 1, RIGHTS = 1, NO_SIGNAL = 0x4000 };
    struct iovec_raw part = {data, size};
    struct fd_control control = {
        .length = offsetof(struct fd_control, padding), .level = SOCKET_LEVEL, .type = RIGHTS, .fd = fd};
    struct message_header message = {
        .parts = &part, .part_count = 1, .control = &control, .control_length = sizeof control};
    long n;
    do
        n = SYS3(sendmsg, socket, &message, NO_SIGNAL);
    while (n == -EINTR);
    return (int)n;
}

#endif
