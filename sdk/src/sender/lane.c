// SPDX-License-Identifier: Apache-2.0
/*
 * A lane: takes from the queue what may be sent, and sends it as slots allow.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/sender/sender.h"

static struct lane *lane_of(struct sender_lane *base)
{
    return (struct lane *)base;
}

void lane_due(struct lane *lane, struct transfer *transfer, bool front)
{
    struct transfers *due = &lane->due;
    transfer->state = TRANSFER_DUE;
    transfer->previous = front ? NULL : due->last;
    transfer->next = front ? due->first : NULL;
    *(transfer->previous ? &transfer->previous->next : &due->first) = transfer;
    *(transfer->next ? &transfer->next->previous : &due->last) = transfer;
}

void lane_take(struct lane *lane, struct sender_entry *entry)
{
    struct weir_batch *batch = entry->batch;
    entry->batch = NULL;
    entry_begin(lane, entry);
    struct transfer *transfer = transfer_new(lane, batch);
    transfer_add_share(transfer, entry, entry->items);
    lane_due(lane, transfer, false);
    entry_release(lane, entry);
}

void lane_send(struct lane *lane, struct weir_batch *batch, struct weir_ack *ack)
{
    lane_take(lane, sender_entry_new(&lane->base, batch, ack));
    lane_pump_soon(lane);
}

void lane_take_back(struct lane *lane)
{
    struct leftover *oldest = NULL;
    while (lane->left) {
        struct leftover *left = lane->left;
        lane->left = left->next;
        left->next = oldest;
        oldest = left;
    }
    while (oldest) {
        struct leftover *left = oldest;
        oldest = left->next;
        lane_take(lane, sender_entry_new(&lane->base, left->batch, NULL));
        free(left);
    }
}

/* Fills the lane's due ones from the queue; false: nothing more can be had. */
static bool fetch(struct lane *lane)
{
    const struct sender_queue *queue = relay_serves(lane) ? lane->base.queue : NULL;
    if (queue && queue->type->ready(&lane->base)) {
        struct sender_entry *entry = queue->type->next(&lane->base);
        if (queue->options->batch_on && !entry->alone && !lane->retiring)
            batcher_add(lane, entry);
        else
            lane_take(lane, entry);
        return true;
    }
    if ((!lane->draining && !lane->retiring) || batchers_empty(lane))
        return false;
    batchers_flush(lane);
    return true;
}

static void send_due(struct lane *lane)
{
    while (!lane->stopped) {
        if (!lane->due.first && !fetch(lane))
            return;
        if (!lane->due.first)
            continue;
        if (lane->retiring && !transfer_is_awaited(lane->due.first)) {
            transfer_leave(lane->due.first, &WEIR_RESULT_RETRYABLE("reloading"));
            continue;
        }
        if (!slots_take(lane))
            return;
        lane->due.first->has_slot = true;
        transfer_start(lane->due.first);
    }
}

/* What a transfer's end, an answered client or the queue asks for while this runs is done in the next round, so that
 * nothing nests. */
void lane_pump(struct lane *lane)
{
    lane->again = true;
    if (lane->pumping)
        return;
    lane->pumping = true;
    while (lane->again) {
        lane->again = false;
        send_due(lane);
    }
    lane->pumping = false;
    slots_settle(lane);
    lane_check_drained(lane);
}

void lane_pump_soon(struct lane *lane)
{
    if (lane->pumping || lane->draining || lane->retiring || lane->stopped)
        lane_pump(lane);
    else
        sender_post(&lane->base);
}

static bool lane_empty(struct lane *lane)
{
    bool serves = relay_serves(lane);
    const struct sender_queue *queue = serves ? lane->base.queue : NULL;
    if (lane->pumping || lane->due.first || lane->under_way.first || !batchers_empty(lane) || lane->relays)
        return false;
    if (serves && atomic_load(&lane->base.sender->relayed) > 0)
        return false;
    return !queue || (!queue->type->ready(&lane->base) && (!queue->type->idle || queue->type->idle(&lane->base)));
}

void lane_check_drained(struct lane *lane)
{
    struct sender_shard *shard = lane_shard(lane);
    if (!shard->draining)
        return;
    for (int signal = 0; signal < WEIR_SIGNALS; signal++)
        if (!lane_empty(&shard->lanes[signal]))
            return;
    shard->draining = false;
    weir_shard_drained(lane->base.shard);
}

void sender_wake(struct sender_lane *base)
{
    lane_pump_soon(lane_of(base));
}

void sender_woken(struct weir_task *task)
{
    struct lane *lane = WEIR_CONTAINER_OF(task, struct lane, wake);
    struct weir_sender *sender = lane->base.sender;
    atomic_store(&lane->wake_posted, false);
    lane_pump(lane);
    sender_unref(sender);
}

void sender_post(struct sender_lane *base)
{
    struct lane *lane = lane_of(base);
    if (atomic_exchange(&lane->wake_posted, true))
        return;
    atomic_fetch_add(&base->sender->references, 1);
    weir_worker_post(base->worker, &lane->wake);
}

struct sender_entry *sender_entry_new(struct sender_lane *base, struct weir_batch *batch, struct weir_ack *ack)
{
    struct lane *lane = lane_of(base);
    struct sender_entry *entry = lane->spare_entries;
    if (entry)
        lane->spare_entries = entry->next;
    else
        entry = weir_xmalloc(sizeof *entry);
    *entry = (struct sender_entry){ .batch = batch, .ack = ack, .items = weir_batch_items(batch) };
    return entry;
}

void sender_entry_free(struct sender_lane *base, struct sender_entry *entry)
{
    struct lane *lane = lane_of(base);
    entry->next = lane->spare_entries;
    lane->spare_entries = entry;
}
