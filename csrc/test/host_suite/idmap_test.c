/* User namespaces for their maps alone, and mounts that have their ids. As root. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native.h"
#include "suite.h"

enum { RECURSIVE = 0x8000 };

static int64_t make(const char *uids, const char *gids)
{
    return berth_user_namespace(uids, strlen(uids), gids, strlen(gids));
}

static void test_namespaces(int64_t mapped)
{
    EQUAL(berth_ns_type(mapped), CLONE_NEWUSER, "it is a user namespace");
    EQUAL(berth_fd_flags(mapped), FD_CLOEXEC, "its descriptor is CLOEXEC");
    EQUAL(berth_user_namespace_maps(mapped), 0, "its maps are read");
    const char *uids = result_text();
    const char *gids = uids + strlen(uids) + 1;
    CHECK(strstr(uids, " 1000       5000         10\n") != NULL, "they have the uids");
    CHECK(strstr(gids, " 2000       6000         10\n") != NULL, "and the gids");

    EQUAL(make("0 0 1\n0 5 1\n", "0 0 1\n"), -EINVAL, "maps that overlap are refused by the kernel");
    CHECK(strstr(detail_now(), "/uid_map") != NULL, "and the detail says which");
    EQUAL(make("0 0 1\n", "x\n"), -EINVAL, "maps that are none, too");
    CHECK(strstr(detail_now(), "/gid_map") != NULL, "with their own detail");

    int64_t own = berth_open(AT_FDCWD, "/proc/self/ns/user", O_RDONLY, 0);
    EQUAL(berth_user_namespace_maps(own), 0, "the maps of our own user namespace are read, too");
    CHECK(strchr(result_text(), '\n') != NULL, "they have a line");
    berth_close(own);
    EQUAL(berth_user_namespace_maps(-1), -EBADF, "what is no namespace has none");
    CHECK(waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD, "no child is left");
}

static void test_mounts(int64_t mapped)
{
    const char *folder = scratch_path("mapped");
    CHECK(mkdir(folder, 0755) == 0 && chown(folder, 1003, 2004) == 0, "a folder");
    int64_t self = berth_pidfd_open(getpid());
    int64_t mount = berth_idmapped_mount(self, folder, 0, mapped, 0);
    CHECK(mount >= 0, "a clone with other ids is made");
    EQUAL(berth_fd_flags(mount), FD_CLOEXEC, "its descriptor is CLOEXEC");
    struct stat st;
    CHECK(fstatat((int)mount, "", &st, AT_EMPTY_PATH) == 0 && st.st_uid == 5003 && st.st_gid == 6004,
          "the folder has the ids of the mapping there");
    CHECK(stat(folder, &st) == 0 && st.st_uid == 1003 && st.st_gid == 2004, "and its own where it was");
    berth_close(mount);

    mount = berth_idmapped_mount(self, folder, 0, -1, 0);
    CHECK(mount >= 0 && fstatat((int)mount, "", &st, AT_EMPTY_PATH) == 0 && st.st_uid == 1003 && st.st_gid == 2004,
          "without a user namespace a clone keeps its ids");
    berth_close(mount);

    EQUAL(berth_idmapped_mount(self, "/no/such", RECURSIVE, mapped, 1), -ENOENT, "a path that is not there is ENOENT");
    CHECK(strcmp(detail_now(), "open_tree") == 0, "of open_tree");
    EQUAL(berth_idmapped_mount(self, "/proc", 0, mapped, 0), -EINVAL, "procfs cannot be mapped");
    CHECK(strstr(detail_now(), "MOUNT_ATTR_IDMAP") != NULL, "which mount_setattr says");
    EQUAL(berth_idmapped_mount(-1, folder, 0, mapped, 0), -EBADF, "no process is EBADF");
    CHECK(strcmp(detail_now(), "setns") == 0, "of setns");
    berth_close(self);
    CHECK(rmdir(folder) == 0, "nothing is mounted");
}

void test_idmap(void)
{
    int before = open_descriptors();
    int64_t mapped = geteuid() == 0 ? make("1000 5000 10\n", "2000 6000 10\n") : -EPERM;
    if (mapped == -EPERM) {
        skip("idmapped mounts", "only root may make them");
        return;
    }
    CHECK(mapped >= 0, "a user namespace with maps is made");
    test_namespaces(mapped);
    test_mounts(mapped);
    berth_close(mapped);
    EQUAL(open_descriptors(), before, "no descriptor is left");
}
