/* pidfd SOCKET GO: takes one pidfd at a UNIX socket, prints the message and the pid, and kills the process through it once
 * the file GO is there. */
#define _GNU_SOURCE 1
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int receive(int socket, char *text, size_t size)
{
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {text, size - 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *header = n < 0 ? NULL : CMSG_FIRSTHDR(&message);
    int fd = -1;
    text[n < 0 ? 0 : n] = '\0';
    if (header != NULL && header->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

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
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[256];
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (argc != 3 || strlen(argv[1]) >= sizeof address.sun_path)
        return 2;
    strcpy(address.sun_path, argv[1]);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1) < 0)
        return 3;
    int pidfd = receive(accept(listener, NULL, NULL), text, sizeof text);
    if (pidfd < 0)
        return 4;
    printf("message %s\n", text);
    print_pid(pidfd);
    while (access(argv[2], F_OK) < 0)
        (void)usleep(1000);
    return syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0 ? 5 : 0;
}
