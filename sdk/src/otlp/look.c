// SPDX-License-Identifier: Apache-2.0
/*
 * Looking at entries without decoding them: the span index of samplers and filters, and single attributes.
 */
#include <config.h>

#include "sdk/src/otlp/field.h"
#include "sdk/src/otlp/read.h"

static void index_struct(const struct weir_span *span, struct weir_span_index *out)
{
    *out = (struct weir_span_index){
        .trace_id = span->trace_id,
        .span_id = span->span_id,
        .parent_span_id = span->parent_span_id,
        .trace_state = span->trace_state,
        .name = span->name,
        .start_time_unix_nano = span->start_time_unix_nano,
        .end_time_unix_nano = span->end_time_unix_nano,
        .kind = span->kind,
        .status_code = span->status_code,
        .flags = span->flags,
        .attribute_count = span->attributes.count,
    };
}

static void index_status(struct weir_str bytes, struct weir_span_index *out)
{
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        if (field.number == 3)
            out->status_code = (int32_t)field.value;
    }
}

static void index_field(const struct otlp_read *field, struct weir_span_index *out)
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
        out->attribute_count++;
        break;
    case 15:
        index_status(field->bytes, out);
        break;
    case 16:
        out->flags = (uint32_t)field->value;
        break;
    default:
        break;
    }
}

void weir_entry_span_index(struct weir_entry *entry, struct weir_span_index *out)
{
    if (entry->decoded) {
        index_struct(entry->decoded, out);
        return;
    }
    struct weir_cursor cursor = otlp_read_start(otlp_slice_payload(&entry->raw));
    struct otlp_read field;
    memset(out, 0, sizeof(*out));
    while (otlp_read_next(&cursor, &field))
        index_field(&field, out);
}

struct weir_str otlp_last_key(struct weir_str attribute)
{
    struct weir_cursor cursor = otlp_fields(attribute);
    struct otlp_field field;
    struct weir_str key = WEIR_STR_NONE;
    while (otlp_next_field(&cursor, &field)) {
        if (field.number == 1)
            key = field.payload;
    }
    return key;
}

static const struct weir_attributes *decoded_attributes(const struct weir_entry *entry,
                                                        enum weir_signal signal)
{
    if (signal == WEIR_TRACES)
        return &((const struct weir_span *)entry->decoded)->attributes;
    return &((const struct weir_log_record *)entry->decoded)->attributes;
}

bool weir_entry_attribute(struct weir_entry *entry, struct weir_str key, struct weir_value *out)
{
    struct otlp_chunk *chunk = entry->scope->group->chunk;
    enum weir_signal signal = chunk->batch->signal;
    if (signal != WEIR_TRACES && signal != WEIR_LOGS)
        return false;
    if (entry->decoded) {
        const struct weir_value *value = weir_attributes_get(decoded_attributes(entry, signal), key);
        if (value)
            *out = *value;
        return value != NULL;
    }
    uint32_t number = signal == WEIR_TRACES ? 9 : 6;
    struct weir_cursor cursor = otlp_read_start(otlp_slice_payload(&entry->raw));
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        if (field.number != number || !weir_str_equal(otlp_key_of(field.bytes), key))
            continue;
        struct weir_attribute attribute = { .key = WEIR_STR_NONE };
        if (!otlp_decode_attribute(&chunk->arena, field.bytes, &attribute))
            return false;
        *out = attribute.value;
        return true;
    }
    return false;
}
