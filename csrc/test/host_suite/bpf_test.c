/* Device programs: loaded, attached, and refused with the verifier's words. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
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

/* The ids of the attached programs are in the result buffer, behind the flags. */
static void test_replace(int64_t cgroup, int64_t program)
{
    int64_t id = berth_bpf_program_id(program);
    CHECK(id > 0, "a program has an id");
    EQUAL(berth_bpf_device_programs(cgroup), 0, "a cgroup is asked for its programs");
    CHECK(result_at(0) == BPF_F_ALLOW_MULTI && result_at(1) == id && result_at(2) == -1,
          "it names the flags and the one program");
    int64_t other = berth_bpf_load_device(allow, 4);
    CHECK(other >= 0 && berth_bpf_program_id(other) != id, "another program has another id");
    EQUAL(berth_bpf_attach_device(cgroup, other, BPF_F_ALLOW_MULTI, program), 0, "it takes the place of the first");
    EQUAL(berth_bpf_device_programs(cgroup), 0, "the cgroup is asked again");
    CHECK(result_at(1) == berth_bpf_program_id(other) && result_at(2) == -1, "it names the second program alone");
    EQUAL(berth_bpf_detach_device(cgroup, program), -ENOENT, "what is not attached cannot be detached");
    int64_t again = berth_bpf_open_program(berth_bpf_program_id(other));
    CHECK(again >= 0, "a program is opened by its id");
    EQUAL(berth_fd_flags(again), FD_CLOEXEC, "its descriptor is CLOEXEC");
    EQUAL(berth_bpf_detach_device(cgroup, again), 0, "and detached by that");
    EQUAL(berth_bpf_device_programs(cgroup), 0, "the cgroup is asked a last time");
    CHECK(result_at(1) == -1, "it has no program left");
    EQUAL(berth_bpf_open_program(0), -ENOENT, "no program has the id 0");
    berth_close(again);
    berth_close(other);
}

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
    EQUAL(berth_bpf_attach_device(cgroup, program, BPF_F_ALLOW_MULTI, -1), 0, "it is attached to a cgroup");
    EQUAL(berth_bpf_attach_device(cgroup, -1, BPF_F_ALLOW_MULTI, -1), -EBADF, "no program is EBADF");
    test_replace(cgroup, program);
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
