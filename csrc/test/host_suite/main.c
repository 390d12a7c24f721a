/* Runs the suites that argv names, all without: TAP on stdout, exit code 1 when a check failed. */
#define _GNU_SOURCE 1
#include "suite.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "native.h"

static int checks;
static int failures;
const char *scratch;

/* failpoint first: the environment is read by the first native call. */
static const struct {
    const char *name;
    void (*run)(void);
} suites[] = {
    {"failpoint", test_failpoint}, {"result", test_result},   {"plan", test_plan},
    {"files", test_files},         {"pipes", test_pipes},     {"sockets", test_sockets},
    {"signals", test_signals},     {"hooks", test_hooks},     {"bpf", test_bpf},
    {"idmap", test_idmap},         {"netlink", test_netlink}, {"spawn", test_spawn},
};

void check_at(int passed, const char *file, int line, const char *title)
{
    checks++;
    failures += !passed;
    printf("%sok %d - %s\n", passed ? "" : "not ", checks, title);
    if (!passed)
        printf("# %s:%d\n", file, line);
    (void)fflush(stdout);
}

void equal_at(int64_t got, int64_t want, const char *file, int line, const char *title)
{
    check_at(got == want, file, line, title);
    if (got != want)
        printf("# got %lld, want %lld; detail: %s\n", (long long)got, (long long)want, detail_now());
}

void skip(const char *title, const char *reason)
{
    checks++;
    printf("ok %d - %s # SKIP %s\n", checks, title, reason);
}

int64_t result_at(size_t index)
{
    int64_t value;
    if (berth_result_size() < (index + 1) * sizeof value)
        return -1;
    memcpy(&value, berth_result_data() + index * sizeof value, sizeof value);
    return value;
}

const char *result_text(void)
{
    static char text[65536];
    size_t size = berth_result_size() < sizeof text - 1 ? berth_result_size() : sizeof text - 1;
    memcpy(text, berth_result_data(), size);
    text[size] = '\0';
    return text;
}

const char *detail_now(void)
{
    (void)berth_detail();
    return result_text();
}

int open_descriptors(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir != NULL && readdir(dir) != NULL)
        count++;
    if (dir != NULL)
        closedir(dir);
    return count;
}

const char *scratch_path(const char *name)
{
    static char path[8192];
    (void)snprintf(path, sizeof path, "%s/%s", scratch, name);
    return path;
}

static int wanted(int argc, char **argv, const char *name)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return 1;
    return argc == 1;
}

int main(int argc, char **argv)
{
    scratch = getenv("SCRATCH");
    if (scratch == NULL)
        return 2;
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        if (!wanted(argc, argv, suites[i].name))
            continue;
        printf("# %s\n", suites[i].name);
        int before = open_descriptors();
        suites[i].run();
        EQUAL(open_descriptors(), before, "no descriptor is left open");
    }
    printf("1..%d\n", checks);
    return failures > 0;
}
