// SPDX-License-Identifier: Apache-2.0
/*
 * The sending queue on disk (`sending_queue::storage`): one journal for each exporter and signal, which all workers
 * append to and take from. A record leaves the disk when it is delivered, or dropped and counted; what has not been
 * sent when the collector stops is there when it starts again.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/sender/disk_queue.h"

static enum weir_promise promise(const struct sender_queue *queue, enum weir_promise asked)
{
    (void)queue;
    return asked;
}

/* Of the storage extension, or what the exporter says. NULL with `error` set. */
static const struct weir_storage_place *find_place(const struct sender_queue *base, struct weir_error *error)
{
    struct weir_instance *extension;
    const void *functions;
    if (base->options->place)
        return base->options->place;
    if (weir_instance_extension(base->instance, base->options->storage.id, WEIR_STORAGE, "storage extension", &extension,
                                &functions, error) != 0)
        return NULL;
    return ((const struct weir_storage *)functions)->place(extension);
}

static int open(struct sender_queue *base, struct weir_error *error)
{
    struct disk_queue *queue = (struct disk_queue *)base;
    const struct weir_storage_place *place = find_place(base, error);
    if (!place)
        return -1;
    queue->store = disk_store_open(place, base->instance, weir_signal_name(base->signal), error);
    if (!queue->store)
        return weir_error_prefix(error, "queue in \"%s\"", place->directory);
    for (unsigned i = 0; i < base->lane_count; i++) {
        struct disk_lane *own = weir_xcalloc(1, sizeof *own);
        own->lane = base->lanes[i];
        own->queue = queue;
        own->store = queue->store;
        base->lanes[i]->own = own;
    }
    queue->found = queue->store->found;
    queue->store->found = 0;
    atomic_store(&queue->waiting_items, (int64_t)queue->found);
    return 0;
}

static void lane_start(struct sender_lane *lane)
{
    struct disk_queue *queue = disk_queue_of(lane);
    struct disk_lane *own = lane->own;
    weir_timer_init(&own->timer, lane->worker, disk_check_deadlines);
    if (lane->index == 0 && queue->found > 0)
        weir_shard_make(lane->shard, lane->signal, queue->found);
}

void disk_take_over(struct sender_lane *lane)
{
    struct disk_queue *queue = disk_queue_of(lane);
    int64_t items = atomic_exchange(&queue->store->orphaned, 0);
    atomic_fetch_add(&queue->waiting_items, items);
    if (items > 0)
        weir_shard_make(lane->shard, lane->signal, (uint64_t)items);
    else if (items < 0)
        weir_shard_hand_over(lane->shard, lane->signal, (uint64_t)-items);
}

void disk_note_lost(struct sender_lane *lane)
{
    struct disk_queue *queue = disk_queue_of(lane);
    struct weir_journal_lost lost;
    if (!weir_journal_lost(queue->store->journal, &lost))
        return;
    atomic_fetch_sub(&queue->store->used[WEIR_SIZER_REQUESTS], lost.records);
    atomic_fetch_sub(&queue->store->used[WEIR_SIZER_ITEMS], lost.items);
    atomic_fetch_sub(&queue->store->used[WEIR_SIZER_BYTES], lost.bytes);
    atomic_fetch_sub(&queue->waiting_items, (int64_t)lost.items);
    weir_shard_drop(lane->shard, lane->signal, lost.items, "damaged");
    disk_room(lane);
}

static uint64_t held(struct sender_lane *lane)
{
    int64_t items = lane->index == 0 ? atomic_load(&disk_queue_of(lane)->waiting_items) : 0;
    return items > 0 ? (uint64_t)items : 0;
}

static void drain(struct sender_lane *lane, bool successor)
{
    struct disk_lane *own = lane->own;
    own->draining = true;
    disk_return_taken(own);
    if (successor)
        disk_let_all_in(own);
    else
        disk_turn_outside_away(own);
}

static bool idle(struct sender_lane *lane)
{
    const struct disk_lane *own = lane->own;
    return !own->offers && !own->outside.first && own->taking == 0;
}

static void lane_stop(struct sender_lane *lane)
{
    struct disk_lane *own = lane->own;
    own->stopped = true;
    disk_turn_all_away(own);
    disk_return_taken(own);
}

static uint64_t size(struct sender_queue *base)
{
    const struct disk_queue *queue = (struct disk_queue *)base;
    return queue->store ? atomic_load(&queue->store->used[base->options->sizer]) : 0;
}

/* What is still on disk is the successor's if there is one, which may have sent some of it already; otherwise it is found
 * at the next start. */
static void leave(struct disk_queue *queue)
{
    struct sender_lane *lane = queue->base.lanes[0];
    int64_t items = atomic_load(&queue->waiting_items);
    if (queue->store->references > 1) {
        atomic_fetch_add(&queue->store->orphaned, items);
        if (items > 0)
            weir_shard_hand_over(lane->shard, lane->signal, (uint64_t)items);
        else if (items < 0)
            weir_shard_make(lane->shard, lane->signal, (uint64_t)-items);
    } else if (items > 0) {
        weir_shard_keep(lane->shard, lane->signal, (uint64_t)items);
    }
}

static void close(struct sender_queue *base)
{
    struct disk_queue *queue = (struct disk_queue *)base;
    if (!queue->store)
        return;
    disk_take_over(base->lanes[0]);
    disk_note_lost(base->lanes[0]);
    leave(queue);
    if (weir_instance_is_busy(base->instance))
        weir_log(weir_instance_logger(base->instance), WEIR_ERROR, "Sending queue on disk: the disk does not answer",
                 WEIR_F_TEXT("directory", queue->store->directory));
    else
        disk_store_close(queue->store);
    queue->store = NULL;
}

static void free_queue(struct sender_queue *base)
{
    struct disk_queue *queue = (struct disk_queue *)base;
    for (unsigned i = 0; i < base->lane_count; i++)
        free(base->lanes[i]->own);
    free(queue);
}

static const struct sender_queue_type disk_queue_type = {
    .lasting = true,
    .promise = promise,
    .open = open,
    .lane_start = lane_start,
    .offer = disk_offer,
    .adopt = disk_adopt,
    .ready = disk_ready,
    .next = disk_next,
    .attempt = disk_attempt,
    .settle = disk_settle,
    .held = held,
    .drain = drain,
    .idle = idle,
    .lane_stop = lane_stop,
    .size = size,
    .close = close,
    .free = free_queue,
};

struct sender_queue *disk_queue_new(void)
{
    struct disk_queue *queue = weir_xcalloc(1, sizeof *queue);
    queue->base.type = &disk_queue_type;
    return &queue->base;
}
