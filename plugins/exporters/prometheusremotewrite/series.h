// SPDX-License-Identifier: Apache-2.0
/*
 * The series of one batch: label sets that occur once, each with what the batch says of it. All of it stands in one
 * arena.
 */
#ifndef PROMETHEUSREMOTEWRITE_SERIES_H
#define PROMETHEUSREMOTEWRITE_SERIES_H

#include <weir/prometheus.h>

/* What is known of a family of series. */
struct family {
    struct family *next;
    struct weir_str name;
    struct weir_str help;
    struct weir_str unit;
    enum weir_prometheus_type type;
};

struct sample {
    double value;
    int64_t timestamp; /* milliseconds */
    int64_t start;     /* milliseconds; 0: not known */
    const struct weir_prometheus_native *native; /* instead of the value */
};

struct exemplar {
    struct weir_prometheus_label *labels;
    size_t label_count;
    double value;
    int64_t timestamp; /* milliseconds */
};

struct series {
    struct series *next;
    uint64_t hash;
    struct weir_prometheus_label *labels; /* sorted by name */
    size_t label_count;
    struct family *family; /* NULL for target_info of version 1 */
    struct sample *samples;
    size_t sample_count, sample_capacity;
    struct exemplar *exemplars;
    size_t exemplar_count, exemplar_capacity;
    uint64_t items; /* data points that are booked here */
    size_t length;  /* of its message in version 1; see prw_series_measure */
};

struct series_set {
    struct weir_arena arena;
    struct series *first, *last; /* in the order they came */
    size_t count;
    struct series **table;
    size_t table_size; /* a power of two, or 0 */
    struct family *families;
    struct family *last_family;
};

/* The hash of a set of labels is the sum of theirs, so that those which many sets share are hashed once. */
uint64_t series_hash(const struct weir_prometheus_label *labels, size_t count);
/* The series with these labels (sorted, unique; borrowed from the set's arena) and their hash, made if there is none. NULL
 * when memory is out, as for what follows. */
struct series *series_find(struct series_set *set, struct weir_prometheus_label *labels, size_t label_count,
                           uint64_t hash, struct family *family);
bool series_add_sample(struct series_set *set, struct series *series, const struct sample *sample);
bool series_add_exemplar(struct series_set *set, struct series *series, const struct exemplar *exemplar);
/* Orders the samples of each series by time; those that are the same stand once. */
void series_sort(struct series_set *set);
void series_free(struct series_set *set);

#endif
