// SPDX-License-Identifier: Apache-2.0
/*
 * The sending queue in memory: a list on each worker, with one capacity for all of them.
 *
 * What does not fit is refused or, with block_on_overflow, waits outside, its client unanswered, until there is room or
 * the client has gone. Room freed on one worker wakes the others that have somebody waiting; sequentially consistent:
 * who waits looks for room again after saying so, and who frees some looks for waiters after freeing it.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/sender/queue.h"

struct list {
    struct sender_entry *first, *last;
};

struct memory_queue {
    struct sender_queue base; /* first */
    _Atomic uint64_t used;
    _Atomic unsigned waiting; /* lanes with somebody outside */
};

struct memory_lane {
    struct sender_lane *lane;
    struct list inside;
    struct list outside;
    uint64_t held;           /* items inside that nobody waits for */
    struct weir_timer timer; /* for the first deadline outside */
    _Atomic bool waiting;    /* counted in the queue's `waiting` */
};

static struct memory_queue *queue_of(const struct sender_lane *lane)
{
    return (struct memory_queue *)lane->queue;
}

static void push(struct list *list, struct sender_entry *entry)
{
    entry->next = NULL;
    *(list->last ? &list->last->next : &list->first) = entry;
    list->last = entry;
}

static struct sender_entry *pop(struct list *list)
{
    struct sender_entry *entry = list->first;
    list->first = entry->next;
    if (!list->first)
        list->last = NULL;
    return entry;
}

static bool reserve(struct memory_queue *queue, uint64_t size)
{
    uint64_t capacity = (uint64_t)queue->base.options->queue_size;
    uint64_t used = atomic_load(&queue->used);
    while (used <= capacity && size <= capacity - used)
        if (atomic_compare_exchange_weak(&queue->used, &used, used + size))
            return true;
    return false;
}

/* --- in --- */

static bool waits_for_result(const struct memory_queue *queue, const struct weir_ack *ack)
{
    return queue->base.options->wait_for_result || weir_ack_promise(ack) == WEIR_PROMISE_SINK;
}

/* The entry, for which there is room, goes in. */
static void admit(struct memory_lane *own, struct sender_entry *entry)
{
    struct weir_ack *ack = entry->ack;
    push(&own->inside, entry);
    if (ack && waits_for_result(queue_of(own->lane), ack))
        return;
    entry->ack = NULL;
    own->held += entry->items;
    weir_ack_ok(ack);
}

/* Takes the entry back out that never was in. */
static void turn_away(struct memory_lane *own, struct sender_entry *entry, const struct weir_result *result)
{
    struct weir_batch *batch = entry->batch;
    struct weir_ack *ack = entry->ack;
    sender_entry_free(own->lane, entry);
    sender_refuse(own->lane, batch, ack, result);
}

static bool has_gone(const struct sender_entry *entry, int64_t now)
{
    return entry->ack && entry->ack->deadline != 0 && entry->ack->deadline <= now;
}

/* Turns away those outside whose time is over; the timer is for the next of them. */
static void check_deadlines(struct weir_timer *timer)
{
    struct memory_lane *own = WEIR_CONTAINER_OF(timer, struct memory_lane, timer);
    struct weir_result late = WEIR_RESULT_RETRYABLE("sending queue is full: request is cancelled or timed out");
    int64_t now = weir_worker_now(own->lane->worker), next = INT64_MAX;
    struct list all = own->outside;
    own->outside = (struct list){ 0 };
    while (all.first) {
        struct sender_entry *entry = pop(&all);
        if (has_gone(entry, now)) {
            turn_away(own, entry, &late);
            continue;
        }
        if (entry->ack && entry->ack->deadline != 0 && entry->ack->deadline < next)
            next = entry->ack->deadline;
        push(&own->outside, entry);
    }
    if (next != INT64_MAX)
        weir_timer_start(timer, next - now);
}

static void say_waiting(struct memory_lane *own)
{
    if (!atomic_exchange(&own->waiting, true))
        atomic_fetch_add(&queue_of(own->lane)->waiting, 1);
}

static void say_not_waiting(struct memory_lane *own)
{
    if (atomic_exchange(&own->waiting, false))
        atomic_fetch_sub(&queue_of(own->lane)->waiting, 1);
}

/* Lets in those outside, in their order, as far as there is room. */
static void let_in(struct memory_lane *own)
{
    bool said = false;
    while (own->outside.first) {
        if (reserve(queue_of(own->lane), own->outside.first->size)) {
            admit(own, pop(&own->outside));
            said = false;
        } else if (said) {
            return;
        } else {
            say_waiting(own);
            said = true; /* and once more */
        }
    }
    say_not_waiting(own);
    weir_timer_stop(&own->timer);
}

static void wait_outside(struct memory_lane *own, struct sender_entry *entry)
{
    int64_t deadline = entry->ack ? entry->ack->deadline : 0;
    push(&own->outside, entry);
    if (deadline != 0 && (!weir_timer_active(&own->timer) || own->timer.deadline > deadline))
        weir_timer_start(&own->timer, deadline - weir_worker_now(own->lane->worker));
    let_in(own);
}

static void offer(struct sender_lane *lane, struct weir_batch *batch, struct weir_ack *ack)
{
    struct memory_queue *queue = queue_of(lane);
    struct memory_lane *own = lane->own;
    uint64_t size = sender_size(batch, queue->base.options->sizer);
    if (size > (uint64_t)queue->base.options->queue_size) {
        sender_refuse(lane, batch, ack, &WEIR_RESULT_PERMANENT("element size too large"));
        return;
    }
    bool fits = !own->outside.first && reserve(queue, size);
    if (!fits && !queue->base.options->block_on_overflow) {
        sender_refuse(lane, batch, ack, &WEIR_RESULT_RETRYABLE("sending queue is full"));
        return;
    }
    struct sender_entry *entry = sender_entry_new(lane, batch, ack);
    entry->size = size;
    if (fits)
        admit(own, entry);
    else
        wait_outside(own, entry);
    sender_wake(lane);
}

static void adopt(struct sender_lane *lane, struct weir_batch *batch)
{
    struct memory_queue *queue = queue_of(lane);
    struct sender_entry *entry = sender_entry_new(lane, batch, NULL);
    entry->size = sender_size(batch, queue->base.options->sizer);
    atomic_fetch_add(&queue->used, entry->size);
    admit(lane->own, entry);
    sender_wake(lane);
}

/* --- out --- */

static bool ready(struct sender_lane *lane)
{
    struct memory_lane *own = lane->own;
    if (own->outside.first)
        let_in(own);
    return own->inside.first;
}

static struct sender_entry *next(struct sender_lane *lane)
{
    struct memory_lane *own = lane->own;
    struct sender_entry *entry = pop(&own->inside);
    if (!entry->ack)
        own->held -= entry->items;
    return entry;
}

static void wake_waiting(struct sender_lane *lane)
{
    for (unsigned i = 1; i <= lane->queue->lane_count; i++) {
        struct sender_lane *other = lane->queue->lanes[(lane->index + i) % lane->queue->lane_count];
        struct memory_lane *own = other->own;
        if (atomic_load(&own->waiting))
            sender_post(other);
    }
}

static void settle(struct sender_lane *lane, struct sender_entry *entry, enum sender_end end)
{
    struct memory_queue *queue = queue_of(lane);
    (void)end;
    atomic_fetch_sub(&queue->used, entry->size);
    sender_entry_free(lane, entry);
    if (atomic_load(&queue->waiting) > 0)
        wake_waiting(lane);
}

/* --- life --- */

static enum weir_promise promise(const struct sender_queue *queue, enum weir_promise asked)
{
    if (asked == WEIR_PROMISE_SINK || queue->options->wait_for_result)
        return WEIR_PROMISE_SINK;
    return WEIR_PROMISE_MEMORY;
}

static void lane_start(struct sender_lane *lane)
{
    struct memory_lane *own = lane->own;
    weir_timer_init(&own->timer, lane->worker, check_deadlines);
}

static void lane_stop(struct sender_lane *lane)
{
    struct memory_lane *own = lane->own;
    weir_timer_stop(&own->timer);
    while (own->outside.first)
        turn_away(own, pop(&own->outside), &WEIR_RESULT_RETRYABLE("shutting down"));
    say_not_waiting(own);
}

static uint64_t held(struct sender_lane *lane)
{
    return ((struct memory_lane *)lane->own)->held;
}

static bool idle(struct sender_lane *lane)
{
    return !((struct memory_lane *)lane->own)->outside.first;
}

static uint64_t size(struct sender_queue *queue)
{
    return atomic_load(&((struct memory_queue *)queue)->used);
}

static int open(struct sender_queue *queue, struct weir_error *error)
{
    (void)error;
    for (unsigned i = 0; i < queue->lane_count; i++) {
        struct memory_lane *own = weir_xcalloc(1, sizeof *own);
        own->lane = queue->lanes[i];
        queue->lanes[i]->own = own;
    }
    return 0;
}

static void free_queue(struct sender_queue *queue)
{
    for (unsigned i = 0; i < queue->lane_count; i++)
        free(queue->lanes[i]->own);
    free(queue);
}

static const struct sender_queue_type memory_queue_type = {
    .promise = promise,
    .open = open,
    .lane_start = lane_start,
    .offer = offer,
    .adopt = adopt,
    .ready = ready,
    .next = next,
    .settle = settle,
    .held = held,
    .idle = idle,
    .lane_stop = lane_stop,
    .size = size,
    .free = free_queue,
};

struct sender_queue *memory_queue_new(void)
{
    struct memory_queue *queue = weir_xcalloc(1, sizeof *queue);
    queue->base.type = &memory_queue_type;
    return &queue->base;
}
