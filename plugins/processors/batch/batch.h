// SPDX-License-Identifier: Apache-2.0
/* The batch processor: options, and the batcher that gathers telemetry on one worker. */
#ifndef BATCH_BATCH_H
#define BATCH_BATCH_H

#include <weir/component.h>
#include <weir/context.h>

#include "plugins/processors/batch/claims.h"

struct batch_config {
    struct weir_duration timeout;
    int64_t send_batch_size;
    int64_t send_batch_max_size;
    struct weir_strings metadata_keys;
    int64_t metadata_cardinality_limit;
};

enum batch_instrument {
    BATCH_SEND_SIZE,
    BATCH_SEND_SIZE_BYTES,
    BATCH_SIZE_TRIGGER,
    BATCH_TIMEOUT_TRIGGER,
    BATCH_CARDINALITY,
};

/* Shared by all workers. */
struct batch_instance {
    struct weir_series *send_size;
    struct weir_series *send_size_bytes;
    struct weir_series *size_trigger;
    struct weir_series *timeout_trigger;
    struct weir_series *cardinality;
};

/* The part on one worker. */
struct batch_shard {
    struct weir_shard *shard;
    const struct batch_config *config;
    struct batch_instance *shared;
    struct batcher *batchers; /* one for each combination of metadata values; just one without metadata_keys */
    size_t batcher_count;
    size_t sending; /* batches under way */
    bool draining;
};

/* Gathers the telemetry of one combination of metadata values. */
struct batcher {
    struct batcher *next;
    struct batch_shard *owner;
    struct weir_context *context; /* what goes downstream: the values of metadata_keys; NULL without */
    struct weir_batch *pending;   /* NULL when empty */
    struct weir_timer timer;
    size_t sending;
    bool busy; /* send_ready is running: an answer that comes back at once must not nest */
    struct claims claims; /* on what is pending and under way */
};

/* A batcher of this shard, with nothing in it; takes a reference on `context` (may be NULL). */
struct batcher *batcher_new(struct batch_shard *owner, struct weir_context *context);
/* Drops and counts what is still there, answers who still waits. */
void batcher_free(struct batcher *batcher);
/* Takes the batch, answers `ack` now or when there is room again. */
void batcher_add(struct batcher *batcher, struct weir_batch *batch, struct weir_ack *ack);
/* Sends on what is there, whatever its size. */
void batcher_flush(struct batcher *batcher);

/* Reports that the shard is drained, once it is and was asked to be. */
void batch_drained_if_empty(struct batch_shard *shard);

/* Finds or makes the batcher for the batch's metadata; NULL when there are too many combinations. */
struct batcher *batch_shard_choose(struct batch_shard *shard, struct weir_batch *batch);

#endif
