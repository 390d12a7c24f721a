/* pidfd SOCKET GO: takes one pidfd at a UNIX socket, prints the message and the pid, and kills the process through it once
 * the file GO is there. */
#define _GNU_SOURCE 1
#include <signal.h>
#include <sys/syscall.h>

#include "fd_socket.h"

static void print_pid(int pidfd)
{
    char path[64];
    char line[128];
    (void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    FILE *info = fopen(path, "re");
    while (info != NULL && fgets(line, sizeof line, info) != NULL)
        if (strncmp(line, "Pid:\t", 5) == 0)
            printf("pid %s", line + 5);
    if (info != NULL)
        (void)fclose(info);
}

int main(int argc, char **argv)
{
    char text[256] = "";
    size_t size = sizeof text - 1;
    if (argc != 3)
        return 2;
    int pidfd = receive_fd(accept4(listen_at(argv[1]), NULL, NULL, SOCK_CLOEXEC), text, &size);
    if (pidfd < 0)
        return 4;
    printf("message %s\n", text);
    print_pid(pidfd);
    while (access(argv[2], F_OK) < 0)
        (void)usleep(1000);
    return syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0 ? 5 : 0;
}
