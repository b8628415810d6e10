// SPDX-License-Identifier: Apache-2.0
/*
 * Offers to the queue on disk: appended, then answered. As long as the destination keeps up, what has come in goes on from
 * memory, and is read from the disk only after a restart. A client that is to hear of the destination's own answer (ack:
 * sink) keeps what it has sent until then, so its request need not be on disk: it waits in memory.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/src/sender/disk_queue.h"
#include "sdk/src/sender/disk_record.h"

/* One batch on its way to the disk. */
struct disk_offer {
    struct weir_journal_append append;
    struct disk_offer *next, **link; /* among the lane's */
    struct disk_lane *own;
    struct disk_store *store;
    struct weir_batch *batch; /* NULL: the lane has stopped, and the client has its answer */
    struct weir_ack *ack;
    bool adopted;
    uint64_t items, bytes;
};

/* --- room --- */

static bool reserve(struct disk_queue *queue, uint64_t items, uint64_t bytes, bool anyway)
{
    const struct weir_queue_options *options = queue->base.options;
    disk_store_count(queue->store, items, bytes);
    if (anyway || atomic_load(&queue->store->used[options->sizer]) <= (uint64_t)options->queue_size)
        return true;
    disk_store_uncount(queue->store, items, bytes);
    return false;
}

void disk_room(struct sender_lane *lane)
{
    if (atomic_load(&disk_queue_of(lane)->waiting) == 0)
        return;
    for (unsigned i = 1; i <= lane->queue->lane_count; i++) {
        struct sender_lane *other = lane->queue->lanes[(lane->index + i) % lane->queue->lane_count];
        struct disk_lane *own = other->own;
        if (atomic_load(&own->waiting))
            sender_post(other);
    }
}

/* --- onto the disk --- */

static void unlink_offer(struct disk_offer *offer)
{
    *offer->link = offer->next;
    if (offer->next)
        offer->next->link = offer->link;
}

/* What the disk did not take is refused: whoever waits may come again. */
static void refuse(struct disk_offer *offer, int status)
{
    struct sender_lane *lane = offer->own->lane;
    struct weir_batch *batch = offer->batch;
    if (offer->adopted) {
        weir_shard_drop(lane->shard, lane->signal, offer->items, "disk_error");
        weir_log(weir_instance_logger(lane->queue->instance), WEIR_ERROR, "Exporting failed. Dropping data.",
                 WEIR_F_TEXT("error", strerror(status)), WEIR_F_UINT("dropped_items", offer->items));
        weir_batch_unref(batch);
        return;
    }
    if (status == EFBIG) {
        sender_refuse(lane, batch, offer->ack, &WEIR_RESULT_RETRYABLE("sending queue is full"));
        return;
    }
    char *why = weir_xasprintf("sending queue is full: cannot write to disk: %s", strerror(status));
    sender_refuse(lane, batch, offer->ack, &WEIR_RESULT_RETRYABLE(why));
    free(why);
}

static void appended(struct weir_journal_append *append, int status)
{
    struct disk_offer *offer = WEIR_CONTAINER_OF(append, struct disk_offer, append);
    struct disk_lane *own = offer->own;
    struct disk_store *store = offer->store;
    weir_slices_free(&append->payload);
    if (append->take && !append->taken)
        disk_store_unkeep(offer->bytes);
    if (status != 0)
        disk_store_uncount(store, offer->items, offer->bytes);
    if (offer->batch) {
        struct sender_lane *lane = own->lane;
        unlink_offer(offer);
        if (status == 0) {
            atomic_fetch_add(&disk_queue_of(lane)->waiting_items, (int64_t)offer->items);
            if (append->taken)
                disk_go_on(own, offer->batch, append, offer->bytes);
            else
                weir_batch_unref(offer->batch);
            weir_ack_ok(offer->ack);
        } else {
            refuse(offer, status);
            disk_room(lane);
        }
        sender_wake(lane);
    } else if (status == 0) {
        atomic_fetch_add(&store->orphaned, (int64_t)offer->items);
        if (append->taken)
            disk_leave(store, append->sequence, offer->bytes);
    }
    free(offer);
    weir_instance_busy(own->queue->base.instance, false);
}

/* Room has been reserved. */
static void append(struct disk_lane *own, struct weir_batch *batch, struct weir_ack *ack, struct weir_slices *payload,
                   bool adopted)
{
    struct disk_store *store = disk_queue_of(own->lane)->store;
    struct disk_offer *offer = weir_xcalloc(1, sizeof *offer);
    offer->own = own;
    offer->store = store;
    offer->batch = batch;
    offer->ack = ack;
    offer->adopted = adopted;
    offer->items = weir_batch_items(batch);
    offer->bytes = payload->bytes;
    offer->append.payload = *payload;
    offer->append.items = offer->items;
    offer->append.sync = weir_ack_promise(ack) >= WEIR_PROMISE_DISK;
    offer->append.take = !own->draining && disk_store_keep(offer->bytes);
    offer->append.done = appended;
    offer->link = &own->offers;
    offer->next = own->offers;
    if (offer->next)
        offer->next->link = &offer->next;
    own->offers = offer;
    weir_instance_busy(own->queue->base.instance, true);
    weir_journal_append(store->journal, own->lane->worker, &offer->append);
}

/* --- waiting for room --- */

static bool in_memory(const struct weir_ack *ack)
{
    return ack && ack->promise == WEIR_PROMISE_SINK;
}

/* An entry outside has its size in bytes when it waits in memory, too: both count alike. */
static bool try_entry(struct disk_lane *own, struct sender_entry *entry, bool anyway)
{
    struct disk_queue *queue = disk_queue_of(own->lane);
    struct weir_slices payload = { 0 };
    struct weir_batch *batch = entry->batch;
    struct weir_ack *ack = entry->ack;
    if (!in_memory(ack) && !disk_record_encode(batch, &payload))
        return false;
    entry->size = in_memory(ack) ? weir_batch_bytes(batch) : payload.bytes;
    if (!reserve(queue, entry->items, entry->size, anyway)) {
        weir_slices_free(&payload);
        return false;
    }
    if (in_memory(ack)) {
        disk_push(&own->inside, entry);
        return true;
    }
    sender_entry_free(own->lane, entry);
    append(own, batch, ack, &payload, false);
    return true;
}

static void turn_away(struct disk_lane *own, struct sender_entry *entry, const struct weir_result *result)
{
    struct weir_batch *batch = entry->batch;
    struct weir_ack *ack = entry->ack;
    sender_entry_free(own->lane, entry);
    sender_refuse(own->lane, batch, ack, result);
}

void disk_check_deadlines(struct weir_timer *timer)
{
    struct disk_lane *own = WEIR_CONTAINER_OF(timer, struct disk_lane, timer);
    const int64_t now = weir_worker_now(own->lane->worker);
    int64_t next = INT64_MAX;
    struct disk_list all = own->outside;
    own->outside = (struct disk_list){ 0 };
    while (all.first) {
        struct sender_entry *entry = disk_pop(&all);
        const int64_t deadline = entry->ack ? entry->ack->deadline : 0;
        if (deadline != 0 && deadline <= now) {
            turn_away(own, entry,
                      &WEIR_RESULT_RETRYABLE("sending queue is full: request is cancelled or timed out"));
            continue;
        }
        if (deadline != 0 && deadline < next)
            next = deadline;
        disk_push(&own->outside, entry);
    }
    if (next != INT64_MAX)
        weir_timer_start(timer, next - now);
}

static void say_waiting(struct disk_lane *own, bool waits)
{
    struct disk_queue *queue = disk_queue_of(own->lane);
    if (atomic_exchange(&own->waiting, waits) == waits)
        return;
    if (waits)
        atomic_fetch_add(&queue->waiting, 1);
    else
        atomic_fetch_sub(&queue->waiting, 1);
}

/* Who waits looks for room again after saying so; who frees some looks for waiters after freeing it. */
void disk_let_in(struct disk_lane *own)
{
    bool said = false;
    while (own->outside.first) {
        struct sender_entry *entry = disk_pop(&own->outside);
        if (try_entry(own, entry, false)) {
            said = false;
            continue;
        }
        entry->next = own->outside.first; /* back to where it was */
        own->outside.first = entry;
        if (!own->outside.last)
            own->outside.last = entry;
        if (said)
            return;
        say_waiting(own, true);
        said = true;
    }
    say_waiting(own, false);
    weir_timer_stop(&own->timer);
}

void disk_let_all_in(struct disk_lane *own)
{
    while (own->outside.first) {
        struct sender_entry *entry = disk_pop(&own->outside);
        if (!try_entry(own, entry, true))
            turn_away(own, entry, &WEIR_RESULT_RETRYABLE("out of memory"));
    }
    say_waiting(own, false);
    weir_timer_stop(&own->timer);
}

static void wait_outside(struct disk_lane *own, struct sender_entry *entry)
{
    const int64_t deadline = entry->ack ? entry->ack->deadline : 0;
    disk_push(&own->outside, entry);
    if (deadline != 0 && (!weir_timer_active(&own->timer) || own->timer.deadline > deadline))
        weir_timer_start(&own->timer, deadline - weir_worker_now(own->lane->worker));
    disk_let_in(own);
}

/* --- in --- */

void disk_offer(struct sender_lane *lane, struct weir_batch *batch, struct weir_ack *ack)
{
    struct disk_lane *own = lane->own;
    const struct weir_queue_options *options = lane->queue->options;
    const bool blocks =
        options->block_on_overflow && sender_size(batch, options->sizer) <= (uint64_t)options->queue_size;
    struct sender_entry *entry = sender_entry_new(lane, batch, ack);
    if (own->stopped) {
        turn_away(own, entry, &WEIR_RESULT_RETRYABLE("shutting down"));
        return;
    }
    if (blocks && own->outside.first)
        wait_outside(own, entry);
    else if (!try_entry(own, entry, false)) {
        if (blocks)
            wait_outside(own, entry);
        else
            turn_away(own, entry, &WEIR_RESULT_RETRYABLE("sending queue is full"));
    }
    sender_wake(lane);
}

void disk_adopt(struct sender_lane *lane, struct weir_batch *batch)
{
    struct disk_lane *own = lane->own;
    struct weir_slices payload = { 0 };
    if (!disk_record_encode(batch, &payload)) {
        weir_shard_drop(lane->shard, lane->signal, weir_batch_items(batch), "disk_error");
        weir_batch_unref(batch);
        return;
    }
    (void)reserve(disk_queue_of(lane), weir_batch_items(batch), payload.bytes, true);
    append(own, batch, NULL, &payload, true);
}

void disk_turn_outside_away(struct disk_lane *own)
{
    weir_timer_stop(&own->timer);
    while (own->outside.first)
        turn_away(own, disk_pop(&own->outside), &WEIR_RESULT_RETRYABLE("shutting down"));
    say_waiting(own, false);
}

void disk_turn_all_away(struct disk_lane *own)
{
    const struct weir_result why = WEIR_RESULT_RETRYABLE("shutting down");
    disk_turn_outside_away(own);
    while (own->inside.first) {
        struct sender_entry *entry = disk_pop(&own->inside);
        disk_store_uncount(disk_queue_of(own->lane)->store, entry->items, entry->size);
        turn_away(own, entry, &why);
    }
    while (own->offers) { /* what the disk does with them is seen at the next start */
        struct disk_offer *offer = own->offers;
        struct weir_batch *batch = offer->batch;
        unlink_offer(offer);
        offer->batch = NULL;
        sender_refuse(own->lane, batch, offer->ack, &why);
    }
}
