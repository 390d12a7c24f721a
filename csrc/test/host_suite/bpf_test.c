/* Device programs: loaded, attached, and refused with the verifier's words. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "native.h"
#include "suite.h"

/* An instruction is code | registers | offset, then the immediate: r0 = 1; exit. */
static const uint32_t allow[] = {0xb7, 1, 0x95, 0};
/* exit, although r0 was never set. */
static const uint32_t unset[] = {0x95, 0};

static void test_attach(int64_t program)
{
    const char *root =
        access("/sys/fs/cgroup/unified/cgroup.procs", W_OK) == 0 ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup";
    char path[256];
    (void)snprintf(path, sizeof path, "%s/berth-bpf-test-%d", root, getpid());
    if (berth_statfs_type(AT_FDCWD, root) != 0x63677270 || mkdir(path, 0755) < 0) {
        skip("attaching a device program", "no cgroup v2 that we may write to");
        return;
    }
    int64_t cgroup = berth_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    EQUAL(berth_bpf_attach_device(cgroup, program), 0, "it is attached to a cgroup");
    EQUAL(berth_bpf_attach_device(cgroup, -1), -EBADF, "no program is EBADF");
    berth_close(cgroup);
    CHECK(rmdir(path) == 0, "the cgroup is removed with it");
}

void test_bpf(void)
{
    EQUAL(berth_bpf_load_device(allow, 3), -EINVAL, "half an instruction is EINVAL");
    EQUAL(berth_bpf_load_device(allow, 0), -EINVAL, "no instruction is EINVAL");
    int64_t program = berth_bpf_load_device(allow, 4);
    if (program == -EPERM) {
        skip("device programs", "needs CAP_BPF");
        return;
    }
    CHECK(program >= 0, "a device program is loaded");
    EQUAL(berth_fd_flags(program), FD_CLOEXEC, "its descriptor is CLOEXEC");
    EQUAL(berth_bpf_load_device(unset, 2), -EACCES, "a wrong one is refused");
    CHECK(strstr(detail_now(), "R0 !read_ok") != NULL, "in the verifier's words");
    test_attach(program);
    berth_close(program);
}
