/* A TAP suite: each file has one function that runs its checks. */
#ifndef HOST_SUITE_H
#define HOST_SUITE_H

#include <stddef.h>
#include <stdint.h>

/* Prints "ok" or "not ok"; the title states behaviour. */
void check_at(int passed, const char *file, int line, const char *title);
#define CHECK(condition, title) check_at((condition) ? 1 : 0, __FILE__, __LINE__, title)

/* As CHECK for numbers, with what came instead. */
void equal_at(int64_t got, int64_t want, const char *file, int line, const char *title);
#define EQUAL(got, want, title) equal_at((got), (want), __FILE__, __LINE__, title)

/* "# SKIP": a condition of the machine is missing, as `reason` says. */
void skip(const char *title, const char *reason);

/* The value of an `ints` result, or -1 when there are fewer. */
int64_t result_at(size_t index);

/* The text of the result or of the detail as a C string in a static buffer. */
const char *result_text(void);
const char *detail_now(void);

/* Number of open descriptors: every suite leaves as many as it found. */
int open_descriptors(void);

/* A folder of this run, for files. */
extern const char *scratch;
/* A path in it, in a static buffer. */
const char *scratch_path(const char *name);

void test_result(void);
void test_plan(void);
void test_files(void);
void test_pipes(void);
void test_sockets(void);
void test_signals(void);
void test_hooks(void);
void test_bpf(void);
void test_idmap(void);
void test_netlink(void);
void test_spawn(void);
void test_failpoint(void);

#endif
