/* Unix sockets. */
#define _GNU_SOURCE 1
#include "sockets.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "failpoint.h"
#include "native.h"
#include "result.h"
#include "sys.h"

enum {
    FDS_MAX = 253, /* SCM_MAX_FD: the kernel's own limit, so that no message is cut for having more */
    RECEIVE_ATTEMPTS = 8,
};

int64_t berth_socketpair(void)
{
    FAILPOINT("socketpair");
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    result_reset();
    result_int(ends[0]);
    result_int(ends[1]);
    return result_done();
}

/* A path that does not fit into sun_path is connected to through an O_PATH descriptor of the socket itself. */
static int connect_to(int fd, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length < sizeof address.sun_path) {
        memcpy(address.sun_path, path, length + 1);
        return RETRY(connect(fd, (const struct sockaddr *)&address, sizeof address)) < 0 ? -errno : 0;
    }
    int file = open(path, O_PATH | O_CLOEXEC);
    if (file < 0)
        return -errno;
    (void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", file);
    int result = RETRY(connect(fd, (const struct sockaddr *)&address, sizeof address)) < 0 ? -errno : 0;
    close(file);
    return result;
}

/* unix(7): an abstract name begins with NUL and is exactly as long as the address says. */
static int connect_to_name(int fd, const char *name, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (size > sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, name, size);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    return RETRY(connect(fd, (const struct sockaddr *)&address, length)) < 0 ? -errno : 0;
}

/* connect(2) waits as long as SO_SNDTIMEO says when the peer does not accept (unix(7)), and so does write(2). */
static int connect_limited(int fd, const char *address, size_t size, int64_t timeout)
{
    struct timeval limit = {.tv_sec = timeout / 1000, .tv_usec = timeout % 1000 * 1000};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0)
        return -errno;
    if (address[0] == '\0')
        return connect_to_name(fd, address, size);
    char path[PATH_MAX];
    if (size >= sizeof path)
        return -ENAMETOOLONG;
    if (memchr(address, 0, size) != NULL)
        return -EINVAL;
    memcpy(path, address, size);
    path[size] = '\0';
    return connect_to(fd, path);
}

static int64_t connected_within(int type, const char *address, size_t size, int64_t timeout)
{
    if (size == 0 || timeout <= 0)
        return -EINVAL;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int error = connect_limited(fd, address, size, timeout);
    if (error == 0)
        return fd;
    close(fd);
    return error;
}

int64_t berth_connect(const char *path, int64_t timeout)
{
    FAILPOINT("connect");
    if (path[0] == '\0')
        return -ENOENT; /* an empty sun_path would be an abstract address */
    return connected_within(SOCK_STREAM, path, strlen(path), timeout);
}

int64_t berth_connect_within(const char *address, size_t address_size, int64_t timeout)
{
    FAILPOINT("connect_within");
    return connected_within(SOCK_STREAM, address, address_size, timeout);
}

int64_t berth_connect_datagram(const char *address, size_t address_size, int64_t timeout)
{
    FAILPOINT("connect_datagram");
    return connected_within(SOCK_DGRAM, address, address_size, timeout);
}

/* bind(2) has no directory descriptor, and sun_path may be too short for the folder's name. It applies the umask. */
int64_t berth_bind_datagram(int64_t dir, const char *name, int64_t mode)
{
    FAILPOINT("bind_datagram");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", as_int(dir), name);
    if (length < 0 || (size_t)length >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    mode_t old = umask(0777 & ~(mode_t)as_word(mode));
    int error = bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
    (void)umask(old);
    if (error == 0)
        return fd;
    close(fd);
    return error;
}

int64_t berth_send_fd(int64_t socket, const char *data, size_t size, int64_t fd)
{
    FAILPOINT("send_fd");
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd != -1) {
        int number = as_int(fd);
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof number);
        memcpy(CMSG_DATA(header), &number, sizeof number);
    }
    return answer(RETRY(sendmsg(as_int(socket), &message, MSG_NOSIGNAL)));
}

int64_t berth_send_words(int64_t socket, const uint32_t *words, size_t count)
{
    FAILPOINT("send_words");
    return answer(RETRY(send(as_int(socket), words, count * sizeof *words, MSG_NOSIGNAL)));
}

/* Takes the descriptors out of the control data: the first one, the others are closed. Their number. */
static int take_fds(struct msghdr *message, int *fd)
{
    int count = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < here; i++) {
            int one;
            memcpy(&one, CMSG_DATA(header) + i * sizeof one, sizeof one);
            if (count++ == 0)
                *fd = one;
            else
                close(one);
        }
    }
    return count;
}

ssize_t receive_message(int socket, void *data, size_t size, int *fd)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
    struct iovec part = {.iov_base = data, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    *fd = -1;
    ssize_t count = -1;
    errno = ECONNRESET;
    /* When the other side closed without reading all that we sent, the kernel says ECONNRESET once, before it gives out
     * the messages that are still queued for us, the last of which tells why. */
    for (int i = 0; i < RECEIVE_ATTEMPTS && count < 0 && errno == ECONNRESET; i++)
        count = RETRY(recvmsg(socket, &message, MSG_CMSG_CLOEXEC));
    if (count < 0)
        return errno == ECONNRESET ? 0 : -errno;
    int fds = take_fds(&message, fd);
    if (fds <= 1 && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
        return count;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    return -EPROTO;
}

int64_t berth_receive_fd(int64_t socket)
{
    FAILPOINT("receive_fd");
    char data[PATH_MAX];
    int fd;
    ssize_t count = receive_message(as_int(socket), data, sizeof data, &fd);
    if (count < 0)
        return count;
    if (fd >= 0)
        return fd;
    return count == 0 ? -EPIPE : -EPROTO;
}
