// SPDX-License-Identifier: Apache-2.0
/* Which batcher an entry belongs to: the one for its values of partition.metadata_keys. */
#include <config.h>

#include <stdlib.h>

#include <weir/hash.h>

#include "sdk/src/sender/batcher.h"

#define MOST 10000 /* batchers of a lane, as upstream */
#define BUCKETS 1024

static uint64_t hash_of(const struct weir_context *context)
{
    size_t count = 0;
    const struct weir_metadata *all = weir_context_metadata(context, &count);
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++)
        hash = weir_hash(weir_hash(hash, all[i].key), all[i].value);
    return hash;
}

static void unlink_batcher(struct lane *lane, struct batcher *batcher)
{
    *(batcher->previous ? &batcher->previous->next : &lane->batchers) = batcher->next;
    *(batcher->next ? &batcher->next->previous : &lane->batchers_last) = batcher->previous;
}

static void link_front(struct lane *lane, struct batcher *batcher)
{
    batcher->previous = NULL;
    batcher->next = lane->batchers;
    *(lane->batchers ? &lane->batchers->previous : &lane->batchers_last) = batcher;
    lane->batchers = batcher;
}

static struct batcher **bucket_of(struct lane *lane, uint64_t hash)
{
    if (!lane->buckets)
        lane->buckets = weir_xcalloc(BUCKETS, sizeof(struct batcher *));
    return &lane->buckets[hash % BUCKETS];
}

/* Takes over the reference on `context`. */
static struct batcher *add(struct lane *lane, struct weir_context *context, uint64_t hash)
{
    struct batcher *batcher = weir_xcalloc(1, sizeof *batcher);
    batcher_init(batcher, lane);
    batcher->context = context;
    batcher->hash = hash;
    link_front(lane, batcher);
    lane->batcher_count++;
    if (context) {
        struct batcher **bucket = bucket_of(lane, hash);
        batcher->next_in_bucket = *bucket;
        *bucket = batcher;
        batcher_rest(batcher);
    }
    return batcher;
}

void partition_remove(struct batcher *batcher)
{
    struct lane *lane = batcher->lane;
    weir_timer_stop(&batcher->timer);
    if (batcher->pending)
        lane_due(lane, batcher->pending, false);
    if (batcher->context) {
        struct batcher **at = bucket_of(lane, batcher->hash);
        while (*at != batcher)
            at = &(*at)->next_in_bucket;
        *at = batcher->next_in_bucket;
    }
    unlink_batcher(lane, batcher);
    lane->batcher_count--;
    weir_context_unref(batcher->context);
    free(batcher);
}

struct batcher *partition_choose(struct lane *lane, const struct weir_batch *batch)
{
    const struct weir_strings *keys = &lane->base.sender->options->queue.batch.partition.metadata_keys;
    if (keys->count == 0)
        return lane->batchers ? lane->batchers : add(lane, NULL, 0);
    struct weir_context *context = weir_context_select(weir_batch_context(batch), keys->items, keys->count);
    uint64_t hash = hash_of(context);
    struct batcher *found = *bucket_of(lane, hash);
    while (found && !(found->hash == hash && weir_context_same_metadata(found->context, context)))
        found = found->next_in_bucket;
    if (found) {
        weir_context_unref(context);
        unlink_batcher(lane, found);
        link_front(lane, found);
        return found;
    }
    if (lane->batcher_count >= MOST)
        partition_remove(lane->batchers_last);
    return add(lane, context, hash);
}
