// SPDX-License-Identifier: Apache-2.0
/*
 * The tail_sampling processor from within.
 *
 * The worker that receives a request looks at its spans once (scan.c) and makes a parcel for each worker that owns some of
 * the traces (parcel.h). The owner keeps the spans (intake.c) until a tick of its wheel has the policies vote (decide.c),
 * and sends the sampled traces on (outbox.c). Nothing is shared but the policies, whose own counts are atomic.
 */
#ifndef TAIL_SAMPLING_TAIL_H
#define TAIL_SAMPLING_TAIL_H

#include <stdatomic.h>

#include <weir/component.h>

#include "plugins/processors/tail_sampling/cache.h"
#include "plugins/processors/tail_sampling/disk.h"
#include "plugins/processors/tail_sampling/metrics.h"
#include "plugins/processors/tail_sampling/options.h"
#include "plugins/processors/tail_sampling/parcel.h"
#include "plugins/processors/tail_sampling/policy.h"
#include "plugins/processors/tail_sampling/table.h"

#define SECOND INT64_C(1000000000)

/* One instance; lives until the last parcel has come back. */
struct tail {
    atomic_uint references;
    atomic_bool destroyed; /* the component is gone; only parcels come back */
    struct weir_instance *instance;
    const struct tail_config *config;
    struct probes probes;
    struct voter *voters; /* those that drop first, then in the config's order */
    size_t voter_count;
    size_t dropper_count;
    struct tail_metrics metrics;
    struct disk *disk; /* NULL: without `storage` */
    unsigned shard_count;
    struct tail_shard *shards; /* by worker */
};

/* A policy of the config and its series. */
struct voter {
    struct policy *policy;
    struct voter_metrics metrics;
};

/* Spans of one trace in one ResourceSpans: what upstream calls a chunk. */
struct touch {
    uint64_t hash;
    uint32_t first, last; /* items of the parcel */
    uint32_t items;
    bool root;
    size_t length; /* bytes of the spans */
};

/* Gathers sampled traces for the next batch. */
struct outbox {
    struct weir_buffer *buffer;
    bool more; /* the last batch was full: another may be */
    uint64_t items;
    uint64_t unclaimed;
    struct claim *claims;
};

struct tail_shard {
    struct tail *tail;
    struct weir_shard *shard;
    struct weir_worker *worker;
    bool open;
    bool draining;
    int64_t epoch; /* of the table's seconds, on the worker's clock */

    struct table table;
    uint32_t most_traces; /* this worker's part of num_traces */
    size_t most_bytes;    /* and of maximum_pending_bytes; 0: no limit */
    struct cache sampled, not_sampled;
    struct outbox outbox;

    struct weir_timer timer;
    int64_t next_tick;
    int64_t tick_began; /* when the running tick did; 0: none runs */
    struct weir_task turn;     /* the rest of the ripe traces */
    bool turn_posted;
    uint32_t stayed; /* traces after the last step of this tick; 0: it is the first */
    uint32_t counted; /* traces that the gauge shows */
    unsigned sample;  /* votes since one was timed */

    struct probe_scratch scratch;
    uint64_t *bits; /* room for one set */
    struct touch *touches;
    uint32_t *touch_slots;
    size_t touch_count, touch_capacity;

    struct request *requests; /* not answered */
    struct parcel *first_blocked, *last_blocked;
    size_t sending; /* batches under way */
    size_t saving;  /* records under way to the disk */
    uint64_t saved; /* spans that are there */

    /* Spans that are here and were or will be answered for; and those of parcels that are not back yet, by the owner and
     * by who answers: held = kept - early + late, summed over the workers. */
    uint64_t kept, early, late;
};

static inline uint32_t tail_second(const struct tail_shard *own)
{
    return (uint32_t)((weir_worker_now(own->worker) - own->epoch) / SECOND);
}

/* Monotonic, for measuring how long things take. */
int64_t tail_clock(void);

struct tail *tail_ref(struct tail *tail);
void tail_unref(struct tail *tail);

/* intake.c. Takes what the parcel brings, as far as there is room; the rest waits in front of what comes later. */
void tail_take(struct tail_shard *own, struct parcel *parcel);
/* There may be room again. */
void tail_resume(struct tail_shard *own);
/* The touch's spans as chunks of the table's heads; NULL when memory is out. */
struct chunk *tail_chunks(struct tail_shard *own, const struct parcel *parcel, const struct touch *touch);
/* What upstream counts as the size of these chunks. */
size_t chunks_plain_size(const struct chunk *first);

/* room.c. Makes room for a trace that is new (`number` NO_TRACE) or for more of one; false: it has to wait. */
bool tail_make_room(struct tail_shard *own, uint32_t number, size_t bytes);

/* decide.c. Votes on the ripe traces, some at a time. */
void tail_decide_ripe(struct tail_shard *own);
/* The end: pending traces are decided as they are, or, with `storage`, go to the disk. */
void tail_finish(struct tail_shard *own);
/* What is seen of a trace may decide it at once (sampling_strategy: span-ingest). */
void tail_decide_part(struct tail_shard *own, uint32_t number, const struct evidence *part);
/* The trace is not sampled, for it is too large. */
void tail_decide_too_large(struct tail_shard *own, uint32_t number);
/* The trace's decision is known; `reason` is why its spans are dropped, where they are. */
void tail_settle(struct tail_shard *own, uint32_t number, enum trace_state state, const char *reason);
/* A pending trace goes undecided: who waits is told to come back. */
void tail_lose(struct tail_shard *own, uint32_t number, const char *reason);
/* A trace leaves the table. */
void tail_forget(struct tail_shard *own, uint32_t number);

/* outbox.c. Adds chunks of `items` spans, of which `unclaimed` nobody waits for; takes the claims. */
void outbox_add(struct tail_shard *own, const struct chunk *first, uint64_t items, uint64_t unclaimed,
                struct claim *claims);
/* Sends what is in it. */
void outbox_flush(struct tail_shard *own);

/* tail_sampling.c. */
void tail_consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack);
/* What somebody waits for is not kept: the client is told to come back with it. False if the trace is gone with that. */
bool tail_unclaim(struct tail_shard *own, uint32_t number);
/* Reports that the shard is drained, if it is and was asked to be. */
void tail_drained_if_empty(struct tail_shard *own);

/* handover.c. */
void *tail_export(struct weir_instance *instance);
int tail_import(struct weir_instance *instance, void *state, struct weir_error *error);

#endif
