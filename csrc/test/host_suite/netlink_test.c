/* Sockets of NETLINK_ROUTE in our own network namespace and in another one. The latter as root. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native.h"
#include "suite.h"

static int option(int64_t socket, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt((int)socket, SOL_SOCKET, name, &value, &size) < 0 ? -1 : value;
}

static ino_t inode_of(int fd)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* Of the network namespace that the socket is in. */
static ino_t namespace_of(int64_t socket)
{
    int fd = ioctl((int)socket, SIOCGSKNS);
    ino_t inode = inode_of(fd);
    close(fd);
    return inode;
}

/* A process in a network namespace of its own; -1 when that cannot be made. */
static pid_t other_namespace(void)
{
    int ready[2];
    if (pipe(ready) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        char done = unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';
        (void)!write(ready[1], &done, 1);
        for (;;)
            pause();
    }
    char answer = 'n';
    (void)!read(ready[0], &answer, 1);
    close(ready[0]);
    close(ready[1]);
    if (answer == 'y')
        return pid;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return -1;
}

/* The kernel is asked for the loopback device, and its answer read. */
static void ask(int64_t socket)
{
    struct {
        struct nlmsghdr head;
        struct ifinfomsg link;
    } request = {.head = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST}};
    uint32_t words[sizeof request / sizeof(uint32_t)];
    request.link.ifi_index = 1;
    memcpy(words, &request, sizeof words);
    EQUAL(berth_send_words(socket, words, sizeof words / sizeof *words), sizeof words, "a question is sent");
    EQUAL(berth_read(socket, 65536), 0, "and the kernel's answer read");
    CHECK(berth_result_size() > sizeof request, "which tells of a device");
}

/* Netlink carries messages between processes, too: root of a network namespace may write to any socket in it. */
static void test_stranger(void)
{
    int64_t heard = berth_route_socket(-1);
    ask(heard);
    struct sockaddr_nl address = {0};
    socklen_t size = sizeof address;
    CHECK(getsockname((int)heard, (struct sockaddr *)&address, &size) == 0 && address.nl_pid != 0,
          "the socket is known");
    int stranger = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    const struct nlmsghdr lie = {.nlmsg_len = sizeof lie, .nlmsg_type = NLMSG_DONE};
    ssize_t sent = sendto(stranger, &lie, sizeof lie, 0, (const struct sockaddr *)&address, sizeof address);
    CHECK(sent < 0 && (errno == ECONNREFUSED || errno == EPERM), "nobody but the kernel can write to it");
    close(stranger);
    ask(heard);
    berth_close(heard);
}

static void test_own(void)
{
    int64_t socket = berth_route_socket(-1);
    CHECK(socket >= 0, "a socket of our own network namespace is made");
    EQUAL(berth_fd_flags(socket), FD_CLOEXEC, "it is CLOEXEC");
    EQUAL(option(socket, SO_DOMAIN), AF_NETLINK, "it is a netlink socket");
    EQUAL(option(socket, SO_PROTOCOL), 0, "of rtnetlink");
    berth_close(socket);
}

static void test_other(pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
    int64_t namespace = berth_open(AT_FDCWD, path, O_RDONLY, 0);
    int64_t own = berth_open(AT_FDCWD, "/proc/self/ns/net", O_RDONLY, 0);
    int64_t socket = berth_route_socket(namespace);
    CHECK(socket >= 0, "a socket of another network namespace is made");
    CHECK(namespace_of(socket) == inode_of((int)namespace), "it is in that namespace");
    EQUAL(berth_fd_flags(socket), FD_CLOEXEC, "it is CLOEXEC");
    berth_close(socket);
    socket = berth_route_socket(-1);
    CHECK(namespace_of(socket) == inode_of((int)own), "we are still in our own");
    berth_close(socket);
    berth_close(own);
    berth_close(namespace);

    EQUAL(berth_route_socket(999), -EBADF, "what is no descriptor is EBADF");
    CHECK(strcmp(detail_now(), "setns") == 0, "of setns");
    int64_t user = berth_open(AT_FDCWD, "/proc/self/ns/user", O_RDONLY, 0);
    EQUAL(berth_route_socket(user), -EINVAL, "another kind of namespace is EINVAL");
    berth_close(user);
}

void test_netlink(void)
{
    int before = open_descriptors();
    test_own();
    test_stranger();
    pid_t pid = other_namespace();
    if (pid < 0) {
        skip("another network namespace", "it cannot be made");
        return;
    }
    test_other(pid);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CHECK(waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD, "no child is left");
    EQUAL(open_descriptors(), before, "no descriptor is left");
}
