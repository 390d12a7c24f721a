/* A user at a terminal:
 *
 *   pty ROWS COLUMNS STEP... -- PROGRAM ARGUMENT...
 *   STEP: expect:TEXT  wait until the terminal has shown TEXT (since the last step that matched)
 *         send:TEXT    type it; \n is Enter, \3 is ^C
 *         size:RxC     resize the window
 *
 * Prints what the terminal showed. Exit status: the program's, or 101 when its settings of the terminal were not put
 * back, 102 when an expected text did not come within 10 s.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char shown[1 << 16];
static size_t length, matched;

static void die(const char *what)
{
    perror(what);
    exit(103);
}

/* Reads what there is within ms; 0 when the other side is closed. */
static int take(int master, int ms)
{
    struct pollfd p = {master, POLLIN, 0};
    if (poll(&p, 1, ms) <= 0)
        return 1;
    char surplus[4096];
    size_t room = sizeof shown - 1 - length;
    ssize_t n = room > 0 ? read(master, shown + length, room) : read(master, surplus, sizeof surplus);
    if (n <= 0)
        return 0;
    length += room > 0 ? (size_t)n : 0;
    return 1;
}

static void expect(int master, const char *text)
{
    for (int i = 0; i < 1000; i++) {
        char *at = strstr(shown + matched, text);
        if (at) {
            matched = (size_t)(at - shown) + strlen(text);
            return;
        }
        take(master, 10);
    }
    fprintf(stderr, "expected: %s\nshown: %s\n", text, shown);
    exit(102);
}

static void type(int master, const char *text)
{
    for (; *text; text++) {
        char c = *text;
        if (c == '\\' && text[1])
            c = *++text == 'n' ? '\r' : (char)(*text - '0');
        if (write(master, &c, 1) != 1)
            die("write");
    }
}

static void step(int master, const char *word)
{
    struct winsize size = {0};
    if (!strncmp(word, "expect:", 7))
        return expect(master, word + 7);
    if (!strncmp(word, "send:", 5))
        return type(master, word + 5);
    if (sscanf(word, "size:%hux%hu", &size.ws_row, &size.ws_col) != 2)
        die(word);
    if (ioctl(master, TIOCSWINSZ, &size))
        die("TIOCSWINSZ");
}

static pid_t spawn(char **argv, int slave)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    setsid();
    ioctl(slave, TIOCSCTTY, 0);
    for (int i = 0; i < 3; i++)
        dup2(slave, i);
    execvp(argv[0], argv);
    die(argv[0]);
    return -1;
}

int main(int argc, char **argv)
{
    int first = 3;
    while (first < argc && strcmp(argv[first], "--") != 0)
        first++;
    if (argc < 5 || first + 1 >= argc)
        return 2;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) || unlockpt(master))
        die("posix_openpt");
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        die("open slave");
    struct winsize size = {.ws_row = (unsigned short)atoi(argv[1]), .ws_col = (unsigned short)atoi(argv[2])};
    ioctl(master, TIOCSWINSZ, &size);
    struct termios before, after;
    memset(&before, 0, sizeof before);
    memset(&after, 0, sizeof after);
    tcgetattr(slave, &before);
    pid_t pid = spawn(argv + first + 1, slave);
    for (int i = 3; i < first; i++)
        step(master, argv[i]);
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) == 0)
        take(master, 10);
    while (take(master, 20) && length < sizeof shown - 1 && poll(&(struct pollfd){master, POLLIN, 0}, 1, 20) > 0) {
    }
    fwrite(shown, 1, length, stdout);
    tcgetattr(slave, &after);
    if (memcmp(&before, &after, sizeof before) != 0)
        return 101;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
