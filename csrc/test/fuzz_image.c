// Built and run by fuzz.sh.
/* What init reads of an image: /etc/passwd for HOME, PATH, the beginning of what could not be executed. passwd's answer is
 * compared with a second reader, which has all of the file at once. */
#include "fuzz_init.h"

static struct bytes_in in;

/* The file gives what the input says, in pieces, and AddressSanitizer sees where they go. */
#define sys_read(fd, buffer, size) ((void)(fd), fuzz_read(&in, buffer, size))
#include "../init/launch.c"
#include "../init/op_exec.c"

enum { LINE_MAX = 4096 };

static int is_number(const char *at, const char *end, uint32_t wanted)
{
    char digits[24];
    size_t length = format_number(digits, wanted, 10);
    while (at < end - 1 && *at == '0')
        at++;
    return (size_t)(end - at) == length && memcmp(at, digits, length) == 0;
}

/* The sixth field of the first line that is uid's; its length, or -1. A line that fills init's buffer is none. */
static long naive_home(const char *data, size_t size, uint32_t uid, const char **home)
{
    size_t next;
    for (size_t at = 0; at < size; at = next + 1) {
        const char *end = memchr(data + at, '\n', size - at);
        next = end == NULL ? size : (size_t)(end - data);
        const char *field = data + at;
        const char *fields[7];
        int count = 0;
        for (const char *p = field; p <= data + next && count < 7; p++)
            if (p == data + next || *p == ':') {
                fields[count++] = field;
                field = p + 1;
            }
        if (next - at >= LINE_MAX || count < 6)
            continue;
        if (!is_number(fields[2], fields[3] - 1, uid))
            continue;
        const char *stop = memchr(fields[5], ':', (size_t)(data + next - fields[5]));
        size_t length = (size_t)((stop == NULL ? data + next : stop) - fields[5]);
        if (memchr(fields[5], '\0', length) != NULL)
            continue;
        *home = fields[5];
        return (long)length;
    }
    return -1;
}

static void passwd(struct ctx *c, const char *data, size_t size, uint32_t uid)
{
    memset(c->home, 0x55, sizeof c->home);
    long length = scan_passwd(c, -1, uid);
    if (in.failed)
        return;
    const char *home = NULL;
    long expected = naive_home(data, size, uid, &home);
    if ((length < 0) != (expected < 0) || (length >= 0 && length != expected) ||
        (length >= 0 && memcmp(c->home + 5, home, (size_t)length) != 0))
        abort();
}

static void path(struct ctx *c, const char *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    char *name = strchr(text, '\n');
    if (name != NULL)
        *name++ = '\0';
    char joined[PATH_MAX];
    int found = search_path(c, text, name == NULL || strchr(name, '/') != NULL ? "x" : name);
    if (found == 0 && (join(joined, c->folder, c->folder_length, c->name) != 0 || check_executable(joined) != 0))
        abort();
    if (c->report.length > REPORT_DETAIL)
        abort();
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctx *c = calloc(1, sizeof *c);
    if (c == NULL || size < 3) {
        free(c);
        return 0;
    }
    const char *text = (const char *)data + 3;
    in = (struct bytes_in){.data = text, .size = size - 3, .piece = data[1] * 16u + 1, .fail_at = -1};
    if (data[2] & 1)
        in.fail_at = data[2] / 2;
    switch (data[0] % 3) {
    case 0:
        passwd(c, text, size - 3, data[0] / 3 % 4);
        break;
    case 1:
        path(c, text, size - 3);
        break;
    default:
        launch_explain(c, "/proc/self/exe", data[1] & 1 ? -ENOENT : -ENOEXEC);
        if (c->report.length > REPORT_DETAIL)
            abort();
    }
    free(c);
    return 0;
}
