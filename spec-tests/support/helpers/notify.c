/* Both sides of sd_notify(3):
 *
 *   notify manager ADDRESS FILE   a service manager: listens there (@NAME is abstract) and writes what each datagram says to
 *                                 FILE, one a line, with | for its line breaks. A descriptor that comes along is told as
 *                                 " +fd" and closed.
 *   notify say TEXT...            a service: sends each TEXT, with \n for a line break, to $NOTIFY_SOCKET
 *   notify flood TEXT             sends it for ever, from eight processes at a time
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "notify: %s: %s\n", what, strerror(errno));
    exit(1);
}

static socklen_t address_of(const char *name, struct sockaddr_un *address)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    size_t size = strlen(name);
    memcpy(address->sun_path, name, size);
    if (name[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

static void receive(int socket, FILE *file)
{
    char data[4096];
    _Alignas(struct cmsghdr) char control[256];
    struct iovec part = {.iov_base = data, .iov_len = sizeof data};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(socket, &message, 0);
    if (n < 0)
        die("recvmsg");
    for (ssize_t i = 0; i < n; i++)
        fputc(data[i] == '\n' ? '|' : data[i], file);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS) {
        int fd;
        memcpy(&fd, CMSG_DATA(header), sizeof fd);
        fputs(" +fd", file);
        close(fd);
    }
    fputc('\n', file);
    fflush(file);
}

static void manage(const char *name, const char *path)
{
    struct sockaddr_un address;
    socklen_t length = address_of(name, &address);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, length) < 0)
        die("bind");
    FILE *file = fopen(path, "w");
    if (file == NULL)
        die(path);
    for (;;)
        receive(fd, file);
}

static void say(char *text, int for_ever)
{
    const char *name = getenv("NOTIFY_SOCKET");
    if (name == NULL) {
        fputs("notify: no NOTIFY_SOCKET\n", stderr);
        exit(1);
    }
    size_t size = 0;
    for (char *from = text; *from != '\0'; from++) {
        int newline = from[0] == '\\' && from[1] == 'n';
        text[size++] = newline ? '\n' : *from;
        from += newline;
    }
    struct sockaddr_un address;
    socklen_t length = address_of(name, &address);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    do {
        if (sendto(fd, text, size, 0, (struct sockaddr *)&address, length) < 0)
            die(name);
    } while (for_ever);
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "manager") == 0)
        manage(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[1], "flood") == 0) {
        for (int i = 0; i < 3; i++)
            (void)fork();
        say(argv[2], 1);
    }
    if (argc < 3 || strcmp(argv[1], "say") != 0)
        return 2;
    for (int i = 2; i < argc; i++)
        say(argv[i], 0);
    return 0;
}
