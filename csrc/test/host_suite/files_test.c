/* read_file and its like, on files that want to hold or flood the reader. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "native.h"
#include "suite.h"

#define CWD AT_FDCWD

static int64_t write_named(const char *name, const char *data, size_t size)
{
    return berth_write_file(CWD, scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0644, data, size);
}

/* Written in two pieces, as by a slow program. */
static void test_read_all(void)
{
    EQUAL(berth_pipe(), 0, "a pipe");
    int64_t ends[2] = {result_at(0), result_at(1)};
    EQUAL(berth_write(ends[1], "one ", 4), 4, "takes some");
    pid_t child = fork();
    if (child == 0) {
        usleep(50000);
        _exit(write((int)ends[1], "two", 3) == 3 ? 0 : 1);
    }
    (void)berth_close(ends[1]);
    EQUAL(berth_read_all(ends[0], 7), 0, "is read to its end");
    CHECK(berth_result_size() == 7 && memcmp(berth_result_data(), "one two", 7) == 0, "in one piece");
    (void)berth_wait_child(child, 0);
    EQUAL(berth_read_all(ends[0], 7), 0, "and then it is empty");
    CHECK(berth_result_size() == 0, "at once");
    (void)berth_close(ends[0]);
    int64_t fd = berth_open(CWD, "/dev/zero", O_RDONLY, 0);
    EQUAL(berth_read_all(fd, 1000000), -EFBIG, "a file without end is EFBIG");
    (void)berth_close(fd);
    EQUAL(berth_read_all(999, 10), -EBADF, "no file is EBADF");
}

static void test_read_file(void)
{
    static char large[100001];
    memset(large, 'y', sizeof large);
    EQUAL(write_named("plain", large, 100000), 0, "a file is written");
    EQUAL(berth_read_file(CWD, scratch_path("plain"), 100000), 0, "a file of exactly `max` bytes is read");
    EQUAL((int64_t)berth_result_size(), 100000, "whole");
    EQUAL(berth_read_file(CWD, scratch_path("plain"), 99999), -EFBIG, "a longer one is EFBIG");
    EQUAL(write_named("empty", "", 0), 0, "an empty file is written");
    EQUAL(berth_read_file(CWD, scratch_path("empty"), 0), 0, "and read");
    EQUAL((int64_t)berth_result_size(), 0, "as nothing");
    EQUAL(berth_read_file(CWD, scratch_path("plain"), -1), -EINVAL, "a negative bound is EINVAL");

    EQUAL(berth_mkfifo(CWD, scratch_path("fifo"), 0666), 0, "a FIFO is made");
    EQUAL(berth_read_file(CWD, scratch_path("fifo"), 100), -EINVAL, "a FIFO without writer does not block: EINVAL");
    EQUAL(berth_read_file(CWD, "/dev/zero", 100), -EINVAL, "/dev/zero is EINVAL");
    EQUAL(berth_read_file(CWD, "/", 100), -EISDIR, "a folder is EISDIR");
    CHECK(symlink("/dev/zero", scratch_path("link")) == 0, "a link is made");
    EQUAL(berth_read_file(CWD, scratch_path("link"), 100), -EINVAL, "a link to /dev/zero is EINVAL");
    CHECK(symlink("plain", scratch_path("to_plain")) == 0, "another one to a file");
    EQUAL(berth_read_file(CWD, scratch_path("to_plain"), 100000), 0, "is followed");
    int64_t folder = berth_open(CWD, scratch, O_RDONLY | O_DIRECTORY, 0);
    EQUAL(berth_read_file(folder, "plain", 100000), 0, "below a descriptor a file is read");
    EQUAL(berth_read_file(folder, "to_plain", 100000), -ELOOP, "and no link followed");
    berth_close(folder);
    EQUAL(berth_read_file(CWD, scratch_path("missing"), 100), -ENOENT, "a missing file is ENOENT");

    EQUAL(berth_read_file(CWD, "/proc/self/status", 1 << 20), 0, "a procfs file of size 0 is read");
    CHECK(strstr(result_text(), "Name:") != NULL && strstr(result_text(), "nonvoluntary_ctxt_switches") != NULL,
          "to its end");
    EQUAL(berth_read_file(CWD, "/proc/self/status", 10), -EFBIG, "and bounded");
    EQUAL(berth_read_file(CWD, "/sys/kernel/mm/transparent_hugepage/enabled", 4096), 0, "a sysfs file is read");
    EQUAL(berth_read_file(CWD, "/sys/kernel/mm/transparent_hugepage/enabled", 100), -EFBIG,
          "sysfs announces a page, which counts");
    int sparse = open(scratch_path("sparse"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(ftruncate(sparse, (off_t)1 << 40) == 0, "a file of 1 TiB");
    close(sparse);
    EQUAL(berth_read_file(CWD, scratch_path("sparse"), 1 << 24), -EFBIG, "is refused by its size");
}

static void test_write_file(void)
{
    EQUAL(berth_write_file(CWD, "/dev/full", O_WRONLY, 0, "x", 1), -ENOSPC, "a full disk is ENOSPC");
    EQUAL(berth_write_file(CWD, scratch_path("no/such"), O_WRONLY | O_CREAT, 0600, "x", 1), -ENOENT, "no folder");
    EQUAL(write_named("appended", "1\n", 2), 0, "a line");
    EQUAL(berth_write_file(CWD, scratch_path("appended"), O_WRONLY | O_APPEND, 0, "2\n", 2), 0, "and one more");
    EQUAL(berth_read_file(CWD, scratch_path("appended"), 100), 0, "are read");
    CHECK(strcmp(result_text(), "1\n2\n") == 0, "in order");
    EQUAL(berth_rename(CWD, scratch_path("appended"), "/proc/x"), -EXDEV, "rename says why it fails");
    int64_t fd = berth_open(CWD, scratch_path("rw"), O_RDWR | O_CREAT, 0600);
    EQUAL(berth_fd_flags(fd), FD_CLOEXEC, "a descriptor is CLOEXEC");
    EQUAL(berth_write(fd, "hello", 5), 5, "write answers its size");
    EQUAL(lseek((int)fd, 0, SEEK_SET), 0, "back to the start");
    EQUAL(berth_read(fd, 100), 0, "read");
    CHECK(strcmp(result_text(), "hello") == 0, "gives what is there");
    EQUAL(berth_read(fd, 100), 0, "read at the end");
    EQUAL((int64_t)berth_result_size(), 0, "gives nothing");
    EQUAL(berth_read(fd, -1), -EINVAL, "a negative size is EINVAL");
    EQUAL(berth_chmod(fd, 0640), 0, "chmod");
    EQUAL(berth_chown(fd, -1, -1), 0, "chown that keeps both");
    EQUAL(berth_chown(fd, (int64_t)1 << 32, 0), -EINVAL, "a uid beyond 32 bits is refused, not cut to 0");
    EQUAL(berth_flock(fd, LOCK_EX | LOCK_NB), 0, "flock");
    EQUAL(berth_close(fd), 0, "close");
    EQUAL(berth_close(fd), -EBADF, "a closed descriptor is EBADF");
    EQUAL(berth_close((int64_t)1 << 32), -EBADF, "a number beyond 32 bits is EBADF, not descriptor 0");
    EQUAL(berth_fd_flags(fd), -EBADF, "fd_flags tells that it is closed");
}

static void test_paths(void)
{
    int64_t old = berth_umask(0077);
    EQUAL(berth_mkdir(CWD, scratch_path("wide"), 0777), 0, "mkdir under umask 077");
    EQUAL(berth_mkfifo(CWD, scratch_path("pipe"), 0622), 0, "mkfifo under umask 077");
    EQUAL(berth_umask(old), 0077, "the umask is kept");
    EQUAL(berth_stat(CWD, scratch_path("wide"), 0), 0, "stat");
    EQUAL(result_at(0), S_IFDIR | 0777, "the folder has the exact mode");
    EQUAL(berth_stat(CWD, scratch_path("pipe"), AT_SYMLINK_NOFOLLOW), 0, "stat");
    EQUAL(result_at(0), S_IFIFO | 0622, "the FIFO has the exact mode");
    EQUAL(berth_mkdir(CWD, scratch_path("wide"), 0777), -EEXIST, "an existing folder is EEXIST");
    EQUAL(berth_stat(CWD, "/dev/zero", 0), 0, "stat of a device");
    CHECK(result_at(4) == 1 && result_at(5) == 5, "gives its numbers");
    EQUAL(berth_unlink(CWD, scratch_path("wide"), AT_REMOVEDIR), 0, "rmdir");

    EQUAL(berth_statfs_type(CWD, "/proc/self"), 0x9fa0, "procfs is known by its magic");
    int64_t proc = berth_open(CWD, "/proc", O_PATH, 0);
    EQUAL(berth_statfs_type(proc, ""), 0x9fa0, "also by descriptor");
    CHECK(berth_statfs_type(CWD, "") > 0, "and the current folder");
    int64_t inside = berth_open_in_root(proc, "../../../uptime", O_RDONLY, 0, 0x10);
    CHECK(inside >= 0, "open_in_root: .. ends at the root");
    berth_close(inside);
    EQUAL(berth_open_in_root(proc, "self/exe", O_RDONLY, 0, 0x02), -ELOOP, "and magic links are refused");
    berth_close(proc);

    char target[5000];
    memset(target, 'a', sizeof target);
    target[4000] = '\0';
    CHECK(symlink(target, scratch_path("long")) == 0, "a link of 4000 bytes");
    EQUAL(berth_readlink(CWD, scratch_path("long")), 0, "is read");
    EQUAL((int64_t)berth_result_size(), 4000, "whole");
    EQUAL(berth_list_dir(CWD, "/proc/self/task"), 0, "a folder is listed");
    char name[32];
    (void)snprintf(name, sizeof name, "%d", getpid());
    CHECK(strcmp(result_text(), name) == 0 && berth_result_size() == strlen(name) + 1,
          "without . and .., each name with a NUL");
    EQUAL(berth_list_dir(CWD, "/dev/zero"), -ENOTDIR, "a file is ENOTDIR");
    EQUAL(berth_getcwd(), 0, "getcwd");
    CHECK(result_text()[0] == '/', "is absolute");
}

static void test_many_names(void)
{
    CHECK(mkdir(scratch_path("many"), 0700) == 0, "a folder");
    for (int i = 0; i < 3000; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "many/a-name-that-is-somewhat-long-%d", i);
        (void)berth_write_file(CWD, scratch_path(name), O_WRONLY | O_CREAT, 0600, "", 0);
    }
    EQUAL(berth_list_dir(CWD, scratch_path("many")), 0, "with 3000 files");
    int names = 0;
    for (size_t i = 0; i < berth_result_size(); i++)
        names += berth_result_data()[i] == '\0';
    EQUAL(names, 3000, "is listed whole");
}

static void test_process(void)
{
    EQUAL(berth_getpid(), getpid(), "getpid");
    EQUAL(berth_capabilities(), 0, "capabilities");
    EQUAL((int64_t)berth_result_size(), 6 * 8, "are six words");
    EQUAL(berth_ids(), 0, "ids");
    EQUAL(result_at(1), geteuid(), "has the effective uid");
    EQUAL(berth_groups(), 0, "groups");
    EQUAL(berth_environ(), 0, "environ");
    CHECK(memmem(berth_result_data(), berth_result_size(), "SCRATCH=", 8) != NULL, "has what we were given");
    EQUAL(berth_kernel_release(), 0, "release");
    CHECK(result_text()[0] >= '5', "is a kernel's");
    EQUAL(berth_rlimit(7), 0, "rlimit");
    int64_t soft = result_at(0);
    EQUAL(berth_prlimit(0, 7, soft, result_at(1), result_at(2), result_at(3)), 0, "prlimit sets what rlimit gave");
    EQUAL(berth_rlimit(99), -EINVAL, "an unknown limit is EINVAL");
    int64_t ns = berth_open(CWD, "/proc/self/ns/uts", O_RDONLY, 0);
    EQUAL(berth_ns_type(ns), 0x04000000, "ns_type of a uts namespace is CLONE_NEWUTS");
    int64_t owner = berth_ns_owner(ns);
    EQUAL(berth_ns_type(owner), 0x10000000, "ns_owner of it is a user namespace");
    EQUAL(fcntl((int)owner, F_GETFD), FD_CLOEXEC, "and CLOEXEC");
    berth_close(owner);
    berth_close(ns);
    EQUAL(berth_access(CWD, "/proc/self/status", 4), 0, "access: it can be read");
    EQUAL(berth_access(CWD, "/proc/self/no-such", 4), -ENOENT, "access: it is not there");
    EQUAL(berth_access(CWD, "/proc/self/status", 1), -EACCES, "access: it cannot be executed, not by root either");
    CHECK(berth_monotonic() > 0, "monotonic");
    EQUAL(berth_clock(), 0, "clock");
    CHECK(result_at(0) > 1600000000, "is after 2020");
}

void test_files(void)
{
    test_read_file();
    test_read_all();
    test_write_file();
    test_paths();
    test_many_names();
    test_process();
}
