// SPDX-License-Identifier: Apache-2.0
/*
 * Rewriting of requests that parsers read in different ways, which is rare: old library groups become scope
 * groups where there are no others, and go otherwise (as upstream migrates them); of a metric's data, which
 * is a oneof, the last kind stays, and what is there several times becomes one (protobuf: Encoding, "Last One
 * Wins"). The result is never longer than the request, which was validated.
 */
#include <config.h>

#include "sdk/src/otlp/field.h"
#include "sdk/src/otlp/schema.h"

static uint8_t *put(uint8_t *at, const void *bytes, size_t length)
{
    if (length > 0)
        memmove(at, bytes, length);
    return at + length;
}

/* Makes the `length` bytes written at `start` + 1 + `room` the payload of a field at `start`. */
static uint8_t *wrap(uint8_t *start, uint8_t key, size_t room, size_t length)
{
    *start = key;
    uint8_t *payload = weir_wire_put_varint(start + 1, length);
    return put(payload, start + 1 + room, length);
}

static uint8_t *put_metric(uint8_t *at, struct weir_str metric)
{
    struct weir_cursor cursor = otlp_fields(metric);
    struct otlp_field field;
    uint32_t kind = 0;
    const uint8_t *first = NULL; /* of the run that counts: the last kind since the last other kind */
    size_t length = 0;
    while (otlp_next_field(&cursor, &field)) {
        if (!otlp_is_metric_data(field.number)) {
            at = put(at, field.start, field.length);
            continue;
        }
        if (field.number != kind) {
            kind = field.number;
            first = field.start;
            length = 0;
        }
        length += field.payload.length;
    }
    if (!first)
        return at;
    *at++ = (uint8_t)(kind << 3 | WEIR_WIRE_BYTES);
    at = weir_wire_put_varint(at, length);
    cursor = weir_cursor_make(first, (size_t)((const uint8_t *)metric.data + metric.length - first));
    while (otlp_next_field(&cursor, &field)) {
        if (field.number == kind)
            at = put(at, field.payload.data, field.payload.length);
    }
    return at;
}

/* Each level is written behind room for the longest length, 5 bytes, and then moved to where it belongs. */
#define ROOM 5u

static uint8_t *put_scope(uint8_t *at, struct weir_str scope, enum weir_signal signal)
{
    struct weir_cursor cursor = otlp_fields(scope);
    struct otlp_field field;
    while (otlp_next_field(&cursor, &field)) {
        if (field.number != 2 || signal != WEIR_METRICS) {
            at = put(at, field.start, field.length);
            continue;
        }
        uint8_t *payload = at + 1 + ROOM;
        uint8_t *end = put_metric(payload, field.payload);
        at = wrap(at, OTLP_KEY_2, ROOM, (size_t)(end - payload));
    }
    return at;
}

static uint8_t *put_group(uint8_t *at, struct weir_str group, enum weir_signal signal)
{
    struct weir_cursor cursor = otlp_fields(group);
    struct otlp_field field;
    bool scopes = false;
    while (otlp_next_field(&cursor, &field))
        scopes = scopes || field.number == 2;
    cursor = otlp_fields(group);
    while (otlp_next_field(&cursor, &field)) {
        if (field.number == 2 || (field.number == OTLP_LIBRARY_GROUPS && !scopes)) {
            uint8_t *payload = at + 1 + ROOM;
            uint8_t *end = put_scope(payload, field.payload, signal);
            at = wrap(at, OTLP_KEY_2, ROOM, (size_t)(end - payload));
        } else if (field.number != OTLP_LIBRARY_GROUPS) {
            at = put(at, field.start, field.length);
        }
    }
    return at;
}

struct weir_buffer *otlp_normalise(enum weir_signal signal, const void *data, size_t length)
{
    struct weir_buffer *buffer = weir_buffer_new(length + 4 * (1 + ROOM));
    if (!buffer)
        return NULL;
    struct weir_cursor cursor = weir_cursor_make(data, length);
    struct otlp_field field;
    uint8_t *at = buffer->data;
    while (otlp_next_field(&cursor, &field)) {
        if (field.number != 1) {
            at = put(at, field.start, field.length);
            continue;
        }
        uint8_t *payload = at + 1 + ROOM;
        uint8_t *end = put_group(payload, field.payload, signal);
        at = wrap(at, OTLP_KEY_1, ROOM, (size_t)(end - payload));
    }
    buffer->length = (size_t)(at - buffer->data);
    return buffer;
}
