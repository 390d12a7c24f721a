/* Device programs of cgroup v2. */
#define _GNU_SOURCE 1
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "failpoint.h"
#include "native.h"
#include "result.h"
#include "sys.h"

enum {
    LOAD_ATTEMPTS = 5, /* the verifier answers EAGAIN when a signal came while it worked */
    LOG_SIZE = 1 << 18,
    WORDS_PER_INSTRUCTION = 2,
    MAX_PROGRAMS = 64, /* BPF_CGROUP_MAX_PROGS: the kernel attaches no more to one cgroup */
};

/* What `bpftool cgroup show` prints. */
static const char program_name[] = "berth_devices";

static long call_bpf(int command, union bpf_attr *attributes)
{
    long result = -EAGAIN;
    for (int i = 0; i < LOAD_ATTEMPTS && (result == -EAGAIN || result == -EINTR); i++)
        result = SYS3(SYS_bpf, command, attributes, sizeof *attributes);
    return result;
}

/* The end of the verifier's log is where it says what is wrong. */
static void keep_log(const char *log)
{
    size_t size = strnlen(log, LOG_SIZE);
    size_t from = size > DETAIL_MAX ? size - DETAIL_MAX : 0;
    detail_set(log + from, size - from);
}

int64_t berth_bpf_load_device(const uint32_t *instructions, size_t count)
{
    FAILPOINT("bpf_load_device");
    detail_clear();
    if (count == 0 || count % WORDS_PER_INSTRUCTION != 0 || count > INT_MAX)
        return -EINVAL;
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insns = (uint64_t)(uintptr_t)instructions;
    attributes.insn_cnt = (uint32_t)(count / WORDS_PER_INSTRUCTION);
    attributes.license = (uint64_t)(uintptr_t) "Apache-2.0";
    memcpy(attributes.prog_name, program_name, sizeof program_name);
    long fd = call_bpf(BPF_PROG_LOAD, &attributes);
    if (fd >= 0 || fd == -EPERM)
        return fd;
    /* Only now with a log: it costs memory and time that a valid program does not need. EPERM is not the verifier's. */
    char *log = calloc(1, LOG_SIZE);
    if (log == NULL)
        return fd;
    attributes.log_level = 1;
    attributes.log_size = LOG_SIZE;
    attributes.log_buf = (uint64_t)(uintptr_t)log;
    fd = call_bpf(BPF_PROG_LOAD, &attributes);
    if (fd < 0)
        keep_log(log);
    free(log);
    return fd;
}

int64_t berth_bpf_attach_device(int64_t cgroup, int64_t program, int64_t flags, int64_t replaced)
{
    FAILPOINT("bpf_attach_device");
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = as_word(as_int(cgroup));
    attributes.attach_bpf_fd = as_word(as_int(program));
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = as_word(as_int(flags));
    if (replaced >= 0) {
        attributes.attach_flags |= BPF_F_REPLACE;
        attributes.replace_bpf_fd = as_word(as_int(replaced));
    }
    return call_bpf(BPF_PROG_ATTACH, &attributes);
}

int64_t berth_bpf_detach_device(int64_t cgroup, int64_t program)
{
    FAILPOINT("bpf_detach_device");
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = as_word(as_int(cgroup));
    attributes.attach_bpf_fd = as_word(as_int(program));
    attributes.attach_type = BPF_CGROUP_DEVICE;
    return call_bpf(BPF_PROG_DETACH, &attributes);
}

int64_t berth_bpf_device_programs(int64_t cgroup)
{
    FAILPOINT("bpf_device_programs");
    uint32_t ids[MAX_PROGRAMS];
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.query.target_fd = as_word(as_int(cgroup));
    attributes.query.attach_type = BPF_CGROUP_DEVICE;
    attributes.query.prog_ids = (uint64_t)(uintptr_t)ids;
    attributes.query.prog_cnt = MAX_PROGRAMS;
    long answer = call_bpf(BPF_PROG_QUERY, &attributes);
    if (answer < 0)
        return answer;
    result_reset();
    result_int(attributes.query.attach_flags);
    for (uint32_t i = 0; i < attributes.query.prog_cnt && i < MAX_PROGRAMS; i++)
        result_int(ids[i]);
    return result_done();
}

int64_t berth_bpf_program_id(int64_t program)
{
    FAILPOINT("bpf_program_id");
    struct bpf_prog_info info;
    memset(&info, 0, sizeof info);
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.info.bpf_fd = as_word(as_int(program));
    attributes.info.info_len = sizeof info;
    attributes.info.info = (uint64_t)(uintptr_t)&info;
    long answer = call_bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes);
    return answer < 0 ? answer : info.id;
}

int64_t berth_bpf_open_program(int64_t id)
{
    FAILPOINT("bpf_open_program");
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_id = as_word(as_int(id));
    return call_bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
}
