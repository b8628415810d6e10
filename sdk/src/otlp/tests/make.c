// SPDX-License-Identifier: Apache-2.0
/*
 * Batches made of structs that are filled from protobuf-c's messages, field by field.
 */
#include <config.h>

#include <stdlib.h>

#include "opentelemetry/proto/collector/logs/v1/logs_service.pb-c.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb-c.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"
#include "sdk/src/otlp/tests/batches.h"

#define COMMON(name) Opentelemetry__Proto__Common__V1__##name
#define TRACE(name) Opentelemetry__Proto__Trace__V1__##name
#define METRICS(name) Opentelemetry__Proto__Metrics__V1__##name
#define LOGS(name) Opentelemetry__Proto__Logs__V1__##name
#define RESOURCE Opentelemetry__Proto__Resource__V1__Resource

static void *take(struct weir_arena *arena, size_t count, size_t size)
{
    void *piece = weir_arena_calloc(arena, count ? count : 1, size);
    if (!piece)
        abort();
    return piece;
}

static struct weir_str text(const char *string)
{
    return weir_str_of(string);
}

static struct weir_str bytes(ProtobufCBinaryData data)
{
    return weir_str_make((const char *)data.data, data.len);
}

static struct weir_attributes attributes(struct weir_arena *arena, COMMON(KeyValue) * *from, size_t count);

static struct weir_value value(struct weir_arena *arena, const COMMON(AnyValue) * from)
{
    struct weir_value to = { .type = WEIR_VALUE_EMPTY };
    switch (from ? (int)from->value_case : 0) {
    case 1:
        return weir_value_string(text(from->string_value));
    case 2:
        return weir_value_bool(from->bool_value);
    case 3:
        return weir_value_int(from->int_value);
    case 4:
        return weir_value_double(from->double_value);
    case 5:
        to.type = WEIR_VALUE_ARRAY;
        to.array.count = from->array_value->n_values;
        to.array.items = take(arena, to.array.count, sizeof(*to.array.items));
        for (size_t i = 0; i < to.array.count; i++)
            to.array.items[i] = value(arena, from->array_value->values[i]);
        return to;
    case 6:
        to.type = WEIR_VALUE_MAP;
        to.map = attributes(arena, from->kvlist_value->values, from->kvlist_value->n_values);
        return to;
    case 7:
        to.type = WEIR_VALUE_BYTES;
        to.string = bytes(from->bytes_value);
        return to;
    default:
        return to;
    }
}

static struct weir_attributes attributes(struct weir_arena *arena, COMMON(KeyValue) * *from, size_t count)
{
    struct weir_attributes to = { take(arena, count, sizeof(*to.items)), count, count };
    for (size_t i = 0; i < count; i++) {
        to.items[i].key = text(from[i]->key);
        to.items[i].value = value(arena, from[i]->value);
    }
    return to;
}

static struct weir_str *strings(struct weir_arena *arena, char **from, size_t count)
{
    struct weir_str *to = take(arena, count, sizeof(*to));
    for (size_t i = 0; i < count; i++)
        to[i] = text(from[i]);
    return to;
}

static void resource(struct weir_arena *arena, const RESOURCE *from, struct weir_resource *to)
{
    if (!from)
        return;
    to->attributes = attributes(arena, from->attributes, from->n_attributes);
    to->dropped_attributes_count = from->dropped_attributes_count;
    to->entity_ref_count = from->n_entity_refs;
    to->entity_refs = take(arena, from->n_entity_refs, sizeof(*to->entity_refs));
    for (size_t i = 0; i < from->n_entity_refs; i++) {
        const COMMON(EntityRef) *ref = from->entity_refs[i];
        to->entity_refs[i] = (struct weir_entity_ref){
            .schema_url = text(ref->schema_url),
            .type = text(ref->type),
            .id_keys = strings(arena, ref->id_keys, ref->n_id_keys),
            .id_key_count = ref->n_id_keys,
            .description_keys = strings(arena, ref->description_keys, ref->n_description_keys),
            .description_key_count = ref->n_description_keys,
        };
    }
}

static void scope(struct weir_arena *arena, const COMMON(InstrumentationScope) * from, struct weir_scope *to)
{
    if (!from)
        return;
    to->name = text(from->name);
    to->version = text(from->version);
    to->attributes = attributes(arena, from->attributes, from->n_attributes);
    to->dropped_attributes_count = from->dropped_attributes_count;
}

static void span(struct weir_arena *arena, const TRACE(Span) * from, struct weir_span *to)
{
    *to = (struct weir_span){
        .trace_id = bytes(from->trace_id),
        .span_id = bytes(from->span_id),
        .parent_span_id = bytes(from->parent_span_id),
        .trace_state = text(from->trace_state),
        .name = text(from->name),
        .flags = from->flags,
        .kind = (int32_t)from->kind,
        .start_time_unix_nano = from->start_time_unix_nano,
        .end_time_unix_nano = from->end_time_unix_nano,
        .attributes = attributes(arena, from->attributes, from->n_attributes),
        .dropped_attributes_count = from->dropped_attributes_count,
        .events = take(arena, from->n_events, sizeof(struct weir_span_event)),
        .event_count = from->n_events,
        .dropped_events_count = from->dropped_events_count,
        .links = take(arena, from->n_links, sizeof(struct weir_span_link)),
        .link_count = from->n_links,
        .dropped_links_count = from->dropped_links_count,
        .status_code = from->status ? (int32_t)from->status->code : 0,
        .status_message = text(from->status ? from->status->message : NULL),
    };
    for (size_t i = 0; i < from->n_events; i++) {
        const TRACE(Span__Event) *event = from->events[i];
        to->events[i] = (struct weir_span_event){
            .time_unix_nano = event->time_unix_nano,
            .name = text(event->name),
            .attributes = attributes(arena, event->attributes, event->n_attributes),
            .dropped_attributes_count = event->dropped_attributes_count,
        };
    }
    for (size_t i = 0; i < from->n_links; i++) {
        const TRACE(Span__Link) *link = from->links[i];
        to->links[i] = (struct weir_span_link){
            .trace_id = bytes(link->trace_id),
            .span_id = bytes(link->span_id),
            .trace_state = text(link->trace_state),
            .attributes = attributes(arena, link->attributes, link->n_attributes),
            .dropped_attributes_count = link->dropped_attributes_count,
            .flags = link->flags,
        };
    }
}

static void record(struct weir_arena *arena, const LOGS(LogRecord) * from, struct weir_log_record *to)
{
    *to = (struct weir_log_record){
        .time_unix_nano = from->time_unix_nano,
        .observed_time_unix_nano = from->observed_time_unix_nano,
        .severity_number = (int32_t)from->severity_number,
        .severity_text = text(from->severity_text),
        .body = value(arena, from->body),
        .attributes = attributes(arena, from->attributes, from->n_attributes),
        .dropped_attributes_count = from->dropped_attributes_count,
        .flags = from->flags,
        .trace_id = bytes(from->trace_id),
        .span_id = bytes(from->span_id),
        .event_name = text(from->event_name),
    };
}

static struct weir_number number(bool is_double, bool is_int, double as_double, int64_t as_int)
{
    struct weir_number to = { .type = WEIR_NUMBER_EMPTY };
    if (is_double)
        to = (struct weir_number){ .type = WEIR_NUMBER_DOUBLE, .as_double = as_double };
    if (is_int)
        to = (struct weir_number){ .type = WEIR_NUMBER_INT, .as_int = as_int };
    return to;
}

static void exemplars(struct weir_arena *arena, METRICS(Exemplar) * *from, size_t count,
                      struct weir_data_point *to)
{
    to->exemplars = take(arena, count, sizeof(*to->exemplars));
    to->exemplar_count = count;
    for (size_t i = 0; i < count; i++) {
        const METRICS(Exemplar) *exemplar = from[i];
        to->exemplars[i] = (struct weir_exemplar){
            .time_unix_nano = exemplar->time_unix_nano,
            .number = number(exemplar->value_case == 3, exemplar->value_case == 6, exemplar->as_double,
                             exemplar->as_int),
            .span_id = bytes(exemplar->span_id),
            .trace_id = bytes(exemplar->trace_id),
            .filtered_attributes =
                attributes(arena, exemplar->filtered_attributes, exemplar->n_filtered_attributes),
        };
    }
}

/* What all kinds of points have under the same names. */
#define POINT(from, to)                                                                 \
    do {                                                                                \
        (to)->attributes = attributes(arena, (from)->attributes, (from)->n_attributes); \
        (to)->start_time_unix_nano = (from)->start_time_unix_nano;                      \
        (to)->time_unix_nano = (from)->time_unix_nano;                                  \
        (to)->flags = (from)->flags;                                                    \
    } while (0)
#define OPTIONAL(from, name) \
    ((struct weir_optional_double){ (from)->_##name##_case != 0, (from)->_##name##_case ? (from)->name : 0 })

static void number_point(struct weir_arena *arena, const METRICS(NumberDataPoint) * from,
                         struct weir_data_point *to)
{
    POINT(from, to);
    exemplars(arena, from->exemplars, from->n_exemplars, to);
    to->number = number(from->value_case == 4, from->value_case == 6, from->as_double, from->as_int);
}

static void histogram_point(struct weir_arena *arena, const METRICS(HistogramDataPoint) * from,
                            struct weir_data_point *to)
{
    POINT(from, to);
    exemplars(arena, from->exemplars, from->n_exemplars, to);
    to->count = from->count;
    to->sum = OPTIONAL(from, sum);
    to->min = OPTIONAL(from, min);
    to->max = OPTIONAL(from, max);
    to->positive.counts = from->bucket_counts;
    to->positive.count = from->n_bucket_counts;
    to->explicit_bounds = from->explicit_bounds;
    to->explicit_bound_count = from->n_explicit_bounds;
}

static void exponential_point(struct weir_arena *arena, const METRICS(ExponentialHistogramDataPoint) * from,
                              struct weir_data_point *to)
{
    POINT(from, to);
    exemplars(arena, from->exemplars, from->n_exemplars, to);
    to->count = from->count;
    to->sum = OPTIONAL(from, sum);
    to->min = OPTIONAL(from, min);
    to->max = OPTIONAL(from, max);
    to->scale = from->scale;
    to->zero_count = from->zero_count;
    to->zero_threshold = from->zero_threshold;
    if (from->positive)
        to->positive = (struct weir_buckets){ from->positive->offset, from->positive->bucket_counts,
                                              from->positive->n_bucket_counts };
    if (from->negative)
        to->negative = (struct weir_buckets){ from->negative->offset, from->negative->bucket_counts,
                                              from->negative->n_bucket_counts };
}

static void summary_point(struct weir_arena *arena, const METRICS(SummaryDataPoint) * from,
                          struct weir_data_point *to)
{
    POINT(from, to);
    to->count = from->count;
    to->sum = (struct weir_optional_double){ true, from->sum };
    to->quantile_count = from->n_quantile_values;
    to->quantiles = take(arena, from->n_quantile_values, sizeof(*to->quantiles));
    for (size_t i = 0; i < from->n_quantile_values; i++) {
        to->quantiles[i].quantile = from->quantile_values[i]->quantile;
        to->quantiles[i].value = from->quantile_values[i]->value;
    }
}

#define POINTS(kind, convert)                                           \
    do {                                                                \
        to->point_count = from->kind->n_data_points;                    \
        to->points = take(arena, to->point_count, sizeof(*to->points)); \
        for (size_t i = 0; i < to->point_count; i++)                    \
            convert(arena, from->kind->data_points[i], &to->points[i]); \
    } while (0)

static void metric(struct weir_arena *arena, const METRICS(Metric) * from, struct weir_metric *to)
{
    to->name = text(from->name);
    to->description = text(from->description);
    to->unit = text(from->unit);
    to->metadata = attributes(arena, from->metadata, from->n_metadata);
    switch ((int)from->data_case) {
    case 5:
        to->type = WEIR_METRIC_GAUGE;
        POINTS(gauge, number_point);
        break;
    case 7:
        to->type = WEIR_METRIC_SUM;
        to->temporality = (int32_t)from->sum->aggregation_temporality;
        to->monotonic = from->sum->is_monotonic;
        POINTS(sum, number_point);
        break;
    case 9:
        to->type = WEIR_METRIC_HISTOGRAM;
        to->temporality = (int32_t)from->histogram->aggregation_temporality;
        POINTS(histogram, histogram_point);
        break;
    case 10:
        to->type = WEIR_METRIC_EXPONENTIAL_HISTOGRAM;
        to->temporality = (int32_t)from->exponential_histogram->aggregation_temporality;
        POINTS(exponential_histogram, exponential_point);
        break;
    case 11:
        to->type = WEIR_METRIC_SUMMARY;
        POINTS(summary, summary_point);
        break;
    default:
        break;
    }
}

/* The three signals have the same shape under different names. */
#define MAKE(request, groups, scopes, entries, add, convert)                                            \
    for (size_t g = 0; g < (request)->n_##groups; g++) {                                                \
        struct weir_group *group = weir_batch_add_group(batch, text((request)->groups[g]->schema_url)); \
        resource(arena, (request)->groups[g]->resource, weir_group_edit_resource(group));               \
        for (size_t s = 0; s < (request)->groups[g]->n_##scopes; s++) {                                 \
            struct weir_scope_group *under =                                                            \
                weir_group_add_scope(group, text((request)->groups[g]->scopes[s]->schema_url));         \
            scope(arena, (request)->groups[g]->scopes[s]->scope, weir_scope_group_edit_scope(under));   \
            for (size_t e = 0; e < (request)->groups[g]->scopes[s]->n_##entries; e++)                   \
                convert(arena, (request)->groups[g]->scopes[s]->entries[e], add(under));                \
        }                                                                                               \
    }

struct weir_batch *batch_make(enum weir_signal signal, ProtobufCMessage *request)
{
    struct weir_batch *batch = weir_batch_new(signal);
    struct weir_arena *arena = weir_batch_arena(batch);
    if (signal == WEIR_TRACES) {
        Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest *from = (void *)request;
        MAKE(from, resource_spans, scope_spans, spans, weir_scope_group_add_span, span)
    } else if (signal == WEIR_METRICS) {
        Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsServiceRequest *from = (void *)request;
        MAKE(from, resource_metrics, scope_metrics, metrics, weir_scope_group_add_metric, metric)
    } else {
        Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest *from = (void *)request;
        MAKE(from, resource_logs, scope_logs, log_records, weir_scope_group_add_log_record, record)
    }
    weir_batch_commit(batch);
    return batch;
}
