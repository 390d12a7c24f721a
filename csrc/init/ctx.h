/* What init carries from op to op. It lives on the stack: init has no data of its own, so that a container that waits
 * costs few pages. */
#ifndef BERTH_CTX_H
#define BERTH_CTX_H

#include <stddef.h>
#include <stdint.h>

#include "ops.gen.h"
#include "report.h"
#include "verify.h"

enum { HOME_MAX = 4096 };

/* What init knows of a slot's descriptor. */
enum {
    SLOT_MADE = 1,     /* a target that was not there before */
    SLOT_DETACHED = 2, /* a mount that is attached nowhere yet */
};

struct ctx {
    struct plan plan;
    int base;        /* new descriptors stay at or above it: those below are the container's */
    int report_fd;   /* the sync socket, later the start pipe */
    int umask;       /* what init inherited; -1 once the umask op has run */
    int cwd_reached; /* an optional chdir worked */
    uint32_t op;
    int path_made;        /* the last path_make has made the last component */
    int fd[SLOTS];        /* -1: empty */
    uint8_t about[SLOTS]; /* SLOT_ flags */

    /* What find_executable found: `folder` (no NUL; length 0: none) and `name`, both in the plan. */
    const char *folder;
    uint32_t folder_length;
    const char *name;

    /* What receive_filter got, and whether it is loaded: then every system call may be refused, or be the last one. */
    const void *filter;
    uint32_t filter_size;
    int filtered;
    /* What reserve_launch mapped. */
    void *room;
    size_t room_size;

    struct report report;

#ifdef BERTH_FAILPOINTS
    uint32_t fail_op; /* PLAN_NONE: none */
    uint32_t stop_op;
    int fail_errno;
#endif

    size_t home_length; /* with the NUL; 0: `home` did not run */
    char home[HOME_MAX + 8];
};

/* The descriptor of a slot operand; AT_FDCWD for NONE. */
int slot_fd(const struct ctx *c, uint32_t slot);

/* Stores a new descriptor in an empty slot; a negative one is passed through as the error. */
int fill_slot(struct ctx *c, uint32_t slot, int fd);

static inline const char *text(const struct ctx *c, uint32_t index)
{
    return plan_text(&c->plan, index);
}

static inline uint32_t text_length(const struct ctx *c, uint32_t index)
{
    return plan_length(&c->plan, index);
}

static inline uint64_t pair(struct word_pair p)
{
    return (uint64_t)p.high << 32 | p.low;
}

/* Appends to the detail of the failure that the current op is about to return; cut where the report ends. */
void detail_bytes(struct ctx *c, const char *bytes, size_t length);
void detail(struct ctx *c, const char *words);
void detail_number(struct ctx *c, uint64_t number);

/* Sends a report without detail and goes on; the peer's death ends init. */
void report(struct ctx *c, enum report_kind kind, int32_t value);

/* Waits for a struct slots of the runtime, whose death ends init; the number of descriptors that came, and in `said` the
 * number in it. -EPROTO for anything else. */
int receive_descriptors(struct ctx *c, int fds[SLOTS], uint32_t *said);

/* Reports FAILED and ends init. */
_Noreturn void fail(struct ctx *c, int error);

/* Decimal digits of `number` at `to` (at least 21 bytes), NUL behind them; the number of digits. */
size_t format_number(char *to, uint64_t number, unsigned base);

#endif
