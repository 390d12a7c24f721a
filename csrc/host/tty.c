/* Terminals. */
#define _GNU_SOURCE 1
#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "failpoint.h"
#include "native.h"
#include "result.h"
#include "sys.h"

static struct termios before;
static int raw_fd;
static bool is_raw;

int64_t berth_tty_raw(int64_t fd)
{
    FAILPOINT("tty_raw");
    struct termios now;
    if (tcgetattr(as_int(fd), &now) < 0)
        return -errno;
    struct termios raw = now;
    cfmakeraw(&raw);
    if (RETRY(tcsetattr(as_int(fd), TCSANOW, &raw)) < 0)
        return -errno;
    if (!is_raw) {
        before = now;
        raw_fd = as_int(fd);
        is_raw = true;
    }
    return 0;
}

int64_t berth_tty_restore(void)
{
    FAILPOINT("tty_restore");
    if (!is_raw)
        return 0;
    is_raw = false;
    return answer(RETRY(tcsetattr(raw_fd, TCSANOW, &before)));
}

int64_t berth_tty_size(int64_t fd)
{
    FAILPOINT("tty_size");
    struct winsize size;
    if (ioctl(as_int(fd), TIOCGWINSZ, &size) < 0)
        return -errno;
    result_reset();
    result_int(size.ws_row);
    result_int(size.ws_col);
    return result_done();
}

int64_t berth_tty_set_size(int64_t fd, int64_t rows, int64_t columns)
{
    FAILPOINT("tty_set_size");
    if (rows < 0 || rows > USHRT_MAX || columns < 0 || columns > USHRT_MAX)
        return -EINVAL;
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    return answer(ioctl(as_int(fd), TIOCSWINSZ, &size));
}

int64_t berth_isatty(int64_t fd)
{
    FAILPOINT("isatty");
    return isatty(as_int(fd)) == 1;
}
