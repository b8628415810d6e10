// SPDX-License-Identifier: Apache-2.0
/*
 * The traces of one worker: a table by trace id, the wheel of decisions to come, and the order of arrival.
 *
 * Traces have numbers, under which they stand in blocks that never move; lists link numbers, which take half of what
 * pointers take. The index is an open table of (hash, number), so that a look-up touches one line of it and one trace.
 */
#ifndef TAIL_SAMPLING_TABLE_H
#define TAIL_SAMPLING_TABLE_H

#include "plugins/processors/tail_sampling/store.h"

#define NO_TRACE UINT32_MAX

enum trace_state {
    TRACE_PENDING,
    TRACE_SAMPLED,
    TRACE_NOT_SAMPLED,
    TRACE_DROPPED,
};

struct claim;

struct trace {
    uint8_t id[16];
    struct chunk *first, *last;
    struct claim *claims; /* of those who wait for the answer */
    uint64_t bytes;       /* encoded, as upstream counts */
    uint32_t spans;
    uint32_t older, newer;   /* by arrival */
    uint32_t before, behind; /* in its list: of the wheel, of decided traces, of free numbers */
    uint32_t arrived;        /* seconds on the table's clock */
    uint32_t moment;         /* pending: the tick of its decision; decided: the second of it */
    uint8_t state;           /* enum trace_state */
    uint64_t words[];        /* bits of the probes; behind them, where latency counts, first start and last end */
};

/* A list of traces, linked by `before` and `behind`. */
struct trace_list {
    uint32_t first, last;
};

struct table {
    size_t stride; /* bytes of a trace */
    size_t bit_words;
    bool timed;      /* traces keep first start and last end */
    uint8_t **blocks;
    size_t block_count;
    uint32_t used; /* numbers ever given */
    uint32_t free; /* first free number */
    uint32_t count;

    struct index_slot {
        uint32_t hash;
        uint32_t number; /* NO_TRACE: empty */
    } *slots;
    uint32_t slot_mask;

    uint32_t oldest, newest;
    struct trace_list decided; /* in the order of decision */
    struct trace_list ripe;
    struct trace_list *wheel; /* by tick % wheel_size */
    uint32_t wheel_size;
    uint32_t tick; /* the last that has been */

    struct store store;
    size_t chunk_bytes; /* what chunks take */
};

/* A table with nothing in it: `wait` ticks from the first span to the decision, at least 1; room for `expected` traces is
 * made at once. */
void table_init(struct table *table, size_t bit_words, bool timed, uint32_t wait, uint32_t expected);
/* Frees the traces that are still there. */
void table_free(struct table *table);

static inline struct trace *table_at(const struct table *table, uint32_t number)
{
    return (struct trace *)(void *)(table->blocks[number >> 8] + (number & 255) * table->stride);
}

/* Spreads trace ids. The upper half is of that half of the id that decision caches know traces by, for them and for the
 * choice of a worker; the lower half is of the whole id, for the table, which many ids with the same half shall not make
 * slow. */
uint64_t trace_hash(const uint8_t *id);

/* Ask the memory for what a look-up of this hash will touch: first the index, some look-ups later the trace. Only hints. */
static inline void table_expect(const struct table *table, uint64_t hash)
{
    if (table->slots)
        __builtin_prefetch(&table->slots[(uint32_t)hash & table->slot_mask]);
}
void table_expect_trace(const struct table *table, uint64_t hash);

/* NO_TRACE when there is none. */
uint32_t table_find(const struct table *table, const uint8_t *id, uint64_t hash);
/* A new pending trace, the newest, due after the table's wait; NO_TRACE when memory is out. */
uint32_t table_add(struct table *table, const uint8_t *id, uint64_t hash, uint32_t second);
/* Frees what the trace holds, and its number. */
void table_remove(struct table *table, uint32_t number);
/* Frees the trace's chunks. */
void table_strip(struct table *table, struct trace *trace);

/* Moves a pending trace to the tick, where that is earlier than its own. */
void table_hasten(struct table *table, uint32_t number, uint32_t tick);
/* The next tick comes: its traces are ripe. However many they are, it takes no time: they are moved as one list. */
void table_tick(struct table *table);
/* The next ripe trace, NO_TRACE when there is none. It stays until it is decided or removed. */
uint32_t table_ripe(const struct table *table);
/* True once a pending trace's tick has come. */
static inline bool trace_is_ripe(const struct table *table, const struct trace *trace)
{
    return (int32_t)(trace->moment - table->tick) <= 0;
}
/* The pending trace has been decided. */
void table_decide(struct table *table, uint32_t number, enum trace_state state, uint32_t second);

/* The probes' running times of a trace; NULL where none are kept. */
static inline uint64_t *trace_times(const struct table *table, struct trace *trace)
{
    return table->timed ? trace->words + table->bit_words : NULL;
}

/* Links a chunk of its own to the end of the trace's. */
void trace_append(struct table *table, struct trace *trace, struct chunk *chunk);

/* Bytes that the table takes for traces and their spans. */
static inline size_t table_bytes(const struct table *table)
{
    return table->chunk_bytes + table->store.head_bytes + table->count * table->stride;
}

#endif
