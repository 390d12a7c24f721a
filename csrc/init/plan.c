/* Verifies a plan: all its bounds, once, before the first op runs. The runtime that wrote it is trusted, its encoder
 * may be wrong (CVE-2021-43784 was an overflow in such an encoder). */

#include "mem.h"
#include "ops.gen.h"
#include "verify.h"

static const char *const SIGNATURES[OP_END] = OP_SIGNATURES;

/* State of the walk over the words. `full` says which slots hold a descriptor at this point of the program: ops have no
 * branches, so that it is known beforehand. */
struct walk {
    const struct plan *plan;
    const uint32_t *at;
    const uint32_t *end; /* of this op's operands */
    uint8_t full[SLOTS];
    const char *reason;
};

static int broken(struct walk *w, const char *reason)
{
    w->reason = reason;
    return -1;
}

static int check_string(struct walk *w, uint64_t index, int c_string)
{
    if (index >= w->plan->string_count)
        return broken(w, "a string index is too high");
    const struct plan_string *s = &w->plan->strings[index];
    if (c_string && memchr(w->plan->data + s->offset, '\0', s->length) != NULL)
        return broken(w, "a string contains NUL");
    return 0;
}

static int check_strings(struct walk *w)
{
    uint64_t first = w->at[0];
    uint64_t end = first + w->at[1];
    if (end > w->plan->string_count)
        return broken(w, "a range of strings ends too high");
    for (; first < end; first++)
        if (check_string(w, first, 1) < 0)
            return -1;
    w->at += 2;
    return 0;
}

static int check_slot(struct walk *w, uint32_t slot)
{
    if (slot == PLAN_NONE)
        return 0;
    if (slot >= SLOTS || !w->full[slot])
        return broken(w, "a slot is empty or does not exist");
    return 0;
}

static int check_out(struct walk *w, uint32_t slot)
{
    if (slot >= SLOTS || w->full[slot])
        return broken(w, "a slot to fill is in use or does not exist");
    w->full[slot] = 1;
    return 0;
}

/* `words` is the last operand: exactly as many as are left. */
static int check_words(struct walk *w)
{
    uint32_t count = *w->at++;
    if (count != (size_t)(w->end - w->at))
        return broken(w, "a list of words has another length than its op");
    w->at = w->end;
    return 0;
}

static int check_operand(struct walk *w, char type)
{
    size_t size = type == 'l' || type == 'v' ? 2 : 1;
    if ((size_t)(w->end - w->at) < size)
        return broken(w, "an op has too few operands");
    if (type == 'v')
        return check_strings(w);
    if (type == 'w')
        return check_words(w);
    uint32_t word = *w->at;
    w->at += size;
    switch (type) {
    case 'f':
        return check_slot(w, word);
    case 'o':
        return check_out(w, word);
    case 's':
    case 'd':
        return check_string(w, word, type == 's');
    default:
        return 0;
    }
}

static int check_op(struct walk *w)
{
    uint32_t head = *w->at++;
    uint32_t code = head & 0xffff;
    if (code == 0 || code >= OP_END)
        return broken(w, "an unknown op");
    const uint32_t *operands = w->at;
    w->end = operands + (head >> 16);
    if ((size_t)(head >> 16) > (size_t)(w->plan->words + w->plan->word_count - operands))
        return broken(w, "an op ends behind the program");
    for (const char *type = SIGNATURES[code]; *type != '\0'; type++)
        if (check_operand(w, *type) < 0)
            return -1;
    if (w->at != w->end)
        return broken(w, "an op has too many operands");
    if (code == OP_CLOSE) {
        if (*operands == PLAN_NONE)
            return broken(w, "a slot is empty or does not exist");
        w->full[*operands] = 0;
    }
    return 0;
}

/* Every string lies in the data and is followed by a NUL there. */
static int check_table(const struct plan *p)
{
    for (uint32_t i = 0; i < p->string_count; i++) {
        uint64_t end = (uint64_t)p->strings[i].offset + p->strings[i].length;
        if (end >= p->data_size || p->data[end] != '\0')
            return -1;
    }
    return 0;
}

static const char *check_header(struct plan *p, const struct plan_header *h, size_t size)
{
    if (size < sizeof *h || h->magic != PLAN_MAGIC)
        return "it is not a plan";
    if (h->size != size || size > PLAN_MAX_SIZE)
        return "it has the wrong size";
    uint64_t words = (uint64_t)h->word_count * sizeof(uint32_t);
    uint64_t strings = (uint64_t)h->string_count * sizeof(struct plan_string);
    if (sizeof *h + words + strings + h->data_size != size)
        return "its parts have not the size of the whole";
    if (h->inherited < 2 || h->inherited > SLOTS)
        return "it inherits too few or too many descriptors";
    p->words = (const uint32_t *)(h + 1);
    p->word_count = h->word_count;
    p->strings = (const struct plan_string *)(p->words + p->word_count);
    p->string_count = h->string_count;
    p->data = (const char *)(p->strings + p->string_count);
    p->data_size = h->data_size;
    p->inherited = h->inherited;
    return NULL;
}

int plan_verify(struct plan *plan, const void *bytes, size_t size, struct plan_error *error)
{
    error->op = 0;
    error->reason = check_header(plan, bytes, size);
    if (error->reason != NULL)
        return -1;
    if (check_table(plan) < 0) {
        error->reason = "a string ends outside of the data or without NUL";
        return -1;
    }
    struct walk w = {.plan = plan, .at = plan->words};
    for (uint32_t slot = 0; slot < plan->inherited; slot++)
        w.full[slot] = slot != 1; /* the plan file is closed once it is mapped */
    for (; w.at < plan->words + plan->word_count; error->op++) {
        if (check_op(&w) < 0) {
            error->reason = w.reason;
            return -1;
        }
    }
    return 0;
}
