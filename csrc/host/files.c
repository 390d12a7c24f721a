/* Contents of files: open, read, write. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failpoint.h"
#include "native.h"
#include "result.h"
#include "sys.h"

enum {
    IN_ROOT_ATTEMPTS = 64, /* openat2 answers EAGAIN when a rename ran beside it; a hostile renamer must not hold us */
    CHUNK = 4096,
};

int64_t berth_open(int64_t dir, const char *path, int64_t flags, int64_t mode)
{
    FAILPOINT("open");
    return answer(RETRY(openat(as_int(dir), path, as_int(flags) | O_CLOEXEC, (mode_t)as_word(mode))));
}

int64_t berth_open_in_root(int64_t dir, const char *path, int64_t flags, int64_t mode, int64_t resolve)
{
    FAILPOINT("open_in_root");
    struct open_how how = {
        .flags = (uint64_t)flags | O_CLOEXEC,
        .mode = (uint64_t)mode,
        .resolve = (uint64_t)resolve,
    };
    long result = -EAGAIN;
    for (int i = 0; i < IN_ROOT_ATTEMPTS && (result == -EAGAIN || result == -EINTR); i++)
        result = SYS4(SYS_openat2, as_int(dir), path, &how, sizeof how);
    return result;
}

int64_t berth_close(int64_t fd)
{
    FAILPOINT("close");
    /* Linux has freed the descriptor even when it answers EINTR: a second close could hit somebody else's. */
    return close(as_int(fd)) == 0 || errno == EINTR ? 0 : -errno;
}

int64_t berth_read(int64_t fd, int64_t max)
{
    FAILPOINT("read");
    result_reset();
    if (max < 0)
        return -EINVAL;
    char *room = result_reserve((size_t)max);
    if (room == NULL)
        return -ENOMEM;
    ssize_t count = RETRY(read(as_int(fd), room, (size_t)max));
    if (count < 0)
        return -errno;
    result_commit((size_t)count);
    return 0;
}

int64_t berth_write(int64_t fd, const char *data, size_t size)
{
    FAILPOINT("write");
    size_t done = 0;
    while (done < size) {
        ssize_t count = RETRY(write(as_int(fd), data + done, size - done));
        if (count < 0)
            return -errno;
        if (count == 0)
            return -EIO;
        done += (size_t)count;
    }
    return (int64_t)size;
}

/* Reads from fd to the end of the file. `expected` is its size as far as fstat knows; procfs says 0, a pipe has none
 * (SIZE_MAX). A read that gives exactly that many bytes although there was room for more has reached the end. */
static int64_t read_all(int fd, size_t expected, size_t max)
{
    size_t total = 0;
    for (;;) {
        size_t ask = expected != SIZE_MAX && expected > total ? expected - total + 1 : CHUNK;
        char *room = result_reserve(ask);
        if (room == NULL)
            return -ENOMEM;
        ssize_t count = RETRY(read(fd, room, ask));
        if (count < 0)
            return -errno;
        total += (size_t)count;
        if (total > max)
            return -EFBIG;
        result_commit((size_t)count);
        if (count == 0 || total == expected)
            return 0;
    }
}

int64_t berth_read_all(int64_t fd, int64_t max)
{
    FAILPOINT("read_all");
    result_reset();
    return max < 0 ? -EINVAL : read_all(as_int(fd), SIZE_MAX, (size_t)max);
}

int64_t berth_read_file(int64_t dir, const char *path, int64_t max)
{
    FAILPOINT("read_file");
    result_reset();
    if (max < 0)
        return -EINVAL;
    /* Whose folder it is may be hostile; a path from our own folder or the root is the caller's. */
    int follow = dir == AT_FDCWD ? 0 : O_NOFOLLOW;
    int fd = RETRY(openat(as_int(dir), path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | follow));
    if (fd < 0)
        return -errno;
    struct stat status;
    int64_t result;
    if (fstat(fd, &status) < 0)
        result = -errno;
    else if (S_ISDIR(status.st_mode))
        result = -EISDIR;
    else if (!S_ISREG(status.st_mode))
        result = -EINVAL;
    else if (status.st_size > max)
        result = -EFBIG;
    else
        result = read_all(fd, (size_t)status.st_size, (size_t)max);
    close(fd);
    return result;
}

int64_t berth_write_file(int64_t dir, const char *path, int64_t flags, int64_t mode, const char *data, size_t size)
{
    FAILPOINT("write_file");
    int fd = RETRY(openat(as_int(dir), path, as_int(flags) | O_CLOEXEC | O_NOCTTY, (mode_t)as_word(mode)));
    if (fd < 0)
        return -errno;
    ssize_t count = RETRY(write(fd, data, size));
    int64_t result = count < 0 ? -errno : (size_t)count == size ? 0 : -EIO;
    /* Some file systems report a full disk only here. */
    if (close(fd) < 0 && errno != EINTR && result == 0)
        result = -errno;
    return result;
}
