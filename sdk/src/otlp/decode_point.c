// SPDX-License-Identifier: Apache-2.0
/*
 * Decoding of data points, exemplars and buckets (metrics/v1).
 */
#include <config.h>

#include "sdk/src/otlp/decode_point.h"

static struct weir_optional_double present(uint64_t bits)
{
    return (struct weir_optional_double){ true, otlp_double(bits) };
}

static void set_number(struct weir_number *number, enum weir_number_type type, uint64_t bits)
{
    number->type = type;
    if (type == WEIR_NUMBER_INT)
        number->as_int = (int64_t)bits;
    else
        number->as_double = otlp_double(bits);
}

static bool decode_exemplar(struct weir_arena *arena, struct weir_str bytes, struct weir_exemplar *out)
{
    struct otlp_counts counts;
    otlp_count_fields(bytes, &counts);
    if (!otlp_attributes_room(arena, &out->filtered_attributes, counts.of[7]))
        return false;
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        switch (field.number) {
        case 2:
            out->time_unix_nano = field.value;
            break;
        case 3:
            set_number(&out->number, WEIR_NUMBER_DOUBLE, field.value);
            break;
        case 4:
            out->span_id = otlp_id(field.bytes);
            break;
        case 5:
            out->trace_id = otlp_id(field.bytes);
            break;
        case 6:
            set_number(&out->number, WEIR_NUMBER_INT, field.value);
            break;
        case 7:
            if (!otlp_read_attribute(arena, field.bytes, &out->filtered_attributes))
                return false;
            break;
        default:
            break;
        }
    }
    return true;
}

static bool decode_quantile(struct weir_str bytes, struct weir_quantile *out)
{
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        if (field.number == 1)
            out->quantile = otlp_double(field.value);
        else if (field.number == 2)
            out->value = otlp_double(field.value);
    }
    return true;
}

/* Numbers in field `number` of the message, packed or not. */
static size_t count_numbers(struct weir_str bytes, uint32_t number, bool varints)
{
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    size_t count = 0;
    while (otlp_read_next(&cursor, &field)) {
        if (field.number != number)
            continue;
        if (field.type != WEIR_WIRE_BYTES) {
            count++;
        } else if (!varints) {
            count += field.bytes.length / 8;
        } else {
            for (size_t i = 0; i < field.bytes.length; i++)
                count += (uint8_t)field.bytes.data[i] < 0x80;
        }
    }
    return count;
}

/* Writes what the field holds, 8 bytes a number, to a list that has room; returns how many there were. */
static size_t read_numbers(const struct otlp_read *field, bool varints, void *list)
{
    char *out = list;
    size_t count = 0;
    uint64_t number = field->value;
    if (field->type != WEIR_WIRE_BYTES) {
        memcpy(out, &number, sizeof(number));
        return 1;
    }
    struct weir_cursor cursor = otlp_read_start(field->bytes);
    while (varints ? weir_cursor_varint(&cursor, &number) : weir_cursor_fixed64(&cursor, &number))
        memcpy(out + count++ * sizeof(number), &number, sizeof(number));
    return count;
}

static bool decode_buckets(struct weir_arena *arena, struct weir_str bytes, struct weir_buckets *out)
{
    size_t more = count_numbers(bytes, 2, true);
    if (!otlp_list_room(arena, &out->counts, out->count, more, sizeof(*out->counts)))
        return false;
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        if (field.number == 1)
            out->offset = weir_zigzag32((uint32_t)field.value);
        else if (field.number == 2 && out->counts)
            out->count += read_numbers(&field, true, out->counts + out->count);
    }
    return true;
}

static bool number_field(struct weir_arena *arena, const struct otlp_read *field, struct weir_data_point *out)
{
    (void)arena;
    if (field->number == 4)
        set_number(&out->number, WEIR_NUMBER_DOUBLE, field->value);
    else if (field->number == 6)
        set_number(&out->number, WEIR_NUMBER_INT, field->value);
    return true;
}

static bool histogram_field(struct weir_arena *arena, const struct otlp_read *field,
                            struct weir_data_point *out)
{
    (void)arena;
    switch (field->number) {
    case 4:
        out->count = field->value;
        break;
    case 5:
        out->sum = present(field->value);
        break;
    case 6:
        if (out->positive.counts)
            out->positive.count += read_numbers(field, false, out->positive.counts + out->positive.count);
        break;
    case 7:
        if (out->explicit_bounds) {
            double *free_place = out->explicit_bounds + out->explicit_bound_count;
            out->explicit_bound_count += read_numbers(field, false, free_place);
        }
        break;
    case 11:
        out->min = present(field->value);
        break;
    case 12:
        out->max = present(field->value);
        break;
    default:
        break;
    }
    return true;
}

static bool exponential_field(struct weir_arena *arena, const struct otlp_read *field,
                              struct weir_data_point *out)
{
    switch (field->number) {
    case 4:
        out->count = field->value;
        break;
    case 5:
        out->sum = present(field->value);
        break;
    case 6:
        out->scale = weir_zigzag32((uint32_t)field->value);
        break;
    case 7:
        out->zero_count = field->value;
        break;
    case 8:
        return decode_buckets(arena, field->bytes, &out->positive);
    case 9:
        return decode_buckets(arena, field->bytes, &out->negative);
    case 12:
        out->min = present(field->value);
        break;
    case 13:
        out->max = present(field->value);
        break;
    case 14:
        out->zero_threshold = otlp_double(field->value);
        break;
    default:
        break;
    }
    return true;
}

static bool summary_field(struct weir_arena *arena, const struct otlp_read *field,
                          struct weir_data_point *out)
{
    (void)arena;
    if (field->number == 4)
        out->count = field->value;
    else if (field->number == 5)
        out->sum = present(field->value);
    else if (field->number == 6)
        return decode_quantile(field->bytes, &out->quantiles[out->quantile_count++]);
    return true;
}

/* Where each kind has the fields that all have. Times are 2 and 3 everywhere; 0: there is no such field. */
struct layout {
    uint8_t attributes;
    uint8_t exemplars;
    uint8_t flags;
    bool (*field)(struct weir_arena *arena, const struct otlp_read *field, struct weir_data_point *out);
};

static const struct layout layouts[] = {
    [WEIR_METRIC_GAUGE] = { 7, 5, 8, number_field },
    [WEIR_METRIC_SUM] = { 7, 5, 8, number_field },
    [WEIR_METRIC_HISTOGRAM] = { 9, 8, 10, histogram_field },
    [WEIR_METRIC_EXPONENTIAL_HISTOGRAM] = { 1, 11, 10, exponential_field },
    [WEIR_METRIC_SUMMARY] = { 7, 0, 8, summary_field },
};

static bool point_lists(struct weir_arena *arena, enum weir_metric_type type, struct weir_str bytes,
                        struct weir_data_point *out)
{
    const struct layout *layout = &layouts[type];
    struct otlp_counts counts;
    otlp_count_fields(bytes, &counts);
    counts.of[0] = 0;
    if (!otlp_attributes_room(arena, &out->attributes, counts.of[layout->attributes]) ||
        !otlp_list_room(arena, &out->exemplars, 0, counts.of[layout->exemplars], sizeof(*out->exemplars)))
        return false;
    if (type == WEIR_METRIC_SUMMARY)
        return otlp_list_room(arena, &out->quantiles, 0, counts.of[6], sizeof(*out->quantiles));
    if (type != WEIR_METRIC_HISTOGRAM)
        return true;
    size_t buckets = count_numbers(bytes, 6, false), bounds = count_numbers(bytes, 7, false);
    return otlp_list_room(arena, &out->positive.counts, 0, buckets, sizeof(*out->positive.counts)) &&
           otlp_list_room(arena, &out->explicit_bounds, 0, bounds, sizeof(*out->explicit_bounds));
}

bool otlp_decode_point(struct weir_arena *arena, enum weir_metric_type type, struct weir_str bytes,
                       struct weir_data_point *out)
{
    const struct layout *layout = &layouts[type];
    if (!point_lists(arena, type, bytes, out))
        return false;
    if (type == WEIR_METRIC_SUMMARY)
        out->sum.present = true;
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        bool done = true;
        if (field.number == 2)
            out->start_time_unix_nano = field.value;
        else if (field.number == 3)
            out->time_unix_nano = field.value;
        else if (field.number == layout->attributes)
            done = otlp_read_attribute(arena, field.bytes, &out->attributes);
        else if (field.number == layout->exemplars)
            done = decode_exemplar(arena, field.bytes, &out->exemplars[out->exemplar_count++]);
        else if (field.number == layout->flags)
            out->flags = (uint32_t)field.value;
        else
            done = layout->field(arena, &field, out);
        if (!done)
            return false;
    }
    return true;
}
