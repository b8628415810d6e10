// SPDX-License-Identifier: Apache-2.0
/* Fields of OTLP messages that have been checked on arrival, read through the bounds-checked cursor all the same. */
#ifndef TAIL_SAMPLING_FIELD_H
#define TAIL_SAMPLING_FIELD_H

#include <weir/wire.h>

struct field {
    uint32_t number;
    enum weir_wire_type type;
    uint64_t value;        /* of the numeric wire types */
    struct weir_str bytes; /* of the length-delimited one */
    struct weir_str whole; /* with key and length */
};

/* The next field; false at the end. Inlined, so that what a caller does not look at is never written. */
__attribute__((always_inline)) static inline bool field_next(struct weir_cursor *cursor, struct field *out)
{
    const uint8_t *start = cursor->at;
    uint32_t low = 0;
    out->value = 0;
    out->bytes = WEIR_STR_NONE;
    bool good = weir_cursor_tag(cursor, &out->number, &out->type);
    if (good && out->type == WEIR_WIRE_BYTES) {
        good = weir_cursor_bytes(cursor, &out->bytes);
    } else if (good && out->type == WEIR_WIRE_VARINT) {
        good = weir_cursor_varint(cursor, &out->value);
    } else if (good && out->type == WEIR_WIRE_FIXED64) {
        good = weir_cursor_fixed64(cursor, &out->value);
    } else if (good) {
        good = out->type == WEIR_WIRE_FIXED32 && weir_cursor_fixed32(cursor, &low);
        out->value = low;
    }
    out->whole = weir_str_make((const char *)start, (size_t)(cursor->at - start));
    return good;
}

static inline struct weir_cursor field_start(struct weir_str bytes)
{
    return weir_cursor_make(bytes.data, bytes.length);
}

static inline size_t varint_size(uint64_t value)
{
    return (size_t)((63 - __builtin_clzll(value | 1)) * 9 + 73) / 64;
}

/* Bytes of a length-delimited field with a one-byte key. */
static inline size_t field_size(size_t payload)
{
    return 1 + varint_size(payload) + payload;
}

static inline uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

#endif
