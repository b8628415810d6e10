// SPDX-License-Identifier: Apache-2.0
/* Metrics and their data points in the detailed form. */
#include <config.h>

#include <inttypes.h>

#include "plugins/exporters/debug/detailed.h"
#include "plugins/exporters/debug/print.h"

static const char *const type_names[] = {
    [WEIR_METRIC_EMPTY] = "Empty",
    [WEIR_METRIC_GAUGE] = "Gauge",
    [WEIR_METRIC_SUM] = "Sum",
    [WEIR_METRIC_HISTOGRAM] = "Histogram",
    [WEIR_METRIC_EXPONENTIAL_HISTOGRAM] = "ExponentialHistogram",
    [WEIR_METRIC_SUMMARY] = "Summary",
};
static const char *const point_names[] = {
    [WEIR_METRIC_EMPTY] = "",
    [WEIR_METRIC_GAUGE] = "NumberDataPoints",
    [WEIR_METRIC_SUM] = "NumberDataPoints",
    [WEIR_METRIC_HISTOGRAM] = "HistogramDataPoints",
    [WEIR_METRIC_EXPONENTIAL_HISTOGRAM] = "ExponentialHistogramDataPoints",
    [WEIR_METRIC_SUMMARY] = "SummaryDataPoints",
};
static const char *const temporalities[] = { "Unspecified", "Delta", "Cumulative" };

static void print_number(struct weir_text *text, struct weir_number number)
{
    if (number.type == WEIR_NUMBER_INT)
        weir_text_addf(text, "Value: %" PRId64 "\n", number.as_int);
    else if (number.type == WEIR_NUMBER_DOUBLE)
        weir_text_addf(text, "Value: %f\n", number.as_double);
}

static void print_optional(struct weir_text *text, const char *name, struct weir_optional_double number)
{
    if (number.present)
        weir_text_addf(text, "%s: %f\n", name, number.value);
}

static void print_histogram(struct weir_text *text, const struct weir_data_point *point)
{
    for (size_t i = 0; i < point->explicit_bound_count; i++)
        weir_text_addf(text, "ExplicitBounds #%zu: %f\n", i, point->explicit_bounds[i]);
    for (size_t i = 0; i < point->positive.count; i++)
        weir_text_addf(text, "Buckets #%zu, Count: %" PRIu64 "\n", i, point->positive.counts[i]);
}

static void print_exponential(struct weir_text *text, const struct weir_data_point *point)
{
    for (size_t i = point->negative.count; i-- > 0;) {
        int64_t index = (int64_t)point->negative.offset + (int64_t)i;
        weir_text_addf(text, "Bucket [%f, %f), Count: %" PRIu64 "\n", -bucket_bound(point->scale, index + 1),
                       -bucket_bound(point->scale, index), point->negative.counts[i]);
    }
    if (point->zero_count > 0)
        weir_text_addf(text, "Bucket [0, 0], Count: %" PRIu64 "\n", point->zero_count);
    for (size_t i = 0; i < point->positive.count; i++) {
        int64_t index = (int64_t)point->positive.offset + (int64_t)i;
        weir_text_addf(text, "Bucket (%f, %f], Count: %" PRIu64 "\n", bucket_bound(point->scale, index),
                       bucket_bound(point->scale, index + 1), point->positive.counts[i]);
    }
}

static void print_exemplars(struct weir_text *text, const struct weir_data_point *point)
{
    if (point->exemplar_count > 0)
        weir_text_adds(text, "Exemplars:\n");
    for (size_t i = 0; i < point->exemplar_count; i++) {
        const struct weir_exemplar *exemplar = &point->exemplars[i];
        weir_text_addf(text, "Exemplar #%zu\n     -> Trace ID: ", i);
        print_id(text, exemplar->trace_id);
        weir_text_adds(text, "\n     -> Span ID: ");
        print_id(text, exemplar->span_id);
        weir_text_adds(text, "\n     -> Timestamp: ");
        print_time(text, exemplar->time_unix_nano);
        weir_text_adds(text, "\n     -> ");
        print_number(text, exemplar->number);
        detailed_attributes(text, "     -> FilteredAttributes", "          ", &exemplar->filtered_attributes);
    }
}

static void print_values(struct weir_text *text, enum weir_metric_type type, const struct weir_data_point *point)
{
    if (type == WEIR_METRIC_GAUGE || type == WEIR_METRIC_SUM) {
        print_number(text, point->number);
        return;
    }
    weir_text_addf(text, "Count: %" PRIu64 "\n", point->count);
    print_optional(text, "Sum", point->sum);
    print_optional(text, "Min", point->min);
    print_optional(text, "Max", point->max);
    if (type == WEIR_METRIC_HISTOGRAM)
        print_histogram(text, point);
    else if (type == WEIR_METRIC_EXPONENTIAL_HISTOGRAM)
        print_exponential(text, point);
    for (size_t i = 0; i < point->quantile_count; i++)
        weir_text_addf(text, "QuantileValue #%zu: Quantile %f, Value %f\n", i, point->quantiles[i].quantile,
                       point->quantiles[i].value);
}

static void print_point(struct weir_text *text, enum weir_metric_type type, size_t index,
                        const struct weir_data_point *point)
{
    weir_text_addf(text, "%s #%zu\n", point_names[type], index);
    detailed_attributes(text, "Data point attributes", "     ", &point->attributes);
    weir_text_adds(text, "StartTimestamp: ");
    print_time(text, point->start_time_unix_nano);
    weir_text_adds(text, "\nTimestamp: ");
    print_time(text, point->time_unix_nano);
    weir_text_addc(text, '\n');
    print_values(text, type, point);
    print_exemplars(text, point);
}

static void print_field(struct weir_text *text, const char *name, struct weir_str value)
{
    weir_text_addf(text, "     -> %s: ", name);
    print_string(text, value);
    weir_text_addc(text, '\n');
}

static void print_type(struct weir_text *text, const struct weir_metric *metric)
{
    enum weir_metric_type type = metric->type;
    weir_text_addf(text, "     -> DataType: %s\n", type_names[type]);
    if (type == WEIR_METRIC_SUM)
        weir_text_addf(text, "     -> IsMonotonic: %s\n", metric->monotonic ? "true" : "false");
    if (type == WEIR_METRIC_SUM || type == WEIR_METRIC_HISTOGRAM || type == WEIR_METRIC_EXPONENTIAL_HISTOGRAM) {
        int32_t known = metric->temporality >= 0 && metric->temporality <= WEIR_TEMPORALITY_CUMULATIVE
                            ? metric->temporality
                            : WEIR_TEMPORALITY_UNSPECIFIED;
        weir_text_addf(text, "     -> AggregationTemporality: %s\n", temporalities[known]);
    }
}

void detailed_metric(struct weir_text *text, size_t index, const struct weir_metric *metric)
{
    weir_text_addf(text, "Metric #%zu\nDescriptor:\n", index);
    print_field(text, "Name", metric->name);
    print_field(text, "Description", metric->description);
    print_field(text, "Unit", metric->unit);
    print_type(text, metric);
    detailed_attributes(text, "Metadata", "     ", &metric->metadata);
    for (size_t i = 0; i < metric->point_count; i++)
        print_point(text, metric->type, i, &metric->points[i]);
}
