// SPDX-License-Identifier: Apache-2.0
/*
 * Decoding of spans with their events, links and status (trace/v1).
 */
#include <config.h>

#include "sdk/src/otlp/read.h"

static bool decode_event(struct weir_arena *arena, struct weir_str bytes, struct weir_span_event *out)
{
    struct otlp_counts counts;
    otlp_count_fields(bytes, &counts);
    if (!otlp_attributes_room(arena, &out->attributes, counts.of[3]))
        return false;
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        bool done = true;
        if (field.number == 1)
            out->time_unix_nano = field.value;
        else if (field.number == 2)
            out->name = field.bytes;
        else if (field.number == 3)
            done = otlp_read_attribute(arena, field.bytes, &out->attributes);
        else if (field.number == 4)
            out->dropped_attributes_count = (uint32_t)field.value;
        if (!done)
            return false;
    }
    return true;
}

static bool decode_link(struct weir_arena *arena, struct weir_str bytes, struct weir_span_link *out)
{
    struct otlp_counts counts;
    otlp_count_fields(bytes, &counts);
    if (!otlp_attributes_room(arena, &out->attributes, counts.of[4]))
        return false;
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        switch (field.number) {
        case 1:
            out->trace_id = otlp_id(field.bytes);
            break;
        case 2:
            out->span_id = otlp_id(field.bytes);
            break;
        case 3:
            out->trace_state = field.bytes;
            break;
        case 4:
            if (!otlp_read_attribute(arena, field.bytes, &out->attributes))
                return false;
            break;
        case 5:
            out->dropped_attributes_count = (uint32_t)field.value;
            break;
        case 6:
            out->flags = (uint32_t)field.value;
            break;
        default:
            break;
        }
    }
    return true;
}

static void decode_status(struct weir_str bytes, struct weir_span *out)
{
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        if (field.number == 2)
            out->status_message = field.bytes;
        else if (field.number == 3)
            out->status_code = (int32_t)field.value;
    }
}

static bool span_lists(struct weir_arena *arena, struct weir_str bytes, struct weir_span *out)
{
    struct otlp_counts counts;
    otlp_count_fields(bytes, &counts);
    return otlp_attributes_room(arena, &out->attributes, counts.of[9]) &&
           otlp_list_room(arena, &out->events, out->event_count, counts.of[11], sizeof(*out->events)) &&
           otlp_list_room(arena, &out->links, out->link_count, counts.of[13], sizeof(*out->links));
}

static bool span_field(struct weir_arena *arena, const struct otlp_read *field, struct weir_span *out)
{
    switch (field->number) {
    case 1:
        out->trace_id = otlp_id(field->bytes);
        break;
    case 2:
        out->span_id = otlp_id(field->bytes);
        break;
    case 3:
        out->trace_state = field->bytes;
        break;
    case 4:
        out->parent_span_id = otlp_id(field->bytes);
        break;
    case 5:
        out->name = field->bytes;
        break;
    case 6:
        out->kind = (int32_t)field->value;
        break;
    case 7:
        out->start_time_unix_nano = field->value;
        break;
    case 8:
        out->end_time_unix_nano = field->value;
        break;
    case 9:
        return otlp_read_attribute(arena, field->bytes, &out->attributes);
    case 10:
        out->dropped_attributes_count = (uint32_t)field->value;
        break;
    case 11:
        return decode_event(arena, field->bytes, &out->events[out->event_count++]);
    case 12:
        out->dropped_events_count = (uint32_t)field->value;
        break;
    case 13:
        return decode_link(arena, field->bytes, &out->links[out->link_count++]);
    case 14:
        out->dropped_links_count = (uint32_t)field->value;
        break;
    case 15:
        decode_status(field->bytes, out);
        break;
    case 16:
        out->flags = (uint32_t)field->value;
        break;
    default:
        break;
    }
    return true;
}

bool otlp_decode_span(struct weir_arena *arena, struct weir_str bytes, struct weir_span *out)
{
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    if (!span_lists(arena, bytes, out))
        return false;
    while (otlp_read_next(&cursor, &field)) {
        if (!span_field(arena, &field, out))
            return false;
    }
    return true;
}
