/* Runs programs one after the other and prints for each what it cost:
 *
 *   timer NULL LOG PROGRAM ARGUMENT... [\; PROGRAM ARGUMENT...]...
 *   -> one line for each: nanoseconds of CLOCK_MONOTONIC from before the clone until wait returned, peak resident KiB
 *      of it and what it waited for (ru_maxrss), exit status
 *
 * Standard input of the programs is the file NULL, standard output and error are the file LOG. No shell is in between.
 * Two words are not programs: `@idle MS` sleeps, `@gone FILE` waits until the process whose number FILE holds has ended.
 * The first program that fails ends the list with status 1.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void idle(const char *ms)
{
    long n = strtol(ms, NULL, 10);
    struct timespec t = {n / 1000, n % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static void wait_gone(const char *file)
{
    char text[32] = "";
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
        die(file);
    close(fd);
    int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)strtol(text, NULL, 10), 0);
    if (pidfd >= 0) {
        struct pollfd p = {pidfd, POLLIN, 0};
        if (poll(&p, 1, 5000) != 1)
            die("the container's process does not end");
        close(pidfd);
    }
    /* A created container's init is orphaned to us: collect it. */
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
}

static int run(char **argv, int null, int log)
{
    struct rusage usage;
    int status;
    int64_t start = now();
    pid_t pid = vfork();
    if (pid < 0)
        die("vfork");
    if (pid == 0) {
        if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
            _exit(126);
        execve(argv[0], argv, environ);
        _exit(127);
    }
    if (wait4(pid, &status, 0, &usage) != pid)
        die("wait4");
    int64_t took = now() - start;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    printf("%lld %ld %d\n", (long long)took, usage.ru_maxrss, code);
    return code;
}

static int step(char **argv, int null, int log)
{
    if (!strcmp(argv[0], "@idle") && argv[1])
        return idle(argv[1]), 0;
    if (!strcmp(argv[0], "@gone") && argv[1])
        return wait_gone(argv[1]), 0;
    return run(argv, null, log);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fputs("timer NULL LOG PROGRAM ARGUMENT... [; PROGRAM ARGUMENT...]...\n", stderr);
        return 2;
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int null = open(argv[1], O_RDWR | O_CLOEXEC);
    if (null < 0)
        die(argv[1]);
    int log = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0)
        die(argv[2]);
    char **first = argv + 3;
    for (int i = 3; i <= argc; i++) {
        if (i < argc && strcmp(argv[i], ";") != 0)
            continue;
        argv[i] = NULL;
        if (first < argv + i && step(first, null, log) != 0)
            return 1;
        first = argv + i + 1;
    }
    return 0;
}
