/* Capability sets of this thread. */
#ifndef BERTH_CAPS_H
#define BERTH_CAPS_H

#include <linux/capability.h>
#include <stdint.h>

struct caps {
    uint64_t effective;
    uint64_t permitted;
    uint64_t inheritable;
};

static const struct __user_cap_header_struct CAP_HEADER = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};

/* capget(2); 0 or a negative errno. */
int get_caps(struct caps *caps);

/* As capset(2) takes them. */
void encode_caps(const struct caps *caps, struct __user_cap_data_struct data[2]);

/* Leaves out what capset(2) would refuse: capabilities(7), "programmatically adjusting capability sets". */
void trim_caps(struct caps *wanted, const struct caps *have);

#endif
