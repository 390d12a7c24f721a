/* Hands init its plan and the descriptors of its slots, in one message: see csrc/init/report.h. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../init/report.h"
#include "failpoint.h"
#include "native.h"
#include "plan_seal.h"
#include "result.h"
#include "sealed_file.h"
#include "spawn.h"
#include "sys.h"

enum {
    SLOTS_MAX = 96, /* SLOTS of src/plan/ops.ts */
    PLAN_SLOT = 1,
};

/* `said` is what the message itself says. */
static int send_fds(int socket, uint32_t said, const uint32_t *fds, size_t count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(SLOTS_MAX * sizeof(int))] = {0};
    struct slots message_data = {.count = said};
    struct iovec part = {.iov_base = &message_data, .iov_len = sizeof message_data};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
    const socklen_t length = (socklen_t)(count * sizeof(int)); /* musl's type; glibc's is wider */
    message.msg_controllen = (socklen_t)CMSG_SPACE(length);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = (socklen_t)CMSG_LEN(length);
    for (size_t i = 0; i < count; i++) {
        int fd = as_int(fds[i]);
        memcpy(CMSG_DATA(header) + i * sizeof fd, &fd, sizeof fd);
    }
    return RETRY(sendmsg(socket, &message, MSG_NOSIGNAL)) < 0 ? -errno : 0;
}

/* All but slot 0, the sync socket, which init has. */
static int send_slots(int socket, const uint32_t *fds, size_t count, int plan)
{
    uint32_t sent[SLOTS_MAX];
    memcpy(sent, fds, count * sizeof *fds);
    sent[PLAN_SLOT] = (uint32_t)plan;
    return send_fds(socket, (uint32_t)count, sent + PLAN_SLOT, count - PLAN_SLOT);
}

int64_t berth_send_descriptors(int64_t socket, const uint32_t *fds, size_t fds_count)
{
    FAILPOINT("send_descriptors");
    if (fds_count == 0 || fds_count > SLOTS_MAX)
        return -EINVAL;
    return send_fds(as_int(socket), (uint32_t)fds_count, fds, fds_count);
}

/* From a memfd; where none can be made, from a detached tmpfs. */
static int seal_plan(const struct bytes *plan, int rootless, struct sealed_file *file)
{
    int error = sealed_memfd(plan, SEALED_DATA, file);
    if ((error != -EACCES && error != -EPERM) || strcmp(file->step, "memfd_create") != 0)
        return error;
    spawn_join();
    return sealed_tmpfs(plan, rootless, file);
}

int64_t berth_send_plan(int64_t socket, const uint32_t *words, size_t word_count, const char *const *strings,
                        size_t string_count, const uint32_t *fds, size_t fds_count, int64_t rootless)
{
    FAILPOINT("send_plan");
    detail_clear();
    if (fds_count <= PLAN_SLOT || fds_count > SLOTS_MAX) {
        detail_text("number of slots");
        return -EINVAL;
    }
    struct plan_bytes plan;
    int error = plan_build(words, word_count, strings, string_count, fds_count, &plan);
    if (error < 0) {
        detail_text("plan");
        return error;
    }
    struct sealed_file file = {.fd = -1};
    const struct bytes content = {.data = plan.data, .size = plan.size};
    error = seal_plan(&content, rootless != 0, &file);
    plan_free(&plan);
    if (error < 0) {
        detail_text(file.step);
        return error;
    }
    error = send_slots(as_int(socket), fds, fds_count, file.fd);
    close(file.fd);
    if (error < 0)
        detail_text("sendmsg");
    return error;
}
