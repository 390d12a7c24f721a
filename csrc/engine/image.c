#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

IN_IMAGE int booted;

int write_image(const char *path, const char *end)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    for (const char *at = __start_image; at < end;) {
        ssize_t written = write(fd, at, (size_t)(end - at));
        if (written < 0)
            return -errno;
        at += written;
    }
    return close(fd) < 0 ? -errno : 0;
}
