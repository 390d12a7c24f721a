/* A hostile program in a container that others join:
 *
 *   spy FOLDER
 *
 * Tries without pause to trace every new process of its pid namespace, and to open its exe, root, cwd, fd and mem in
 * /proc. FOLDER/seen has the number of processes it has met, FOLDER/hits a line for each success: what, pid, exe, name.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BEHIND = 3, AHEAD = 40, HITS_MAX = 1000 };

static int hits, seen_file, hit_file;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void hit(const char *what, int pid)
{
    char path[64], exe[256] = "?", name[32] = "?\n", line[1024];
    if (hits++ > HITS_MAX)
        return;
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    ssize_t n = readlink(path, exe, sizeof exe - 1);
    if (n >= 0)
        exe[n] = 0;
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    int fd = open(path, O_RDONLY);
    if (fd >= 0)
        n = read(fd, name, sizeof name - 1);
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && n > 0)
        name[n] = 0;
    int length = snprintf(line, sizeof line, "%s %d %s %s", what, pid, exe, name);
    if (write(hit_file, line, (size_t)length) < 0)
        die("hits");
}

static void try_open(const char *what, int pid, int flags)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return;
    hit(what, pid);
    close(fd);
}

/* The folder itself opens for everybody of the same ids; its entries tell what the kernel lets us see. */
static void try_descriptors(int pid)
{
    char path[64], target[256];
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *folder = opendir(path);
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        ssize_t n = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
        if (n < 0)
            continue;
        target[n] = 0;
        char what[512];
        snprintf(what, sizeof what, "fd/%.20s=%.200s", entry->d_name, target);
        hit(what, pid);
    }
    closedir(folder);
}

/* 0 when there is no such process. */
static int attack(int pid)
{
    if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0)
        hit("ptrace", pid);
    else if (errno == ESRCH)
        return 0;
    try_open("exe", pid, O_RDONLY);
    try_open("mem", pid, O_RDWR);
    try_open("root", pid, O_RDONLY | O_DIRECTORY);
    try_open("cwd", pid, O_RDONLY | O_DIRECTORY);
    try_descriptors(pid);
    return 1;
}

int main(int argc, char **argv)
{
    char number[24];
    if (argc < 2 || chdir(argv[1]))
        return 2;
    hit_file = open("hits", O_WRONLY | O_CREAT | O_APPEND, 0644);
    seen_file = open("seen", O_WRONLY | O_CREAT, 0644);
    if (hit_file < 0 || seen_file < 0)
        die(argv[1]);
    int last = getpid();
    for (int seen = 0;;) {
        int first = last - BEHIND > getpid() ? last - BEHIND : getpid() + 1;
        for (int pid = first, end = last + AHEAD; pid < end; pid++) {
            if (!attack(pid) || pid <= last)
                continue;
            last = pid;
            int length = snprintf(number, sizeof number, "%d\n", ++seen);
            if (pwrite(seen_file, number, (size_t)length, 0) < 0)
                die("seen");
        }
        while (waitpid(-1, NULL, WNOHANG | __WALL) > 0) {
        }
    }
}
