// SPDX-License-Identifier: Apache-2.0
/*
 * The insides of a batch.
 *
 * A batch is a list of chunks. A chunk is one request as it arrived (a slice of a received buffer, its item
 * count, and nothing else until somebody walks) or nodes that were made here. Merging links chunks, splitting
 * unlinks them and cuts at most one.
 *
 * Opening a level of the tree lists its nodes, each with the slice of bytes it came from. A leaf (resource,
 * scope, entry) is its slice, and a decoded struct once somebody asked; where the struct was edited, the
 * slice is stale until it is settled, that is, encoded into fresh bytes. A container (chunk, group, scope
 * group) that is `changed` no longer equals its slice and is composed from its children's.
 *
 * Memory: nodes and decoded structs come from the chunk's arena and go with the chunk; bytes are kept by the
 * chunk's references on buffers; what editors allocate is in pools that batch and chunk share.
 */
#ifndef WEIR_OTLP_TREE_H
#define WEIR_OTLP_TREE_H

#include <weir/batch.h>
#include <weir/wire.h>

/* Bytes inside a buffer that the node's chunk keeps alive. */
struct otlp_slice {
    const uint8_t *data;
    struct weir_buffer *buffer;
    size_t length;
};

/* A resource or scope: the whole field, key and length included; empty if it never was there. */
struct otlp_leaf {
    struct otlp_slice raw;
    void *decoded;
    bool changed;
};

/* What weir_batch_arena gives: shared by a batch and the chunks that were edited in it. */
struct otlp_pool {
    uint32_t references; /* atomic */
    struct weir_arena arena;
};

struct otlp_pool_link {
    struct otlp_pool_link *next;
    struct otlp_pool *pool;
};

struct otlp_buffer_link {
    struct otlp_buffer_link *next;
    struct weir_buffer *buffer;
};

struct otlp_chunk {
    struct otlp_chunk *next;
    struct weir_batch *batch; /* that has it in its list */
    struct weir_batch *home;  /* whose allocation it is part of; NULL: its own */
    struct otlp_slice raw;    /* with a reference of its own on the buffer; may be all NULL */
    size_t items;
    size_t size; /* encoded bytes; known unless `unsettled` */
    bool opened;
    bool changed;
    bool uncounted; /* `items` may not be what the tree has */
    bool unsettled; /* some leaf was edited or some container's size is not known */
    struct weir_group *first, *last;
    struct weir_arena arena;
    struct otlp_buffer_link *buffers; /* more references, links in the arena */
    struct weir_buffer *fresh;        /* the one of them that is still filled */
    struct weir_buffer *cut;          /* a reference: the header of the metric that was cut last */
    struct otlp_pool_link *pools;
};

struct weir_group {
    struct weir_group *next;
    struct otlp_chunk *chunk;
    struct otlp_slice raw; /* the whole field */
    struct otlp_leaf resource;
    struct otlp_slice schema; /* the whole field */
    struct weir_scope_group *first, *last;
    size_t payload; /* encoded size without key and length, if changed and settled */
    size_t items;   /* if counted */
    bool counted;
    bool opened;
    bool changed;
    bool removed;
};

struct weir_scope_group {
    struct weir_scope_group *next;
    struct weir_group *group;
    struct otlp_slice raw;
    struct otlp_leaf scope;
    struct otlp_slice schema;
    struct weir_entry *first, *last;
    size_t payload;
    size_t items;
    bool counted;
    bool opened;
    bool changed;
    bool removed;
};

/* A metric that was cut: `raw` of the entry ends where its data points start, and they follow in `points`. */
struct otlp_cut {
    struct weir_str identity; /* all fields but the data */
    uint8_t data_key;
    struct weir_str data_fields; /* the data's own fields, without points */
    struct otlp_slice points;
};

struct weir_entry {
    struct weir_entry *next;
    struct weir_scope_group *scope;
    struct otlp_slice raw;
    void *decoded;
    struct otlp_cut *cut;
    uint32_t items; /* of a metric: valid if counted */
    bool counted;
    bool changed;
    bool removed;
};

struct weir_batch {
    uint32_t references; /* atomic */
    uint32_t users;      /* atomic: of this allocation: the batch itself and the chunk inside */
    enum weir_signal signal;
    size_t items;
    size_t size; /* encoded bytes, if `sized` */
    bool sized;
    bool uncounted; /* some chunk is */
    size_t permit;
    struct weir_context *context;
    struct otlp_chunk *first, *last;
    struct otlp_pool *pool;
    struct otlp_chunk inside; /* the first chunk, so that a request takes one allocation */
    bool inside_used;
};

/* Field keys shared by the three signals' requests, groups and scope groups: 1, 2, 3, length-delimited. */
#define OTLP_KEY_1 0x0a
#define OTLP_KEY_2 0x12
#define OTLP_KEY_3 0x1a

/* chunk.c: chunks and what they own. NULL and false mean that memory is out. */
struct otlp_chunk *otlp_chunk_new(struct weir_batch *batch);
void otlp_chunk_free(struct otlp_chunk *chunk);
void otlp_chunk_link(struct weir_batch *batch, struct otlp_chunk *chunk);
/* Unlinks the first `count` chunks and links them to `to`. */
void otlp_chunks_move(struct weir_batch *from, struct weir_batch *to, size_t count);
/* Room for `size` bytes that stay where they are as long as the chunk, or who takes a reference on *buffer,
 * lives. */
uint8_t *otlp_chunk_fresh(struct otlp_chunk *chunk, size_t size, struct weir_buffer **buffer);
/* Takes a reference that lasts as long as the chunk. */
bool otlp_chunk_keep(struct otlp_chunk *chunk, struct weir_buffer *buffer);
/* Takes references on all that `from` refers to. */
bool otlp_chunk_keep_all(struct otlp_chunk *chunk, const struct otlp_chunk *from);
/* Makes what the chunk's nodes point at in the batch's arena live as long as the chunk. */
bool otlp_chunk_keep_pool(struct otlp_chunk *chunk);
/* Makes `buffer`, whose reference it takes, the request that the chunk came as, with as many items: its nodes end, and what
 * it referred to is let go. */
void otlp_chunk_replace(struct otlp_chunk *chunk, struct weir_buffer *buffer);
/* Ends the batch's own use of its arena. */
void otlp_batch_leave_pool(struct weir_batch *batch);
/* Drops a reference on the allocation of `batch`. */
void otlp_batch_drop(struct weir_batch *batch);

/* Links a node behind the others of its parent. */
#define OTLP_APPEND(parent, node)          \
    do {                                   \
        if ((parent)->last)                \
            (parent)->last->next = (node); \
        else                               \
            (parent)->first = (node);      \
        (parent)->last = (node);           \
    } while (0)

/* The node itself or the first behind it that was not removed. */
static inline struct weir_group *otlp_group_present(struct weir_group *group)
{
    while (group && group->removed)
        group = group->next;
    return group;
}
static inline struct weir_scope_group *otlp_scope_present(struct weir_scope_group *scope)
{
    while (scope && scope->removed)
        scope = scope->next;
    return scope;
}
static inline struct weir_entry *otlp_entry_present(struct weir_entry *entry)
{
    while (entry && entry->removed)
        entry = entry->next;
    return entry;
}

/* open.c: listing the nodes of one level. false when memory is out; doing it again is harmless. */
bool otlp_open_chunk(struct otlp_chunk *chunk);
bool otlp_open_group(struct weir_group *group);
bool otlp_open_scope(struct weir_scope_group *scope);

/* walk.c: puts a metric that was cut in one piece again. false when memory is out. */
bool otlp_entry_join(struct weir_entry *entry);

/* count.c: items, without listing what is not listed. */
size_t otlp_group_items(struct weir_group *group);
size_t otlp_scope_items(struct weir_scope_group *scope);

/* settle.c: brings slices and sizes up to date with what was edited. false when memory is out. */
bool otlp_settle(struct otlp_chunk *chunk);
size_t otlp_group_size(const struct weir_group *group);
size_t otlp_scope_size(const struct weir_scope_group *scope);
size_t otlp_entry_size(const struct weir_entry *entry);

/* edit.c: gives a span or log record other bytes, the whole field, which the chunk keeps. */
void otlp_entry_replace(struct weir_entry *entry, struct otlp_slice raw);
/* The same for the resource of an opened group. */
void otlp_resource_replace(struct weir_group *group, struct otlp_slice raw);

/* copy.c: a chunk of its own with the same telemetry. NULL when memory is out. */
struct otlp_chunk *otlp_chunk_copy(struct otlp_chunk *chunk, struct weir_batch *batch);
struct weir_group *otlp_group_copy(struct otlp_chunk *to, const struct weir_group *group);
/* Without scope groups and entries, changed. */
struct weir_group *otlp_group_copy_head(struct otlp_chunk *to, const struct weir_group *group);
struct weir_scope_group *otlp_scope_copy(struct weir_group *to, const struct weir_scope_group *scope);
struct weir_scope_group *otlp_scope_copy_head(struct weir_group *to, const struct weir_scope_group *scope);
struct weir_entry *otlp_entry_copy(struct weir_scope_group *to, const struct weir_entry *entry);

/* cut.c: takes the first `items` items, fewer than it has, off the chunk into a new one of `batch`. NULL,
 * with the chunk as it was, when memory is out. */
struct otlp_chunk *otlp_chunk_cut(struct otlp_chunk *chunk, size_t items, struct weir_batch *batch);

/* cut_metric.c: makes *head the first `points` data points of `entry`, fewer than it has, and *tail the
 * others. What both need is kept by `to` (the chunk of the head) and by *fresh, a new reference, for the
 * tail. false when memory is out. */
bool otlp_metric_cut(const struct weir_entry *entry, size_t points, struct otlp_chunk *to,
                     struct weir_entry *head, struct weir_entry *tail, struct weir_buffer **fresh);

/* normalise.c: the request without old library groups and without metrics that hold data more than once, so
 * that everybody counts the same. NULL when memory is out. */
struct weir_buffer *otlp_normalise(enum weir_signal signal, const void *data, size_t length);

#endif
