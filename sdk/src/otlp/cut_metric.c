// SPDX-License-Identifier: Apache-2.0
/*
 * Cutting a metric between its data points. The points stay where they are, as one slice; in front of it each
 * half gets a fresh header with the metric's identity, so that cutting a metric of many points into many
 * pieces copies no point twice.
 */
#include <config.h>

#include "sdk/src/otlp/field.h"

/* The metric taken apart, with its points in one piece. */
static bool take_apart(const struct weir_entry *entry, struct otlp_cut *out, struct weir_str *before,
                       struct weir_str *after)
{
    struct weir_str payload = otlp_slice_payload(&entry->raw);
    struct weir_cursor cursor = otlp_fields(payload);
    struct otlp_field field;
    const char *end = payload.data + payload.length;
    while (otlp_next_field(&cursor, &field)) {
        if (!otlp_is_metric_data(field.number))
            continue;
        const char *start = (const char *)field.start;
        *before = weir_str_make(payload.data, (size_t)(start - payload.data));
        *after = weir_str_make(start + field.length, (size_t)(end - start) - field.length);
        out->data_key = (uint8_t)(field.number << 3 | WEIR_WIRE_BYTES);
        out->data_fields = field.payload;
        return true;
    }
    return false;
}

/* Sorts the data's fields into points and others, in the order they came, in fresh bytes. */
static bool gather(struct otlp_chunk *chunk, struct otlp_cut *cut)
{
    struct weir_str data = cut->data_fields;
    struct weir_buffer *buffer;
    uint8_t *points = otlp_chunk_fresh(chunk, data.length, &buffer);
    if (!points)
        return false;
    struct weir_cursor cursor = otlp_fields(data);
    struct otlp_field field;
    size_t point_bytes = 0;
    for (unsigned pass = 0; pass < 2; pass++) {
        uint8_t *at = pass == 0 ? points : points + point_bytes;
        cursor = otlp_fields(data);
        while (otlp_next_field(&cursor, &field)) {
            if ((field.number == 1) != (pass == 0))
                continue;
            memcpy(at, field.start, field.length);
            at += field.length;
        }
        if (pass == 0)
            point_bytes = (size_t)(at - points);
    }
    cut->points = (struct otlp_slice){ points, buffer, point_bytes };
    cut->data_fields = weir_str_make((const char *)points + point_bytes, data.length - point_bytes);
    return true;
}

/* Where the points stand in one run at one end of the data, as everybody writes them, no byte moves. */
static bool find_run(const struct weir_entry *entry, struct otlp_cut *cut)
{
    struct weir_str data = cut->data_fields;
    struct weir_cursor cursor = otlp_fields(data);
    struct otlp_field field;
    size_t changes = 0, run = 0;
    bool first = true, in_points = false, points_first = false;
    while (otlp_next_field(&cursor, &field)) {
        bool point = field.number == 1;
        if (first)
            points_first = point;
        else
            changes += point != in_points;
        in_points = point;
        first = false;
        run += point ? field.length : 0;
    }
    if (changes > 1)
        return false;
    const char *points = points_first ? data.data : data.data + (data.length - run);
    const char *others = points_first ? data.data + run : data.data;
    cut->points = (struct otlp_slice){ (const uint8_t *)points, entry->raw.buffer, run };
    cut->data_fields = weir_str_make(others, data.length - run);
    return true;
}

static size_t run_of_points(const struct otlp_slice *slice, size_t points)
{
    struct weir_cursor cursor = weir_cursor_make(slice->data, slice->length);
    struct otlp_field field;
    while (points > 0 && otlp_next_field(&cursor, &field))
        points--;
    return slice->length - weir_cursor_left(&cursor);
}

static size_t header_size(size_t identity, size_t data_fields, size_t points)
{
    size_t data = 1 + weir_wire_varint_size(data_fields + points) + data_fields;
    return 1 + weir_wire_varint_size(identity + data + points) + identity + data;
}

static uint8_t *put(uint8_t *at, struct weir_str bytes)
{
    if (bytes.length > 0)
        memcpy(at, bytes.data, bytes.length);
    return at + bytes.length;
}

/* Writes the entry's header into `buffer`, and makes the entry that and `points`. */
static void put_header(struct weir_entry *entry, struct weir_buffer *buffer, const struct otlp_cut *from,
                       struct weir_str before, struct weir_str after, struct otlp_slice points)
{
    size_t identity = before.length + after.length;
    size_t data = from->data_fields.length + points.length;
    uint8_t *start = buffer->data + buffer->length;
    uint8_t *at = start;
    *at++ = OTLP_KEY_2;
    at = weir_wire_put_varint(at, identity + 1 + weir_wire_varint_size(data) + data);
    entry->cut->identity = weir_str_make((const char *)at, identity);
    at = put(put(at, before), after);
    entry->cut->data_key = *at++ = from->data_key;
    at = weir_wire_put_varint(at, data);
    entry->cut->data_fields = weir_str_make((const char *)at, from->data_fields.length);
    at = put(at, from->data_fields);
    entry->cut->points = points;
    entry->raw = (struct otlp_slice){ start, buffer, (size_t)(at - start) };
    buffer->length += entry->raw.length;
}

bool otlp_metric_cut(const struct weir_entry *entry, size_t points, struct otlp_chunk *to,
                     struct weir_entry *head, struct weir_entry *tail, struct weir_buffer **fresh)
{
    struct otlp_chunk *chunk = entry->scope->group->chunk;
    struct otlp_cut from;
    struct weir_str before, after = WEIR_STR_NONE;
    if (entry->cut) {
        from = *entry->cut;
        before = from.identity;
    } else if (!take_apart(entry, &from, &before, &after)) {
        return false;
    } else if (!find_run(entry, &from)) {
        if (!gather(chunk, &from) || !otlp_chunk_keep(to, from.points.buffer))
            return false;
    }
    size_t went = run_of_points(&from.points, points);
    size_t stays = from.points.length - went;
    size_t identity = before.length + after.length;
    size_t count = weir_entry_items(entry);
    *tail = *entry;
    tail->decoded = NULL;
    tail->cut =
        weir_arena_alloc(&chunk->arena, sizeof(*tail->cut)); /* the entry keeps its own until all is done */
    if (!head->cut)
        head->cut = weir_arena_alloc(&to->arena, sizeof(*head->cut));
    if (!head->cut || !tail->cut)
        return false;
    struct weir_buffer *buffer = weir_buffer_new(header_size(identity, from.data_fields.length, went) +
                                                 header_size(identity, from.data_fields.length, stays));
    if (!buffer)
        return false;
    if (!otlp_chunk_keep(to, buffer)) {
        weir_buffer_unref(buffer);
        return false;
    }
    put_header(head, buffer, &from, before, after,
               (struct otlp_slice){ from.points.data, from.points.buffer, went });
    put_header(tail, buffer, &from, before, after,
               (struct otlp_slice){ from.points.data + went, from.points.buffer, stays });
    head->items = (uint32_t)points;
    tail->items = (uint32_t)(count - points);
    head->counted = tail->counted = true;
    *fresh = buffer;
    return true;
}
