/* Tells what the seccomp filter of this process does to system calls:
 *
 *   calls CALL...      CALL = [x86:|thread:]NUMBER[,ARGUMENT...]
 *
 * Each one is made by a child of its own; a line says what became of it: "ok VALUE" (of a descriptor or an address: "ok"),
 * "errno NUMBER", "signal NUMBER", "trap NUMBER DATA" (SIGSYS was caught) or, with thread:, "thread ended". x86: goes through int 0x80.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct call {
    int is_x86, in_thread;
    long number, arguments[6];
};

static struct call parse(const char *text)
{
    struct call call = {0};
    call.is_x86 = strncmp(text, "x86:", 4) == 0;
    call.in_thread = strncmp(text, "thread:", 7) == 0;
    char *next;
    call.number = strtol(text + (call.is_x86 ? 4 : call.in_thread ? 7 : 0), &next, 0);
    for (int i = 0; i < 6 && *next == ','; i++)
        call.arguments[i] = (long)strtoull(next + 1, &next, 0);
    return call;
}

static long make(const struct call *call)
{
    const long *a = call->arguments;
    if (!call->is_x86) {
        long result = syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
        return result == -1 ? -errno : result;
    }
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(call->number), "b"(a[0]), "c"(a[1]), "d"(a[2]) : "memory");
    return (int)result;
}

static void say(const char *what, long a, long b, int numbers)
{
    char line[100];
    int n = numbers == 2 ? snprintf(line, sizeof line, "%s %ld %ld\n", what, a, b)
                         : snprintf(line, sizeof line, "%s %ld\n", what, a);
    if (write(1, line, (size_t)n) < 0)
        _exit(9);
}

static void on_trap(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    say("trap", info->si_syscall, info->si_errno, 2);
    _exit(0);
}

static void *in_thread(void *call)
{
    make(call);
    say("thread went on", 0, 0, 1);
    return NULL;
}

static void child(const char *text)
{
    struct call call = parse(text);
    if (call.in_thread) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, in_thread, &call))
            _exit(8);
        usleep(50000);
        say("process goes on", 0, 0, 1);
        _exit(0);
    }
    if (getenv("CATCH")) {
        struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
        sigaction(SIGSYS, &action, NULL);
    }
    long result = make(&call);
    say(result < 0 ? "errno" : "ok", result < 0 ? -result : result, 0, 1);
    _exit(0);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0)
            child(argv[i]);
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            return 7;
        if (WIFSIGNALED(status))
            say("signal", WTERMSIG(status), 0, 1);
        else if (WEXITSTATUS(status))
            return 6;
    }
    return 0;
}
