/* Names and attributes of files: everything about a path but its content. */
#define _GNU_SOURCE 1
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "failpoint.h"
#include "native.h"
#include "result.h"
#include "sys.h"
#include "umask.h"

enum {
    LINK_FIRST = 256,
    LINK_MAX_SIZE = 1 << 20,
    ENTRIES_SIZE = 32768,
};

/* The umask of this process. Nobody changes it but berth_umask. */
static mode_t own_umask;
static bool umask_known;

int64_t berth_umask(int64_t mode)
{
    FAILPOINT("umask");
    own_umask = (mode_t)as_word(mode) & 0777;
    umask_known = true;
    return umask(own_umask);
}

mode_t process_umask(void)
{
    if (!umask_known) {
        own_umask = umask(0);
        umask(own_umask);
        umask_known = true;
    }
    return own_umask;
}

/* Sets the umask to 0 where it would take something from `mode`; true when it did. Instead of a chmod afterwards, which
 * would follow whatever has the name by then. */
static bool set_umask_aside(mode_t mode)
{
    if (umask_known && (mode & own_umask) == 0)
        return false;
    own_umask = umask(0);
    umask_known = true;
    return true;
}

int64_t berth_mkdir(int64_t dir, const char *path, int64_t mode)
{
    FAILPOINT("mkdir");
    bool aside = set_umask_aside((mode_t)as_word(mode));
    int64_t result = answer(mkdirat(as_int(dir), path, (mode_t)as_word(mode)));
    if (aside)
        umask(own_umask);
    return result;
}

int64_t berth_mkfifo(int64_t dir, const char *path, int64_t mode)
{
    FAILPOINT("mkfifo");
    bool aside = set_umask_aside((mode_t)as_word(mode));
    int64_t result = answer(mkfifoat(as_int(dir), path, (mode_t)as_word(mode)));
    if (aside)
        umask(own_umask);
    return result;
}

int64_t berth_unlink(int64_t dir, const char *path, int64_t flags)
{
    FAILPOINT("unlink");
    return answer(unlinkat(as_int(dir), path, as_int(flags)));
}

int64_t berth_rename(int64_t dir, const char *from, const char *to)
{
    FAILPOINT("rename");
    return answer(renameat(as_int(dir), from, as_int(dir), to));
}

int64_t berth_chmod(int64_t fd, int64_t mode)
{
    FAILPOINT("chmod");
    return answer(fchmod(as_int(fd), (mode_t)as_word(mode)));
}

int64_t berth_chown(int64_t fd, int64_t uid, int64_t gid)
{
    FAILPOINT("chown");
    if (!word_fits(uid) || !word_fits(gid))
        return -EINVAL;
    return answer(fchown(as_int(fd), as_word(uid), as_word(gid)));
}

int64_t berth_stat(int64_t dir, const char *path, int64_t flags)
{
    FAILPOINT("stat");
    struct stat status;
    if (fstatat(as_int(dir), path, &status, as_int(flags)) < 0)
        return -errno;
    result_reset();
    result_int(status.st_mode);
    result_int(status.st_uid);
    result_int(status.st_gid);
    result_int(status.st_size);
    result_int(major(status.st_rdev));
    result_int(minor(status.st_rdev));
    result_int(major(status.st_dev));
    result_int(minor(status.st_dev));
    result_int((int64_t)status.st_ino);
    result_int(status.st_mtim.tv_sec);
    return result_done();
}

int64_t berth_statfs_type(int64_t dir, const char *path)
{
    FAILPOINT("statfs_type");
    struct statfs status;
    if (dir == AT_FDCWD || path[0] == '/') {
        if (RETRY(statfs(path[0] == '\0' ? "." : path, &status)) < 0)
            return -errno;
    } else if (path[0] == '\0') {
        if (RETRY(fstatfs(as_int(dir), &status)) < 0)
            return -errno;
    } else {
        int fd = RETRY(openat(as_int(dir), path, O_PATH | O_CLOEXEC));
        if (fd < 0)
            return -errno;
        int result = RETRY(fstatfs(fd, &status));
        int error = errno;
        close(fd);
        if (result < 0)
            return -error;
    }
    return (int64_t)(uint32_t)status.f_type;
}

int64_t berth_readlink(int64_t dir, const char *path)
{
    FAILPOINT("readlink");
    /* A filled buffer may have cut the text: only one with room left is known to be whole. */
    for (size_t size = LINK_FIRST; size <= LINK_MAX_SIZE; size *= 2) {
        result_reset();
        char *room = result_reserve(size);
        if (room == NULL)
            return -ENOMEM;
        ssize_t count = readlinkat(as_int(dir), path, room, size);
        if (count < 0)
            return -errno;
        if ((size_t)count < size) {
            result_commit((size_t)count);
            return 0;
        }
    }
    return -ENAMETOOLONG;
}

/* As getdents64(2) writes them; glibc's struct dirent64 has the same layout on every 64-bit machine. */
static void append_names(const char *entries, size_t size)
{
    for (size_t at = 0; at < size;) {
        const struct dirent64 *entry = (const void *)(entries + at);
        const char *name = entry->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            result_bytes(name, strlen(name) + 1);
        at += entry->d_reclen;
    }
}

int64_t berth_list_dir(int64_t dir, const char *path)
{
    FAILPOINT("list_dir");
    static _Alignas(struct dirent64) char entries[ENTRIES_SIZE];
    int fd = RETRY(openat(as_int(dir), path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC));
    if (fd < 0)
        return -errno;
    result_reset();
    long count;
    do {
        count = SYS3(SYS_getdents64, fd, entries, sizeof entries);
        if (count > 0)
            append_names(entries, (size_t)count);
    } while (count > 0 || count == -EINTR);
    close(fd);
    return count < 0 ? count : result_done();
}

/* Not faccessat(3), which may look at the real ids or emulate the question. */
int64_t berth_access(int64_t dir, const char *path, int64_t mode)
{
    FAILPOINT("access");
    return SYS4(SYS_faccessat2, as_int(dir), path, as_int(mode), AT_EACCESS);
}

int64_t berth_flock(int64_t fd, int64_t operation)
{
    FAILPOINT("flock");
    return answer(RETRY(flock(as_int(fd), as_int(operation))));
}

int64_t berth_fd_flags(int64_t fd)
{
    FAILPOINT("fd_flags");
    return answer(fcntl(as_int(fd), F_GETFD));
}

int64_t berth_getcwd(void)
{
    FAILPOINT("getcwd");
    result_reset();
    char *room = result_reserve(PATH_MAX);
    if (room == NULL)
        return -ENOMEM;
    long size = SYS2(SYS_getcwd, room, PATH_MAX);
    if (size < 0)
        return size;
    /* libc would hide that the kernel says "(unreachable)/..." for a directory outside our root. */
    if (size < 2 || room[0] != '/')
        return -ENOENT;
    result_commit((size_t)size - 1);
    return 0;
}

int64_t berth_chdir(const char *path)
{
    FAILPOINT("chdir");
    return answer(chdir(path));
}
