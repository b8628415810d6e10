// SPDX-License-Identifier: Apache-2.0
/*
 * Decoding of log records (logs/v1).
 */
#include <config.h>

#include "sdk/src/otlp/read.h"

static bool log_field(struct weir_arena *arena, const struct otlp_read *field, struct weir_log_record *out)
{
    switch (field->number) {
    case 1:
        out->time_unix_nano = field->value;
        break;
    case 2:
        out->severity_number = (int32_t)field->value;
        break;
    case 3:
        out->severity_text = field->bytes;
        break;
    case 5:
        return otlp_decode_value(arena, field->bytes, &out->body);
    case 6:
        return otlp_read_attribute(arena, field->bytes, &out->attributes);
    case 7:
        out->dropped_attributes_count = (uint32_t)field->value;
        break;
    case 8:
        out->flags = (uint32_t)field->value;
        break;
    case 9:
        out->trace_id = otlp_id(field->bytes);
        break;
    case 10:
        out->span_id = otlp_id(field->bytes);
        break;
    case 11:
        out->observed_time_unix_nano = field->value;
        break;
    case 12:
        out->event_name = field->bytes;
        break;
    default:
        break;
    }
    return true;
}

bool otlp_decode_log_record(struct weir_arena *arena, struct weir_str bytes, struct weir_log_record *out)
{
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_counts counts;
    struct otlp_read field;
    otlp_count_fields(bytes, &counts);
    if (!otlp_attributes_room(arena, &out->attributes, counts.of[6]))
        return false;
    while (otlp_read_next(&cursor, &field)) {
        if (!log_field(arena, &field, out))
            return false;
    }
    return true;
}
