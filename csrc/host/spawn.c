/* Starts init: csrc/init, in its new namespaces, with the plan and the descriptors of its slots.
 *
 * What must hold (each was tried against a hostile container):
 *  - The child shares our memory until it execs, so it enters nothing that somebody else is in: no setns. Whatever is
 *    joined is joined by init, after the exec.
 *  - We are not dumpable meanwhile: nobody who sees the child can read our memory through it. The exec makes the child
 *    dumpable again, so that a rootless parent can write the id maps of a new user namespace.
 *  - The exec into a user namespace whose ids are not mapped would drop every capability: they are made inheritable and
 *    ambient first; init clears both.
 *  - No PR_SET_PDEATHSIG: a created container outlives this process. init sees its end on the sync socket.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "clone.h"
#include "failpoint.h"
#include "init_file.h"
#include "native.h"
#include "plan_seal.h"
#include "result.h"
#include "sys.h"

enum {
    SLOTS_MAX = 96, /* SLOTS of src/plan/ops.ts */
    PLAN_SLOT = 1,
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
#else
#define CLEARS_CLOEXEC 0
#endif

struct start {
    int fds[SLOTS_MAX]; /* the sources, none of them in the target range */
    int count;
    int base;
    int moved[SLOTS_MAX]; /* ours to close */
    int moved_count;
    int new_user;
    char *argv[5];
    char base_text[NUMBER_SIZE];
    char offset_text[NUMBER_SIZE];
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

/* Whether a slot is filled from the descriptor, which then is none of the caller's. */
CHILD_CODE static int is_source(const struct start *s, int fd)
{
    for (int i = 0; i < s->count; i++)
        if (s->fds[i] == fd)
            return 1;
    return 0;
}

CHILD_CODE static void run_child(void *argument)
{
    struct start *s = argument;
    /* The caller's own descriptors (stdio, LISTEN_FDS, --preserve-fds) are handed on. */
    for (int fd = 0; CLEARS_CLOEXEC && fd < s->base; fd++)
        if (!is_source(s, fd))
            (void)SYS3(SYS_fcntl, fd, F_SETFD, 0);
    for (int i = 0; i < s->count; i++) {
        long error = SYS3(SYS_dup3, s->fds[i], s->base + i, 0);
        if (error < 0)
            fail(s, "dup3", error);
    }
    /* Closed, not marked: exec wakes the parent and shows the new process before it closes what is marked. */
    long error = SYS3(SYS_close_range, (unsigned)(s->base + s->count), ~0U, 0);
    if (error < 0)
        fail(s, "close_range", error);
    if (s->new_user)
        keep_capabilities(s);
    char *environment[1] = {NULL};
    error = SYS5(SYS_execveat, s->base + PLAN_SLOT, "", s->argv, environment, AT_EMPTY_PATH);
    fail(s, "execveat", error);
}

/* --- in the parent ----------------------------------------------------------------------------------------------- */

/* A source that lies where another slot will go would be overwritten before it is its turn: it moves above. */
static int add_source(struct start *s, int fd)
{
    if (fd >= s->base && fd < s->base + s->count) {
        /* Not fcntl(3): musl sets FD_CLOEXEC once more, for kernels of before 2.6.24. */
        fd = (int)SYS3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, s->base + s->count);
        if (fd < 0)
            return fd;
        s->moved[s->moved_count++] = fd;
    }
    return fd;
}

static int add_sources(struct start *s, const uint32_t *fds, int plan_file)
{
    s->moved_count = 0;
    for (int i = 0; i < s->count; i++) {
        s->fds[i] = add_source(s, i == PLAN_SLOT ? plan_file : as_int(fds[i]));
        if (s->fds[i] < 0)
            return s->fds[i] == INT_MIN ? -EBADF : s->fds[i];
    }
    return 0;
}

static void close_moved(struct start *s)
{
    for (int i = 0; i < s->moved_count; i++)
        close(s->moved[i]);
    s->moved_count = 0;
}

static void set_arguments(struct start *s, size_t plan_offset)
{
    static char name[] = "berth:[init]";
    (void)snprintf(s->base_text, sizeof s->base_text, "%d", s->base);
    (void)snprintf(s->offset_text, sizeof s->offset_text, "%zu", plan_offset);
    s->argv[0] = name;
    s->argv[1] = s->base_text;
    s->argv[2] = s->offset_text;
    s->argv[3] = NULL;
#ifdef BERTH_FAILPOINTS
    s->argv[3] = getenv("BERTH_INIT_FAILPOINT");
#endif
    s->argv[4] = NULL;
}

/* One attempt from one file; the name of the failed step becomes the detail. */
static int start_from(struct start *s, const uint32_t *fds, const struct init_file *file, struct child *child)
{
    s->error = 0;
    s->step = "fcntl(F_DUPFD_CLOEXEC)";
    set_arguments(s, file->plan_offset);
    int error = add_sources(s, fds, file->fd);
    if (error == 0) {
        s->step = "clone3";
        child->run = run_child;
        child->argument = s;
        child->dumpable = 0;
        error = clone_child(child);
        if (error == 0 && s->error != 0) {
            (void)reap_child(child, NULL);
            error = s->error;
        }
    }
    close_moved(s);
    if (error < 0)
        detail_text(s->step);
    return error;
}

static int is_forbidden(int error)
{
    return error == -EACCES || error == -EPERM;
}

/* From a memfd; where executing one is forbidden (vm.memfd_noexec, IMA, SELinux), from a detached tmpfs. */
static int start_init(struct start *s, const uint32_t *fds, const struct plan_bytes *plan, int rootless,
                      struct child *child)
{
    struct init_file file = {.fd = -1};
    int error = init_file_memfd(plan, &file);
    if (error == 0) {
        error = start_from(s, fds, &file, child);
        close(file.fd);
        /* EPERM of clone3 itself, as without CAP_SYS_ADMIN, is no word about the file. */
        if (error == 0 || !is_forbidden(error) || s->error == 0 || strcmp(s->step, "execveat") != 0)
            return error;
    } else if (!is_forbidden(error) || strcmp(file.step, "memfd_create") != 0) {
        detail_text(file.step);
        return error;
    }
    error = init_file_tmpfs(plan, rootless, &file);
    if (error < 0) {
        detail_text(file.step);
        return error;
    }
    error = start_from(s, fds, &file, child);
    close(file.fd);
    return error;
}

int64_t berth_spawn(const uint32_t *words, size_t word_count, const char *const *strings, size_t string_count,
                    const uint32_t *fds, size_t fds_count, int64_t base, int64_t flags, int64_t cgroup,
                    int64_t rootless)
{
    FAILPOINT("spawn");
    detail_clear();
    if (fds_count <= PLAN_SLOT || fds_count > SLOTS_MAX || base < FIRST_BASE || base > BASE_MAX ||
        (flags & ~(int64_t)NAMESPACES) != 0 || cgroup < -1 || cgroup > INT_MAX) {
        detail_text("spawn arguments");
        return -EINVAL;
    }
    struct plan_bytes plan;
    int error = plan_build(words, word_count, strings, string_count, fds_count, &plan);
    if (error < 0) {
        detail_text("plan");
        return error;
    }
    struct start s = {.count = (int)fds_count, .base = (int)base, .new_user = (flags & CLONE_NEWUSER) != 0};
    struct child child = {.flags = (uint64_t)flags, .cgroup = (int)cgroup};
    error = start_init(&s, fds, &plan, rootless != 0, &child);
    free(plan.data);
    if (error < 0)
        return error;
    result_reset();
    result_int(child.pid);
    result_int(child.pidfd);
    return result_done();
}
