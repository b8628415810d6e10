// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheus/value.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <weir/prometheus.h>

#include "plugins/exporters/prometheus/exponential.h"

struct value *value_ref(struct value *value)
{
    atomic_fetch_add_explicit(&value->references, 1, memory_order_relaxed);
    return value;
}

void value_unref(struct value *value)
{
    if (value && atomic_fetch_sub_explicit(&value->references, 1, memory_order_acq_rel) == 1)
        free(value);
}

double value_number(const struct weir_number *number)
{
    return number->type == WEIR_NUMBER_INT      ? (double)number->as_int
           : number->type == WEIR_NUMBER_DOUBLE ? number->as_double
                                                : 0;
}

const struct value_exemplar *value_bucket_exemplar(const struct value *value, size_t bucket)
{
    for (size_t i = value->exemplar_count; i-- > 0;) {
        size_t own = 0;
        while (own < value->bound_count && value->bounds[own] < value->exemplars[i].value)
            own++;
        if (own == bucket)
            return &value->exemplars[i];
    }
    return NULL;
}

const char *value_unfit(const struct weir_metric *metric)
{
    switch (metric->type) {
    case WEIR_METRIC_EMPTY:
        return "it has no data";
    case WEIR_METRIC_SUM:
        if (metric->temporality == WEIR_TEMPORALITY_DELTA && !metric->monotonic)
            return "it is a delta sum that is not monotonic";
        break;
    case WEIR_METRIC_HISTOGRAM:
    case WEIR_METRIC_EXPONENTIAL_HISTOGRAM:
        break;
    case WEIR_METRIC_GAUGE:
    case WEIR_METRIC_SUMMARY:
        return NULL;
    }
    return metric->temporality == WEIR_TEMPORALITY_UNSPECIFIED ? "it has no temporality" : NULL;
}

/* --- making --- */

static void copy_exemplar(const struct weir_exemplar *from, struct value_exemplar *to)
{
    *to = (struct value_exemplar){ .time_unix_nano = from->time_unix_nano,
                                   .value = weir_prometheus_exemplar_value(from) };
    to->has_trace_id = from->trace_id.length == sizeof(to->trace_id);
    if (to->has_trace_id)
        memcpy(to->trace_id, from->trace_id.data, sizeof(to->trace_id));
    to->has_span_id = from->span_id.length == sizeof(to->span_id);
    if (to->has_span_id)
        memcpy(to->span_id, from->span_id.data, sizeof(to->span_id));
}

/* The value and all its arrays in one piece; their elements are there in the batch already, so the sizes cannot
 * overflow. */
static struct value *allocate(const struct weir_data_point *point, size_t counts)
{
    size_t bounds = point->explicit_bound_count * sizeof(double);
    size_t quantiles = point->quantile_count * sizeof(struct weir_quantile);
    size_t exemplars = point->exemplar_count * sizeof(struct value_exemplar);
    char *room = calloc(1, sizeof(struct value) + bounds + counts * sizeof(uint64_t) + quantiles + exemplars);
    if (!room)
        return NULL;
    struct value *value = (void *)room;
    *value = (struct value){ .references = 1 };
    room += sizeof(*value);
    value->bounds = (void *)room;
    room += bounds;
    value->counts = (void *)room;
    room += counts * sizeof(uint64_t);
    value->quantiles = (void *)room;
    room += quantiles;
    value->exemplars = (void *)room;
    return value;
}

/* The buckets of `point` and, where it is added to something, of `old`. */
static struct value *make_exponential(const struct weir_data_point *point, const struct value *old)
{
    struct weir_data_point before = { .scale = point->scale };
    struct exponential_sum sum = { .scale = point->scale,
                                   .positive = { point->positive.offset, point->positive.count },
                                   .negative = { point->negative.offset, point->negative.count } };
    if (old) {
        before = (struct weir_data_point){ .scale = old->scale, .positive = old->positive, .negative = old->negative };
        sum = exponential_lay_out(point, &before);
    }
    struct value *value = allocate(point, sum.positive.count + sum.negative.count);
    if (!value)
        return NULL;
    value->scale = sum.scale;
    value->zero_count = point->zero_count + (old ? old->zero_count : 0);
    value->zero_threshold = point->zero_threshold;
    if (old && old->zero_threshold > value->zero_threshold)
        value->zero_threshold = old->zero_threshold;
    value->positive = (struct weir_buckets){ (int32_t)sum.positive.first, value->counts, sum.positive.count };
    value->negative = (struct weir_buckets){ (int32_t)sum.negative.first, value->counts + sum.positive.count,
                                             sum.negative.count };
    exponential_add(&point->positive, point->scale, sum.scale, &sum.positive, value->positive.counts);
    exponential_add(&before.positive, before.scale, sum.scale, &sum.positive, value->positive.counts);
    exponential_add(&point->negative, point->scale, sum.scale, &sum.negative, value->negative.counts);
    exponential_add(&before.negative, before.scale, sum.scale, &sum.negative, value->negative.counts);
    return value;
}

/* `old`: what a delta is added to; NULL: nothing. */
static struct value *make(const struct weir_metric *metric, const struct weir_data_point *point,
                          const struct value *old)
{
    bool exponential = metric->type == WEIR_METRIC_EXPONENTIAL_HISTOGRAM;
    size_t counts = metric->type == WEIR_METRIC_HISTOGRAM ? point->positive.count : 0;
    struct value *value = exponential ? make_exponential(point, old) : allocate(point, counts);
    if (!value)
        return NULL;
    value->type = metric->type;
    value->start = point->start_time_unix_nano;
    value->time = point->time_unix_nano;
    value->number = point->number;
    value->count = point->count;
    value->sum = point->sum.present ? point->sum.value : 0;
    value->bound_count = point->explicit_bound_count;
    value->count_count = counts;
    value->quantile_count = point->quantile_count;
    value->exemplar_count = point->exemplar_count;
    for (size_t i = 0; i < value->bound_count; i++)
        value->bounds[i] = point->explicit_bounds[i];
    for (size_t i = 0; i < counts; i++)
        value->counts[i] = point->positive.counts[i];
    for (size_t i = 0; i < value->quantile_count; i++)
        value->quantiles[i] = point->quantiles[i];
    for (size_t i = 0; i < value->exemplar_count; i++)
        copy_exemplar(&point->exemplars[i], &value->exemplars[i]);
    return value;
}

/* --- adding deltas --- */

static void add_number(struct weir_number *to, const struct weir_number *more)
{
    if (to->type == WEIR_NUMBER_INT && more->type == WEIR_NUMBER_INT) {
        to->as_int = (int64_t)((uint64_t)to->as_int + (uint64_t)more->as_int);
        return;
    }
    double sum = value_number(to) + value_number(more);
    *to = (struct weir_number){ .type = WEIR_NUMBER_DOUBLE, .as_double = sum };
}

static bool same_buckets(const struct value *a, const struct value *b)
{
    if (a->bound_count != b->bound_count || a->count_count != b->count_count)
        return false;
    for (size_t i = 0; i < a->bound_count; i++) {
        if (a->bounds[i] < b->bounds[i] || a->bounds[i] > b->bounds[i])
            return false;
    }
    return true;
}

/* Makes `value`, a delta, the total; histograms with other buckets replace what was there. */
static void add_old(struct value *value, const struct value *old)
{
    if (!same_buckets(value, old))
        return;
    value->start = old->start;
    add_number(&value->number, &old->number);
    value->count += old->count;
    value->sum += old->sum;
    for (size_t i = 0; i < value->count_count; i++)
        value->counts[i] += old->counts[i];
}

enum value_verdict value_next(const struct value *old, const struct weir_metric *metric,
                              const struct weir_data_point *point, struct value **out)
{
    bool is_histogram = metric->type == WEIR_METRIC_HISTOGRAM || metric->type == WEIR_METRIC_EXPONENTIAL_HISTOGRAM;
    bool is_delta = (is_histogram || metric->type == WEIR_METRIC_SUM) && metric->temporality == WEIR_TEMPORALITY_DELTA;
    bool follows = is_delta && old && point->start_time_unix_nano == old->time;
    if (old && is_histogram && is_delta && point->start_time_unix_nano < old->time)
        return VALUE_MISPLACED;
    if (old && point->time_unix_nano < old->time)
        return VALUE_OLD;
    if (follows && metric->type == WEIR_METRIC_EXPONENTIAL_HISTOGRAM)
        follows = exponential_fit(point->scale, old->scale);
    struct value *value = make(metric, point, follows ? old : NULL);
    if (!value)
        return VALUE_NO_MEMORY;
    if (follows)
        add_old(value, old);
    *out = value;
    return VALUE_TAKEN;
}
