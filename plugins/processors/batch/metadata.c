// SPDX-License-Identifier: Apache-2.0
/* Which batcher a request belongs to: the one for its values of metadata_keys. */
#include <config.h>

#include "plugins/processors/batch/batch.h"

static struct batcher *add_batcher(struct batch_shard *shard, struct weir_context *context)
{
    struct batcher *batcher = batcher_new(shard, context);
    batcher->next = shard->batchers;
    shard->batchers = batcher;
    shard->batcher_count++;
    if (context)
        weir_series_add(shard->shared->cardinality, 1);
    return batcher;
}

static struct batcher *choose_by_metadata(struct batch_shard *shard, struct weir_context *context)
{
    struct batcher **at = &shard->batchers;
    while (*at && !weir_context_same_metadata((*at)->context, context))
        at = &(*at)->next;
    struct batcher *found = *at;
    if (found) {
        /* to the front: the busiest are found first */
        *at = found->next;
        found->next = shard->batchers;
        shard->batchers = found;
        return found;
    }
    int64_t limit = shard->config->metadata_cardinality_limit;
    if (limit > 0 && shard->batcher_count >= (uint64_t)limit)
        return NULL;
    return add_batcher(shard, context);
}

struct batcher *batch_shard_choose(struct batch_shard *shard, struct weir_batch *batch)
{
    const struct weir_strings *keys = &shard->config->metadata_keys;
    if (keys->count == 0)
        return shard->batchers ? shard->batchers : add_batcher(shard, NULL);
    struct weir_context *context = weir_context_select(weir_batch_context(batch), keys->items, keys->count);
    struct batcher *batcher = choose_by_metadata(shard, context);
    weir_context_unref(context);
    return batcher;
}
