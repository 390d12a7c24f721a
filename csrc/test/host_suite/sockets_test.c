/* Unix sockets and init's reports. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../init/report.h"
#include "native.h"
#include "suite.h"

static int ours, theirs;

static void make_pair(void)
{
    (void)berth_socketpair();
    ours = (int)result_at(0);
    theirs = (int)result_at(1);
}

static int64_t reported(const struct report *report, size_t size, int fd)
{
    (void)berth_send_fd(theirs, (const char *)report, size, fd);
    return berth_receive_report(ours);
}

static void test_reports(void)
{
    make_pair();
    struct report report = {.kind = REPORT_FAILED, .op = 3, .error = 13, .value = 4, .length = 5};
    memcpy(report.detail, "hello", 5);
    EQUAL(reported(&report, REPORT_HEAD + 5, -1), 0, "a report is received");
    CHECK(result_at(0) == REPORT_FAILED && result_at(1) == 3 && result_at(2) == 13 && result_at(3) == 4 &&
              result_at(4) == -1,
          "with its fields");
    CHECK(strcmp(detail_now(), "hello") == 0, "and its detail");
    EQUAL(reported(&report, REPORT_HEAD + 4, -1), -EPROTO, "one that is shorter than it says is EPROTO");
    EQUAL(reported(&report, REPORT_HEAD + 6, -1), -EPROTO, "as is one that is longer");
    EQUAL(reported(&report, REPORT_HEAD - 1, -1), -EPROTO, "one without a whole head");
    report.length = UINT32_MAX - REPORT_HEAD + 1;
    EQUAL(reported(&report, sizeof report, -1), -EPROTO, "one with a length that overflows");
    char longer[sizeof report + 1];
    memcpy(longer, &report, sizeof report);
    EQUAL(reported((struct report *)(void *)longer, sizeof longer, -1), -EPROTO, "one that is cut");
    report.length = 0;
    report.kind = REPORT_LISTENER + 1;
    EQUAL(reported(&report, REPORT_HEAD, -1), -EPROTO, "one of an unknown kind");
    report.kind = REPORT_LISTENER;
    EQUAL(reported(&report, REPORT_HEAD, -1), 0, "a listener's number is received");
    report.kind = REPORT_CHILD;
    EQUAL(reported(&report, REPORT_HEAD, -1), -EPROTO, "a child without pidfd");
    EQUAL(reported(&report, REPORT_HEAD, 0), 0, "a child with pidfd is received");
    int fd = (int)result_at(4);
    EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC, "its descriptor is CLOEXEC");
    close(fd);
    report.kind = REPORT_READY;
    EQUAL(reported(&report, REPORT_HEAD, 0), -EPROTO, "a descriptor that does not belong is EPROTO and closed");

    const uint32_t words[] = {1, 0xffffffff, 3};
    uint32_t got[4] = {0};
    EQUAL(berth_send_words(ours, words, 3), sizeof words, "words are sent");
    CHECK(recv(theirs, got, sizeof got, 0) == sizeof words && memcmp(got, words, sizeof words) == 0,
          "as one message, as they lie in memory");
    EQUAL(berth_send_go(ours, 2), 0, "go is sent");
    struct go go = {0};
    CHECK(recv(theirs, &go, sizeof go, 0) == sizeof go && go.barrier == 2, "and is the barrier's number");
    (void)berth_send_go(ours, 3);
    (void)berth_send_fd(theirs, (const char *)&report, REPORT_HEAD, -1);
    berth_close(theirs);
    EQUAL(berth_receive_report(ours), 0, "the last report comes although init closed without reading everything");
    EQUAL(result_at(0), REPORT_READY, "before the end");
    EQUAL(berth_receive_report(ours), 0, "the end of the stream");
    CHECK(result_at(0) == REPORT_EOF && result_at(4) == -1, "is a report of its own");
    EQUAL(berth_send_words(ours, words, 3), -EPIPE, "words to a dead init are EPIPE, without a signal");
    EQUAL(berth_send_go(ours, 1), -EPIPE, "go to a dead init is EPIPE, without a signal");
    berth_close(ours);
}

static void test_descriptors(void)
{
    make_pair();
    int64_t file = berth_open(AT_FDCWD, "/dev/null", O_RDWR, 0);
    EQUAL(berth_send_fd(ours, "/dev/pts/3", 10, file), 10, "a descriptor is sent");
    int64_t got = berth_receive_fd(theirs);
    CHECK(got >= 0 && berth_fd_flags(got) == FD_CLOEXEC, "and received, CLOEXEC");
    berth_close(got);
    EQUAL(berth_send_fd(ours, "x", 1, -1), 1, "a message without one is sent");
    EQUAL(berth_receive_fd(theirs), -EPROTO, "and is EPROTO for who wants one");
    int two[2] = {(int)file, (int)file};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof two)] = {0};
    struct iovec part = {.iov_base = (char[]){"x"}, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof two);
    memcpy(CMSG_DATA(header), two, sizeof two);
    CHECK(sendmsg(ours, &message, 0) == 1, "two descriptors in one message");
    EQUAL(berth_receive_fd(theirs), -EPROTO, "are EPROTO and closed");
    berth_close(ours);
    EQUAL(berth_receive_fd(theirs), -EPIPE, "the end without descriptor is EPIPE");
    berth_close(theirs);
    berth_close(file);
}

/* A listening socket at a path of any length: bound by its name in its folder. */
static int listening(const char *folder, const char *name)
{
    char here[4096];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", name);
    if (getcwd(here, sizeof here) == NULL || chdir(folder) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 8) < 0 || chdir(here) < 0)
        return -1;
    return fd;
}

static void test_connect(void)
{
    char folder[256];
    memset(folder, 'd', 200);
    folder[200] = '\0';
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", scratch, folder);
    CHECK(mkdir(path, 0755) == 0, "a folder of 200 characters");
    int server = listening(path, "socket");
    CHECK(server >= 0, "a socket in it");
    (void)snprintf(path, sizeof path, "%s/%s/socket", scratch, folder);
    int64_t fd = berth_connect(path, 50);
    CHECK(fd >= 0, "is connected to although sun_path has only 108");
    CHECK(berth_fd_flags(fd) == FD_CLOEXEC, "by a CLOEXEC descriptor");
    berth_close(fd);
    (void)snprintf(path, sizeof path, "%s/%s/missing", scratch, folder);
    EQUAL(berth_connect(path, 50), -ENOENT, "a missing long path is ENOENT");
    close(server);
    server = listening(scratch, "short");
    fd = berth_connect(scratch_path("short"), 50);
    CHECK(fd >= 0, "a short path is connected to");
    berth_close(fd);
    close(server);
    EQUAL(berth_connect(scratch_path("short"), 50), -ECONNREFUSED, "nobody listening is ECONNREFUSED");
    EQUAL(berth_connect("", 50), -ENOENT, "an empty path is ENOENT, no abstract socket");
}

/* A listener that accepts nothing: its queue is full after two connections. */
static void test_connect_within(void)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s", scratch_path("full"));
    int server = listening(scratch, "full");
    CHECK(server >= 0 && listen(server, 0) == 0, "a socket that has room for one connection");
    int64_t fd = berth_connect_within(path, strlen(path), 50);
    CHECK(fd >= 0 && berth_fd_flags(fd) == FD_CLOEXEC, "is connected to by a CLOEXEC descriptor");
    EQUAL(berth_connect_within(path, strlen(path), 50), -EAGAIN, "the next one ends by its timeout");
    EQUAL(berth_connect(path, 50), -EAGAIN, "by either name");
    char *much = calloc(1, 1 << 22);
    EQUAL(berth_send_fd(fd, much, 1 << 22, -1) < (1 << 22), 1, "and so does a message that nobody reads");
    EQUAL(berth_send_fd(fd, much, 1 << 22, -1), -EAGAIN, "which is EAGAIN when nothing at all fits");
    free(much);
    berth_close(fd);
    close(server);
    EQUAL(berth_connect_within(path, strlen(path), 50), -ECONNREFUSED, "nobody listening is ECONNREFUSED");
    EQUAL(berth_connect_within("", 0, 50), -EINVAL, "an empty address is EINVAL");
    EQUAL(berth_connect_within("a\0b", 3, 50), -EINVAL, "a path with a NUL is EINVAL");

    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = (size_t)snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "berth-test-%d", getpid()) + 1;
    server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    CHECK(bind(server, (const struct sockaddr *)&address, length) == 0 && listen(server, 1) == 0, "an abstract socket");
    fd = berth_connect_within(address.sun_path, size, 50);
    CHECK(fd >= 0, "is connected to by its name");
    berth_close(fd);
    EQUAL(berth_connect_within(address.sun_path, size - 1, 50), -ECONNREFUSED, "a shorter name is another one");
    close(server);
}

static void test_datagrams(void)
{
    int dir = open(scratch, O_DIRECTORY | O_CLOEXEC);
    mode_t old = umask(077);
    int64_t server = berth_bind_datagram(dir, "datagrams", 0757);
    CHECK(server >= 0 && berth_fd_flags(server) == FD_CLOEXEC, "a socket for datagrams is bound, CLOEXEC");
    CHECK(umask(old) == 077, "the umask is the old one");
    struct stat status;
    CHECK(stat(scratch_path("datagrams"), &status) == 0 && status.st_mode == (S_IFSOCK | 0757), "and not applied");
    EQUAL(berth_bind_datagram(dir, "datagrams", 0777), -EADDRINUSE, "a name that is there is EADDRINUSE");
    EQUAL(berth_read(server, 100), -EAGAIN, "without a datagram read is EAGAIN");
    const char *path = scratch_path("datagrams");
    int64_t client = berth_connect_datagram(path, strlen(path), 50);
    CHECK(client >= 0 && berth_fd_flags(client) == FD_CLOEXEC, "a CLOEXEC descriptor is connected to it");
    EQUAL(berth_send_fd(client, "with", 4, client), 4, "a datagram with a descriptor");
    EQUAL(berth_write(client, "more", 4), 4, "and another");
    EQUAL(berth_read(server, 100), 0, "are read");
    CHECK(strcmp(result_text(), "with") == 0, "one by one");
    int64_t sent = 1;
    for (int i = 0; i < 4096 && sent > 0; i++)
        sent = berth_write(client, "x", 1);
    EQUAL(sent, -EAGAIN, "a datagram that nobody reads ends by its timeout");
    berth_close(server);
    EQUAL(berth_write(client, "x", 1), -ECONNREFUSED, "one to a closed socket is ECONNREFUSED, without a signal");
    berth_close(client);
    close(dir);
}

void test_sockets(void)
{
    test_datagrams();
    test_reports();
    test_descriptors();
    test_connect();
    test_connect_within();
}
