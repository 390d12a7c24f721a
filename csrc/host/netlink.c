/* Sockets of NETLINK_ROUTE, for the devices of a network namespace. What goes over them is TypeScript's: src/netlink. */
#define _GNU_SOURCE 1
#include <linux/netlink.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clone.h"
#include "failpoint.h"
#include "fork.h"
#include "native.h"
#include "result.h"
#include "sys.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

static long route_socket(void)
{
    return SYS3(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

/* What the child says: in memory that both see. */
struct said {
    long result;
    int entered;
};

/* A socket belongs to the network namespace in which it is made, wherever its owner is later. */
static void open_inside(int namespace, struct said *said)
{
    long result = SYS2(SYS_setns, namespace, CLONE_NEWNET);
    said->entered = result == 0;
    said->result = result == 0 ? route_socket() : result;
}

/* The child shares our descriptors, so that its socket is ours. */
static long socket_inside(int namespace)
{
    struct said *said = mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (said == MAP_FAILED)
        return -errno;
    said->result = -ESRCH; /* killed before it said anything */
    long pid = fork_quietly(CLONE_FILES);
    if (pid == 0) {
        open_inside(namespace, said);
        child_exit(0);
    }
    if (pid > 0)
        reap(pid);
    else
        said->result = pid;
    long result = said->result;
    if (result < 0)
        detail_text(pid < 0 ? "clone3" : said->entered ? "socket" : "setns");
    (void)munmap(said, sizeof *said);
    return result;
}

/* Root of the namespace, who may be in a container, can write to every netlink socket in it: connected to the kernel, which
 * is port 0, ours takes nothing from anybody else. */
static int hear_kernel_alone(int fd)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    return connect(fd, (const struct sockaddr *)&kernel, sizeof kernel) < 0 ? -errno : 0;
}

int64_t berth_route_socket(int64_t namespace)
{
    FAILPOINT("route_socket");
    detail_clear();
    long fd = namespace == -1 ? route_socket() : socket_inside(as_int(namespace));
    if (fd < 0)
        return fd;
    int error = hear_kernel_alone((int)fd);
    if (error < 0) {
        detail_text("connect");
        close((int)fd);
        return error;
    }
    /* Errors in words, without our own message in them; since 4.12. */
    const int on = 1;
    (void)setsockopt((int)fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    (void)setsockopt((int)fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    return fd;
}
