/* Pipes, and the start pipe that holds a created init until `start`. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <unistd.h>

#include "failpoint.h"
#include "native.h"
#include "result.h"
#include "sys.h"

enum { CHUNK = 4096 };

int64_t berth_pipe(void)
{
    FAILPOINT("pipe");
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    result_reset();
    result_int(ends[0]);
    result_int(ends[1]);
    return result_done();
}

/* Writes zeros until the pipe takes no more, in chunks and then, because a page may be half full, byte by byte. The
 * next write of even one byte blocks. What takes its whole `capacity` was empty and is full. */
static int64_t fill(int fd, int capacity)
{
    static const char zeros[CHUNK];
    int64_t total = 0;
    size_t size = CHUNK;
    while (total != capacity) {
        ssize_t count = RETRY(write(fd, zeros, size));
        if (count >= 0)
            total += count;
        else if (errno != EAGAIN)
            return -errno;
        else if (size == 1)
            break;
        else
            size = 1;
    }
    return total;
}

int64_t berth_fill_pipe(int64_t pipe)
{
    FAILPOINT("fill_pipe");
    int fd = as_int(pipe);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -errno;
    /* One page instead of 16: less to write here, to keep, and to drain at start. Refused is no harm. */
    int capacity = fcntl(fd, F_SETPIPE_SZ, CHUNK);
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    int64_t total = fill(fd, capacity);
    if (fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
        return -errno;
    return total;
}
