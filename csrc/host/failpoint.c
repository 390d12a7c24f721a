/* Test hooks: see failpoint.h. */
#define _GNU_SOURCE 1
#include "failpoint.h"

#ifdef BERTH_FAILPOINTS

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool parsed;
static char fail_name[64];
static unsigned long fail_at;
static int64_t fail_errno;
static unsigned long stop_at;
static unsigned long calls;
static unsigned long named_calls;

/* "name:n:errno"; anything else would let a test pass that tests nothing, so it aborts. */
static void parse_fail(const char *text)
{
    const char *colon = strchr(text, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - text);
    char *end = NULL;
    if (length == 0 || length >= sizeof fail_name)
        abort();
    memcpy(fail_name, text, length);
    fail_at = strtoul(colon + 1, &end, 10);
    if (*end != ':' || fail_at == 0)
        abort();
    fail_errno = strtol(end + 1, &end, 10);
    if (*end != '\0' || fail_errno <= 0)
        abort();
}

static void parse(void)
{
    const char *fail = getenv("BERTH_FAIL_NATIVE");
    const char *stop = getenv("BERTH_STOP_NATIVE");
    parsed = true;
    if (fail != NULL)
        parse_fail(fail);
    if (stop != NULL)
        stop_at = strtoul(stop, NULL, 10);
}

int64_t berth_failpoint(const char *name)
{
    if (!parsed)
        parse();
    if (++calls == stop_at)
        (void)raise(SIGSTOP);
    if (fail_at == 0 || (strcmp(fail_name, "*") != 0 && strcmp(fail_name, name) != 0))
        return 0;
    return ++named_calls == fail_at ? -fail_errno : 0;
}

#endif
