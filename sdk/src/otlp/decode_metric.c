// SPDX-License-Identifier: Apache-2.0
/*
 * Decoding of metrics: identity and data (metrics/v1). The points are in decode_point.c.
 */
#include <config.h>

#include "sdk/src/otlp/decode_point.h"

static enum weir_metric_type type_of(uint32_t field)
{
    switch (field) {
    case 5:
        return WEIR_METRIC_GAUGE;
    case 7:
        return WEIR_METRIC_SUM;
    case 9:
        return WEIR_METRIC_HISTOGRAM;
    case 10:
        return WEIR_METRIC_EXPONENTIAL_HISTOGRAM;
    case 11:
        return WEIR_METRIC_SUMMARY;
    default:
        return WEIR_METRIC_EMPTY;
    }
}

/* Gauge, Sum, Histogram, ExponentialHistogram or Summary: their fields have the same numbers. */
static bool decode_data(struct weir_arena *arena, struct weir_str bytes, struct weir_metric *out)
{
    struct otlp_counts counts;
    otlp_count_fields(bytes, &counts);
    if (!otlp_list_room(arena, &out->points, out->point_count, counts.of[1], sizeof(*out->points)))
        return false;
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    bool sum = out->type == WEIR_METRIC_SUM;
    bool temporal =
        sum || out->type == WEIR_METRIC_HISTOGRAM || out->type == WEIR_METRIC_EXPONENTIAL_HISTOGRAM;
    while (otlp_read_next(&cursor, &field)) {
        if (field.number == 1) {
            if (!otlp_decode_point(arena, out->type, field.bytes, &out->points[out->point_count++]))
                return false;
        } else if (field.number == 2 && temporal) {
            out->temporality = (int32_t)field.value;
        } else if (field.number == 3 && sum) {
            out->monotonic = field.value != 0;
        }
    }
    return true;
}

static bool metric_field(struct weir_arena *arena, const struct otlp_read *field, struct weir_metric *out)
{
    switch (field->number) {
    case 1:
        out->name = field->bytes;
        return true;
    case 2:
        out->description = field->bytes;
        return true;
    case 3:
        out->unit = field->bytes;
        return true;
    case 5:
    case 7:
    case 9:
    case 10:
    case 11:
        out->type = type_of(field->number);
        return decode_data(arena, field->bytes, out);
    case 12:
        return otlp_read_attribute(arena, field->bytes, &out->metadata);
    default:
        return true;
    }
}

bool otlp_decode_metric(struct weir_arena *arena, struct weir_str bytes, struct weir_metric *out)
{
    struct otlp_counts counts;
    otlp_count_fields(bytes, &counts);
    if (!otlp_attributes_room(arena, &out->metadata, counts.of[12]))
        return false;
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        if (!metric_field(arena, &field, out))
            return false;
    }
    return true;
}
