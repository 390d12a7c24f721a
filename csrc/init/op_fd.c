/* Descriptors: open, close, write, and what a descriptor really is. */

#include "ctx.h"
#include "sys.h"

int op_open(struct ctx *c, const struct args_open *a)
{
    return fill_slot(c, a->fd, sys_openat2(slot_fd(c, a->dir), text(c, a->path), a->flags, a->mode, a->resolve));
}

int op_close(struct ctx *c, const struct args_close *a)
{
    sys_close(c->fd[a->fd]);
    c->fd[a->fd] = -1;
    return 0;
}

static int write_once(int fd, const char *data, size_t size)
{
    long n = sys_write(fd, data, size);
    if (n < 0)
        return (int)n;
    return n == (long)size ? 0 : -EIO;
}

int op_write(struct ctx *c, const struct args_write *a)
{
    return write_once(slot_fd(c, a->fd), text(c, a->data), text_length(c, a->data));
}

int op_write_file(struct ctx *c, const struct args_write_file *a)
{
    int fd = sys_openat2(slot_fd(c, a->dir), text(c, a->path), O_WRONLY | O_NOCTTY, 0, a->resolve);
    if (fd < 0)
        return fd;
    int result = write_once(fd, text(c, a->data), text_length(c, a->data));
    sys_close(fd);
    return result;
}

int op_check_device(struct ctx *c, const struct args_check_device *a)
{
    struct stat st;
    int result = sys_fstat(slot_fd(c, a->fd), &st);
    if (result < 0)
        return result;
    uint64_t device = (a->minor & 0xff) | (uint64_t)a->major << 8 | (uint64_t)(a->minor & ~0xffu) << 12;
    if ((st.st_mode & S_IFMT) == S_IFCHR && st.st_rdev == device)
        return 0;
    detail(c, "it is not the character device ");
    detail_number(c, a->major);
    detail(c, ":");
    detail_number(c, a->minor);
    return -EINVAL;
}

int op_check_fs(struct ctx *c, const struct args_check_fs *a)
{
    struct statfs fs;
    int result = (int)SYS2(fstatfs, slot_fd(c, a->fd), &fs);
    if (result < 0)
        return result;
    if ((uint32_t)fs.f_type == a->magic)
        return 0;
    detail(c, "it lies on a file system of another type");
    return -EINVAL;
}

int op_refuse_fs(struct ctx *c, const struct args_refuse_fs *a)
{
    struct statfs fs;
    int result = (int)SYS2(fstatfs, slot_fd(c, a->fd), &fs);
    if (result < 0 || (uint32_t)fs.f_type != a->magic)
        return result;
    detail(c, "it lies on a file system that must not be covered");
    return -EPERM;
}

int op_cloexec_from(struct ctx *c, const struct args_cloexec_from *a)
{
    (void)c;
    return (int)SYS3(close_range, (unsigned long)a->first, ~0u, CLOSE_RANGE_CLOEXEC);
}
