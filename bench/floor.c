/* The kernel's own cost of a container, and nothing else: one process in the namespaces of `runc spec`, its default
 * mounts and device nodes, pivot_root, exec. No configuration, no cgroup, no state, no security; nothing that a runtime
 * could leave out. What a runtime needs beyond this time is its own doing.
 *
 *   floor ROOTFS PROGRAM [ARGUMENT...]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

struct mount_entry {
    const char *type;
    const char *target;
    unsigned long flags;
    const char *data;
};

/* The mounts of `runc spec`, without the cgroup one: its cost depends on the mode. */
static const struct mount_entry mounts[] = {
    {"proc", "proc", 0, NULL},
    {"tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"},
    {"devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"},
    {"tmpfs", "dev/shm", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=1777,size=65536k"},
    {"mqueue", "dev/mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL},
    {"sysfs", "sys", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL},
};

struct node {
    const char *path;
    unsigned int major;
    unsigned int minor;
};

static const struct node nodes[] = {
    {"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
    {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0},
};

static void fail(const char *what)
{
    /* The child shares the parent's memory, so no stdio. */
    static const char prefix[] = "floor: ";
    (void)!write(2, prefix, sizeof prefix - 1);
    (void)!write(2, what, strlen(what));
    (void)!write(2, "\n", 1);
    _exit(1);
}

static void mount_all(void)
{
    for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
        const struct mount_entry *m = &mounts[i];
        if (mkdir(m->target, 0755) && errno != EEXIST)
            fail(m->target);
        if (mount(m->type, m->target, m->type, m->flags, m->data))
            fail(m->target);
    }
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        if (mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)))
            fail(nodes[i].path);
}

static int child(void *arg)
{
    char **argv = arg;
    if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL))
        fail("/ slave");
    if (mount(argv[1], argv[1], NULL, MS_BIND | MS_REC, NULL))
        fail("bind rootfs");
    if (chdir(argv[1]))
        fail("chdir rootfs");
    mount_all();
    if (syscall(SYS_pivot_root, ".", "."))
        fail("pivot_root");
    if (mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL))
        fail("old root slave");
    if (umount2(".", MNT_DETACH))
        fail("umount old root");
    if (chdir("/"))
        fail("chdir /");
    execv(argv[2], argv + 2);
    fail("exec");
    return 1;
}

int main(int argc, char **argv)
{
    static char stack[64 * 1024] __attribute__((aligned(16)));
    if (argc < 3) {
        fputs("floor ROOTFS PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    /* As cheap as it gets: no page tables are copied, the parent sleeps until the exec. */
    pid_t pid = clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | NAMESPACES | SIGCHLD, argv);
    if (pid < 0) {
        perror("clone");
        return 1;
    }
    int status;
    if (waitpid(pid, &status, 0) < 0) {
        perror("waitpid");
        return 1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
