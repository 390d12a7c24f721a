/* The verifier against plans that no encoder writes. TAP on stdout; every plan lies at the end of its own allocation, so
 * that AddressSanitizer sees a read behind it. From the repository's root:
 * gcc -std=gnu17 -g -fsanitize=address,undefined -Icsrc/init csrc/test/init_verify_test.c csrc/init/plan.c && ./a.out */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops.gen.h"
#include "verify.h"

#define HEAD(op, words) ((uint32_t)(op) | (uint32_t)(words) << 16)

/* A plan before it is made into bytes. Its strings are "abc" and "x\0y", unless a test changes them. */
struct draft {
    uint32_t words[16];
    uint32_t word_count;
    struct plan_string strings[2];
    uint32_t string_count;
    char data[8];
    uint32_t data_size;
    uint32_t inherited;
    struct plan_header change; /* added to the header's fields */
    size_t cut;                /* bytes that are missing at the end */
};

static int tests;
static int failures;

static struct draft draft(uint32_t count, const uint32_t *words)
{
    struct draft d = {
        .word_count = count,
        .strings = {{0, 3}, {4, 3}},
        .string_count = 2,
        .data = "abc\0x\0y",
        .data_size = 8,
        .inherited = 4,
    };
    memcpy(d.words, words, count * sizeof *words);
    return d;
}

#define PLAN(...) draft(sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]){__VA_ARGS__})

static char *bytes_of(const struct draft *d, size_t *size)
{
    size_t words = d->word_count * sizeof(uint32_t);
    size_t strings = d->string_count * sizeof(struct plan_string);
    size_t whole = sizeof(struct plan_header) + words + strings + d->data_size;
    struct plan_header h = {
        .magic = PLAN_MAGIC + d->change.magic,
        .size = (uint32_t)whole + d->change.size,
        .word_count = d->word_count + d->change.word_count,
        .string_count = d->string_count + d->change.string_count,
        .data_size = d->data_size + d->change.data_size,
        .inherited = d->inherited,
    };
    char *bytes = malloc(whole);
    if (bytes == NULL)
        abort();
    memcpy(bytes, &h, sizeof h);
    memcpy(bytes + sizeof h, d->words, words);
    memcpy(bytes + sizeof h + words, d->strings, strings);
    memcpy(bytes + sizeof h + words + strings, d->data, d->data_size);
    *size = whole - d->cut;
    char *exact = malloc(*size > 0 ? *size : 1);
    if (exact == NULL)
        abort();
    memcpy(exact, bytes, *size);
    free(bytes);
    return exact;
}

/* `reason` NULL: the plan is good. */
static void expect(const char *title, struct draft d, const char *reason, uint32_t op)
{
    struct plan plan;
    struct plan_error error = {0, NULL};
    size_t size;
    char *bytes = bytes_of(&d, &size);
    int result = plan_verify(&plan, bytes, size, &error);
    int good = reason == NULL ? result == 0 : result < 0 && strcmp(error.reason, reason) == 0 && error.op == op;
    failures += !good;
    printf("%sok %d - %s%s%s\n", good ? "" : "not ", ++tests, title, good ? "" : ": ",
           good                   ? ""
           : error.reason == NULL ? "accepted"
                                  : error.reason);
    free(bytes);
}

static void header(void)
{
    struct draft d = PLAN(HEAD(OP_READY, 0));
    expect("a plan with one op", d, NULL, 0);
    d.change.magic = 1;
    expect("another magic", d, "it is not a plan", 0);
    d = PLAN(HEAD(OP_READY, 0));
    d.change.size = 4;
    expect("a size beyond the file", d, "it has the wrong size", 0);
    d = PLAN(HEAD(OP_READY, 0));
    d.cut = 1;
    expect("a file that ends early", d, "it has the wrong size", 0);
    d.cut = sizeof(struct plan_header) + 4 + 16 + 8;
    expect("nothing at all", d, "it is not a plan", 0);
    d.cut -= 8;
    expect("half a header", d, "it is not a plan", 0);
    d = PLAN(HEAD(OP_READY, 0));
    d.change.word_count = 1;
    expect("a word too many", d, "its parts have not the size of the whole", 0);
    d.change.word_count = 0x40000000;
    expect("so many words that 32 bits overflow", d, "its parts have not the size of the whole", 0);
    d.change.word_count = 0;
    d.change.string_count = 0x20000000;
    expect("so many strings that 32 bits overflow", d, "its parts have not the size of the whole", 0);
    d.change.string_count = 0;
    d.change.data_size = 0xffffffff;
    expect("too little data", d, "its parts have not the size of the whole", 0);
    d = PLAN(HEAD(OP_READY, 0));
    d.inherited = 1;
    expect("no plan file", d, "it inherits too few or too many descriptors", 0);
    d.inherited = SLOTS + 1;
    expect("more descriptors than slots", d, "it inherits too few or too many descriptors", 0);
}

static void string_table(void)
{
    const char *reason = "a string ends outside of the data or without NUL";
    struct draft d = PLAN(HEAD(OP_READY, 0));
    d.strings[0].length = 2;
    expect("a string without NUL", d, reason, 0);
    d.strings[0].length = 8;
    expect("a string that ends where the data ends", d, reason, 0);
    d.strings[0] = (struct plan_string){0xffffffff, 2};
    expect("a string whose end overflows 32 bits", d, reason, 0);
    d.strings[0] = (struct plan_string){7, 0};
    expect("an empty string at the very end", d, NULL, 0);
    d.data_size = 0;
    d.string_count = 1;
    d.strings[0] = (struct plan_string){0, 0};
    expect("a string but no data", d, reason, 0);
}

static void heads(void)
{
    expect("no op", PLAN(), NULL, 0);
    expect("opcode 0", PLAN(0), "an unknown op", 0);
    expect("the opcode behind the last", PLAN(HEAD(OP_READY, 0), HEAD(OP_END, 0)), "an unknown op", 1);
    expect("opcode 65535", PLAN(0xffff), "an unknown op", 0);
    expect("operands behind the program", PLAN(HEAD(OP_UMASK, 1)), "an op ends behind the program", 0);
    expect("65535 operands", PLAN(HEAD(OP_UMASK, 0xffff), 1), "an op ends behind the program", 0);
    expect("too few operands", PLAN(HEAD(OP_UMASK, 0), 18), "an op has too few operands", 0);
    expect("half of a u64", PLAN(HEAD(OP_DROP_BOUNDING, 1), 1), "an op has too few operands", 0);
    expect("too many operands", PLAN(HEAD(OP_UMASK, 2), 18, 0), "an op has too many operands", 0);
}

static void operands(void)
{
    const char *slot = "a slot is empty or does not exist";
    const char *out = "a slot to fill is in use or does not exist";
    const char *index = "a string index is too high";
    const char *range = "a range of strings ends too high";
    const char *words = "a list of words has another length than its op";
    expect("a string", PLAN(HEAD(OP_HOSTNAME, 1), 0), NULL, 0);
    expect("a string that does not exist", PLAN(HEAD(OP_HOSTNAME, 1), 2), index, 0);
    expect("string 0xffffffff", PLAN(HEAD(OP_HOSTNAME, 1), 0xffffffff), index, 0);
    expect("a C string with NUL", PLAN(HEAD(OP_HOSTNAME, 1), 1), "a string contains NUL", 0);
    expect("data with NUL", PLAN(HEAD(OP_WRITE, 2), 0, 1), NULL, 0);
    expect("data that does not exist", PLAN(HEAD(OP_WRITE, 2), 0, 2), index, 0);
    expect("strings", PLAN(HEAD(OP_EXECUTE, 4), 0, 1, 2, 0), NULL, 0);
    expect("strings, one with NUL", PLAN(HEAD(OP_EXECUTE, 4), 0, 2, 0, 0), "a string contains NUL", 0);
    expect("strings behind the last", PLAN(HEAD(OP_EXECUTE, 4), 0, 3, 0, 0), range, 0);
    expect("strings whose end overflows", PLAN(HEAD(OP_EXECUTE, 4), 0, 1, 0xffffffff, 2), range, 0);
    expect("words", PLAN(HEAD(OP_SET_GROUPS, 3), 2, 7, 8), NULL, 0);
    expect("fewer words than said", PLAN(HEAD(OP_SET_GROUPS, 2), 2, 7), words, 0);
    expect("more words than said", PLAN(HEAD(OP_SET_GROUPS, 3), 1, 7, 8), words, 0);
    expect("0xffffffff words", PLAN(HEAD(OP_SET_GROUPS, 2), 0xffffffff, 7), words, 0);
    expect("an inherited slot", PLAN(HEAD(OP_WAIT_START, 1), 3), NULL, 0);
    expect("no slot", PLAN(HEAD(OP_WAIT_START, 1), PLAN_NONE), NULL, 0);
    expect("an empty slot", PLAN(HEAD(OP_WAIT_START, 1), 4), slot, 0);
    expect("the slot of the plan file", PLAN(HEAD(OP_WAIT_START, 1), 1), slot, 0);
    expect("a slot behind the last", PLAN(HEAD(OP_WAIT_START, 1), SLOTS), slot, 0);
    expect("slot 0xfffffffe", PLAN(HEAD(OP_WAIT_START, 1), 0xfffffffe), slot, 0);
    expect("no slot to close", PLAN(HEAD(OP_CLOSE, 1), PLAN_NONE), slot, 0);
    expect("closing twice", PLAN(HEAD(OP_CLOSE, 1), 3, HEAD(OP_CLOSE, 1), 3), slot, 1);
    expect("filling, using, closing, filling again",
           PLAN(HEAD(OP_OPEN_TREE, 4), 9, PLAN_NONE, 0, 0, HEAD(OP_CLOSE, 1), 9, HEAD(OP_OPEN_TREE, 4), 9, 3, 0, 0),
           NULL, 0);
    expect("filling a full slot", PLAN(HEAD(OP_OPEN_TREE, 4), 3, PLAN_NONE, 0, 0), out, 0);
    expect("filling no slot", PLAN(HEAD(OP_OPEN_TREE, 4), PLAN_NONE, PLAN_NONE, 0, 0), out, 0);
    expect("filling a slot behind the last", PLAN(HEAD(OP_OPEN_TREE, 4), SLOTS, PLAN_NONE, 0, 0), out, 0);
}

int main(void)
{
    header();
    string_table();
    heads();
    operands();
    printf("1..%d\n", tests);
    return failures != 0;
}
