/* The engine's side of --console-socket:
 *
 *   receiver SOCKET [TEXT]
 *
 * Listens on SOCKET, says "listening", receives one message with one descriptor, says "name NAME" and "size ROWS COLUMNS",
 * types TEXT into the terminal and prints what it shows until its other side is closed.
 */
#define _GNU_SOURCE
#include <sys/ioctl.h>

#include "fd_socket.h"

static int receive_terminal(int connection)
{
    char name[256] = "";
    size_t size = sizeof name - 1;
    int fd = receive_fd(connection, name, &size);
    if (fd < 0) {
        fputs("not exactly one descriptor\n", stderr);
        exit(1);
    }
    printf("name %s\n", name);
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
