/* Spawn: what init gets, in which namespaces, and what becomes of failures. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native.h"
#include "suite.h"

static const uint32_t words[] = {1, 2, 3};
static const char *const strings[] = {"a string", NULL};

static int ours, theirs; /* the sync socket */
static int64_t init_pid, pidfd;
static char report[16384];

static void make_sync(void)
{
    (void)berth_socketpair();
    ours = (int)result_at(0);
    theirs = (int)result_at(1);
}

/* The slots are `theirs`, the plan, then `fds`. The plan is sent while a thread clones. */
static int64_t spawn_into(const uint32_t *fds, size_t count, int64_t base, int64_t flags, int64_t cgroup)
{
    uint32_t slots[8] = {0};
    for (size_t i = 0; i < count; i++)
        slots[2 + i] = fds[i];
    int64_t begun = berth_spawn_begin(theirs, base, flags, cgroup, geteuid() != 0, 1);
    if (begun < 0)
        return begun;
    (void)berth_mkdir(AT_FDCWD, "/", 0777); /* sets the umask aside */
    int64_t sent = berth_send_plan(ours, words, 3, strings, 1, slots, count + 2, geteuid() != 0);
    int64_t result = berth_spawn_finish();
    if (result == 0) {
        init_pid = result_at(0);
        pidfd = result_at(1);
    }
    return result < 0 ? result : sent;
}

static int64_t spawn(int64_t base, int64_t flags)
{
    return spawn_into(NULL, 0, base, flags, -1);
}

/* Waits for the probe's report. */
static int reported(void)
{
    berth_close(theirs);
    ssize_t size = recv(ours, report, sizeof report - 1, 0);
    report[size < 0 ? 0 : size] = '\0';
    return size > 0;
}

/* Lets the probe end and reaps it. */
static int ended(void)
{
    berth_close(ours);
    int result = berth_wait_child(init_pid, 0) == 0 && result_at(1) == CLD_EXITED && result_at(2) == 42;
    berth_close(pidfd);
    return result;
}

/* "key=value" is a line of the report. */
static int says(const char *line)
{
    size_t length = strlen(line);
    for (const char *at = report; at != NULL && *at != '\0';
         at = strchr(at, '\n') == NULL ? NULL : strchr(at, '\n') + 1)
        if (strncmp(at, line, length) == 0 && at[length] == '\n')
            return 1;
    printf("# no line %s\n", line);
    return 0;
}

/* The report's descriptors are exactly these. */
static int has_fds(const char *want)
{
    char line[1024];
    (void)snprintf(line, sizeof line, "fds=%s", want);
    int same = says(line);
    if (!same)
        printf("# %.*s\n", (int)strcspn(strstr(report, "fds="), "\n"), strstr(report, "fds="));
    return same;
}

static unsigned long long inode(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 ? (unsigned long long)status.st_ino : 0;
}

static void test_plain(void)
{
    make_sync();
    EQUAL(spawn(3, 0), 0, "init starts");
    EQUAL(berth_fd_flags(pidfd), FD_CLOEXEC, "its pidfd is CLOEXEC");
    CHECK(reported(), "and reports");
    CHECK(says("argc=2") && says("name=berth:[init]") && says("base=3"), "argv names it and base");
    CHECK(says("environ=0"), "its environment is empty");
    CHECK(says("slots=2") && says("plan=1 3 1 2") && says("mapped=1"), "the plan comes by message");
    CHECK(says("exe pwrite=-1") && says("exe ftruncate=-1") && says("exe map=0"), "it cannot change what it runs from");
    CHECK(says("plan pwrite=-1") && says("plan ftruncate=-1") && says("plan map=0"), "nor its plan");
    CHECK(says("blocked=29") && says("handled=0"), "every signal that can be is blocked, none handled");
    CHECK(says("pdeath=0"), "it does not die with its parent");
    CHECK(says("dumpable=1"), "exec made it dumpable: making that 0 is its first operation");
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%lld/cmdline", (long long)init_pid);
    EQUAL(berth_read_file(AT_FDCWD, path, 4096), 0, "its command line");
    CHECK(strcmp(result_text(), "berth:[init]") == 0, "is not ours");
    CHECK(ended(), "it is our child");
    EQUAL(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1, "dumpable is as before");
}

/* The sync socket lies where init's file will go; base leaves room for two descriptors of the caller. */
static void test_descriptors(void)
{
    int cleared = getenv("EXPECT_CLEARED") != NULL; /* libberth is a shared object: it does what Node has undone */
    make_sync();
    int sync = fcntl(theirs, F_DUPFD_CLOEXEC, 21);
    berth_close(theirs);
    theirs = sync;
    if (cleared) { /* there, whatever is open below base counts as the caller's */
        int high = fcntl(ours, F_DUPFD_CLOEXEC, 60);
        berth_close(ours);
        ours = high;
    }
    int inherited = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    int blocker = fcntl(inherited, F_DUPFD_CLOEXEC, 20); /* what is in the way is ours still afterwards */
    /* The caller's have no CLOEXEC; ours, in the gap below it, do. */
    int kept = fcntl(inherited, cleared ? F_DUPFD_CLOEXEC : F_DUPFD, 19);
    CHECK(sync == 21 && blocker == 20 && kept == 19, "descriptors are where the test wants them");
    uint32_t fds[4];
    const char *const paths[] = {"/dev/null", "/proc/self/status", "/etc/passwd", "/bin/sh"};
    for (int i = 0; i < 4; i++) {
        int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
        fds[i] = (uint32_t)fcntl(fd, F_DUPFD_CLOEXEC, 26 - i);
        close(fd);
    }
    char want[512], slot[64];
    want[0] = '\0';
    for (int fd = 0; fd < 20; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags < 0 || (flags != 0 && !cleared) || fd == theirs)
            continue;
        (void)snprintf(slot, sizeof slot, "%d:%llu ", fd, inode(fd));
        strcat(want, slot);
    }
    (void)snprintf(slot, sizeof slot, "20:%llu ", inode(theirs));
    strcat(want, slot);
    unsigned long long was = inode(blocker);
    int before = open_descriptors();
    EQUAL(spawn_into(fds, 4, 20, 0, -1), 0, "init starts from colliding descriptors");
    EQUAL(open_descriptors(), before + 1, "only the pidfd is new here");
    CHECK(inode(blocker) == was && inode(theirs) != 0, "ours are where they were");
    CHECK(reported(), "it reports");
    CHECK(has_fds(want), "it starts with the caller's below base, its end of the sync socket, and nothing else");
    (void)snprintf(want, sizeof want, "received=%llu %llu %llu %llu ", inode((int)fds[0]), inode((int)fds[1]),
                   inode((int)fds[2]), inode((int)fds[3]));
    CHECK(says("slots=6") && says(want), "and gets every slot, in order");
    CHECK(ended(), "it ends");
    for (int i = 0; i < 4; i++)
        close((int)fds[i]);
    close(blocker);
    close(kept);
    close(inherited);
}

static void test_caller(void)
{
    sigset_t set, old, after;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &old);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGUSR1, exit);
    make_sync();
    EQUAL(spawn(3, 0), 0, "a caller that blocks SIGTERM, ignores SIGPIPE and SIGCHLD, handles SIGUSR1");
    sigprocmask(SIG_SETMASK, NULL, &after);
    CHECK(sigismember(&after, SIGTERM) && !sigismember(&after, SIGINT), "keeps its mask");
    CHECK(reported() && says("handled=0"), "hands on no handler");
    CHECK(says("umask=22"), "and the umask, though folders are made meanwhile");
    CHECK(ended(), "and can wait for init");
    sigprocmask(SIG_SETMASK, &old, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);
}

static int other_namespace(const char *name)
{
    char path[64], own[128], theirs_text[128];
    (void)snprintf(path, sizeof path, "/proc/%lld/ns/%s", (long long)init_pid, name);
    if (berth_readlink(AT_FDCWD, path) != 0)
        return 0;
    (void)snprintf(theirs_text, sizeof theirs_text, "%s", result_text());
    (void)snprintf(path, sizeof path, "/proc/self/ns/%s", name);
    if (berth_readlink(AT_FDCWD, path) != 0)
        return 0;
    (void)snprintf(own, sizeof own, "%s", result_text());
    return strcmp(own, theirs_text) != 0;
}

static void test_namespaces(void)
{
    if (geteuid() != 0) {
        skip("namespaces", "needs root");
        return;
    }
    make_sync();
    EQUAL(spawn(3, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP), 0,
          "init starts in new namespaces");
    CHECK(reported() && says("pid=1") && says("ppid=0"), "as pid 1");
    CHECK(other_namespace("mnt") && other_namespace("uts") && other_namespace("ipc") && other_namespace("pid") &&
              other_namespace("net") && other_namespace("cgroup") && !other_namespace("user"),
          "every one that was asked for is new, no other");
    CHECK(ended(), "it ends");
}

static void test_user_namespace(void)
{
    make_sync();
    EQUAL(spawn(3, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS), 0,
          "init starts in a new user namespace");
    CHECK(reported() && says("pid=1") && says("uid=65534"), "without mapped ids");
    CHECK(strstr(report, "effective=1ff ffffffff") != NULL && strstr(report, "inheritable=1ff ffffffff") != NULL,
          "with every capability, kept over the exec");
    CHECK(says("dumpable=1"), "dumpable");
    char path[64], map[64];
    (void)snprintf(path, sizeof path, "/proc/%lld/setgroups", (long long)init_pid);
    EQUAL(berth_write_file(AT_FDCWD, path, O_WRONLY, 0, "deny", 4), 0, "setgroups is ours to write");
    (void)snprintf(map, sizeof map, "0 %u 1\n", geteuid());
    (void)snprintf(path, sizeof path, "/proc/%lld/uid_map", (long long)init_pid);
    EQUAL(berth_write_file(AT_FDCWD, path, O_WRONLY, 0, map, strlen(map)), 0, "and uid_map");
    (void)snprintf(path, sizeof path, "/proc/%lld/oom_score_adj", (long long)init_pid);
    EQUAL(berth_write_file(AT_FDCWD, path, O_WRONLY, 0, "500", 3), 0, "and oom_score_adj");
    CHECK(ended(), "it ends");
}

/* What a failed spawn must leave: nothing. */
static void failed(int64_t result, int64_t error, const char *step, const char *title)
{
    EQUAL(result, error, title);
    const char *detail = detail_now();
    CHECK(strcmp(detail, step) == 0, step);
    if (strcmp(detail, step) != 0)
        printf("# detail: %s\n", detail);
    EQUAL(berth_peek_child(), -ECHILD, "no child is left");
}

static int64_t send_slots(size_t count, uint32_t fd)
{
    uint32_t slots[100];
    for (size_t i = 0; i < 100; i++)
        slots[i] = fd;
    return berth_send_plan(ours, words, 3, strings, 1, slots, count, 0);
}

static void test_failures(void)
{
    make_sync();
    int before = open_descriptors();
    failed(spawn(2, 0), -EINVAL, "spawn arguments", "a base below 3 is EINVAL");
    failed(spawn(3, CLONE_NEWTIME), -EINVAL, "spawn arguments", "CLONE_NEWTIME is EINVAL");
    failed(spawn(3, CLONE_FILES), -EINVAL, "spawn arguments", "a flag that is no namespace is EINVAL");
    failed(spawn(3, (int64_t)1 << 33), -EINVAL, "spawn arguments", "CLONE_INTO_CGROUP in flags is EINVAL");
    failed(berth_spawn_finish(), -EINVAL, "no spawn is under way", "finishing what has not begun is EINVAL");
    failed(send_slots(1, 0), -EINVAL, "number of slots", "one slot is EINVAL");
    failed(send_slots(97, 0), -EINVAL, "number of slots", "97 slots are EINVAL");
    failed(send_slots(3, 4000), -EBADF, "sendmsg", "a slot whose descriptor is not open is EBADF");
    failed(send_slots(3, UINT32_MAX), -EBADF, "sendmsg", "a slot without descriptor is EBADF");
    const uint32_t two[] = {0, 0};
    failed(berth_send_plan(ours, words, SIZE_MAX, strings, 1, two, 2, 0), -E2BIG, "plan", "a hostile size is E2BIG");
    int64_t file = berth_open(AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
    failed(spawn_into(NULL, 0, 3, 0, file), -EBADF, "clone3", "a cgroup that is none is EBADF");
    berth_close(file);
    if (geteuid() != 0)
        failed(spawn(3, CLONE_NEWNET), -EPERM, "clone3", "namespaces without privilege are EPERM");
    struct rlimit limit, low;
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    low = limit;
    low.rlim_cur = 200;
    (void)setrlimit(RLIMIT_NOFILE, &low);
    failed(spawn(300, 0), -EBADF, "dup3", "a base beyond RLIMIT_NOFILE is EBADF");
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    EQUAL(open_descriptors(), before, "failures leave no descriptor");
    EQUAL(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1, "nor change dumpable");
    berth_close(ours);
    berth_close(theirs);
}

static void test_cgroup(void)
{
    const char *root =
        access("/sys/fs/cgroup/unified/cgroup.procs", W_OK) == 0 ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup";
    char path[256];
    (void)snprintf(path, sizeof path, "%s/berth-host-test-%d", root, getpid());
    if (geteuid() != 0 || berth_statfs_type(AT_FDCWD, root) != 0x63677270 || mkdir(path, 0755) < 0) {
        skip("CLONE_INTO_CGROUP", "no cgroup v2 that we may write to");
        return;
    }
    int64_t cgroup = berth_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    make_sync();
    EQUAL(spawn_into(NULL, 0, 3, 0, cgroup), 0, "init starts in a cgroup");
    CHECK(reported(), "and reports");
    char procs[32], want[32];
    EQUAL(berth_read_file((int)cgroup, "cgroup.procs", 4096), 0, "cgroup.procs");
    (void)snprintf(procs, sizeof procs, "%s", result_text());
    (void)snprintf(want, sizeof want, "%lld\n", (long long)init_pid);
    CHECK(strcmp(procs, want) == 0, "has it and nobody else");
    CHECK(ended(), "it ends");
    berth_close(cgroup);
    CHECK(rmdir(path) == 0, "the cgroup is empty then");
}

static volatile int stop;

static void *busy(void *argument)
{
    while (!stop) {
        free(malloc(1000));
        close(open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
    return argument;
}

static void test_threads(void)
{
    pthread_t threads[2];
    stop = 0;
    for (int i = 0; i < 2; i++)
        (void)pthread_create(&threads[i], NULL, busy, NULL);
    int good = 0;
    for (int i = 0; i < 100; i++) {
        make_sync();
        good += spawn(3, 0) == 0 && reported() && ended();
    }
    EQUAL(good, 100, "100 spawns beside busy threads");
    stop = 1;
    for (int i = 0; i < 2; i++)
        (void)pthread_join(threads[i], NULL);
}

/* Makes a system call fail in this process and its children; with `mask` only when argument 1 has one of these bits. */
static int forbid(int number, uint32_t mask, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, mask, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Runs the checks in a child, because a filter cannot be taken off. */
static void without(int number, uint32_t mask, int error, int (*works)(void), const char *title)
{
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(forbid(number, mask, error) && works() ? 0 : 1);
    int status = -1;
    (void)waitpid(pid, &status, 0);
    EQUAL(status, 0, title);
}

static int64_t spawn_some(void)
{
    make_sync();
    return spawn(3, 0);
}

static int starts_from_memfd(void)
{
    return spawn_some() == 0 && reported() && says("exe seals=15") && ended();
}

static int starts_from_tmpfs(void)
{
    return spawn_some() == 0 && reported() && says("exe reopen=30") && ended();
}

static int fails_to_exec(void)
{
    int before = open_descriptors();
    int failed = spawn_some() == -EACCES && strcmp(detail_now(), "execveat") == 0 && berth_peek_child() == -ECHILD;
    return failed && open_descriptors() == before + 2;
}

static void test_forbidden(void)
{
    if (getenv("EXPECT") == NULL)
        without(SYS_memfd_create, 0x10, EINVAL, starts_from_memfd, "a kernel without MFD_EXEC: a memfd without it");
    without(SYS_memfd_create, ~0U, EPERM, starts_from_tmpfs, "no memfd_create: a tmpfs");
    without(SYS_execveat, ~0U, EACCES, fails_to_exec, "no exec of either: EACCES of execveat, nothing left");
}

#ifdef BERTH_FAILPOINTS
static void test_init_failpoint(void)
{
    setenv("BERTH_INIT_FAILPOINT", "3:5", 1);
    make_sync();
    EQUAL(spawn(3, 0), 0, "BERTH_INIT_FAILPOINT");
    CHECK(reported() && says("argc=3") && says("failpoint=3:5"), "is argv[2]");
    CHECK(ended(), "it ends");
    unsetenv("BERTH_INIT_FAILPOINT");
}
#endif

/* EXPECT tells what vm.memfd_noexec this run is under: the file then is a tmpfs one. */
static void test_file(void)
{
    const char *expect = getenv("EXPECT");
    make_sync();
    EQUAL(spawn(3, geteuid() == 0 ? CLONE_NEWNS | CLONE_NEWPID : CLONE_NEWUSER | CLONE_NEWNS), 0, "init starts");
    CHECK(reported(), "and reports");
    if (expect != NULL && strcmp(expect, "tmpfs") == 0) {
        CHECK(says("exe seals=1") || says("exe seals=-1"), "from no memfd of ours");
        CHECK(says("exe reopen=30") || says("exe reopen=26"), "which cannot be opened for writing: EROFS, ETXTBSY");
        CHECK(says("exe fchmod=-1"), "nor have its mode changed");
    } else {
        CHECK(says("exe seals=15"), "from a memfd with all seals");
    }
    CHECK(says("exe mode=755"), "that everybody may execute");
    CHECK(says("exe pwrite=-1") && says("exe ftruncate=-1") && says("exe map=0"), "and nobody change");
    CHECK(ended(), "it ends");
}

void test_spawn(void)
{
    test_plain();
    test_descriptors();
    test_caller();
    test_namespaces();
    test_user_namespace();
    test_failures();
    test_cgroup();
    test_threads();
    test_file();
    test_forbidden();
#ifdef BERTH_FAILPOINTS
    test_init_failpoint();
#endif
}
