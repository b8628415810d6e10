// SPDX-License-Identifier: Apache-2.0
/*
 * Resources, scopes, spans, metrics and log records as plain structs, named as in OTLP
 * (opentelemetry-proto: resource/v1, common/v1, trace/v1, metrics/v1, logs/v1).
 *
 * Strings, ids and arrays are views into the batch. Times are nanoseconds since 1970, 0 when unset. What a batch
 * hands out as const stays as it is; the same struct from an edit function is the caller's to change until the batch
 * is passed on.
 */
#ifndef WEIR_TELEMETRY_H
#define WEIR_TELEMETRY_H

#include <weir/value.h>

WEIR_BEGIN

/* A trace id (16 bytes) or span id (8 bytes): NULL data when unset, which the wire writes as empty. */
typedef struct weir_str weir_id_bytes;

struct weir_entity_ref {
    struct weir_str schema_url;
    struct weir_str type;
    struct weir_str *id_keys;
    size_t id_key_count;
    struct weir_str *description_keys;
    size_t description_key_count;
};

struct weir_resource {
    struct weir_attributes attributes;
    uint32_t dropped_attributes_count;
    struct weir_entity_ref *entity_refs;
    size_t entity_ref_count;
};

struct weir_scope {
    struct weir_str name;
    struct weir_str version;
    struct weir_attributes attributes;
    uint32_t dropped_attributes_count;
};

enum weir_span_kind {
    WEIR_SPAN_UNSPECIFIED,
    WEIR_SPAN_INTERNAL,
    WEIR_SPAN_SERVER,
    WEIR_SPAN_CLIENT,
    WEIR_SPAN_PRODUCER,
    WEIR_SPAN_CONSUMER,
};

enum weir_status_code {
    WEIR_STATUS_UNSET,
    WEIR_STATUS_OK,
    WEIR_STATUS_ERROR,
};

struct weir_span_event {
    uint64_t time_unix_nano;
    struct weir_str name;
    struct weir_attributes attributes;
    uint32_t dropped_attributes_count;
};

struct weir_span_link {
    weir_id_bytes trace_id;
    weir_id_bytes span_id;
    struct weir_str trace_state;
    struct weir_attributes attributes;
    uint32_t dropped_attributes_count;
    uint32_t flags;
};

struct weir_span {
    weir_id_bytes trace_id;
    weir_id_bytes span_id;
    weir_id_bytes parent_span_id;
    struct weir_str trace_state;
    struct weir_str name;
    uint32_t flags;
    int32_t kind; /* enum weir_span_kind; unknown numbers pass through */
    uint64_t start_time_unix_nano;
    uint64_t end_time_unix_nano;
    struct weir_attributes attributes;
    uint32_t dropped_attributes_count;
    struct weir_span_event *events;
    size_t event_count;
    uint32_t dropped_events_count;
    struct weir_span_link *links;
    size_t link_count;
    uint32_t dropped_links_count;
    int32_t status_code; /* enum weir_status_code */
    struct weir_str status_message;
};

struct weir_log_record {
    uint64_t time_unix_nano;
    uint64_t observed_time_unix_nano;
    int32_t severity_number;
    struct weir_str severity_text;
    struct weir_value body;
    struct weir_attributes attributes;
    uint32_t dropped_attributes_count;
    uint32_t flags;
    weir_id_bytes trace_id;
    weir_id_bytes span_id;
    struct weir_str event_name;
};

enum weir_metric_type {
    WEIR_METRIC_EMPTY, /* no data set */
    WEIR_METRIC_GAUGE,
    WEIR_METRIC_SUM,
    WEIR_METRIC_HISTOGRAM,
    WEIR_METRIC_EXPONENTIAL_HISTOGRAM,
    WEIR_METRIC_SUMMARY,
};

enum weir_temporality {
    WEIR_TEMPORALITY_UNSPECIFIED,
    WEIR_TEMPORALITY_DELTA,
    WEIR_TEMPORALITY_CUMULATIVE,
};

enum weir_number_type {
    WEIR_NUMBER_EMPTY, /* no value set */
    WEIR_NUMBER_DOUBLE,
    WEIR_NUMBER_INT,
};

struct weir_number {
    enum weir_number_type type;
    union {
        double as_double;
        int64_t as_int;
    };
};

/* A double that may be absent (proto3 optional). */
struct weir_optional_double {
    bool present;
    double value;
};

struct weir_exemplar {
    uint64_t time_unix_nano;
    struct weir_number number;
    weir_id_bytes span_id;
    weir_id_bytes trace_id;
    struct weir_attributes filtered_attributes;
};

struct weir_buckets {
    int32_t offset;
    uint64_t *counts;
    size_t count;
};

struct weir_quantile {
    double quantile;
    double value;
};

#define WEIR_POINT_NO_RECORDED_VALUE 1u

/* One data point; which members count follows from the type of its metric. */
struct weir_data_point {
    struct weir_attributes attributes;
    uint64_t start_time_unix_nano;
    uint64_t time_unix_nano;
    uint32_t flags;
    struct weir_exemplar *exemplars;
    size_t exemplar_count;
    struct weir_number number; /* gauge, sum */
    uint64_t count;            /* histograms, summary */
    struct weir_optional_double sum, min, max; /* histograms; a summary's sum is always present */
    struct weir_buckets positive; /* histogram: bucket counts; exponential: positive buckets */
    struct weir_buckets negative; /* exponential */
    double *explicit_bounds;      /* histogram */
    size_t explicit_bound_count;
    int32_t scale; /* exponential */
    uint64_t zero_count;
    double zero_threshold;
    struct weir_quantile *quantiles; /* summary */
    size_t quantile_count;
};

struct weir_metric {
    struct weir_str name;
    struct weir_str description;
    struct weir_str unit;
    enum weir_metric_type type;
    int32_t temporality; /* enum weir_temporality */
    bool monotonic;
    struct weir_attributes metadata;
    struct weir_data_point *points;
    size_t point_count;
};

WEIR_END

#endif
