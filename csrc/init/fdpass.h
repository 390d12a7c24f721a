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

/* What comes before the descriptors of a SCM_RIGHTS message; `length` counts both. */
struct control_head {
    size_t length;
    int level;
    int type;
};

struct fd_control {
    struct control_head head;
    int fd;
    int padding;
};

enum {
    SOL_SOCKET = 1,
    SCM_RIGHTS = 1,
    MSG_CTRUNC = 8,
    MSG_TRUNC = 0x20,
    MSG_NOSIGNAL = 0x4000,
    MSG_CMSG_CLOEXEC = 0x40000000,
};

/* sendmsg(2) of `size` bytes with `fd` as SCM_RIGHTS; the number of bytes. */
static inline int send_with_fd(int socket, const void *data, size_t size, int fd)
{
    struct iovec_raw part = {data, size};
    struct fd_control control = {
        .head = {.length = offsetof(struct fd_control, padding), .level = SOL_SOCKET, .type = SCM_RIGHTS}, .fd = fd};
    struct message_header message = {
        .parts = &part, .part_count = 1, .control = &control, .control_length = sizeof control};
    long n;
    do
        n = SYS3(sendmsg, socket, &message, MSG_NOSIGNAL);
    while (n == -EINTR);
    return (int)n;
}

/* recvmsg(2); the descriptors in `control` are CLOEXEC. The number of bytes. */
static inline long receive_with_fds(int socket, struct message_header *message)
{
    long n;
    do
        n = SYS3(recvmsg, socket, message, MSG_CMSG_CLOEXEC);
    while (n == -EINTR);
    return n;
}

#endif
