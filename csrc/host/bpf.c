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
};

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
    long fd = call_bpf(BPF_PROG_LOAD, &attributes);
    if (fd >= 0)
        return fd;
    /* Only now with a log: it costs memory and time that a valid program does not need. */
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

int64_t berth_bpf_attach_device(int64_t cgroup, int64_t program)
{
    FAILPOINT("bpf_attach_device");
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = as_word(as_int(cgroup));
    attributes.attach_bpf_fd = as_word(as_int(program));
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    return call_bpf(BPF_PROG_ATTACH, &attributes);
}
