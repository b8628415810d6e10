// SPDX-License-Identifier: Apache-2.0
/*
 * What the decoders share: fields with their values, and lists that are sized before they are filled.
 */
#ifndef WEIR_OTLP_READ_H
#define WEIR_OTLP_READ_H

#include <weir/wire.h>

#include "sdk/src/otlp/bytes.h"
#include "sdk/src/otlp/decode.h"

/* A field: a number for the numeric wire types, bytes for the length-delimited one. */
struct otlp_read {
    uint32_t number;
    enum weir_wire_type type;
    uint64_t value;
    struct weir_str bytes;
};

/* decode_common.c: as otlp_read_next, for a field of any kind. */
bool otlp_read_any(struct weir_cursor *cursor, struct otlp_read *out);

/* The next field; false at the end. Inline whatever its size, or else the cursor has to be in memory. */
__attribute__((always_inline)) static inline bool otlp_read_next(struct weir_cursor *cursor, struct otlp_read *out)
{
    size_t length;
    const uint8_t *payload = otlp_short_bytes(cursor->at, cursor->end, &length);
    if (!payload)
        return cursor->at < cursor->end && otlp_read_any(cursor, out);
    out->number = *cursor->at >> 3;
    out->type = WEIR_WIRE_BYTES;
    out->value = 0;
    out->bytes = weir_str_make((const char *)payload, length);
    cursor->at = payload + length;
    return true;
}

static inline struct weir_cursor otlp_read_start(struct weir_str bytes)
{
    return weir_cursor_make(bytes.data, bytes.length);
}

static inline double otlp_double(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof(number));
    return number;
}

/* An id: all zero is unset, as is an empty one. */
static inline struct weir_str otlp_id(struct weir_str bytes)
{
    for (size_t i = 0; i < bytes.length; i++) {
        if (bytes.data[i] != 0)
            return bytes;
    }
    return WEIR_STR_NONE;
}

/* How often fields 0 to 15 occur in the message. */
struct otlp_counts {
    uint32_t of[16];
};

void otlp_count_fields(struct weir_str bytes, struct otlp_counts *out);

/* Room for `more` zeroed elements of `size` bytes behind the `count` at *list; false when memory is out. */
bool otlp_list_room(struct weir_arena *arena, void *list, size_t count, size_t more, size_t size);

/* The same for attributes. */
bool otlp_attributes_room(struct weir_arena *arena, struct weir_attributes *attributes, size_t more);

/* Reads a KeyValue into the next free place. */
static inline bool otlp_read_attribute(struct weir_arena *arena, struct weir_str bytes,
                                       struct weir_attributes *attributes)
{
    return otlp_decode_attribute(arena, bytes, &attributes->items[attributes->count++]);
}

#endif
