/* Runs the init ELF with a plan, as the runtime would, and prints what it reports, one JSON object a line:
 *
 *     init_run ELF PLAN OUTPUT [flags=N] [base=N] [stop=REPORTS] [wait=MS] [failpoint=TEXT] [filter=PATH]
 *         [start] [FLAGS:PATH]...
 *
 * PLAN is a sealed plan (csrc/init/plan.h) in a file. init's stdin is the caller's; its stdout and
 * stderr are OUTPUT. Slots: 0 sync socket, 1 plan file, 2 start pipe (full), 3 a UNIX socket whose messages are printed,
 * then each PATH opened with FLAGS. `flags`: for clone. `stop`: the sync socket is closed after so many reports.
 * `filter`: the bytes of that file are sent as the second message. `wait`: after READY, and then the resident memory is printed. `start`: the start pipe is drained after READY. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../init/report.h"

enum { FDS = 32, PAGE = 4096 };

struct options {
    unsigned long flags;
    int base;
    int stop_after;
    int wait_ms;
    bool start;
    char *failpoint;
    char *filter;
    int fds[FDS];
    int count;
};

static void die(const char *what)
{
    perror(what);
    exit(3);
}

static int check(int result, const char *what)
{
    if (result < 0)
        die(what);
    return result;
}

static void append(int to, const char *path)
{
    char buffer[1 << 16];
    ssize_t n;
    int from = check(open(path, O_RDONLY | O_CLOEXEC), path);
    while ((n = read(from, buffer, sizeof buffer)) > 0)
        if (write(to, buffer, (size_t)n) != n)
            die("write");
    close(from);
}

static int make_file(const char *content)
{
    int fd = check(memfd_create("berth-init", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create");
    append(fd, content);
    check(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), "seal");
    return fd;
}

/* As csrc/host/plan_send.c: the plan, then the other slots. */
static void send_slots(int socket, const struct options *o)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS * sizeof(int))] = {0};
    struct slots slots = {.count = (uint32_t)o->count};
    struct iovec part = {&slots, sizeof slots};
    size_t length = (size_t)(o->count - 1) * sizeof(int);
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(length)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(length);
    memcpy(CMSG_DATA(header), o->fds + 1, length);
    if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
        die("sendmsg");
}

static void send_filter(int socket, const char *path)
{
    static char bytes[2 * FILTER_MAX];
    int fd = check(open(path, O_RDONLY | O_CLOEXEC), path);
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n < 0 || send(socket, bytes, (size_t)n, MSG_NOSIGNAL) != n)
        die("send");
    close(fd);
}

static void fill_pipe(int fd)
{
    static const char zeros[PAGE];
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    while (write(fd, zeros, sizeof zeros) > 0)
        ;
    fcntl(fd, F_SETFL, flags);
}

static void option(struct options *o, char *argument)
{
    char *end;
    if (strncmp(argument, "flags=", 6) == 0)
        o->flags = strtoul(argument + 6, NULL, 0);
    else if (strncmp(argument, "base=", 5) == 0)
        o->base = atoi(argument + 5);
    else if (strncmp(argument, "stop=", 5) == 0)
        o->stop_after = atoi(argument + 5);
    else if (strncmp(argument, "wait=", 5) == 0)
        o->wait_ms = atoi(argument + 5);
    else if (strncmp(argument, "failpoint=", 10) == 0)
        o->failpoint = argument + 10;
    else if (strncmp(argument, "filter=", 7) == 0)
        o->filter = argument + 7;
    else if (strcmp(argument, "start") == 0)
        o->start = true;
    else {
        int flags = (int)strtol(argument, &end, 0);
        if (*end != ':' || o->count == FDS)
            die(argument);
        o->fds[o->count++] = check(open(end + 1, flags | O_CLOEXEC, 0600), end + 1);
    }
}

/* In the child: the sync socket to base, init executed by descriptor. */
static void become_init(const struct options *o, int output, int elf)
{
    char base[16];
    char *args[] = {"berth:[init]", base, o->failpoint, NULL};
    char *env[] = {NULL};
    snprintf(base, sizeof base, "%d", o->base);
    dup2(output, 1);
    dup2(output, 2);
    int sync = fcntl(o->fds[0], F_DUPFD_CLOEXEC, 500);
    int file = fcntl(elf, F_DUPFD_CLOEXEC, 500);
    dup2(sync, o->base);
    syscall(SYS_execveat, file, "", args, env, AT_EMPTY_PATH);
    perror("execveat");
    _exit(126);
}

static void print_text(const char *text, size_t length)
{
    putchar('"');
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\' || c < ' ' || c > '~')
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void print_report(const struct report *r)
{
    static const char *const kinds[] = {"eof", "failed", "barrier", "ready", "child", "listener"};
    printf("{\"kind\":\"%s\",\"op\":%u,\"error\":%d,\"value\":%d,\"detail\":", kinds[r->kind], r->op, r->error,
           r->value);
    print_text(r->detail, r->length);
    puts("}");
    fflush(stdout);
}

/* One message with at most one descriptor. */
static ssize_t receive(int socket, void *data, size_t size, int *fd)
{
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {data, size};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&message);
    *fd = -1;
    if (c != NULL && c->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(c), sizeof *fd);
    return n;
}

static void print_memory(pid_t pid)
{
    char path[64];
    char line[128];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "Rss:", 4) == 0)
            printf("{\"kind\":\"memory\",\"rss\":%d}\n", atoi(line + 4));
    if (f != NULL)
        fclose(f);
}

static void drain(int pipe)
{
    char bytes[1 << 16];
    ssize_t n;
    bool started = false;
    while ((n = read(pipe, bytes, sizeof bytes)) > 0) {
        char *p = started ? bytes : memchr(bytes, STARTED, (size_t)n);
        if (p == NULL)
            continue;
        if (!started)
            puts("{\"kind\":\"started\"}");
        p += started ? 0 : 1;
        started = true;
        struct report r = {0};
        if (bytes + n - p >= REPORT_HEAD) {
            memcpy(&r, p, (size_t)(bytes + n - p) < sizeof r ? (size_t)(bytes + n - p) : sizeof r);
            print_report(&r);
        }
    }
    fflush(stdout);
}

/* Until READY, the end of the socket, or as many reports as the caller wants. The pid of who will be the container. */
static pid_t listen_to(const struct options *o, int socket, pid_t pid)
{
    struct report r = {0};
    int fd;
    for (int count = 0; o->stop_after < 0 || count < o->stop_after; count++) {
        ssize_t n = receive(socket, &r, sizeof r, &fd);
        if (n <= 0)
            return pid;
        print_report(&r);
        if (r.kind == REPORT_CHILD) {
            printf("{\"kind\":\"pidfd\",\"works\":%s}\n",
                   fd >= 0 && syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0 ? "true" : "false");
            waitpid(pid, NULL, 0);
            pid = r.value;
        }
        struct go go = {(uint32_t)r.value};
        if (r.kind == REPORT_BARRIER)
            (void)send(socket, &go, sizeof go, MSG_NOSIGNAL);
        if (r.kind == REPORT_READY)
            break;
    }
    return pid;
}

static void print_message(int socket)
{
    char data[256];
    int fd;
    struct stat st = {0};
    ssize_t n = recv(socket, data, 1, MSG_PEEK | MSG_DONTWAIT) < 1 ? -1 : receive(socket, data, sizeof data, &fd);
    if (n < 0)
        return;
    if (fd >= 0)
        fstat(fd, &st);
    printf("{\"kind\":\"message\",\"device\":%ld,\"text\":", (long)st.st_rdev);
    print_text(data, (size_t)n);
    puts("}");
}

static void finish(pid_t pid)
{
    int status = 0;
    if (waitpid(pid, &status, 0) == pid)
        printf("{\"kind\":\"exit\",\"status\":%d}\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

int main(int argc, char **argv)
{
    struct options o = {.base = 3, .stop_after = -1, .count = 4};
    int sync[2];
    int message[2];
    int start[2];
    if (argc < 4)
        return 2;
    check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sync), "socketpair");
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, message), "socketpair");
    check(pipe2(start, O_CLOEXEC), "pipe2");
    fill_pipe(start[1]);
    o.fds[0] = sync[1];
    int elf = make_file(argv[1]);
    o.fds[1] = make_file(argv[2]);
    o.fds[2] = start[1];
    o.fds[3] = message[1];
    int output = check(open(argv[3], O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666), argv[3]);
    for (int i = 4; i < argc; i++)
        option(&o, argv[i]);
    send_slots(sync[0], &o);
    if (o.filter != NULL)
        send_filter(sync[0], o.filter);
    pid_t pid = (pid_t)check((int)syscall(SYS_clone, o.flags | SIGCHLD, NULL, NULL, NULL, NULL), "clone");
    if (pid == 0)
        become_init(&o, output, elf);
    close(sync[1]);
    close(start[1]);
    close(message[1]);
    pid = listen_to(&o, sync[0], pid);
    if (o.wait_ms > 0) {
        poll(NULL, 0, o.wait_ms);
        print_memory(pid);
    }
    print_message(message[0]);
    close(sync[0]);
    if (o.start)
        drain(start[0]);
    close(start[0]);
    finish(pid);
    return 0;
}
