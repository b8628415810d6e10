// SPDX-License-Identifier: Apache-2.0
/*
 * The spans of undecided traces: chunks of bytes as they arrived, each with the head (resource and scope) it came under.
 * Heads are there once for each worker, however many chunks share them.
 */
#ifndef TAIL_SAMPLING_STORE_H
#define TAIL_SAMPLING_STORE_H

#include <weir/batch.h>

/* The fields of a ResourceSpans other than its ScopeSpans, and those of a ScopeSpans other than its spans, as bytes. */
struct head {
    struct head *next; /* of the same hash */
    uint64_t hash;
    uint32_t references;
    uint32_t group_length, scope_length;
    uint32_t group_plain, scope_plain; /* lengths without the schema's URL, as upstream counts a trace's size */
    uint8_t bytes[];
};

struct heads {
    struct head **lists;
    size_t list_count; /* a power of two */
    size_t count;
    size_t bytes;
};

/* What a head is made of; views. */
struct head_parts {
    struct weir_str group, scope;
    uint32_t group_plain, scope_plain;
    uint64_t hash;
};

/* Sets `hash`. Any thread. */
void head_parts_hash(struct head_parts *parts);

/* The head with these parts, with one more reference; NULL when memory is out. */
struct head *heads_get(struct heads *heads, const struct head_parts *parts);
/* Drops a reference. */
void heads_put(struct heads *heads, struct head *head);
void heads_free(struct heads *heads);
struct head_parts head_parts_of(const struct head *head);

/* Spans of one trace that arrived together under one head: whole fields of a ScopeSpans, side by side. */
struct chunk {
    struct chunk *next;
    struct head *head;
    uint32_t length;
    uint32_t items : 30;
    uint32_t joined : 1;  /* came in the same ResourceSpans as the chunk before */
    uint32_t claimed : 1; /* somebody waits for the answer: gone when the answer is no */
    uint8_t data[];
};

/* What a chunk takes from the system. */
static inline size_t chunk_cost(const struct chunk *chunk)
{
    return (sizeof *chunk + chunk->length + 8 + 15) & ~(size_t)15;
}

/* Bytes of the ResourceSpans fields that these chunks make. */
size_t chunks_size(const struct chunk *first);
/* Writes them; `at` has room for chunks_size. Returns the end. */
uint8_t *chunks_write(const struct chunk *first, uint8_t *at);
/* Frees the chunks and drops their references. */
void chunks_free(struct heads *heads, struct chunk *first);

#endif
