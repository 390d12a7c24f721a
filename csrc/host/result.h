/* What functions of the native ABI hand back besides their int64_t: one result buffer and one detail buffer.
 *
 * Results grow on the heap and live until the next function that makes one. A function that fails half way may leave
 * anything in the result buffer: the caller looks at it only after a non-negative return value.
 */
#ifndef BERTH_RESULT_H
#define BERTH_RESULT_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of detail that are kept; longer ones are cut. */
#define DETAIL_MAX 1024

/* Empties the result. */
void result_reset(void);

/* Appends bytes. A failed allocation is remembered and reported by result_done. */
void result_bytes(const void *data, size_t size);

/* Appends one value of an `ints` result. */
void result_int(int64_t value);

/* Room for `size` more bytes behind the result, to be written in place and then counted by result_commit; NULL when
 * there is no memory. */
char *result_reserve(size_t size);
void result_commit(size_t size);

/* 0, or -ENOMEM when something did not fit since result_reset. */
int64_t result_done(void);

/* Replaces the detail by the first DETAIL_MAX bytes of `data`. */
void detail_set(const void *data, size_t size);

/* The same for a C string, such as the name of the step that failed. */
void detail_text(const char *text);

/* Empties the detail; whoever may set it clears it first, so that no text of an earlier call is taken for its own. */
void detail_clear(void);

#endif
