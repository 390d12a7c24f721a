/* Starts init: csrc/init, in its new namespaces, with the sync socket. The plan and all other descriptors come later, in a
 * message (plan_send.c): so the clone, most of which is the kernel's work for the new namespaces, can begin before they are
 * known, in a thread of its own.
 *
 * What must hold (each was tried against a hostile container):
 *  - The child shares our memory until it execs, so it enters nothing that somebody else is in: no setns. Whatever is
 *    joined is joined by init, after the exec.
 *  - We are not dumpable meanwhile: nobody who sees the child can read our memory through it. The exec makes the child
 *    dumpable again, so that a rootless parent can write the id maps of a new user namespace.
 *  - The exec into a user namespace whose ids are not mapped would drop every capability: they are made inheritable and
 *    ambient first; init clears both.
 *  - A thread that clones shares our memory with the child like us: the child touches nothing but `spawn` and its own stack,
 *    every descriptor that we open meanwhile is CLOEXEC from its birth, and the umask, which we may have set aside for a
 *    moment, is given to the child. We do not change the current folder meanwhile.
 *  - No PR_SET_PDEATHSIG: a created container outlives this process. init sees its end on the sync socket.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "affinity.h"
#include "clone.h"
#include "failpoint.h"
#include "native.h"
#include "result.h"
#include "sealed_file.h"
#include "spawn.h"
#include "sys.h"
#include "umask.h"

enum {
    INHERITED = 2, /* sync socket, and the file that init is executed from */
    FIRST_BASE = 3,
    BASE_MAX = 1 << 20,
    NUMBER_SIZE = 24,
};

/* CLONE_NEWTIME is not among them: see design, its offsets are set between unshare and a second clone. */
#define NAMESPACES                                                                                                     \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/* In our own executable, CLOEXEC tells whose a descriptor below `base` is: the caller's have come through an exec, ours
 * are born with the flag and go no further, even when one lies where the caller left a gap. In Node's process the flag
 * says nothing, because Node sets it on everything that it inherits, stdio included. */
#if defined(__PIC__) && !defined(__PIE__)
#define CLEARS_CLOEXEC 1
#define THREADS 0 /* Node has threads of its own, which open what they like */
#else
#define CLEARS_CLOEXEC 0
#define THREADS 1
#endif

struct start {
    int sync; /* the sources, neither of them where the other one goes */
    int file;
    int base;
    int moved[INHERITED]; /* ours to close */
    int moved_count;
    int new_user;
    mode_t umask;
    char *argv[4];
    char base_text[NUMBER_SIZE];
    /* Left by the child when it could not exec. */
    int error;
    const char *step;
};

/* --- in the child ------------------------------------------------------------------------------------------------ */

CHILD_CODE __attribute__((noreturn)) static void fail(struct start *s, const char *step, long error)
{
    s->step = step;
    s->error = (int)error;
    child_exit(127);
}

/* Inheritable and ambient sets as full as the permitted one. */
CHILD_CODE static void keep_capabilities(struct start *s)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    long error = SYS2(SYS_capget, &header, sets);
    if (error < 0)
        fail(s, "capget", error);
    sets[0].inheritable = sets[0].permitted;
    sets[1].inheritable = sets[1].permitted;
    error = SYS2(SYS_capset, &header, sets);
    if (error < 0)
        fail(s, "capset", error);
    for (unsigned cap = 0; cap < 64; cap++) {
        if ((sets[cap / 32].permitted & 1U << (cap % 32)) == 0)
            continue;
        error = SYS5(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
        if (error < 0)
            fail(s, "prctl(PR_CAP_AMBIENT_RAISE)", error);
    }
}

CHILD_CODE static void duplicate(struct start *s, int from, int to, int flags)
{
    long error = SYS3(SYS_dup3, from, to, flags);
    if (error < 0)
        fail(s, "dup3", error);
}

CHILD_CODE static void run_child(void *argument)
{
    struct start *s = argument;
    /* The caller's own descriptors (stdio, LISTEN_FDS, --preserve-fds) are handed on. */
    for (int fd = 0; CLEARS_CLOEXEC && fd < s->base; fd++)
        if (fd != s->sync && fd != s->file)
            (void)SYS3(SYS_fcntl, fd, F_SETFD, 0);
    (void)SYS1(SYS_umask, s->umask); /* whatever it was at the moment of the clone: see umask.h */
    duplicate(s, s->sync, s->base, 0);
    duplicate(s, s->file, s->base + 1, O_CLOEXEC);
    /* Closed, not marked: exec wakes the parent and shows the new process before it closes what is marked. */
    long error = SYS3(SYS_close_range, (unsigned)(s->base + INHERITED), ~0U, 0);
    if (error < 0)
        fail(s, "close_range", error);
    if (s->new_user)
        keep_capabilities(s);
    char *environment[1] = {NULL};
    error = SYS5(SYS_execveat, s->base + 1, "", s->argv, environment, AT_EMPTY_PATH);
    fail(s, "execveat", error);
}

/* --- in the parent ----------------------------------------------------------------------------------------------- */

/* A source that lies where the other one will go would be overwritten before it is its turn: it moves above. */
static int add_source(struct start *s, int fd)
{
    if (fd >= s->base && fd < s->base + INHERITED) {
        /* Not fcntl(3): musl sets FD_CLOEXEC once more, for kernels of before 2.6.24. */
        fd = (int)SYS3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, s->base + INHERITED);
        if (fd >= 0)
            s->moved[s->moved_count++] = fd;
    }
    return fd;
}

static void close_moved(struct start *s)
{
    for (int i = 0; i < s->moved_count; i++)
        close(s->moved[i]);
    s->moved_count = 0;
}

static void set_arguments(struct start *s)
{
    static char name[] = "berth:[init]";
    (void)snprintf(s->base_text, sizeof s->base_text, "%d", s->base);
    s->argv[0] = name;
    s->argv[1] = s->base_text;
    s->argv[2] = NULL;
#ifdef BERTH_FAILPOINTS
    s->argv[2] = getenv("BERTH_INIT_FAILPOINT");
#endif
    s->argv[3] = NULL;
}

/* A spawn under way. One at a time. */
static struct {
    struct start start;
    struct child child;
    int sync;
    int rootless;
    int under_way;
    int threaded;
    unsigned maker; /* the processor that the thread was made on */
    pthread_t thread;
    int result;
} spawn;

/* One attempt from one file; the name of the failed step is left in `start`. */
static int start_from(int file)
{
    struct start *s = &spawn.start;
    s->error = 0;
    s->moved_count = 0;
    s->step = "fcntl(F_DUPFD_CLOEXEC)";
    s->sync = add_source(s, spawn.sync);
    s->file = s->sync < 0 ? -1 : add_source(s, file);
    int error = s->sync < 0 ? s->sync : s->file < 0 ? s->file : 0;
    if (error == 0) {
        s->step = "clone3";
        spawn.child.run = run_child;
        spawn.child.argument = s;
        spawn.child.dumpable = 0;
        error = clone_child(&spawn.child);
        if (error == 0 && s->error != 0) {
            (void)reap_child(&spawn.child, NULL);
            error = s->error;
        }
    }
    close_moved(s);
    return error;
}

static int is_forbidden(int error)
{
    return error == -EACCES || error == -EPERM;
}

/* From a memfd; where executing one is forbidden (vm.memfd_noexec, IMA, SELinux), from a detached tmpfs. */
static int start_init(void)
{
    struct start *s = &spawn.start;
    struct sealed_file file = {.fd = -1};
    const struct bytes elf = init_elf();
    int error = sealed_memfd(&elf, SEALED_EXECUTABLE, &file);
    if (error == 0) {
        error = start_from(file.fd);
        close(file.fd);
        /* EPERM of clone3 itself, as without CAP_SYS_ADMIN, is no word about the file. */
        if (error == 0 || !is_forbidden(error) || s->error == 0 || strcmp(s->step, "execveat") != 0)
            return error;
    } else if (!is_forbidden(error) || strcmp(file.step, "memfd_create") != 0) {
        s->step = file.step;
        return error;
    }
    error = sealed_tmpfs(&elf, spawn.rootless, &file);
    if (error < 0) {
        s->step = file.step;
        return error;
    }
    error = start_from(file.fd);
    close(file.fd);
    return error;
}

/* Some schedulers leave a new thread on its maker's processor although another one is idle (virtual machines that pack
 * theirs, for one). Either it would wait there until the JavaScript that it should run beside is done: then its maker sends
 * it away. Or it runs at once, and its maker would wait until the kernel has made all namespaces: then it leaves by itself.
 * Its child inherits the affinity for a moment only: init's plan sets its own (op reset_affinity).
 */
static void run_elsewhere(pthread_t thread)
{
    cpu_set_t others;
    unsigned here = 0;
    if (!processors(&others, &here))
        return; /* the scheduler may do it */
    CPU_CLR(here, &others);
    if (CPU_COUNT(&others) > 0)
        (void)pthread_setaffinity_np(thread, sizeof others, &others);
}

static void *start_in_background(void *argument)
{
    unsigned here = 0;
    if (SYS3(SYS_getcpu, &here, NULL, NULL) == 0 && here == spawn.maker)
        run_elsewhere(pthread_self());
    spawn.result = start_init();
    return argument;
}

int64_t berth_spawn_begin(int64_t sync, int64_t base, int64_t flags, int64_t cgroup, int64_t rootless,
                          int64_t background)
{
    FAILPOINT("spawn_begin");
    detail_clear();
    if (spawn.under_way || base < FIRST_BASE || base > BASE_MAX || (flags & ~(int64_t)NAMESPACES) != 0 || cgroup < -1 ||
        cgroup > INT_MAX || sync < 0 || sync > INT_MAX) {
        detail_text("spawn arguments");
        return -EINVAL;
    }
    spawn.start = (struct start){.base = (int)base, .new_user = (flags & CLONE_NEWUSER) != 0, .umask = process_umask()};
    spawn.child = (struct child){.flags = (uint64_t)flags, .cgroup = (int)cgroup};
    spawn.sync = (int)sync;
    spawn.rootless = rootless != 0;
    spawn.under_way = 1;
    set_arguments(&spawn.start);
    spawn.maker = ~0U;
    (void)SYS3(SYS_getcpu, &spawn.maker, NULL, NULL);
    spawn.threaded = THREADS && background != 0 && pthread_create(&spawn.thread, NULL, start_in_background, NULL) == 0;
    if (spawn.threaded)
        run_elsewhere(spawn.thread);
    else
        spawn.result = start_init();
    return 0;
}

void spawn_join(void)
{
    if (spawn.threaded)
        (void)pthread_join(spawn.thread, NULL);
    spawn.threaded = 0;
}

/* An injected failure leaves no child, like that of a clone. */
static void inject_failure(void)
{
#ifdef BERTH_FAILPOINTS
    int64_t error = berth_failpoint("spawn_finish");
    if (error == 0)
        return;
    if (spawn.result == 0) {
        (void)SYS4(SYS_pidfd_send_signal, spawn.child.pidfd, SIGKILL, NULL, 0);
        (void)reap_child(&spawn.child, NULL);
    }
    spawn.result = (int)error;
#endif
}

int64_t berth_spawn_finish(void)
{
    detail_clear();
    if (!spawn.under_way) {
        detail_text("no spawn is under way");
        return -EINVAL;
    }
    spawn_join();
    inject_failure();
    spawn.under_way = 0;
    if (spawn.result < 0) {
        detail_text(spawn.start.step);
        return spawn.result;
    }
    result_reset();
    result_int(spawn.child.pid);
    result_int(spawn.child.pidfd);
    return result_done();
}
