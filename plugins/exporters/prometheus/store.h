// SPDX-License-Identifier: Apache-2.0
/*
 * The series of one exporter, shared by all workers and, across a reload, by an instance and its successor.
 *
 * They are spread over parts by the name of their metric; a part is locked while a metric's points are put into it, or
 * while references to all that is in it are taken for a page, which is then written without a lock.
 */
#ifndef PROMETHEUS_STORE_H
#define PROMETHEUS_STORE_H

#include <weir/prometheus.h>
#include <weir/str.h>

#include "plugins/exporters/prometheus/table.h"
#include "plugins/exporters/prometheus/value.h"

/* What all series of a metric have in common. Read-only. */
struct family {
    struct link link;
    _Atomic unsigned references; /* one is the table's */
    uint64_t sequence;           /* the order in which families were first seen */
    enum weir_prometheus_type type;
    struct weir_str key;  /* of the metric: all that the rest is made of */
    struct weir_str name; /* on the page; empty: none can be made */
    struct weir_str help;
};

struct series {
    struct link link;
    _Atomic unsigned references; /* one is the table's */
    uint64_t sequence;
    struct family *family; /* under the part's lock, as the next two */
    struct value *value;
    int64_t updated;        /* on the workers' clock */
    struct weir_str key;    /* the identity */
    struct weir_str labels; /* as on the page: a="b",c="d"; data is NULL when they clash */
    struct weir_str clash;  /* the name that two labels have */
};

/* The resource of a job's instance. */
struct target {
    struct link link;
    _Atomic unsigned references;
    int64_t updated; /* under the lock of the targets */
    struct weir_str key;
    struct weir_str labels;
};

struct store;

/* The store of that key, a new one where there is none; a reference for the caller. Any thread, as for the next two. */
struct store *store_open(struct weir_str key);
struct store *store_ref(struct store *store);
/* Accepts NULL. */
void store_unref(struct store *store);

/* --- putting points in --- */

/* The part for a metric's name, locked. */
struct part;
struct part *store_lock(struct store *store, struct weir_str metric_name);
void store_unlock(struct part *part);

/* All under the lock of `part`. NULL when there is none, or, for add, when memory is out. */
struct family *part_find_family(struct part *part, struct weir_str key);
struct family *part_add_family(struct part *part, struct weir_str key, enum weir_prometheus_type type,
                               struct weir_str name, struct weir_str help);
struct series *part_find_series(struct part *part, struct weir_str key);
/* Without value and family; `labels` without data: they clash. */
struct series *part_add_series(struct part *part, struct weir_str key, struct weir_str labels, struct weir_str clash);
void part_remove_series(struct part *part, struct series *series);
/* Takes over the reference on `value`. */
void series_set(struct series *series, struct family *family, struct value *value, int64_t now);

/* False when memory is out. */
bool store_set_target(struct store *store, struct weir_str key, struct weir_str labels, int64_t now);

/* --- taking them out --- */

struct snapshot_entry {
    struct series *series;
    struct family *family;
    struct value *value;
};

struct snapshot {
    struct snapshot_entry *entries;
    size_t count, capacity;
    struct target **targets;
    size_t target_count, target_capacity;
};

/* Forgets what has not been updated for longer than `expiration` nanoseconds. Any thread. */
void store_expire(struct store *store, int64_t now, int64_t expiration);
/* References to all that is in the store, in no order. False, with `out` empty, when memory is out. Any thread. */
bool store_snapshot(struct store *store, struct snapshot *out);
void snapshot_free(struct snapshot *snapshot);

/* Series in the store. Any thread. */
size_t store_count(const struct store *store);

#endif
