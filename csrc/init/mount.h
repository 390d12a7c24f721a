/* The mount calls that several ops share. Each returns 0 or a descriptor, or a negative errno. */
#ifndef BERTH_MOUNT_H
#define BERTH_MOUNT_H

#include <linux/mount.h>
#include <stdint.h>

int mount_setattr(int fd, const char *path, uint32_t flags, const struct mount_attr *attr);

/* A detached mount, onto the file or folder that a descriptor stands for. */
int mount_move(int mount, int target);

/* A detached clone of what the descriptor stands for; flags: 0 or AT_RECURSIVE. */
int mount_clone(int fd, uint32_t flags);

#endif
