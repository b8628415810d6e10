// SPDX-License-Identifier: Apache-2.0
/*
 * OTLP metrics as Prometheus has them: names, labels, and the series of a data point (OpenTelemetry specification,
 * "Prometheus and OpenMetrics Compatibility"; contrib-receivers-exporters 4.3, 4.4, 5.4). What the scraped and the writing
 * exporter share.
 *
 * All functions: any thread that may read what they are given.
 */
#ifndef WEIR_PROMETHEUS_H
#define WEIR_PROMETHEUS_H

#include <weir/error.h>
#include <weir/telemetry.h>

WEIR_BEGIN

/* `translation_strategy`. */
enum weir_prometheus_strategy {
    WEIR_PROMETHEUS_ESCAPED_SUFFIXED, /* UnderscoreEscapingWithSuffixes */
    WEIR_PROMETHEUS_ESCAPED,          /* UnderscoreEscapingWithoutSuffixes */
    WEIR_PROMETHEUS_UTF8_SUFFIXED,    /* NoUTF8EscapingWithSuffixes */
    WEIR_PROMETHEUS_UNCHANGED,        /* NoTranslation */
};

/* What a family is; the numbers are those of remote write's MetricMetadata. */
enum weir_prometheus_type {
    WEIR_PROMETHEUS_UNKNOWN,
    WEIR_PROMETHEUS_COUNTER,
    WEIR_PROMETHEUS_GAUGE,
    WEIR_PROMETHEUS_HISTOGRAM,
    WEIR_PROMETHEUS_GAUGE_HISTOGRAM,
    WEIR_PROMETHEUS_SUMMARY,
};

/* A monotonic sum is a counter, another sum a gauge; a metric without data is unknown. */
WEIR_EXPORT enum weir_prometheus_type weir_prometheus_type_of(const struct weir_metric *metric);

/* Adds the name of the metric's family. 0, or -1 with `error` set and `name` unchanged when nothing but underscores would
 * be left of it. */
WEIR_EXPORT int weir_prometheus_metric_name(enum weir_prometheus_strategy strategy, struct weir_str name_space,
                                            const struct weir_metric *metric, struct weir_text *name,
                                            struct weir_error *error);

/* How names of labels come from keys of attributes. */
enum weir_prometheus_label_rule {
    WEIR_PROMETHEUS_LABEL_SCRAPED, /* each odd character is an underscore */
    WEIR_PROMETHEUS_LABEL_WRITTEN, /* a run of odd characters is one underscore, which never stands first */
    WEIR_PROMETHEUS_LABEL_UTF8,    /* as it is */
};

/* Adds the name of a label. false, with `name` unchanged, for a key of nothing but underscores. */
WEIR_EXPORT bool weir_prometheus_label_name(enum weir_prometheus_label_rule rule, struct weir_str key,
                                            struct weir_text *name);

struct weir_prometheus_label {
    struct weir_str name;
    struct weir_str value;
    struct weir_str key; /* private, as what follows: the attribute it came from */
    int rank;            /* enum weir_prometheus_rank */
};

/* Who wins when labels have one name: the higher rank. Attributes that share a name are joined. */
enum weir_prometheus_rank {
    WEIR_PROMETHEUS_EXTERNAL,  /* of the configuration */
    WEIR_PROMETHEUS_ATTRIBUTE, /* of the data point */
    WEIR_PROMETHEUS_DERIVED,   /* of resource and scope: job, instance, otel_scope_name */
    WEIR_PROMETHEUS_OWN,       /* __name__, le, quantile */
};

/* Labels in the making. Zero-initialise, set `arena` and perhaps `sparse`; names and values that are added must outlive it, what is made for
 * them stands in the arena. */
struct weir_prometheus_labels {
    struct weir_arena *arena;
    bool sparse; /* no labels without a value, and none for a schema URL: as remote write has it */
    struct weir_prometheus_label *items;
    size_t count;
    size_t capacity;
};

/* Each returns false when memory is out: the labels are not to be used then. */
WEIR_EXPORT bool weir_prometheus_labels_add(struct weir_prometheus_labels *labels, enum weir_prometheus_rank rank,
                                            struct weir_str name, struct weir_str value) WEIR_MUST_USE;
/* The attributes of a point, without those that `over` has as well (resource_to_telemetry_conversion); keys of nothing
 * but underscores are left out. */
WEIR_EXPORT bool weir_prometheus_labels_add_attributes(struct weir_prometheus_labels *labels,
                                                       enum weir_prometheus_label_rule rule,
                                                       enum weir_prometheus_rank rank,
                                                       const struct weir_attributes *attributes,
                                                       const struct weir_attributes *over) WEIR_MUST_USE;
/* job and instance, as far as the resource has what they are made of (service.namespace, service.name,
 * service.instance.id). */
WEIR_EXPORT bool weir_prometheus_labels_add_identity(struct weir_prometheus_labels *labels,
                                                     const struct weir_attributes *resource) WEIR_MUST_USE;
/* otel_scope_name, otel_scope_version, otel_scope_schema_url and the scope's attributes. */
WEIR_EXPORT bool weir_prometheus_labels_add_scope(struct weir_prometheus_labels *labels,
                                                  enum weir_prometheus_label_rule rule, const struct weir_scope *scope,
                                                  struct weir_str schema_url) WEIR_MUST_USE;

/* Sorts by name and leaves one label of each name. `clash` is set to a name that more than one had, or to nothing. */
WEIR_EXPORT bool weir_prometheus_labels_finish(struct weir_prometheus_labels *labels,
                                               struct weir_str *clash) WEIR_MUST_USE;

/* True for service.name, service.namespace and service.instance.id, which job and instance say already. */
WEIR_EXPORT bool weir_prometheus_identifies(struct weir_str key);

/* Adds the words of a unit: "bytes_per_second" for By/s. */
WEIR_EXPORT void weir_prometheus_unit(struct weir_str unit, struct weir_text *text);

/* Adds a number as the text format has it: NaN, +Inf, -Inf, else the shortest that reads back as the same; without an
 * exponent when `plain`, as values of le and quantile are. */
WEIR_EXPORT void weir_prometheus_number(double value, bool plain, struct weir_text *text);

/* The value that ends a series (Prometheus' stale marker, 0x7ff0000000000002). */
WEIR_EXPORT double weir_prometheus_stale(void);

/* One sample of a data point. */
struct weir_prometheus_sample {
    const char *suffix;       /* of the family's name: "", "_sum", "_count", "_bucket" */
    const char *label;        /* "le", "quantile" or NULL */
    struct weir_str label_value;
    double value;
    size_t bucket; /* of a histogram's bucket: which; its exemplars are those with this weir_prometheus_bucket_of */
};
#define WEIR_PROMETHEUS_NO_BUCKET SIZE_MAX

/* Calls `emit` for each sample of the point, in this order: a number; buckets upwards, sum (if there is one), count;
 * quantiles, sum, count. Every value is the stale marker when the point has none recorded. Nothing comes of
 * exponential histograms, see weir_prometheus_native_of. */
WEIR_EXPORT void weir_prometheus_expand(const struct weir_metric *metric, const struct weir_data_point *point,
                                        void (*emit)(void *user, const struct weir_prometheus_sample *sample),
                                        void *user);

/* The histogram's first bucket whose bound is not below the value, the one without a bound at last. */
WEIR_EXPORT size_t weir_prometheus_bucket_of(const struct weir_data_point *point, double value);

/* The exemplar's number; 0 when it has none. Any thread. */
WEIR_EXPORT double weir_prometheus_exemplar_value(const struct weir_exemplar *exemplar);

/* Buckets of a native histogram (Prometheus' prompb.Histogram): runs of neighbours, and what each has more than the one
 * before it. */
struct weir_prometheus_span {
    int32_t offset; /* from the end of the run before it, or of the first: its bucket */
    uint32_t length;
};

struct weir_prometheus_runs {
    struct weir_prometheus_span *spans;
    size_t span_count;
    int64_t *deltas;
    size_t delta_count;
};

struct weir_prometheus_native {
    int32_t schema; /* -4 to 8 */
    double zero_threshold;
    uint64_t zero_count;
    uint64_t count;
    double sum;
    struct weir_prometheus_runs positive;
    struct weir_prometheus_runs negative;
};

/* The native histogram of an exponential one; what it points to is in `arena`. 0, or -1 with `error` set (scale below -4,
 * more than the counts of its buckets can say, memory is out). */
WEIR_EXPORT int weir_prometheus_native_of(const struct weir_data_point *point, struct weir_arena *arena,
                                          struct weir_prometheus_native *out, struct weir_error *error);

WEIR_END

#endif
