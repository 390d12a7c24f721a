/* The engine's side of --console-socket:
 *
 *   receiver SOCKET [TEXT]
 *
 * Listens on SOCKET, says "listening", receives one message with one descriptor, says "name NAME" and "size ROWS COLUMNS",
 * types TEXT into the terminal and prints what it shows until its other side is closed.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0 || bind(s, (struct sockaddr *)&address, sizeof address) || listen(s, 1))
        die(path);
    return s;
}

static int receive_terminal(int connection)
{
    char name[256] = "";
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int) * 4)];
    } control;
    struct iovec io = {name, sizeof name - 1};
    struct msghdr message = {
        .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) <= 0)
        die("recvmsg");
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int))) {
        fputs("not exactly one descriptor\n", stderr);
        exit(1);
    }
    printf("name %s\n", name);
    int fd;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    int listener = listen_at(argv[1]);
    puts("listening");
    fflush(stdout);
    int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0)
        die("accept");
    int terminal = receive_terminal(connection);
    struct winsize size = {0};
    if (ioctl(terminal, TIOCGWINSZ, &size))
        die("TIOCGWINSZ");
    printf("size %d %d\n", size.ws_row, size.ws_col);
    fflush(stdout);
    if (argc > 2 && write(terminal, argv[2], strlen(argv[2])) < 0)
        die("write");
    char buffer[4096];
    ssize_t n;
    while ((n = read(terminal, buffer, sizeof buffer)) > 0) {
        fwrite(buffer, 1, (size_t)n, stdout);
        fflush(stdout);
    }
    return 0;
}
