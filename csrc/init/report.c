/* Reports to the runtime. Always one write(2): the socket is SEQPACKET, and a report is smaller than PIPE_BUF. */

#include "ctx.h"
#include "mem.h"
#include "sys.h"

_Static_assert(sizeof(struct report) == REPORT_HEAD + REPORT_DETAIL, "a report has no padding");

void detail_bytes(struct ctx *c, const char *bytes, size_t length)
{
    size_t room = REPORT_DETAIL - c->report.length;
    if (length > room)
        length = room;
    memcpy(c->report.detail + c->report.length, bytes, length);
    c->report.length += (uint32_t)length;
}

void detail(struct ctx *c, const char *words)
{
    detail_bytes(c, words, strlen(words));
}

size_t format_number(char *to, uint64_t number, unsigned base)
{
    size_t digits = 1;
    for (uint64_t rest = number / base; rest > 0; rest /= base)
        digits++;
    to[digits] = '\0';
    for (size_t i = digits; i > 0; number /= base)
        to[--i] = (char)('0' + number % base);
    return digits;
}

void detail_number(struct ctx *c, uint64_t number)
{
    char digits[24];
    detail_bytes(c, digits, format_number(digits, number, 10));
}

static void send_report(struct ctx *c)
{
    size_t size = REPORT_HEAD + c->report.length;
    /* EPIPE and SIGPIPE alike: nobody is there any more, so that nobody needs this container. */
    if (sys_write(c->report_fd, &c->report, size) != (long)size)
        sys_exit(1);
}

void report(struct ctx *c, enum report_kind kind, int32_t value)
{
    c->report.kind = kind;
    c->report.op = c->op;
    c->report.error = 0;
    c->report.value = value;
    c->report.length = 0;
    send_report(c);
    c->report.value = 0;
}

_Noreturn void fail(struct ctx *c, int error)
{
    c->report.kind = REPORT_FAILED;
    c->report.op = c->op;
    c->report.error = error;
    send_report(c);
    sys_exit(1);
}
