/* Idmapped mounts: user namespaces that exist for their id maps alone, and clones of mounts that have them.
 *
 * Both are made by a child (fork.h) that shares our descriptors, so that what it opens is ours.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "clone.h"
#include "failpoint.h"
#include "fork.h"
#include "native.h"
#include "result.h"
#include "sys.h"

#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif

enum {
    PATH_SIZE = 64,
    MAP_SIZE = 340 * 34, /* as many lines as the kernel takes, as wide as it prints them */
};

/* Writes one of the maps of the process; what failed is in the detail. */
static int write_map(long pid, const char *file, const char *lines, size_t size)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "/proc/%ld/%s", pid, file);
    detail_text(path);
    int fd = RETRY(open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (fd < 0)
        return -errno;
    ssize_t written = RETRY(write(fd, lines, size));
    int error = written < 0 ? -errno : written == (ssize_t)size ? 0 : -EIO;
    close(fd);
    return error;
}

static int open_user_namespace(long pid)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "/proc/%ld/ns/user", pid);
    detail_text(path);
    int fd = RETRY(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY));
    return fd < 0 ? -errno : fd;
}

/* In the child: until its parent kills it, or dies. */
static _Noreturn void wait_for_death(long parent)
{
    /* Nobody hostile is in there; without it a runtime that lacks CAP_SYS_PTRACE could not open the namespace. */
    (void)SYS5(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
    (void)SYS5(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    while (SYS0(SYS_getppid) == parent)
        (void)SYS4(SYS_ppoll, 0, 0, 0, 0);
    child_exit(0);
}

int64_t berth_user_namespace(const char *uids, size_t uids_size, const char *gids, size_t gids_size)
{
    FAILPOINT("user_namespace");
    detail_clear();
    long parent = getpid();
    long pid = fork_quietly(CLONE_NEWUSER);
    if (pid == 0)
        wait_for_death(parent);
    if (pid < 0) {
        detail_text("clone3(CLONE_NEWUSER)");
        return pid;
    }
    int result = write_map(pid, "uid_map", uids, uids_size);
    if (result == 0)
        result = write_map(pid, "gid_map", gids, gids_size);
    if (result == 0)
        result = open_user_namespace(pid);
    (void)kill((pid_t)pid, SIGKILL);
    reap(pid);
    if (result >= 0)
        detail_clear();
    return result;
}

/* In the child: enters the user namespace, tells how that went, and stays there to be looked at. Not dumpable: root of that
 * namespace is somebody else. */
static _Noreturn void enter_user_namespace(int namespace, int out, long parent)
{
    (void)SYS5(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)SYS5(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    long result = SYS2(SYS_setns, namespace, CLONE_NEWUSER);
    /* A change of credentials resets both. */
    (void)SYS5(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)SYS5(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void)SYS3(SYS_write, out, &result, sizeof result);
    while (SYS0(SYS_getppid) == parent)
        (void)SYS4(SYS_ppoll, 0, 0, 0, 0);
    child_exit(0);
}

/* Appends a map of the process to the result. */
static int read_map(long pid, const char *file)
{
    char path[PATH_SIZE];
    char *room = result_reserve(MAP_SIZE);
    if (room == NULL)
        return -ENOMEM;
    (void)snprintf(path, sizeof path, "/proc/%ld/%s", pid, file);
    int fd = RETRY(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (fd < 0)
        return -errno;
    size_t size = 0;
    ssize_t count;
    while ((count = RETRY(read(fd, room + size, MAP_SIZE - size))) > 0)
        size += (size_t)count;
    int error = count < 0 ? -errno : 0;
    close(fd);
    result_commit(size);
    return error;
}

static int read_maps(long pid)
{
    result_reset();
    int error = read_map(pid, "uid_map");
    if (error == 0) {
        result_bytes("", 1);
        error = read_map(pid, "gid_map");
    }
    return error == 0 ? (int)result_done() : error;
}

/* Waits for what the child says; its end without a word is ESRCH. */
static int hear_child(int in)
{
    long result;
    ssize_t count = RETRY(read(in, &result, sizeof result));
    return count < 0 ? -errno : count == (ssize_t)sizeof result ? (int)result : -ESRCH;
}

int64_t berth_user_namespace_maps(int64_t namespace)
{
    FAILPOINT("user_namespace_maps");
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    long parent = getpid();
    long pid = fork_quietly(0);
    if (pid == 0)
        enter_user_namespace(as_int(namespace), ends[1], parent);
    close(ends[1]);
    int error = pid < 0 ? (int)pid : hear_child(ends[0]);
    close(ends[0]);
    /* setns(2) refuses the namespace that one is in. */
    if (error == -EINVAL)
        error = read_maps(getpid());
    else if (error == 0)
        error = read_maps(pid);
    if (pid > 0) {
        (void)kill((pid_t)pid, SIGKILL);
        reap(pid);
    }
    return error;
}

/* What the child says: in memory that both see. */
struct answer_page {
    long result;
    char step[PATH_SIZE];
};

struct mapping {
    int pidfd;
    const char *path;
    unsigned flags;
    int namespace;
    int recursive;
};

static void say(struct answer_page *answer, const char *step, long result)
{
    memcpy(answer->step, step, strlen(step) + 1);
    answer->result = result;
}

/* The mount namespace's own view of the path: what is mounted or locked there counts, and the clone has its propagation. */
static void map_mount(const struct mapping *m, struct answer_page *answer)
{
    long result = SYS2(SYS_setns, m->pidfd, CLONE_NEWNS);
    if (result < 0) {
        say(answer, "setns", result);
        return;
    }
    long tree = SYS3(SYS_open_tree, AT_FDCWD, m->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | m->flags);
    if (tree < 0) {
        say(answer, "open_tree", tree);
        return;
    }
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)(unsigned)m->namespace};
    if (m->namespace >= 0)
        result =
            SYS5(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | (m->recursive ? AT_RECURSIVE : 0), &attr, sizeof attr);
    if (result < 0) {
        (void)SYS1(SYS_close, tree);
        say(answer, "mount_setattr(MOUNT_ATTR_IDMAP)", result);
        return;
    }
    say(answer, "", tree);
}

int64_t berth_idmapped_mount(int64_t pidfd, const char *path, int64_t flags, int64_t namespace, int64_t recursive)
{
    FAILPOINT("idmapped_mount");
    detail_clear();
    struct answer_page *answer = mmap(NULL, sizeof *answer, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (answer == MAP_FAILED)
        return -errno;
    answer->result = -ESRCH; /* killed before it said anything */
    const struct mapping mapping = {as_int(pidfd), path, as_word(flags), as_int(namespace), recursive == 1};
    long pid = fork_quietly(CLONE_FILES);
    if (pid == 0) {
        map_mount(&mapping, answer);
        child_exit(0);
    }
    if (pid > 0)
        reap(pid);
    else
        say(answer, "clone3", pid);
    long result = answer->result;
    if (result < 0)
        detail_text(answer->step);
    (void)munmap(answer, sizeof *answer);
    return result;
}
