/* Makes the files that init is executed from and reads its plan from: see sealed_file.h. Nothing in a container can change
 * them, and the first is not the runtime's own executable: what CVE-2019-5736 overwrote does not exist here.
 *
 * Everything below tmpfs_file runs either in this process or, when rootless, in a CLONE_VM child in a user namespace of
 * its own: raw system calls only. */
#define _GNU_SOURCE 1
#include "sealed_file.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#ifndef __GLIBC__
#include <linux/mount.h> /* glibc's sys/mount.h has the new mount API, and clashes with this one */
#endif

#include "clone.h"
#include "sys.h"

/* The image of csrc/init, linked in by the build. Weak, so that libberth also links without it: spawn then fails. */
extern const char berth_init_elf[] __attribute__((weak, visibility("hidden")));
extern const char berth_init_elf_end[] __attribute__((weak, visibility("hidden")));

struct bytes init_elf(void)
{
    size_t size = berth_init_elf == NULL ? 0 : (size_t)(berth_init_elf_end - berth_init_elf);
    return (struct bytes){.data = berth_init_elf, .size = size};
}

CHILD_CODE static int write_content(int fd, const struct bytes *content)
{
    for (size_t done = 0; done < content->size;) {
        long count = SYS3(SYS_write, fd, content->data + done, content->size - done);
        if (count == -EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? (int)count : -EIO;
        done += (size_t)count;
    }
    return 0;
}

/* 0755: the init of a new user namespace has no mapped id when it is executed, and a file that it may not read would
 * make the process undumpable, so that a rootless parent could not write its id maps. */
static int fill_and_seal(int fd, const struct bytes *content, enum sealed_kind kind, struct sealed_file *file)
{
    file->step = "write";
    int error = write_content(fd, content);
    if (error < 0)
        return error;
    file->step = "fchmod";
    if (kind == SEALED_EXECUTABLE && fchmod(fd, 0755) < 0)
        return -errno;
    file->step = "seal";
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0 ? -errno : 0;
}

/* Shown as the process's name by kernels that take it from an executed descriptor's file. */
static const char *const names[] = {[SEALED_EXECUTABLE] = "berth:[init]", [SEALED_DATA] = "berth:[plan]"};

int sealed_memfd(const struct bytes *content, enum sealed_kind kind, struct sealed_file *file)
{
    file->step = "init image";
    if (content->size == 0)
        return -ENOEXEC;
    file->step = "memfd_create";
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    long fd = SYS2(SYS_memfd_create, names[kind], flags | (kind == SEALED_EXECUTABLE ? MFD_EXEC : MFD_NOEXEC_SEAL));
    if (fd == -EINVAL) /* before Linux 6.3 */
        fd = SYS2(SYS_memfd_create, names[kind], flags);
    if (fd < 0)
        return (int)fd;
    int error = fill_and_seal((int)fd, content, kind, file);
    if (error < 0)
        close((int)fd);
    else
        file->fd = (int)fd;
    return error;
}

/* Writes the file into the detached mount, makes mount and file system read-only, and opens it once more for reading:
 * there is no descriptor left that could write, and no way to make one. */
CHILD_CODE static int fill_mount(int context, int mount, const struct bytes *content, struct sealed_file *file)
{
    file->step = "open in tmpfs";
    long fd = SYS4(SYS_openat, mount, "init", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0755);
    if (fd < 0)
        return (int)fd;
    file->step = "write to tmpfs";
    int error = write_content((int)fd, content);
    if (error == 0)
        error = (int)SYS2(SYS_fchmod, fd, 0755); /* the umask does not count */
    (void)SYS1(SYS_close, fd);
    if (error < 0)
        return error;
    file->step = "mount_setattr";
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    error = (int)SYS5(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
    if (error < 0)
        return error;
    file->step = "fsconfig";
    error = (int)SYS5(SYS_fsconfig, context, FSCONFIG_SET_FLAG, "ro", 0, 0);
    if (error == 0)
        error = (int)SYS5(SYS_fsconfig, context, FSCONFIG_CMD_RECONFIGURE, 0, 0, 0);
    if (error < 0)
        return error;
    file->step = "open in tmpfs";
    fd = SYS4(SYS_openat, mount, "init", O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0)
        return (int)fd;
    file->fd = (int)fd;
    return 0;
}

CHILD_CODE static int tmpfs_file(const struct bytes *content, struct sealed_file *file)
{
    file->step = "fsopen";
    long context = SYS2(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
    if (context < 0)
        return (int)context;
    file->step = "fsconfig";
    int error = (int)SYS5(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, 0, 0, 0);
    if (error == 0) {
        file->step = "fsmount";
        long mount = SYS3(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        error = mount < 0 ? (int)mount : fill_mount((int)context, (int)mount, content, file);
        if (mount >= 0)
            (void)SYS1(SYS_close, mount); /* the open file keeps the detached mount alive, and nobody else reaches it */
    }
    (void)SYS1(SYS_close, context);
    return error;
}

/* --- rootless ---------------------------------------------------------------------------------------------------- */

struct helper {
    const struct bytes *content;
    struct sealed_file *file;
    char uid_map[32];
    char gid_map[32];
    size_t uid_map_size;
    size_t gid_map_size;
    int error;
};

CHILD_CODE static int write_proc(const char *path, const char *text, size_t size)
{
    long fd = SYS4(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return (int)fd;
    long count = SYS3(SYS_write, fd, text, size);
    (void)SYS1(SYS_close, fd);
    return count < 0 ? (int)count : 0;
}

/* Files can be made in a tmpfs only by ids that its user namespace knows: the child maps its own ones, which takes no
 * privilege. */
CHILD_CODE static int map_ids(struct helper *h)
{
    h->file->step = "setgroups, uid_map, gid_map";
    int error = write_proc("/proc/self/setgroups", "deny", 4);
    if (error == 0)
        error = write_proc("/proc/self/uid_map", h->uid_map, h->uid_map_size);
    if (error == 0)
        error = write_proc("/proc/self/gid_map", h->gid_map, h->gid_map_size);
    return error;
}

CHILD_CODE static void run_helper(void *argument)
{
    struct helper *h = argument;
    h->error = map_ids(h);
    if (h->error == 0)
        h->error = tmpfs_file(h->content, h->file);
    child_exit(0);
}

/* The child shares our descriptors, so the file that it opens is ours too. Its namespaces hold nothing but itself; they
 * end with it, and the file lives on. It must be dumpable to open its own /proc/self/uid_map. */
static int tmpfs_file_in_namespace(const struct bytes *content, struct sealed_file *file)
{
    struct helper h = {.content = content, .file = file, .error = -ECHILD};
    h.uid_map_size = (size_t)snprintf(h.uid_map, sizeof h.uid_map, "0 %u 1\n", geteuid());
    h.gid_map_size = (size_t)snprintf(h.gid_map, sizeof h.gid_map, "0 %u 1\n", getegid());
    struct child child = {
        .run = run_helper,
        .argument = &h,
        .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_FILES,
        .cgroup = -1,
        .dumpable = 1,
    };
    file->step = "clone3 (user namespace for the init file)";
    int error = clone_child(&child);
    if (error < 0)
        return error;
    error = reap_child(&child, NULL);
    return error < 0 ? error : h.error;
}

int sealed_tmpfs(const struct bytes *content, int rootless, struct sealed_file *file)
{
    return rootless ? tmpfs_file_in_namespace(content, file) : tmpfs_file(content, file);
}
