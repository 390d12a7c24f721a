/* The container's terminal and its standard streams. */

#include "ctx.h"
#include "fdpass.h"
#include "mem.h"
#include "path.h"
#include "sys.h"

#include <asm/termios.h>

/* The device number of major:minor, both below 256. */
#define DEVICE(major, minor) ((unsigned long)(major) << 8 | (minor))

/* ptmx of the devpts itself (CVE-2025-52565): not a symlink, not something that was mounted over it. */
static int open_ptmx(struct ctx *c, int devpts)
{
    struct statfs fs;
    struct stat st;
    int fd = -EINVAL;
    int result = (int)SYS2(fstatfs, devpts, &fs);
    if (result == 0 && fs.f_type == DEVPTS_MAGIC)
        fd = sys_openat(devpts, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW, 0);
    else
        detail(c, "it is not a devpts");
    if (fd < 0)
        return result < 0 ? result : fd;
    result = (int)SYS2(fstatfs, fd, &fs);
    if (result == 0)
        result = sys_fstat(fd, &st);
    if (result == 0 && fs.f_type == DEVPTS_MAGIC && (st.st_mode & S_IFMT) == S_IFCHR && st.st_rdev == DEVICE(5, 2))
        return fd;
    detail(c, "its ptmx is not the terminal multiplexer");
    sys_close(fd);
    return -EINVAL;
}

static int unlock(int master, uint32_t rows, uint32_t columns)
{
    const int locked = 0;
    const struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    long result = SYS3(ioctl, master, TIOCSPTLCK, &locked);
    if (result == 0 && (rows != 0 || columns != 0))
        result = SYS3(ioctl, master, TIOCSWINSZ, &size);
    return (int)result;
}

int op_open_pty(struct ctx *c, const struct args_open_pty *a)
{
    int master = open_ptmx(c, slot_fd(c, a->devpts));
    if (master < 0)
        return master;
    int result = fill_slot(c, a->master, master);
    if (result == 0)
        result = unlock(c->fd[a->master], a->rows, a->columns);
    if (result < 0)
        return result;
    return fill_slot(c, a->peer, (int)SYS3(ioctl, c->fd[a->master], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
}

int op_send_pty(struct ctx *c, const struct args_send_pty *a)
{
    char name[40] = "/dev/pts/";
    unsigned int number = 0;
    int master = slot_fd(c, a->master);
    int result = (int)SYS3(ioctl, master, TIOCGPTN, &number);
    if (result < 0)
        return result;
    size_t length = strlen(name);
    length += format_number(name + length, number, 10);
    result = send_with_fd(slot_fd(c, a->socket), name, length, master);
    return result < 0 ? result : 0;
}

int op_use_as_stdio(struct ctx *c, const struct args_use_as_stdio *a)
{
    for (int fd = 0; fd < 3; fd++) {
        int result = (int)SYS3(dup3, slot_fd(c, a->fd), fd, 0);
        if (result < 0)
            return result;
    }
    return 0;
}

int op_controlling_tty(struct ctx *c, const struct args_controlling_tty *a)
{
    (void)c;
    (void)a;
    return (int)SYS3(ioctl, 0, TIOCSCTTY, 0);
}

static int is_null(const struct stat *st)
{
    return (st->st_mode & S_IFMT) == S_IFCHR && st->st_rdev == DEVICE(1, 3);
}

/* The null device that an O_PATH descriptor stands for, opened. Nothing else is opened on the way: opening some devices
 * has effects, and the image may have put one there. */
static int open_null(int path)
{
    char number[24];
    struct stat st;
    int result = sys_fstat(path, &st);
    if (result == 0 && !is_null(&st))
        result = -EINVAL;
    int folder = result < 0 ? result : own_descriptors();
    if (folder < 0)
        return folder;
    (void)format_number(number, (uint64_t)path, 10);
    int fd = sys_openat(folder, number, O_RDWR | O_NOCTTY, 0);
    sys_close(folder);
    return fd;
}

int op_replace_null_stdio(struct ctx *c, const struct args_replace_null_stdio *a)
{
    struct stat st;
    int null = -1;
    int result = 0;
    for (int fd = 0; fd < 3 && result >= 0; fd++) {
        if (sys_fstat(fd, &st) < 0 || !is_null(&st))
            continue; /* a closed stream stays closed */
        if (null < 0)
            result = null = open_null(slot_fd(c, a->null));
        if (result >= 0)
            result = (int)SYS3(dup3, null, fd, 0);
    }
    if (null >= 0)
        sys_close(null);
    return result < 0 ? result : 0;
}

int op_chown_stdio(struct ctx *c, const struct args_chown_stdio *a)
{
    (void)c;
    struct stat st;
    for (int fd = 0; fd < 3; fd++) {
        if (sys_fstat(fd, &st) < 0 || is_null(&st) || st.st_uid == a->uid)
            continue;
        int result = (int)SYS3(fchown, fd, (unsigned long)a->uid, ~0u);
        if (result < 0 && result != -EINVAL && result != -EPERM && result != -EROFS)
            return result;
    }
    return 0;
}
