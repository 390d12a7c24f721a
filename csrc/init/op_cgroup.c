/* v1: init moves itself into its cgroups. */

#include "ctx.h"
#include "fdpass.h"
#include "sys.h"

int receive_descriptors(struct ctx *c, int fds[SLOTS], uint32_t *said)
{
    struct {
        struct control_head head;
        int fds[SLOTS];
    } control = {.head = {0}};
    struct slots slots = {0};
    struct iovec_raw part = {&slots, sizeof slots};
    struct message_header message = {
        .parts = &part, .part_count = 1, .control = &control, .control_length = sizeof control};
    long n = receive_with_fds(c->report_fd, &message);
    if (n == 0 || n == -ECONNRESET)
        sys_exit(1); /* the runtime is dead */
    if (n < 0)
        return (int)n;
    size_t bytes = message.control_length < sizeof control.head ? 0 : control.head.length - sizeof control.head;
    if (n != (long)sizeof slots || (message.flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || bytes > sizeof control.fds ||
        bytes % sizeof(int) != 0 || (bytes > 0 && control.head.type != SCM_RIGHTS)) {
        detail(c, "the runtime sent no descriptors");
        return -EPROTO;
    }
    for (size_t i = 0; i < bytes / sizeof(int); i++)
        fds[i] = control.fds[i];
    *said = slots.count;
    return (int)(bytes / sizeof(int));
}

/* A thread that moves itself through `tasks` takes no lock of its whole process, and waits for no grace period. */
int op_join_cgroups(struct ctx *c, const struct args_join_cgroups *a)
{
    int fds[SLOTS];
    uint32_t said = 0;
    int count = receive_descriptors(c, fds, &said);
    if (count < 0)
        return count;
    if (said != a->files.count || (uint32_t)count != said) {
        detail(c, "the runtime sent other cgroups");
        return -EPROTO;
    }
    for (int i = 0; i < count; i++) {
        long n = sys_write(fds[i], "0", 1);
        if (n < 0) {
            detail(c, text(c, a->files.first + (uint32_t)i));
            return (int)n;
        }
        sys_close(fds[i]);
    }
    return 0;
}
