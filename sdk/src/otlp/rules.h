// SPDX-License-Identifier: Apache-2.0
/*
 * What becomes of the attributes of one message, by their keys, on its bytes.
 */
#ifndef WEIR_OTLP_RULES_H
#define WEIR_OTLP_RULES_H

#include <weir/batch.h>

/* What becomes of the attributes of one key. */
struct otlp_rule {
    struct weir_str key;
    bool remove;           /* all that are there go; else, where there is */
    struct weir_str put;   /* such a KeyValue, it takes the place of the first */
    struct weir_str added; /* a KeyValue that comes behind all others, if none was there or they are removed; no data: none */
};

#define OTLP_RULES_MOST 64u

/* Rules being applied to one message after the other. */
struct otlp_pass {
    const struct otlp_rule *rules;
    size_t count;
    uint32_t number;   /* of the attributes' field; below 16, so that its key is one byte */
    uint64_t lengths;  /* bits of the lengths of the rules' keys, modulo 64 */
    size_t all_added;  /* bytes of all that is added where no key is there */
    uint64_t present;  /* bits of the rules whose keys are there */
    size_t size;       /* of the new message */
    bool moved;        /* what is there does not all stay in its place */
};

/* Rules, at most OTLP_RULES_MOST with different keys, for messages whose attributes are field `number`. */
void otlp_pass_start(struct otlp_pass *pass, const struct otlp_rule *rules, size_t count, uint32_t number);

/* Whether the rules change the message, and `size` then. */
bool otlp_pass_measure(struct otlp_pass *pass, struct weir_str message);
/* The same for a message that has none of the keys. */
static inline bool otlp_pass_measure_without(struct otlp_pass *pass, struct weir_str message)
{
    pass->present = 0;
    pass->moved = false;
    pass->size = message.length + pass->all_added;
    return pass->all_added > 0;
}
/* Writes what the rules make of the message that was measured last, `size` bytes, and returns their end. */
uint8_t *otlp_pass_write(const struct otlp_pass *pass, uint8_t *out, struct weir_str message);

#endif
