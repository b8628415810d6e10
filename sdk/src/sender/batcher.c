// SPDX-License-Identifier: Apache-2.0
/*
 * Batching between the queue and the wire (collector-core 5.4): entries are merged until there is min_size of them or
 * flush_timeout is over, and cut where they exceed max_size. Each worker gathers for itself.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/sender/batcher.h"

static const struct weir_queue_batch_options *options_of(const struct lane *lane)
{
    return &lane->base.sender->options->queue.batch;
}

static int sizer_of(const struct lane *lane)
{
    return sender_batch_sizer(&lane->base.sender->options->queue);
}

static uint64_t size_of(const struct transfer *transfer)
{
    return sender_size(transfer->attempt.batch, sizer_of(transfer->lane));
}

/* What is gathered becomes due. */
static void flush(struct batcher *batcher)
{
    struct transfer *pending = batcher->pending;
    batcher->pending = NULL;
    if (pending)
        lane_due(batcher->lane, pending, false);
}

static void timed_out(struct weir_timer *timer)
{
    struct batcher *batcher = WEIR_CONTAINER_OF(timer, struct batcher, timer);
    struct lane *lane = batcher->lane;
    if (!batcher->pending) {
        partition_remove(batcher); /* idle */
        return;
    }
    flush(batcher);
    batcher_rest(batcher);
    lane_pump(lane);
}

void batcher_init(struct batcher *batcher, struct lane *lane)
{
    batcher->lane = lane;
    weir_timer_init(&batcher->timer, lane->base.worker, timed_out);
}

void batcher_rest(struct batcher *batcher)
{
    enum { IDLE = 10 }; /* flush timeouts that one without telemetry is kept */
    int64_t timeout = options_of(batcher->lane)->flush_timeout.ns;
    if (batcher->pending)
        weir_timer_start(&batcher->timer, timeout);
    else if (batcher->context)
        weir_timer_start(&batcher->timer, timeout < INT64_MAX / IDLE ? timeout * IDLE : INT64_MAX);
    else
        weir_timer_stop(&batcher->timer);
}

/* A single item that is larger than any batch may be. */
static void drop_giant(struct transfer *transfer)
{
    static const char *const names[WEIR_SIGNALS] = { "span", "datapoint", "log record", "sample" };
    struct lane *lane = transfer->lane;
    char *text = weir_xasprintf("one %s size is greater than max size, dropping items: %llu",
                                names[lane->base.signal], (unsigned long long)transfer->items);
    lane_due(lane, transfer, true);
    transfer_fail(transfer, &WEIR_RESULT_PERMANENT(text), "too_large");
    free(text);
}

/* Cuts what is too large into due parts; true if it did. */
static bool cut(struct batcher *batcher)
{
    struct lane *lane = batcher->lane;
    uint64_t most = (uint64_t)options_of(lane)->max_size;
    int sizer = sizer_of(lane);
    bool any = false;
    while (most > 0 && size_of(batcher->pending) > most) {
        struct transfer *head = transfer_split(batcher->pending, most, sizer);
        if (!head && batcher->pending->items == 1) {
            struct transfer *giant = batcher->pending;
            batcher->pending = NULL;
            drop_giant(giant);
            return true;
        }
        if (!head) { /* cannot be cut: goes as it is */
            flush(batcher);
            return true;
        }
        any = true;
        if (size_of(head) > most)
            drop_giant(head);
        else
            lane_due(lane, head, false);
    }
    return any;
}

/* A batch of its own for the entry; no others can join one that could not be made exclusive. */
static bool begin(struct batcher *batcher, struct weir_batch *batch)
{
    struct weir_batch *own = weir_batch_exclusive(batch);
    batcher->pending = transfer_new(batcher->lane, own ? own : batch);
    return own;
}

void batcher_add(struct lane *lane, struct sender_entry *entry)
{
    struct weir_batch *batch = entry->batch;
    struct batcher *batcher = partition_choose(lane, batch);
    bool begun = false, open = true;
    entry->batch = NULL;
    entry_begin(lane, entry);
    if (batcher->pending && weir_batch_append(batcher->pending->attempt.batch, batch)) {
        batcher->pending->items += entry->items;
    } else {
        flush(batcher);
        open = begin(batcher, batch);
        begun = true;
    }
    if (open)
        weir_batch_set_context(batcher->pending->attempt.batch, batcher->context); /* merging has lost it */
    transfer_add_share(batcher->pending, entry, entry->items);
    begun = cut(batcher) || begun;
    if (batcher->pending && (!open || size_of(batcher->pending) >= (uint64_t)options_of(lane)->min_size)) {
        flush(batcher);
        begun = true;
    }
    if (begun)
        batcher_rest(batcher);
    entry_release(lane, entry);
}

void batchers_flush(struct lane *lane)
{
    for (struct batcher *batcher = lane->batchers; batcher; batcher = batcher->next) {
        flush(batcher);
        batcher_rest(batcher);
    }
}

bool batchers_empty(const struct lane *lane)
{
    for (const struct batcher *batcher = lane->batchers; batcher; batcher = batcher->next)
        if (batcher->pending)
            return false;
    return true;
}

void batchers_free(struct lane *lane)
{
    batchers_flush(lane);
    while (lane->batchers)
        partition_remove(lane->batchers);
    free(lane->buckets);
    lane->buckets = NULL;
}
