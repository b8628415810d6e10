// SPDX-License-Identifier: Apache-2.0
/*
 * Records gathered for Loki's push API: tenants, their streams, the entries of a stream.
 */
#ifndef LOKI_PUSH_H
#define LOKI_PUSH_H

#include <weir/arena.h>
#include <weir/buffer.h>

struct loki_entry {
    uint64_t time; /* nanoseconds since 1970 */
    struct weir_str line;
};

struct loki_stream {
    struct loki_stream *next; /* of the tenant */
    struct loki_tenant *tenant;
    uint64_t hash;
    struct weir_str labels;
    struct loki_entry *entries;
    size_t count;
    size_t capacity;
};

struct loki_tenant {
    struct loki_tenant *next;
    struct weir_str name; /* empty: none */
    struct loki_stream *first, *last;
    size_t stream_count;
    uint64_t items;
};

/* Zero-initialise; loki_push_free at the end. */
struct loki_push {
    struct weir_arena arena;
    struct loki_tenant *first, *last;
    struct loki_stream **table; /* of all streams, by hash of tenant and labels */
    size_t table_size;
    size_t count; /* streams */
};

/* The stream, made (with copies of the texts) if it is not there; NULL when memory is out. */
struct loki_stream *loki_push_stream(struct loki_push *push, struct weir_str tenant, struct weir_str labels);
/* Adds an entry with a copy of the line; false when memory is out. */
bool loki_push_add(struct loki_push *push, struct loki_stream *stream, uint64_t time, struct weir_str line);

/* The tenant's request, the entries of each stream in the order of their times (as they came where those are equal), not
 * compressed; NULL when memory is out. */
struct weir_buffer *loki_push_pack(struct loki_push *push, struct loki_tenant *tenant);
/* The same as JSON (push_json.c). */
struct weir_buffer *loki_push_pack_json(struct loki_push *push, const struct loki_tenant *tenant);

/* The stream's entries as pointers, in this order; NULL when memory is out. */
const struct loki_entry **loki_push_order(struct loki_push *push, const struct loki_stream *stream);

void loki_push_free(struct loki_push *push);

#endif
