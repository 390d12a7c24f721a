/* This process: ids, capabilities, environment, clocks, limits. */
#define _GNU_SOURCE 1
#include <grp.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "failpoint.h"
#include "native.h"
#include "result.h"
#include "sys.h"

extern char **environ;

int64_t berth_getpid(void)
{
    FAILPOINT("getpid");
    return getpid();
}

int64_t berth_ids(void)
{
    FAILPOINT("ids");
    /* As the kernel told at exec, without a system call each: nobody changes them here. */
    result_reset();
    result_int((int64_t)getauxval(AT_UID));
    result_int((int64_t)getauxval(AT_EUID));
    result_int((int64_t)getauxval(AT_GID));
    result_int((int64_t)getauxval(AT_EGID));
    return result_done();
}

int64_t berth_groups(void)
{
    FAILPOINT("groups");
    static gid_t groups[65536]; /* NGROUPS_MAX of Linux; untouched pages cost nothing */
    int count = getgroups(65536, groups);
    if (count < 0)
        return -errno;
    result_reset();
    for (int i = 0; i < count; i++)
        result_int(groups[i]);
    return result_done();
}

int64_t berth_environ(void)
{
    FAILPOINT("environ");
    result_reset();
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        result_bytes(*entry, strlen(*entry) + 1);
    return result_done();
}

int64_t berth_kernel_release(void)
{
    FAILPOINT("kernel_release");
    struct utsname name;
    if (uname(&name) < 0)
        return -errno;
    result_reset();
    result_bytes(name.release, strlen(name.release));
    return result_done();
}

int64_t berth_clock(void)
{
    FAILPOINT("clock");
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) < 0)
        return -errno;
    result_reset();
    result_int(now.tv_sec);
    result_int(now.tv_nsec);
    return result_done();
}

int64_t berth_monotonic(void)
{
    FAILPOINT("monotonic");
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
        return -errno;
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t berth_set_subreaper(void)
{
    FAILPOINT("set_subreaper");
    return answer(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
}

int64_t berth_capabilities(void)
{
    FAILPOINT("capabilities");
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};
    long error = SYS2(SYS_capget, &header, sets);
    if (error < 0)
        return error;
    uint32_t bounding[2] = {0, 0};
    for (unsigned cap = 0; cap < 64; cap++) {
        int set = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
        if (set < 0)
            break; /* EINVAL: the kernel has no capability with that number */
        if (set == 1)
            bounding[cap / 32] |= 1U << (cap % 32);
    }
    result_reset();
    result_int(sets[0].effective);
    result_int(sets[1].effective);
    result_int(sets[0].permitted);
    result_int(sets[1].permitted);
    result_int(bounding[0]);
    result_int(bounding[1]);
    return result_done();
}

int64_t berth_ns_type(int64_t fd)
{
    FAILPOINT("ns_type");
    return answer(ioctl(as_int(fd), NS_GET_NSTYPE));
}

/* The kernel makes the descriptor CLOEXEC. */
int64_t berth_ns_owner(int64_t fd)
{
    FAILPOINT("ns_owner");
    return answer(ioctl(as_int(fd), NS_GET_USERNS));
}

/* What the kernel's struct rlimit64 has, free of libc's ideas about RLIM_INFINITY. */
struct limit {
    uint64_t soft;
    uint64_t hard;
};

static uint64_t joined(int64_t low, int64_t high)
{
    return (uint64_t)as_word(low) | (uint64_t)as_word(high) << 32;
}

int64_t berth_prlimit(int64_t pid, int64_t resource, int64_t softLow, int64_t softHigh, int64_t hardLow,
                      int64_t hardHigh)
{
    FAILPOINT("prlimit");
    struct limit limit = {joined(softLow, softHigh), joined(hardLow, hardHigh)};
    return SYS4(SYS_prlimit64, as_int(pid), as_int(resource), &limit, 0);
}

int64_t berth_rlimit(int64_t resource)
{
    FAILPOINT("rlimit");
    struct limit limit = {0, 0};
    long error = SYS4(SYS_prlimit64, 0, as_int(resource), 0, &limit);
    if (error < 0)
        return error;
    result_reset();
    result_int((uint32_t)limit.soft);
    result_int((uint32_t)(limit.soft >> 32));
    result_int((uint32_t)limit.hard);
    result_int((uint32_t)(limit.hard >> 32));
    return result_done();
}
