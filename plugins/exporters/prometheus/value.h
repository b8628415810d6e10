// SPDX-License-Identifier: Apache-2.0
/*
 * What is known of one series: its last data point, to which deltas have been added (contrib-receivers-exporters 4.2).
 */
#ifndef PROMETHEUS_VALUE_H
#define PROMETHEUS_VALUE_H

#include <weir/telemetry.h>

/* An exemplar; on the page it has no labels but the two ids. */
struct value_exemplar {
    uint64_t time_unix_nano;
    double value;
    uint8_t trace_id[16], span_id[8];
    bool has_trace_id, has_span_id;
};

/* Read-only once it is made, so that a page can be written from it while the series goes on. */
struct value {
    _Atomic unsigned references;
    enum weir_metric_type type;
    uint64_t start, time; /* nanoseconds since 1970 */
    struct weir_number number;
    uint64_t count;
    double sum;
    int32_t scale;  /* of an exponential histogram, as the next four */
    uint64_t zero_count;
    double zero_threshold;
    struct weir_buckets positive, negative;
    double *bounds; /* of a histogram, as the next */
    size_t bound_count;
    uint64_t *counts;
    size_t count_count;
    struct weir_quantile *quantiles;
    size_t quantile_count;
    struct value_exemplar *exemplars;
    size_t exemplar_count;
};

enum value_verdict {
    VALUE_TAKEN,
    VALUE_OLD,       /* there is a newer one */
    VALUE_MISPLACED, /* a delta of a time that is accounted for */
    VALUE_NO_MEMORY,
};

/* Why no point of the metric can be accumulated; NULL: it can. */
const char *value_unfit(const struct weir_metric *metric);

/* What the series is after the point; `old` (NULL: nothing yet) is left as it is. Any thread that may read them. */
enum value_verdict value_next(const struct value *old, const struct weir_metric *metric,
                              const struct weir_data_point *point, struct value **out);

/* The last exemplar of a histogram's bucket; NULL: it has none. */
const struct value_exemplar *value_bucket_exemplar(const struct value *value, size_t bucket);

double value_number(const struct weir_number *number);

struct value *value_ref(struct value *value);
void value_unref(struct value *value); /* accepts NULL */

#endif
