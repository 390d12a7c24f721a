// clang -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined -Icsrc/init csrc/test/fuzz_plan.c csrc/init/plan.c -o fuzz_plan
/* The verifier must survive any bytes; what it accepts must be safe to walk: every string that an op names is inside. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ops.gen.h"
#include "verify.h"

static const char *const SIGNATURES[OP_END] = OP_SIGNATURES;

static void use(const struct plan *p, uint32_t index, int c_string)
{
    const char *s = plan_text(p, index);
    if (s[plan_length(p, index)] != '\0' || (c_string && strlen(s) != plan_length(p, index)))
        abort();
}

static const uint32_t *use_operand(const struct plan *p, const uint32_t *at, char type)
{
    uint32_t word = *at++;
    switch (type) {
    case 'l':
        return at + 1;
    case 'w':
        return at + word;
    case 'v':
        for (uint32_t i = 0; i < *at; i++)
            use(p, word + i, 1);
        return at + 1;
    case 's':
    case 'd':
        use(p, word, type == 's');
        return at;
    case 'f':
        if (word >= SLOTS && word != PLAN_NONE)
            abort();
        return at;
    case 'o':
        if (word >= SLOTS)
            abort();
        return at;
    default:
        return at;
    }
}

/* The header is made to fit, otherwise hardly any input gets beyond it. */
static void fit_header(char *bytes, size_t size)
{
    struct plan_header h;
    memcpy(&h, bytes, sizeof h);
    size_t room = size - sizeof h;
    h.magic = PLAN_MAGIC;
    h.size = (uint32_t)size;
    h.word_count = (uint32_t)(h.word_count % (room / 4 + 1));
    room -= h.word_count * 4;
    h.string_count = (uint32_t)(h.string_count % (room / 8 + 1));
    h.data_size = (uint32_t)(room - h.string_count * 8);
    h.inherited = h.inherited % (SLOTS + 2);
    memcpy(bytes, &h, sizeof h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plan plan;
    struct plan_error error;
    char *bytes = malloc(size == 0 ? 1 : size);
    if (bytes == NULL)
        return 0;
    memcpy(bytes, data, size);
    if (size > sizeof(struct plan_header) && data[0] & 1)
        fit_header(bytes, size);
    if (plan_verify(&plan, bytes, size, &error) == 0) {
        const uint32_t *end = plan.words + plan.word_count;
        for (const uint32_t *at = plan.words; at < end;) {
            const uint32_t *next = at + 1 + (*at >> 16);
            const char *types = SIGNATURES[*at++ & 0xffff];
            while (*types != '\0')
                at = use_operand(&plan, at, *types++);
            if (at != next)
                abort();
        }
    }
    free(bytes);
    return 0;
}
