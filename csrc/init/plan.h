/* The plan as bytes: written by libberth (csrc/host/plan_seal.c), read by init. Little-endian words, native layout.
 *
 *   struct plan_header
 *   uint32_t words[word_count]              ops: opcode | operand words << 16, then the operand words
 *   struct plan_string strings[string_count]
 *   char data[data_size]                    each string followed by a NUL
 *
 * It is a sealed file of its own, which init maps read-only. All bounds are verified once, before anything is executed.
 */
#ifndef BERTH_PLAN_H
#define BERTH_PLAN_H

#include <stdint.h>

#define PLAN_MAGIC 0x6e6c5042u /* "BPln" */
#define PLAN_NONE 0xffffffffu
#define PLAN_MAX_SIZE (64u << 20)

struct plan_header {
    uint32_t magic;
    uint32_t size; /* of everything, header included */
    uint32_t word_count;
    uint32_t string_count;
    uint32_t data_size;
    uint32_t inherited; /* slots that hold a descriptor at the start */
};

struct plan_string {
    uint32_t offset; /* in data */
    uint32_t length; /* without the NUL */
};

#endif
