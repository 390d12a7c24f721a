// libseccomp as an oracle: compiles the rules that come on standard input, a line each, and writes the filter as hex.
// For tests only: nothing of Berth links libseccomp.
//
//   optimize LEVEL                     SCMP_FLTATR_CTL_OPTIMIZE
//   default ACTION                     first: the action's number
//   arch TOKEN                         adds an architecture; the first one replaces the machine's own
//   rule ACTION NAME [INDEX OP A B]... OP is libseccomp's number of the comparison
//   version                            prints the library's version
//   number TOKEN NAME                  prints the number of a call, or a negative one
//
// A rule that libseccomp refuses ends the program: `error ERRNO LINE`.

#include <errno.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static scmp_filter_ctx ctx;
static bool native_removed;
static uint32_t optimize = 1;

static void fail(int error, int line)
{
    printf("error %d %d\n", error, line);
    exit(0);
}

static void add_arch(uint32_t token, int line)
{
    int rc = 0;
    if (!native_removed && token != SCMP_ARCH_NATIVE && token != seccomp_arch_native()) {
        rc = seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE);
    }
    if (rc == 0 && (native_removed || token != seccomp_arch_native()))
        rc = seccomp_arch_add(ctx, token);
    if (rc < 0 && rc != -EEXIST)
        fail(-rc, line);
    native_removed = true;
}

static void add_rule(char *text, int line)
{
    char *save = NULL;
    uint32_t action = (uint32_t)strtoul(strtok_r(text, " \n", &save), NULL, 0);
    const char *name = strtok_r(NULL, " \n", &save);
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) {
        printf("unknown %s\n", name);
        return;
    }
    struct scmp_arg_cmp args[6];
    unsigned count = 0;
    for (char *index; count < 6 && (index = strtok_r(NULL, " \n", &save)) != NULL; count++) {
        args[count].arg = (unsigned)strtoul(index, NULL, 0);
        args[count].op = (enum scmp_compare)strtoul(strtok_r(NULL, " \n", &save), NULL, 0);
        args[count].datum_a = strtoull(strtok_r(NULL, " \n", &save), NULL, 0);
        args[count].datum_b = strtoull(strtok_r(NULL, " \n", &save), NULL, 0);
    }
    int rc = seccomp_rule_add_array(ctx, action, number, count, args);
    if (rc < 0)
        fail(-rc, line);
}

static void write_filter(void)
{
    int fd = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0)
        exit(1);
    if (optimize != 1)
        seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, optimize);
    int rc = seccomp_export_bpf(ctx, fd);
    if (rc < 0)
        fail(-rc, 0);
    unsigned char bytes[8];
    if (lseek(fd, 0, SEEK_SET) != 0)
        exit(1);
    while (read(fd, bytes, sizeof bytes) == sizeof bytes) {
        for (size_t i = 0; i < sizeof bytes; i++)
            printf("%02x", bytes[i]);
        putchar('\n');
    }
    close(fd);
}

int main(void)
{
    char text[65536];
    for (int line = 1; fgets(text, sizeof text, stdin) != NULL; line++) {
        if (strncmp(text, "default ", 8) == 0) {
            ctx = seccomp_init((uint32_t)strtoul(text + 8, NULL, 0));
            if (ctx == NULL)
                fail(EINVAL, line);
        } else if (strncmp(text, "optimize ", 9) == 0) {
            optimize = (uint32_t)strtoul(text + 9, NULL, 0);
        } else if (strncmp(text, "arch ", 5) == 0) {
            add_arch((uint32_t)strtoul(text + 5, NULL, 0), line);
        } else if (strncmp(text, "rule ", 5) == 0) {
            add_rule(text + 5, line);
        } else if (strncmp(text, "version", 7) == 0) {
            const struct scmp_version *version = seccomp_version();
            printf("version %u.%u.%u\n", version->major, version->minor, version->micro);
        } else if (strncmp(text, "number ", 7) == 0) {
            char *save = NULL;
            uint32_t token = (uint32_t)strtoul(strtok_r(text + 7, " \n", &save), NULL, 0);
            const char *name = strtok_r(NULL, " \n", &save);
            printf("%s %d\n", name, seccomp_syscall_resolve_name_arch(token, name));
        }
    }
    if (ctx != NULL)
        write_filter();
    return 0;
}
