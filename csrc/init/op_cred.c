/* Ids and capabilities. Raw system calls change this thread alone, and init has only one. */

#include "caps.h"
#include "ctx.h"
#include "sys.h"

int get_caps(struct caps *caps)
{
    struct __user_cap_header_struct header = CAP_HEADER;
    struct __user_cap_data_struct data[2];
    long result = SYS2(capget, &header, data);
    caps->effective = (uint64_t)data[1].effective << 32 | data[0].effective;
    caps->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
    caps->inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable;
    return (int)result;
}

void encode_caps(const struct caps *caps, struct __user_cap_data_struct data[2])
{
    for (int i = 0; i < 2; i++) {
        data[i].effective = (uint32_t)(caps->effective >> 32 * i);
        data[i].permitted = (uint32_t)(caps->permitted >> 32 * i);
        data[i].inheritable = (uint32_t)(caps->inheritable >> 32 * i);
    }
}

static int put_caps(const struct caps *caps)
{
    struct __user_cap_header_struct header = CAP_HEADER;
    struct __user_cap_data_struct data[2];
    encode_caps(caps, data);
    return (int)SYS2(capset, &header, data);
}

static int ambient(unsigned long action, unsigned long cap)
{
    return (int)SYS5(prctl, PR_CAP_AMBIENT, action, cap, 0, 0);
}

int op_clear_inheritable(struct ctx *c, const struct args_clear_inheritable *a)
{
    (void)c;
    (void)a;
    struct caps caps;
    int result = get_caps(&caps);
    if (result < 0)
        return result;
    caps.inheritable = 0; /* the kernel drops ambient ones with it */
    return put_caps(&caps);
}

int op_set_ids(struct ctx *c, const struct args_set_ids *a)
{
    (void)c;
    long result = SYS3(setresgid, (unsigned long)a->gid, (unsigned long)a->gid, (unsigned long)a->gid);
    if (result < 0) {
        detail(c, "setresgid");
        return (int)result;
    }
    result = SYS3(setresuid, (unsigned long)a->uid, (unsigned long)a->uid, (unsigned long)a->uid);
    if (result < 0)
        detail(c, "setresuid");
    return (int)result;
}

int op_set_groups(struct ctx *c, const struct args_set_groups *a)
{
    (void)c;
    return (int)SYS2(setgroups, (unsigned long)a->gids_count, a->gids);
}

int op_drop_bounding(struct ctx *c, const struct args_drop_bounding *a)
{
    struct caps caps;
    int result = get_caps(&caps);
    if (result < 0)
        return result;
    if (!(caps.effective >> CAP_SETPCAP & 1))
        return 0;
    for (unsigned cap = 0; cap < 64; cap++) {
        if (pair(a->keep) >> cap & 1)
            continue;
        result = sys_prctl(PR_CAPBSET_DROP, cap, 0, 0);
        if (result == -EINVAL)
            return 0; /* the kernel has no more */
        if (result < 0) {
            detail(c, "capability ");
            detail_number(c, cap);
            return result;
        }
    }
    return 0;
}

int op_keep_caps(struct ctx *c, const struct args_keep_caps *a)
{
    (void)c;
    return sys_prctl(PR_SET_KEEPCAPS, a->value, 0, 0);
}

static uint64_t bounding_set(void)
{
    uint64_t set = 0;
    for (unsigned cap = 0; cap < 64; cap++) {
        int result = sys_prctl(PR_CAPBSET_READ, cap, 0, 0);
        if (result < 0)
            break;
        set |= (uint64_t)result << cap;
    }
    return set;
}

void trim_caps(struct caps *wanted, const struct caps *have)
{
    uint64_t inheritable = have->inheritable | bounding_set();
    if (!(have->effective >> CAP_SETPCAP & 1))
        inheritable &= have->inheritable | have->permitted;
    wanted->permitted &= have->permitted;
    wanted->effective &= wanted->permitted;
    wanted->inheritable &= inheritable;
}

int op_set_caps(struct ctx *c, const struct args_set_caps *a)
{
    (void)c;
    struct caps wanted = {
        .effective = pair(a->effective), .permitted = pair(a->permitted), .inheritable = pair(a->inheritable)};
    if (a->trim) {
        struct caps have;
        int result = get_caps(&have);
        if (result < 0)
            return result;
        trim_caps(&wanted, &have);
    }
    return put_caps(&wanted);
}

int op_set_ambient(struct ctx *c, const struct args_set_ambient *a)
{
    int result = ambient(PR_CAP_AMBIENT_CLEAR_ALL, 0);
    if (result < 0)
        return result;
    for (unsigned cap = 0; cap < 64; cap++) {
        if (!(pair(a->ambient) >> cap & 1))
            continue;
        result = ambient(PR_CAP_AMBIENT_RAISE, cap);
        if (result < 0 && !a->trim) {
            detail(c, "capability ");
            detail_number(c, cap);
            return result;
        }
    }
    return 0;
}

int op_no_new_privs(struct ctx *c, const struct args_no_new_privs *a)
{
    (void)c;
    (void)a;
    return sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0);
}
