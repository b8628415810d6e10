// SPDX-License-Identifier: Apache-2.0
/*
 * Encoding of metrics and their points.
 */
#include <config.h>

#include "sdk/src/otlp/write.h"

/* A oneof of two members: double in field 3 or 4, integer in field 6. */
static void write_double_of(struct otlp_writer *writer, uint32_t field, const struct weir_number *number)
{
    if (number->type == WEIR_NUMBER_DOUBLE)
        otlp_write_fixed64_always(writer, field, otlp_double_bits(number->as_double));
}

static void write_int_of(struct otlp_writer *writer, const struct weir_number *number)
{
    if (number->type == WEIR_NUMBER_INT)
        otlp_write_fixed64_always(writer, 6, (uint64_t)number->as_int);
}

static void write_optional(struct otlp_writer *writer, uint32_t field, struct weir_optional_double number)
{
    if (number.present)
        otlp_write_fixed64_always(writer, field, otlp_double_bits(number.value));
}

static void write_exemplars(struct otlp_writer *writer, uint32_t field, const struct weir_data_point *point)
{
    for (size_t i = point->exemplar_count; i > 0; i--) {
        const struct weir_exemplar *exemplar = &point->exemplars[i - 1];
        size_t before = otlp_written(writer);
        otlp_write_attributes(writer, 7, &exemplar->filtered_attributes);
        write_int_of(writer, &exemplar->number);
        otlp_write_string(writer, 5, exemplar->trace_id);
        otlp_write_string(writer, 4, exemplar->span_id);
        write_double_of(writer, 3, &exemplar->number);
        otlp_write_fixed64(writer, 2, exemplar->time_unix_nano);
        otlp_write_wrap(writer, field, before);
    }
}

static void write_times(struct otlp_writer *writer, const struct weir_data_point *point)
{
    otlp_write_fixed64(writer, 3, point->time_unix_nano);
    otlp_write_fixed64(writer, 2, point->start_time_unix_nano);
}

static void write_number_point(struct otlp_writer *writer, const struct weir_data_point *point)
{
    otlp_write_varint(writer, 8, point->flags);
    otlp_write_attributes(writer, 7, &point->attributes);
    write_int_of(writer, &point->number);
    write_exemplars(writer, 5, point);
    write_double_of(writer, 4, &point->number);
    write_times(writer, point);
}

static void write_packed_fixed64(struct otlp_writer *writer, uint32_t field, const void *numbers,
                                 size_t count)
{
    const char *from = numbers;
    size_t before = otlp_written(writer), size;
    if (count == 0)
        return;
    if (!weir_size_mul(count, 8, &size) || !otlp_writer_room(writer, size)) {
        writer->failed = true;
        return;
    }
    for (size_t i = count; i > 0; i--) {
        uint64_t number;
        memcpy(&number, from + (i - 1) * sizeof(number), sizeof(number));
        otlp_write_little(writer, number, 8);
    }
    otlp_write_wrap(writer, field, before);
}

static void write_histogram_point(struct otlp_writer *writer, const struct weir_data_point *point)
{
    write_optional(writer, 12, point->max);
    write_optional(writer, 11, point->min);
    otlp_write_varint(writer, 10, point->flags);
    otlp_write_attributes(writer, 9, &point->attributes);
    write_exemplars(writer, 8, point);
    write_packed_fixed64(writer, 7, point->explicit_bounds, point->explicit_bound_count);
    write_packed_fixed64(writer, 6, point->positive.counts, point->positive.count);
    write_optional(writer, 5, point->sum);
    otlp_write_fixed64(writer, 4, point->count);
    write_times(writer, point);
}

static uint64_t zigzag(int32_t number)
{
    return ((uint32_t)number << 1) ^ (number < 0 ? UINT32_MAX : 0);
}

static void write_buckets(struct otlp_writer *writer, uint32_t field, const struct weir_buckets *buckets)
{
    size_t before = otlp_written(writer);
    if (buckets->offset == 0 && buckets->count == 0)
        return;
    for (size_t i = buckets->count; i > 0; i--) {
        if (!otlp_writer_room(writer, OTLP_WRITE_SCALAR))
            return;
        otlp_write_varint_raw(writer, buckets->counts[i - 1]);
    }
    if (buckets->count > 0)
        otlp_write_wrap(writer, 2, before);
    otlp_write_varint(writer, 1, zigzag(buckets->offset));
    otlp_write_wrap(writer, field, before);
}

static void write_exponential_point(struct otlp_writer *writer, const struct weir_data_point *point)
{
    otlp_write_double(writer, 14, point->zero_threshold);
    write_optional(writer, 13, point->max);
    write_optional(writer, 12, point->min);
    write_exemplars(writer, 11, point);
    otlp_write_varint(writer, 10, point->flags);
    write_buckets(writer, 9, &point->negative);
    write_buckets(writer, 8, &point->positive);
    otlp_write_fixed64(writer, 7, point->zero_count);
    otlp_write_varint(writer, 6, zigzag(point->scale));
    write_optional(writer, 5, point->sum);
    otlp_write_fixed64(writer, 4, point->count);
    write_times(writer, point);
    otlp_write_attributes(writer, 1, &point->attributes);
}

static void write_summary_point(struct otlp_writer *writer, const struct weir_data_point *point)
{
    otlp_write_varint(writer, 8, point->flags);
    otlp_write_attributes(writer, 7, &point->attributes);
    for (size_t i = point->quantile_count; i > 0; i--) {
        size_t before = otlp_written(writer);
        otlp_write_double(writer, 2, point->quantiles[i - 1].value);
        otlp_write_double(writer, 1, point->quantiles[i - 1].quantile);
        otlp_write_wrap(writer, 6, before);
    }
    otlp_write_double(writer, 5, point->sum.value);
    otlp_write_fixed64(writer, 4, point->count);
    write_times(writer, point);
}

void otlp_write_point(struct otlp_writer *writer, enum weir_metric_type type,
                      const struct weir_data_point *point)
{
    switch (type) {
    case WEIR_METRIC_EMPTY:
        break;
    case WEIR_METRIC_GAUGE:
    case WEIR_METRIC_SUM:
        write_number_point(writer, point);
        break;
    case WEIR_METRIC_HISTOGRAM:
        write_histogram_point(writer, point);
        break;
    case WEIR_METRIC_EXPONENTIAL_HISTOGRAM:
        write_exponential_point(writer, point);
        break;
    case WEIR_METRIC_SUMMARY:
        write_summary_point(writer, point);
        break;
    }
}

static void write_data(struct otlp_writer *writer, const struct weir_metric *metric)
{
    static const uint32_t fields[] = { 0, 5, 7, 9, 10, 11 };
    size_t before = otlp_written(writer);
    if (metric->type == WEIR_METRIC_EMPTY)
        return;
    if (metric->type == WEIR_METRIC_SUM)
        otlp_write_varint(writer, 3, metric->monotonic);
    if (metric->type != WEIR_METRIC_GAUGE && metric->type != WEIR_METRIC_SUMMARY)
        otlp_write_int32(writer, 2, metric->temporality);
    for (size_t i = metric->point_count; i > 0; i--) {
        size_t point = otlp_written(writer);
        otlp_write_point(writer, metric->type, &metric->points[i - 1]);
        otlp_write_wrap(writer, 1, point);
    }
    otlp_write_wrap(writer, fields[metric->type], before);
}

void otlp_write_metric(struct otlp_writer *writer, const struct weir_metric *metric)
{
    otlp_write_attributes(writer, 12, &metric->metadata);
    write_data(writer, metric);
    otlp_write_string(writer, 3, metric->unit);
    otlp_write_string(writer, 2, metric->description);
    otlp_write_string(writer, 1, metric->name);
}
