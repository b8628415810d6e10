// SPDX-License-Identifier: Apache-2.0
/* Which batcher an entry belongs to: the one for its values of partition.metadata_keys. */
#include <config.h>

#include <stdlib.h>

#include <weir/hash.h>

#include "sdk/src/sender/batcher.h"

#define MOST 10000 /* batchers of a lane, as upstream */
#define BUCKETS 1024

/* The request's metadata reduced to the keys, as a context; the order is the keys', so equal values make equal
 * contexts. */
static struct weir_context *reduce(const struct weir_sender *sender, const struct weir_batch *batch)
{
    size_t count = 0, kept = 0;
    const struct weir_metadata *all = weir_context_metadata(weir_batch_context(batch), &count);
    struct weir_metadata *own = weir_xcalloc(count ? count : 1, sizeof *own);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < sender->key_count; k++)
            if (weir_str_is(all[i].key, sender->keys[k]))
                own[kept++] = all[i];
    struct weir_context *context = weir_context_new(NULL, WEIR_STR_NONE, own, kept);
    free(own);
    return context;
}

static uint64_t hash_of(const struct weir_context *context)
{
    size_t count = 0;
    const struct weir_metadata *all = weir_context_metadata(context, &count);
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++)
        hash = weir_hash(weir_hash(hash, all[i].key), all[i].value);
    return hash;
}

static bool same_metadata(const struct weir_context *a, const struct weir_context *b)
{
    size_t a_count = 0, b_count = 0;
    const struct weir_metadata *left = weir_context_metadata(a, &a_count);
    const struct weir_metadata *right = weir_context_metadata(b, &b_count);
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!weir_str_equal(left[i].key, right[i].key) || !weir_str_equal(left[i].value, right[i].value))
            return false;
    return true;
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
    if (lane->base.sender->key_count == 0)
        return lane->batchers ? lane->batchers : add(lane, NULL, 0);
    struct weir_context *context = reduce(lane->base.sender, batch);
    uint64_t hash = hash_of(context);
    struct batcher *found = *bucket_of(lane, hash);
    while (found && !(found->hash == hash && same_metadata(found->context, context)))
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
