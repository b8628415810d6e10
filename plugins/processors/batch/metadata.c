// SPDX-License-Identifier: Apache-2.0
/* Which batcher a request belongs to: the one for its values of metadata_keys. */
#include <config.h>

#include <stdlib.h>

#include "plugins/processors/batch/batch.h"

/* The request's metadata reduced to metadata_keys, as a context; the order is the keys', so equal values make equal
 * contexts. */
static struct weir_context *reduce(const struct batch_instance *shared, const struct weir_batch *batch)
{
    size_t count = 0, kept = 0;
    const struct weir_metadata *all = weir_context_metadata(weir_batch_context(batch), &count);
    struct weir_metadata *own = weir_xcalloc(count ? count : 1, sizeof *own);
    for (size_t k = 0; k < shared->key_count; k++)
        for (size_t i = 0; i < count; i++)
            if (weir_str_is(all[i].key, shared->keys[k]))
                own[kept++] = all[i];
    struct weir_context *context = weir_context_new(NULL, WEIR_STR_NONE, own, kept);
    free(own);
    return context;
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
    while (*at && !same_metadata((*at)->context, context))
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
    if (shard->shared->key_count == 0)
        return shard->batchers ? shard->batchers : add_batcher(shard, NULL);
    struct weir_context *context = reduce(shard->shared, batch);
    struct batcher *batcher = choose_by_metadata(shard, context);
    weir_context_unref(context);
    return batcher;
}
