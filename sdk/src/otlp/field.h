// SPDX-License-Identifier: Apache-2.0
/*
 * Going through the fields of a message that was validated; all reads are bounds-checked all the same.
 */
#ifndef WEIR_OTLP_FIELD_H
#define WEIR_OTLP_FIELD_H

#include <weir/wire.h>

#include "sdk/src/otlp/bytes.h"
#include "sdk/src/otlp/tree.h"

/* One field: its number, the whole of it, and its payload where it is length-delimited. */
struct otlp_field {
    uint32_t number;
    enum weir_wire_type type;
    const uint8_t *start;
    size_t length;
    struct weir_str payload;
};

/* Inline whatever its size, or else the cursor has to be in memory. */
__attribute__((always_inline)) static inline bool otlp_next_field(struct weir_cursor *cursor, struct otlp_field *field)
{
    size_t length;
    const uint8_t *payload = otlp_short_bytes(cursor->at, cursor->end, &length);
    field->start = cursor->at;
    if (payload) {
        field->number = *cursor->at >> 3;
        field->type = WEIR_WIRE_BYTES;
        field->payload = weir_str_make((const char *)payload, length);
        cursor->at = payload + length;
        field->length = (size_t)(cursor->at - field->start);
        return true;
    }
    if (!weir_cursor_tag(cursor, &field->number, &field->type))
        return false;
    field->payload = WEIR_STR_NONE;
    if (field->type == WEIR_WIRE_BYTES ? !weir_cursor_bytes(cursor, &field->payload)
                                       : !weir_cursor_skip(cursor, field->type))
        return false;
    field->length = (size_t)(cursor->at - field->start);
    return true;
}

static inline struct weir_cursor otlp_fields(struct weir_str message)
{
    return weir_cursor_make(message.data, message.length);
}

static inline struct otlp_slice otlp_field_slice(const struct otlp_field *field, struct weir_buffer *buffer)
{
    struct otlp_slice slice = { field->start, buffer, field->length };
    return slice;
}

/* The payload of the one length-delimited field that the slice holds; empty for an empty slice. */
static inline struct weir_str otlp_slice_payload(const struct otlp_slice *slice)
{
    struct weir_cursor cursor = weir_cursor_make(slice->data, slice->length);
    struct otlp_field field;
    if (slice->length == 0 || !otlp_next_field(&cursor, &field))
        return WEIR_STR_NONE;
    return field.payload;
}

/* look.c: as otlp_key_of, whatever the KeyValue looks like. */
struct weir_str otlp_last_key(struct weir_str attribute);

/* The key of a KeyValue; of several the last, as everywhere. */
static inline struct weir_str otlp_key_of(struct weir_str attribute)
{
    // As nearly all are written: a short key, and nothing but a short value behind it.
    const uint8_t *p = (const uint8_t *)attribute.data;
    if (attribute.length >= 4 && p[0] == OTLP_KEY_1 && p[1] < 0x80 && p[1] + 4u <= attribute.length) {
        size_t left = attribute.length - p[1] - 4;
        const uint8_t *value = p + 2 + p[1];
        if (value[0] == OTLP_KEY_2 && value[1] == left && left < 0x80)
            return weir_str_make((const char *)p + 2, p[1]);
    }
    return otlp_last_key(attribute);
}

/* True for the members of Metric's oneof `data`. */
static inline bool otlp_is_metric_data(uint32_t number)
{
    return number == 5 || number == 7 || (number >= 9 && number <= 11);
}

#endif
