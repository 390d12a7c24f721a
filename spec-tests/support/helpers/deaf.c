/* deaf PATH: listens there and never accepts; its queue is full. Prints "listening". */
#define _GNU_SOURCE 1
#include "fd_socket.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    int listener = listen_at(argv[1]);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
    if (listen(listener, 0))
        die("listen");
    int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (first < 0 || connect(first, (struct sockaddr *)&address, sizeof address))
        die("connect");
    printf("listening\n");
    fflush(stdout);
    for (;;)
        pause();
}
