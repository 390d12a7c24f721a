/* Result and detail buffers. */
#include <errno.h>
#include <string.h>

#include "native.h"
#include "result.h"
#include "suite.h"

void test_result(void)
{
    result_reset();
    EQUAL((int64_t)berth_result_size(), 0, "a reset result is empty");
    CHECK(berth_result_data() != NULL, "an empty result has an address");
    for (int i = 0; i < 100000; i++)
        result_int(i);
    EQUAL(result_done(), 0, "a result grows");
    EQUAL((int64_t)berth_result_size(), 800000, "and counts every value");
    EQUAL(result_at(99999), 99999, "and keeps every value");
    CHECK(result_reserve(SIZE_MAX) == NULL, "a size that overflows is refused");
    EQUAL(result_done(), -ENOMEM, "and remembered");
    result_reset();
    result_bytes("a\0b", 3);
    EQUAL(result_done(), 0, "and forgotten by the next result");
    CHECK(berth_result_size() == 3 && memcmp(berth_result_data(), "a\0b", 3) == 0, "bytes may be NUL");

    static char large[DETAIL_MAX * 2];
    memset(large, 'x', sizeof large);
    detail_set(large, sizeof large);
    EQUAL(berth_detail(), 0, "the detail is a result");
    EQUAL((int64_t)berth_result_size(), DETAIL_MAX, "a long detail is cut");
    EQUAL(berth_detail(), 0, "the detail can be read again");
    EQUAL((int64_t)berth_result_size(), 0, "and is empty then");
}
