// SPDX-License-Identifier: Apache-2.0
/*
 * The tables of OTLP's messages (collector/{trace,metrics,logs}/v1 and what they hold).
 */
#include <config.h>

#include <pthread.h>

#include "sdk/src/json/schema.h"

#define KEY(name) "\"" name "\":", .name_length = sizeof(name) - 1
#define FIELD(name, field_number, field_kind, ...) \
    { .key = KEY(name), .number = (field_number), .kind = (field_kind), __VA_ARGS__ }
#define PLAIN(name, field_number, field_kind) FIELD(name, field_number, field_kind, .flags = 0)
#define MANY(name, field_number, type) \
    FIELD(name, field_number, SCHEMA_MESSAGE, .message = &(type), .flags = SCHEMA_REPEATED)
#define ONE(name, field_number, type, field_flags) \
    FIELD(name, field_number, SCHEMA_MESSAGE, .message = &(type), .flags = (field_flags))
#define MESSAGE_OF(variable, own_fields, prefix, item) \
    struct schema_message variable = { .fields = (own_fields), .count = WEIR_ARRAY_LENGTH(own_fields), \
                                     .length_bytes = (prefix), .is_item = (item) }
#define MESSAGE(variable, own_fields, prefix) MESSAGE_OF(variable, own_fields, prefix, false)
#define ITEM(variable, own_fields, prefix) MESSAGE_OF(variable, own_fields, prefix, true)

// Enums

static const char *const span_kinds[] = {
    "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER",
};
static const struct schema_enum span_kind = { span_kinds, WEIR_ARRAY_LENGTH(span_kinds) };

static const char *const status_codes[] = { "STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR" };
static const struct schema_enum status_code = { status_codes, WEIR_ARRAY_LENGTH(status_codes) };

static const char *const temporalities[] = {
    "AGGREGATION_TEMPORALITY_UNSPECIFIED",
    "AGGREGATION_TEMPORALITY_DELTA",
    "AGGREGATION_TEMPORALITY_CUMULATIVE",
};
static const struct schema_enum temporality = { temporalities, WEIR_ARRAY_LENGTH(temporalities) };

static const char *const severities[] = {
    "SEVERITY_NUMBER_UNSPECIFIED", "SEVERITY_NUMBER_TRACE",  "SEVERITY_NUMBER_TRACE2", "SEVERITY_NUMBER_TRACE3",
    "SEVERITY_NUMBER_TRACE4",      "SEVERITY_NUMBER_DEBUG",  "SEVERITY_NUMBER_DEBUG2", "SEVERITY_NUMBER_DEBUG3",
    "SEVERITY_NUMBER_DEBUG4",      "SEVERITY_NUMBER_INFO",   "SEVERITY_NUMBER_INFO2",  "SEVERITY_NUMBER_INFO3",
    "SEVERITY_NUMBER_INFO4",       "SEVERITY_NUMBER_WARN",   "SEVERITY_NUMBER_WARN2",  "SEVERITY_NUMBER_WARN3",
    "SEVERITY_NUMBER_WARN4",       "SEVERITY_NUMBER_ERROR",  "SEVERITY_NUMBER_ERROR2", "SEVERITY_NUMBER_ERROR3",
    "SEVERITY_NUMBER_ERROR4",      "SEVERITY_NUMBER_FATAL",  "SEVERITY_NUMBER_FATAL2", "SEVERITY_NUMBER_FATAL3",
    "SEVERITY_NUMBER_FATAL4",
};
static const struct schema_enum severity = { severities, WEIR_ARRAY_LENGTH(severities) };

// common/v1 and resource/v1

static struct schema_field array_value_fields[] = { MANY("values", 1, schema_any_value) };
static MESSAGE(array_value, array_value_fields, 1);

static struct schema_field kvlist_value_fields[] = { MANY("values", 1, schema_key_value) };
static MESSAGE(kvlist_value, kvlist_value_fields, 1);

static struct schema_field any_value_fields[] = {
    FIELD("stringValue", 1, SCHEMA_STRING, .flags = SCHEMA_ONEOF),
    FIELD("boolValue", 2, SCHEMA_BOOL, .flags = SCHEMA_ONEOF),
    FIELD("intValue", 3, SCHEMA_INT64, .flags = SCHEMA_ONEOF),
    FIELD("doubleValue", 4, SCHEMA_DOUBLE, .flags = SCHEMA_ONEOF),
    ONE("arrayValue", 5, array_value, SCHEMA_ONEOF),
    ONE("kvlistValue", 6, kvlist_value, SCHEMA_ONEOF),
    FIELD("bytesValue", 7, SCHEMA_BYTES, .flags = SCHEMA_ONEOF),
};
MESSAGE(schema_any_value, any_value_fields, 1);

static struct schema_field key_value_fields[] = {
    PLAIN("key", 1, SCHEMA_STRING),
    ONE("value", 2, schema_any_value, SCHEMA_ALWAYS),
};
MESSAGE(schema_key_value, key_value_fields, 1);

static struct schema_field scope_fields[] = {
    PLAIN("name", 1, SCHEMA_STRING),
    PLAIN("version", 2, SCHEMA_STRING),
    MANY("attributes", 3, schema_key_value),
    PLAIN("droppedAttributesCount", 4, SCHEMA_UINT32),
};
static MESSAGE(scope, scope_fields, 1);

static struct schema_field entity_ref_fields[] = {
    PLAIN("schemaUrl", 1, SCHEMA_STRING),
    PLAIN("type", 2, SCHEMA_STRING),
    FIELD("idKeys", 3, SCHEMA_STRING, .flags = SCHEMA_REPEATED),
    FIELD("descriptionKeys", 4, SCHEMA_STRING, .flags = SCHEMA_REPEATED),
};
static MESSAGE(entity_ref, entity_ref_fields, 1);

static struct schema_field resource_fields[] = {
    MANY("attributes", 1, schema_key_value),
    PLAIN("droppedAttributesCount", 2, SCHEMA_UINT32),
    MANY("entityRefs", 3, entity_ref),
};
static MESSAGE(resource, resource_fields, 2);

// trace/v1

static struct schema_field event_fields[] = {
    PLAIN("timeUnixNano", 1, SCHEMA_FIXED64),
    PLAIN("name", 2, SCHEMA_STRING),
    MANY("attributes", 3, schema_key_value),
    PLAIN("droppedAttributesCount", 4, SCHEMA_UINT32),
};
static MESSAGE(event, event_fields, 1);

static struct schema_field link_fields[] = {
    PLAIN("traceId", 1, SCHEMA_TRACE_ID),
    PLAIN("spanId", 2, SCHEMA_SPAN_ID),
    PLAIN("traceState", 3, SCHEMA_STRING),
    MANY("attributes", 4, schema_key_value),
    PLAIN("droppedAttributesCount", 5, SCHEMA_UINT32),
    PLAIN("flags", 6, SCHEMA_FIXED32),
};
static MESSAGE(span_link, link_fields, 1);

static struct schema_field status_fields[] = {
    PLAIN("message", 2, SCHEMA_STRING),
    FIELD("code", 3, SCHEMA_ENUM, .names = &status_code),
};
static MESSAGE(status, status_fields, 1);

static struct schema_field span_fields[] = {
    PLAIN("traceId", 1, SCHEMA_TRACE_ID),
    PLAIN("spanId", 2, SCHEMA_SPAN_ID),
    PLAIN("traceState", 3, SCHEMA_STRING),
    PLAIN("parentSpanId", 4, SCHEMA_SPAN_ID),
    PLAIN("flags", 16, SCHEMA_FIXED32),
    PLAIN("name", 5, SCHEMA_STRING),
    FIELD("kind", 6, SCHEMA_ENUM, .names = &span_kind),
    PLAIN("startTimeUnixNano", 7, SCHEMA_FIXED64),
    PLAIN("endTimeUnixNano", 8, SCHEMA_FIXED64),
    MANY("attributes", 9, schema_key_value),
    PLAIN("droppedAttributesCount", 10, SCHEMA_UINT32),
    MANY("events", 11, event),
    PLAIN("droppedEventsCount", 12, SCHEMA_UINT32),
    MANY("links", 13, span_link),
    PLAIN("droppedLinksCount", 14, SCHEMA_UINT32),
    ONE("status", 15, status, SCHEMA_ALWAYS),
};
static ITEM(span, span_fields, 2);

static struct schema_field scope_spans_fields[] = {
    ONE("scope", 1, scope, SCHEMA_ALWAYS),
    MANY("spans", 2, span),
    PLAIN("schemaUrl", 3, SCHEMA_STRING),
};
static MESSAGE(scope_spans, scope_spans_fields, 3);

static struct schema_field resource_spans_fields[] = {
    ONE("resource", 1, resource, SCHEMA_ALWAYS),
    MANY("scopeSpans", 2, scope_spans),
    PLAIN("schemaUrl", 3, SCHEMA_STRING),
};
static MESSAGE(resource_spans, resource_spans_fields, 3);

static struct schema_field traces_fields[] = { MANY("resourceSpans", 1, resource_spans) };
static MESSAGE(traces, traces_fields, 3);

// metrics/v1

static struct schema_field exemplar_fields[] = {
    MANY("filteredAttributes", 7, schema_key_value),
    PLAIN("timeUnixNano", 2, SCHEMA_FIXED64),
    FIELD("asDouble", 3, SCHEMA_DOUBLE, .flags = SCHEMA_ONEOF),
    FIELD("asInt", 6, SCHEMA_SFIXED64, .flags = SCHEMA_ONEOF),
    PLAIN("spanId", 4, SCHEMA_SPAN_ID),
    PLAIN("traceId", 5, SCHEMA_TRACE_ID),
};
static MESSAGE(exemplar, exemplar_fields, 1);

static struct schema_field number_point_fields[] = {
    MANY("attributes", 7, schema_key_value),
    PLAIN("startTimeUnixNano", 2, SCHEMA_FIXED64),
    PLAIN("timeUnixNano", 3, SCHEMA_FIXED64),
    FIELD("asDouble", 4, SCHEMA_DOUBLE, .flags = SCHEMA_ONEOF),
    FIELD("asInt", 6, SCHEMA_SFIXED64, .flags = SCHEMA_ONEOF),
    MANY("exemplars", 5, exemplar),
    PLAIN("flags", 8, SCHEMA_UINT32),
};
static ITEM(number_point, number_point_fields, 1);

static struct schema_field histogram_point_fields[] = {
    MANY("attributes", 9, schema_key_value),
    PLAIN("startTimeUnixNano", 2, SCHEMA_FIXED64),
    PLAIN("timeUnixNano", 3, SCHEMA_FIXED64),
    PLAIN("count", 4, SCHEMA_FIXED64),
    FIELD("sum", 5, SCHEMA_DOUBLE, .flags = SCHEMA_OPTIONAL),
    FIELD("bucketCounts", 6, SCHEMA_FIXED64, .flags = SCHEMA_REPEATED),
    FIELD("explicitBounds", 7, SCHEMA_DOUBLE, .flags = SCHEMA_REPEATED),
    MANY("exemplars", 8, exemplar),
    PLAIN("flags", 10, SCHEMA_UINT32),
    FIELD("min", 11, SCHEMA_DOUBLE, .flags = SCHEMA_OPTIONAL),
    FIELD("max", 12, SCHEMA_DOUBLE, .flags = SCHEMA_OPTIONAL),
};
static ITEM(histogram_point, histogram_point_fields, 2);

static struct schema_field buckets_fields[] = {
    PLAIN("offset", 1, SCHEMA_SINT32),
    FIELD("bucketCounts", 2, SCHEMA_UINT64, .flags = SCHEMA_REPEATED),
};
static MESSAGE(buckets, buckets_fields, 1);

static struct schema_field exponential_point_fields[] = {
    MANY("attributes", 1, schema_key_value),
    PLAIN("startTimeUnixNano", 2, SCHEMA_FIXED64),
    PLAIN("timeUnixNano", 3, SCHEMA_FIXED64),
    PLAIN("count", 4, SCHEMA_FIXED64),
    FIELD("sum", 5, SCHEMA_DOUBLE, .flags = SCHEMA_OPTIONAL),
    PLAIN("scale", 6, SCHEMA_SINT32),
    PLAIN("zeroCount", 7, SCHEMA_FIXED64),
    ONE("positive", 8, buckets, SCHEMA_ALWAYS),
    ONE("negative", 9, buckets, SCHEMA_ALWAYS),
    PLAIN("flags", 10, SCHEMA_UINT32),
    MANY("exemplars", 11, exemplar),
    FIELD("min", 12, SCHEMA_DOUBLE, .flags = SCHEMA_OPTIONAL),
    FIELD("max", 13, SCHEMA_DOUBLE, .flags = SCHEMA_OPTIONAL),
    PLAIN("zeroThreshold", 14, SCHEMA_DOUBLE),
};
static ITEM(exponential_point, exponential_point_fields, 2);

static struct schema_field quantile_fields[] = {
    PLAIN("quantile", 1, SCHEMA_DOUBLE),
    PLAIN("value", 2, SCHEMA_DOUBLE),
};
static MESSAGE(quantile, quantile_fields, 1);

static struct schema_field summary_point_fields[] = {
    MANY("attributes", 7, schema_key_value),
    PLAIN("startTimeUnixNano", 2, SCHEMA_FIXED64),
    PLAIN("timeUnixNano", 3, SCHEMA_FIXED64),
    PLAIN("count", 4, SCHEMA_FIXED64),
    PLAIN("sum", 5, SCHEMA_DOUBLE),
    MANY("quantileValues", 6, quantile),
    PLAIN("flags", 8, SCHEMA_UINT32),
};
static ITEM(summary_point, summary_point_fields, 1);

static struct schema_field gauge_fields[] = { MANY("dataPoints", 1, number_point) };
static MESSAGE(gauge, gauge_fields, 1);

static struct schema_field sum_fields[] = {
    MANY("dataPoints", 1, number_point),
    FIELD("aggregationTemporality", 2, SCHEMA_ENUM, .names = &temporality),
    PLAIN("isMonotonic", 3, SCHEMA_BOOL),
};
static MESSAGE(sum, sum_fields, 1);

static struct schema_field histogram_fields[] = {
    MANY("dataPoints", 1, histogram_point),
    FIELD("aggregationTemporality", 2, SCHEMA_ENUM, .names = &temporality),
};
static MESSAGE(histogram, histogram_fields, 2);

static struct schema_field exponential_fields[] = {
    MANY("dataPoints", 1, exponential_point),
    FIELD("aggregationTemporality", 2, SCHEMA_ENUM, .names = &temporality),
};
static MESSAGE(exponential, exponential_fields, 2);

static struct schema_field summary_fields[] = { MANY("dataPoints", 1, summary_point) };
static MESSAGE(summary, summary_fields, 2);

static struct schema_field metric_fields[] = {
    PLAIN("name", 1, SCHEMA_STRING),
    PLAIN("description", 2, SCHEMA_STRING),
    PLAIN("unit", 3, SCHEMA_STRING),
    ONE("gauge", 5, gauge, SCHEMA_ONEOF),
    ONE("sum", 7, sum, SCHEMA_ONEOF),
    ONE("histogram", 9, histogram, SCHEMA_ONEOF),
    ONE("exponentialHistogram", 10, exponential, SCHEMA_ONEOF),
    ONE("summary", 11, summary, SCHEMA_ONEOF),
    MANY("metadata", 12, schema_key_value),
};
static MESSAGE(metric, metric_fields, 2);

static struct schema_field scope_metrics_fields[] = {
    ONE("scope", 1, scope, SCHEMA_ALWAYS),
    MANY("metrics", 2, metric),
    PLAIN("schemaUrl", 3, SCHEMA_STRING),
};
static MESSAGE(scope_metrics, scope_metrics_fields, 3);

static struct schema_field resource_metrics_fields[] = {
    ONE("resource", 1, resource, SCHEMA_ALWAYS),
    MANY("scopeMetrics", 2, scope_metrics),
    PLAIN("schemaUrl", 3, SCHEMA_STRING),
};
static MESSAGE(resource_metrics, resource_metrics_fields, 3);

static struct schema_field metrics_fields[] = { MANY("resourceMetrics", 1, resource_metrics) };
static MESSAGE(metrics, metrics_fields, 3);

// logs/v1

static struct schema_field log_record_fields[] = {
    PLAIN("timeUnixNano", 1, SCHEMA_FIXED64),
    PLAIN("observedTimeUnixNano", 11, SCHEMA_FIXED64),
    FIELD("severityNumber", 2, SCHEMA_ENUM, .names = &severity),
    PLAIN("severityText", 3, SCHEMA_STRING),
    ONE("body", 5, schema_any_value, SCHEMA_ALWAYS),
    MANY("attributes", 6, schema_key_value),
    PLAIN("droppedAttributesCount", 7, SCHEMA_UINT32),
    PLAIN("flags", 8, SCHEMA_FIXED32),
    PLAIN("traceId", 9, SCHEMA_TRACE_ID),
    PLAIN("spanId", 10, SCHEMA_SPAN_ID),
    PLAIN("eventName", 12, SCHEMA_STRING),
};
static ITEM(log_record, log_record_fields, 2);

static struct schema_field scope_logs_fields[] = {
    ONE("scope", 1, scope, SCHEMA_ALWAYS),
    MANY("logRecords", 2, log_record),
    PLAIN("schemaUrl", 3, SCHEMA_STRING),
};
static MESSAGE(scope_logs, scope_logs_fields, 3);

static struct schema_field resource_logs_fields[] = {
    ONE("resource", 1, resource, SCHEMA_ALWAYS),
    MANY("scopeLogs", 2, scope_logs),
    PLAIN("schemaUrl", 3, SCHEMA_STRING),
};
static MESSAGE(resource_logs, resource_logs_fields, 3);

static struct schema_field logs_fields[] = { MANY("resourceLogs", 1, resource_logs) };
static MESSAGE(logs, logs_fields, 3);

static struct schema_message *const all_messages[] = {
    &schema_any_value, &array_value,     &kvlist_value,      &schema_key_value,     &scope,         &entity_ref,
    &resource,       &event,           &span_link,         &status,        &span,          &scope_spans,
    &resource_spans, &traces,          &exemplar,          &number_point,  &histogram_point, &buckets,
    &exponential_point, &quantile,     &summary_point,     &gauge,         &sum,           &histogram,
    &exponential,    &summary,         &metric,            &scope_metrics, &resource_metrics, &metrics,
    &log_record,     &scope_logs,      &resource_logs,     &logs,
};
_Static_assert(WEIR_ARRAY_LENGTH(all_messages) == SCHEMA_MESSAGES, "SCHEMA_MESSAGES is the number of messages");

static void index_key(struct schema_field *field)
{
    size_t length = schema_key_length(field);
    size_t first = length < sizeof(field->head) ? length : sizeof(field->head);
    memcpy(&field->head, field->key, first);
    memset(&field->mask, 0xff, first);
    if (length > sizeof(field->tail))
        memcpy(&field->tail, field->key + length - sizeof(field->tail), sizeof(field->tail));
}

/* Works out, once, what can be read off the fields. */
static void index_messages(void)
{
    for (size_t slot = 0; slot < WEIR_ARRAY_LENGTH(all_messages); slot++) {
        struct schema_message *message = all_messages[slot];
        message->slot = (uint8_t)slot;
        for (unsigned i = 0; i < message->count; i++) {
            struct schema_field *field = &message->fields[i];
            index_key(field);
            message->by_number[field->number] = (uint8_t)(i + 1);
            message->always |= (uint16_t)(field->flags & SCHEMA_ALWAYS ? 1u << i : 0);
            message->oneof |= (uint16_t)(field->flags & SCHEMA_ONEOF ? 1u << i : 0);
            bool single = field->kind == SCHEMA_MESSAGE && !(field->flags & SCHEMA_REPEATED);
            message->singles |= (uint16_t)(single ? 1u << i : 0);
        }
    }
}

const struct schema_message *schema_request(enum weir_signal signal)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static const struct schema_message *const requests[WEIR_SIGNALS] = {
        [WEIR_TRACES] = &traces, [WEIR_METRICS] = &metrics, [WEIR_LOGS] = &logs,
    };
    pthread_once(&once, index_messages);
    return requests[signal];
}
