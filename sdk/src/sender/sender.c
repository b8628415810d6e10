// SPDX-License-Identifier: Apache-2.0
/* The sender's life, and what comes into it. */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/flow/instance.h"
#include "sdk/src/sender/sender.h"

static struct sender_shard *own_of(const struct weir_shard *shard)
{
    return &shard->instance->sender->shards[weir_worker_index(shard->worker)];
}

/* --- making --- */

static const char *advice_for(const struct weir_sender_options *options)
{
    if (options->retry.enabled)
        return options->queue_on ? "" : " Try enabling sending_queue to survive temporary failures.";
    return options->queue_on ? " Try enabling retry_on_failure config option to retry on retryable errors."
                             : " Try enabling retry_on_failure config option to retry on retryable errors."
                               " Try enabling sending_queue to survive temporary failures.";
}

static bool is_on_disk(const struct weir_queue_options *queue)
{
    return queue->storage.id || queue->place;
}

static void make_queue(struct weir_sender *sender, enum weir_signal signal)
{
    struct sender_queue *queue =
        is_on_disk(&sender->options->queue) ? disk_queue_new() : memory_queue_new();
    queue->sender = sender;
    queue->instance = sender->instance;
    queue->options = &sender->options->queue;
    queue->signal = signal;
    queue->lane_count = sender->shard_count;
    queue->lanes = weir_xcalloc(sender->shard_count, sizeof(struct sender_lane *));
    for (unsigned i = 0; i < sender->shard_count; i++)
        queue->lanes[i] = &sender->shards[i].lanes[signal].base;
    sender->slots[signal].limit = sender->options->queue.num_consumers;
    sender->queues[signal] = queue;
}

static void make_lane(struct weir_sender *sender, unsigned worker, enum weir_signal signal)
{
    struct lane *lane = &sender->shards[worker].lanes[signal];
    struct weir_shard *shard = weir_instance_shard(sender->instance, worker);
    lane->base = (struct sender_lane){ .queue = sender->queues[signal],
                                       .sender = sender,
                                       .shard = shard,
                                       .worker = weir_shard_worker(shard),
                                       .signal = signal,
                                       .index = worker };
    lane->random = (uint64_t)weir_wall_clock() + (uint64_t)(worker * WEIR_SIGNALS) + (uint64_t)signal;
    lane->wake.run = sender_woken;
}

void weir_sender_create(struct weir_instance *instance, const struct weir_sender_options *options, weir_send *send)
{
    struct weir_sender *sender = weir_xcalloc(1, sizeof *sender);
    instance->sender = sender;
    sender->references = 1;
    sender->instance = instance;
    sender->options = options;
    sender->send = send;
    sender->advice = advice_for(options);
    sender->shard_count = weir_worker_count();
    sender->shards = weir_xcalloc(sender->shard_count, sizeof *sender->shards);
    for (int signal = 0; signal < WEIR_SIGNALS; signal++) {
        if (options->queue_on && weir_instance_uses(instance, (enum weir_signal)signal))
            make_queue(sender, (enum weir_signal)signal);
        for (unsigned i = 0; i < sender->shard_count; i++)
            make_lane(sender, i, (enum weir_signal)signal);
    }
    sender_metrics_create(sender);
}

int weir_sender_open(struct weir_instance *instance, struct weir_error *error)
{
    for (int signal = 0; signal < WEIR_SIGNALS; signal++) {
        struct sender_queue *queue = instance->sender->queues[signal];
        if (queue && queue->type->open && queue->type->open(queue, error) < 0)
            return -1;
    }
    return 0;
}

int weir_sender_worker_start(struct weir_shard *shard, struct weir_error *error)
{
    struct sender_shard *own = own_of(shard);
    (void)error;
    for (int signal = 0; signal < WEIR_SIGNALS; signal++) {
        struct lane *lane = &own->lanes[signal];
        lane->open = true;
        if (lane->base.queue && lane->base.queue->type->lane_start)
            lane->base.queue->type->lane_start(&lane->base);
        lane_pump(lane);
    }
    return 0;
}

enum weir_promise weir_sender_promise(struct weir_instance *instance, enum weir_promise asked)
{
    for (int signal = 0; signal < WEIR_SIGNALS; signal++) {
        const struct sender_queue *queue = instance->sender->queues[signal];
        if (queue)
            return queue->type->promise(queue, asked);
    }
    return WEIR_PROMISE_SINK;
}

/* --- telemetry --- */

uint64_t sender_size(struct weir_batch *batch, int sizer)
{
    switch (sizer) {
    case WEIR_SIZER_ITEMS:
        return weir_batch_items(batch);
    case WEIR_SIZER_BYTES:
        return weir_batch_bytes(batch);
    default:
        return 1;
    }
}

void sender_refuse(struct sender_lane *base, struct weir_batch *batch, struct weir_ack *ack,
                   const struct weir_result *result)
{
    struct lane *lane = (struct lane *)base;
    uint64_t items = weir_batch_items(batch);
    weir_batch_unref(batch);
    outcome_log(lane, true, result->reason, items);
    weir_series_add(base->sender->series[base->signal].enqueue_failed, (double)items);
    weir_ack_complete(ack, result);
}

void weir_sender_consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    enum weir_signal signal = weir_batch_signal(batch);
    struct lane *lane = &own_of(shard)->lanes[signal];
    const struct sender_queue *queue = lane->base.queue;
    if (weir_batch_items(batch) == 0) {
        weir_batch_unref(batch);
        weir_ack_ok(ack);
    } else if (!queue) {
        lane_send(lane, batch, ack);
    } else {
        const struct sender_series *series = &lane->base.sender->series[signal];
        weir_series_observe(series->enqueue_size, (double)weir_batch_items(batch));
        weir_series_observe(series->enqueue_bytes, (double)weir_batch_bytes(batch));
        if (relay_serves(lane))
            queue->type->offer(&lane->base, batch, ack);
        else
            relay_offer(lane, batch, ack);
    }
}

uint64_t weir_sender_held(struct weir_shard *shard, enum weir_signal signal)
{
    struct lane *lane = &own_of(shard)->lanes[signal];
    return lane->held + (lane->base.queue ? lane->base.queue->type->held(&lane->base) : 0);
}

/* --- the end --- */

static void begin_end(const struct weir_shard *shard, bool successor)
{
    struct sender_shard *own = own_of(shard);
    own->draining = true;
    for (int signal = 0; signal < WEIR_SIGNALS; signal++) {
        own->lanes[signal].retiring = successor;
        own->lanes[signal].draining |= !successor;
    }
    for (int signal = 0; signal < WEIR_SIGNALS; signal++) {
        struct lane *lane = &own->lanes[signal];
        if (lane->base.queue && lane->base.queue->type->drain)
            lane->base.queue->type->drain(&lane->base, successor);
        transfers_interrupt(lane);
        if (!successor)
            lane_take_back(lane);
        lane_pump(lane);
    }
}

void weir_sender_drain(struct weir_shard *shard)
{
    begin_end(shard, false);
}

void weir_sender_retire(struct weir_shard *shard)
{
    begin_end(shard, true);
}

/* What has not been sent is left, or its client told to come back. */
static void leave_all(struct lane *lane)
{
    const struct sender_queue *queue = lane->base.queue;
    struct weir_result why = WEIR_RESULT_RETRYABLE("shutting down");
    if (queue && queue->type->lane_stop)
        queue->type->lane_stop(&lane->base);
    if (queue && !queue->type->lasting)
        while (queue->type->ready(&lane->base))
            lane_take(lane, queue->type->next(&lane->base));
    transfers_interrupt(lane);
    batchers_free(lane);
    while (lane->due.first)
        transfer_leave(lane->due.first, &why);
    slots_settle(lane);
}

void weir_sender_worker_stop(struct weir_shard *shard)
{
    struct sender_shard *own = own_of(shard);
    for (int signal = 0; signal < WEIR_SIGNALS; signal++) {
        struct lane *lane = &own->lanes[signal];
        if (!lane->open)
            continue;
        lane->open = false;
        lane->stopped = true;
        relay_stop(lane);
        leave_all(lane);
    }
    own->draining = false;
}

static void drop_leftovers(struct lane *lane)
{
    uint64_t items = 0;
    while (lane->left) {
        struct leftover *left = lane->left;
        lane->left = left->next;
        items += left->items;
        weir_batch_unref(left->batch);
        free(left);
    }
    if (items == 0)
        return;
    outcome_log(lane, false, "interrupted due to shutdown", items);
    weir_shard_drop(lane->base.shard, lane->base.signal, items, "shutdown");
}

void weir_sender_close(struct weir_instance *instance)
{
    struct weir_sender *sender = instance->sender;
    for (unsigned i = 0; sender && i < sender->shard_count; i++)
        for (int signal = 0; signal < WEIR_SIGNALS; signal++)
            drop_leftovers(&sender->shards[i].lanes[signal]);
    for (int signal = 0; sender && signal < WEIR_SIGNALS; signal++)
        if (sender->queues[signal] && sender->queues[signal]->type->close)
            sender->queues[signal]->type->close(sender->queues[signal]);
}

static void free_lane(struct lane *lane)
{
    while (lane->spare_entries) {
        struct sender_entry *entry = lane->spare_entries;
        lane->spare_entries = entry->next;
        free(entry);
    }
    while (lane->spare_transfers) {
        struct transfer *transfer = lane->spare_transfers;
        lane->spare_transfers = transfer->next;
        free(transfer);
    }
}

void sender_unref(struct weir_sender *sender)
{
    if (atomic_fetch_sub(&sender->references, 1) != 1)
        return;
    for (int signal = 0; signal < WEIR_SIGNALS; signal++) {
        struct sender_queue *queue = sender->queues[signal];
        struct sender_lane **lanes = queue ? queue->lanes : NULL;
        if (queue)
            queue->type->free(queue);
        free(lanes);
        for (unsigned i = 0; i < sender->shard_count; i++)
            free_lane(&sender->shards[i].lanes[signal]);
    }
    free(sender->shards);
    free(sender);
}

void weir_sender_free(struct weir_instance *instance)
{
    if (instance->sender)
        sender_unref(instance->sender);
    instance->sender = NULL;
}
