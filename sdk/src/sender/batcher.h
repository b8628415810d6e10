// SPDX-License-Identifier: Apache-2.0
/*
 * Batchers: one for each combination of the values of metadata_keys, or just one.
 */
#ifndef WEIR_SENDER_BATCHER_H
#define WEIR_SENDER_BATCHER_H

#include <weir/context.h>

#include "sdk/src/sender/sender.h"

struct batcher {
    struct batcher *next, *previous; /* in the lane's order of use */
    struct batcher *next_in_bucket;
    struct lane *lane;
    struct weir_context *context; /* what goes on with the batches: the values of metadata_keys; NULL without */
    uint64_t hash;
    struct transfer *pending; /* in no list; its batch is exclusive; NULL: nothing gathered */
    struct weir_timer timer;  /* flush_timeout of what is pending; without, how long it is kept idle */
};

/* Sets up a zeroed one. */
void batcher_init(struct batcher *batcher, struct lane *lane);
/* Starts the timer anew, as its state asks. */
void batcher_rest(struct batcher *batcher);

/* Finds or makes the batcher for the batch's metadata; with too many, the least used goes. Never NULL. */
struct batcher *partition_choose(struct lane *lane, const struct weir_batch *batch);
/* Frees a batcher; what it has gathered becomes due. */
void partition_remove(struct batcher *batcher);

#endif
