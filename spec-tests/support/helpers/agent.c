/* A seccomp agent, as listenerPath names it:
 *
 *   agent SOCKET
 *
 * Listens on SOCKET, says "listening"; prints the container process state of each connection as a line; answers the
 * notifications of its descriptor: mkdir is done here, below the caller's root, with "-made" behind its path; getppid is 4242; everything
 * else goes on as it would.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "fd_socket.h"

enum { LISTENERS = 8 };

static int receive_listener(int connection)
{
    char text[65536];
    size_t n = sizeof text - 1;
    int fd = receive_fd(connection, text, &n);
    if (fd < 0) {
        puts("not exactly one descriptor"); /* the runtime was ended before it has sent it */
        close(connection);
        return -1;
    }
    /* To the end: the runtime closes the connection. */
    for (ssize_t more; (more = read(connection, text + n, sizeof text - 1 - n)) > 0;)
        n += (size_t)more;
    text[n] = '\0';
    printf("%s\n", text);
    fflush(stdout);
    close(connection);
    return fd;
}

/* What the container made of it: 0, or a negative errno. */
static int make_folder(const struct seccomp_notif *call)
{
    char path[512] = "", name[100];
    snprintf(name, sizeof name, "/proc/%d/mem", call->pid);
    int memory = open(name, O_RDONLY | O_CLOEXEC);
    if (memory < 0 || pread(memory, path, sizeof path - 1, (off_t)call->data.args[0]) <= 0)
        return -EIO;
    close(memory);
    char whole[1024];
    snprintf(whole, sizeof whole, "/proc/%d/root%s-made", call->pid, path);
    return mkdir(whole, 0755) ? -errno : 0;
}

static void answer(int listener)
{
    struct seccomp_notif call = {0};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
        return; /* it has been interrupted */
    struct seccomp_notif_resp response = {.id = call.id};
    if (call.data.nr == SYS_mkdir)
        response.error = make_folder(&call);
    else if (call.data.nr == SYS_getppid)
        response.val = 4242;
    else
        response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

/* Into a place that is free; without one the connection is dropped. */
static void accept_listener(struct pollfd *fds)
{
    int connection = accept4(fds[0].fd, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0)
        return;
    int fd = receive_listener(connection);
    for (int i = 1; i <= LISTENERS; i++) {
        if (fds[i].fd < 0) {
            fds[i].fd = fd;
            return;
        }
    }
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    struct pollfd fds[1 + LISTENERS];
    if (argc < 2)
        return 2;
    for (int i = 0; i <= LISTENERS; i++)
        fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    fds[0].fd = listen_at(argv[1]);
    puts("listening");
    fflush(stdout);
    while (poll(fds, 1 + LISTENERS, -1) > 0) {
        for (int i = 1; i <= LISTENERS; i++) {
            if (fds[i].revents & POLLIN)
                answer(fds[i].fd);
            else if (fds[i].revents) { /* nobody has the filter any more */
                close(fds[i].fd);
                fds[i].fd = -1;
            }
        }
        if (fds[0].revents & POLLIN)
            accept_listener(fds);
    }
    return 0;
}
