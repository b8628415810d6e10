// SPDX-License-Identifier: Apache-2.0
/*
 * The spans of undecided traces: chunks of bytes as they arrived, each with the head (resource and scope) it came under.
 * Heads are there once for each worker, however many chunks share them.
 */
#ifndef TAIL_SAMPLING_STORE_H
#define TAIL_SAMPLING_STORE_H

#include <weir/batch.h>

#include "plugins/processors/tail_sampling/slab.h"

/* The fields of a ResourceSpans other than its ScopeSpans, and those of a ScopeSpans other than its spans, as bytes. */
struct head {
    struct head *next; /* of the same hash */
    uint64_t hash;
    uint32_t references;
    uint32_t group_length, scope_length;
    uint32_t group_plain, scope_plain; /* lengths without the schema's URL, as upstream counts a trace's size */
    uint8_t bytes[];
};

struct store {
    struct head **lists; /* of heads, by hash */
    size_t list_count; /* a power of two */
    size_t head_count;
    size_t head_bytes;
    struct slabs slabs; /* of chunks */
};

/* What a head is made of; views. */
struct head_parts {
    struct weir_str group, scope;
    uint32_t group_plain, scope_plain;
    uint64_t hash;
};

/* Sets `hash`. Any thread. */
void head_parts_hash(struct head_parts *parts);

void store_init(struct store *store);
/* No chunk is left. */
void store_free(struct store *store);
struct head_parts head_parts_of(const struct head *head);

/* Spans of one trace that arrived together under one head: whole fields of a ScopeSpans, side by side. */
struct chunk {
    struct chunk *next;
    struct head *head;
    uint32_t length;
    uint32_t items : 30;
    uint32_t joined : 1;  /* came in the same ResourceSpans as the chunk before */
    uint32_t claimed : 1; /* somebody waits for the answer: gone when the answer is no */
    uint32_t slab;        /* NO_SLAB: it is too large for one */
    uint8_t data[];
};

/* Bytes of a chunk with so many of data. */
static inline size_t chunk_size(size_t length)
{
    return offsetof(struct chunk, data) + length;
}

/* What a chunk takes from the system. */
static inline size_t chunk_cost(const struct chunk *chunk)
{
    size_t size = chunk_size(chunk->length);
    return chunk->slab != NO_SLAB ? slab_slot(size) : (size + 8 + 15) & ~(size_t)15;
}

/* Asks the memory for a chunk's own members, which may lie in two lines. Only a hint; accepts NULL. */
static inline void chunk_expect(const struct chunk *chunk)
{
    __builtin_prefetch(chunk);
    __builtin_prefetch((const void *)((uintptr_t)chunk + chunk_size(0) - 1));
}

/* A chunk of its own with room for `length` bytes, zero but for its head; NULL when memory is out. */
struct chunk *chunk_new(struct store *store, const struct head_parts *parts, uint32_t length);

/* Bytes of the ResourceSpans fields that these chunks make. */
size_t chunks_size(const struct chunk *first);
/* Writes them; `at` has room for chunks_size. Returns the end. */
uint8_t *chunks_write(const struct chunk *first, uint8_t *at);
/* Frees the chunks and drops their references. */
void chunks_free(struct store *store, struct chunk *first);

#endif
