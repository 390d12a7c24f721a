/* The plan's bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../init/plan.h"
#include "plan_seal.h"
#include "suite.h"

static void test_layout(void)
{
    const uint32_t words[] = {7, 8, 9};
    const char *const strings[] = {"", "ab", "\xff", NULL};
    struct plan_bytes plan;
    EQUAL(plan_build(words, 3, strings, 3, 5, &plan), 0, "a plan is built");
    struct plan_header header;
    memcpy(&header, plan.data, sizeof header);
    CHECK(header.magic == PLAN_MAGIC && header.size == plan.size && header.word_count == 3 &&
              header.string_count == 3 && header.data_size == 6 && header.inherited == 5,
          "the header says what follows");
    CHECK(memcmp(plan.data + sizeof header, words, sizeof words) == 0, "the words follow the header");
    struct plan_string table[3];
    memcpy(table, plan.data + sizeof header + sizeof words, sizeof table);
    CHECK(table[0].offset == 0 && table[0].length == 0 && table[1].offset == 1 && table[1].length == 2 &&
              table[2].offset == 4 && table[2].length == 1,
          "the table has offset and length of each string");
    CHECK(memcmp(plan.data + sizeof header + sizeof words + sizeof table, "\0ab\0\xff", 6) == 0,
          "each string ends with a NUL");
    plan_free(&plan);

    EQUAL(plan_build(words, 0, strings, 0, 2, &plan), 0, "an empty plan is a header");
    EQUAL((int64_t)plan.size, sizeof header, "and nothing else");
    plan_free(&plan);
}

static void test_sizes(void)
{
    const uint32_t words[] = {0};
    const char *const none[] = {NULL};
    struct plan_bytes plan;
    EQUAL(plan_build(words, SIZE_MAX, none, 0, 2, &plan), -E2BIG, "2^64-1 words are refused");
    EQUAL(plan_build(words, SIZE_MAX / 4 + 1, none, 0, 2, &plan), -E2BIG, "words whose size overflows are refused");
    EQUAL(plan_build(words, PLAN_MAX_SIZE / 4 + 1, none, 0, 2, &plan), -E2BIG, "too many words are refused");
    EQUAL(plan_build(words, 0, none, SIZE_MAX, 2, &plan), -E2BIG, "2^64-1 strings are refused");
    EQUAL(plan_build(words, 0, none, SIZE_MAX / 8 + 1, 2, &plan), -E2BIG, "strings whose table overflows are refused");
    EQUAL(plan_build(words, 0, none, 0, SIZE_MAX, &plan), -E2BIG, "2^64-1 slots are refused");
    EQUAL(plan_build(words, 0, none, 1, 2, &plan), -EINVAL, "a missing string is refused");

    char *large = malloc(PLAN_MAX_SIZE);
    memset(large, 'x', PLAN_MAX_SIZE);
    size_t most = PLAN_MAX_SIZE - sizeof(struct plan_header) - sizeof(struct plan_string) - 1;
    large[most] = '\0';
    const char *const one[] = {large, NULL};
    EQUAL(plan_build(words, 0, one, 1, 2, &plan), 0, "the largest plan is built");
    EQUAL((int64_t)plan.size, PLAN_MAX_SIZE, "and has the largest size");
    plan_free(&plan);
    EQUAL(plan_build(words, 1, one, 1, 2, &plan), -E2BIG, "one word more is refused");
    /* The same string again and again: the sum leaves 32 bits long before the table is walked. */
    size_t count = PLAN_MAX_SIZE / sizeof(struct plan_string);
    const char **many = malloc(count * sizeof *many);
    for (size_t i = 0; i < count; i++)
        many[i] = large;
    EQUAL(plan_build(words, 0, many, count, 2, &plan), -E2BIG, "strings whose sum exceeds the limit are refused");
    free(many);
    free(large);
}

void test_plan(void)
{
    test_layout();
    test_sizes();
}
