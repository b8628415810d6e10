// SPDX-License-Identifier: Apache-2.0
/*
 * One lane for all: where batches must be sent in the order they came, every worker hands its own to the same one, and
 * takes the answer back to whoever waits for it.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/hash.h>

#include "sdk/src/sender/sender.h"

enum relay_state {
    RELAY_AWAITED,  /* no answer yet */
    RELAY_ANSWERED, /* `result` is there */
    RELAY_LEFT,     /* home has stopped without it */
};

/* One batch that is handed over. */
struct relay {
    struct weir_task task;
    struct weir_ack ack; /* what the other lane answers */
    struct lane *home, *owner;
    struct relay *next, *previous; /* home's */
    struct weir_batch *batch;
    struct weir_ack *waiting; /* home's worker only */
    uint64_t items;
    _Atomic int state; /* enum relay_state */
    struct weir_result result;
    char *reason; /* the result's */
};

struct lane *relay_owner(struct weir_sender *sender, enum weir_signal signal)
{
    // By the id: exporters use different workers, and a successor the same one.
    uint64_t hash = weir_hash(0, weir_str_of(weir_instance_id(sender->instance)));
    return &sender->shards[hash % sender->shard_count].lanes[signal];
}

bool relay_serves(struct lane *lane)
{
    struct weir_sender *sender = lane->base.sender;
    return !sender->options->ordered || relay_owner(sender, lane->base.signal) == lane;
}

static void complete(struct relay *relay, const struct weir_result *result)
{
    struct weir_ack *ack = relay->waiting;
    relay->waiting = NULL;
    weir_ack_complete(ack, result);
}

/* At home again. Nothing of the instance is touched that ends with it, for it may have. */
static void return_home(struct weir_task *task)
{
    struct relay *relay = WEIR_CONTAINER_OF(task, struct relay, task);
    struct lane *home = relay->home;
    struct weir_sender *sender = home->base.sender;
    *(relay->previous ? &relay->previous->next : &home->relays) = relay->next;
    if (relay->next)
        relay->next->previous = relay->previous;
    if (atomic_load(&relay->state) == RELAY_ANSWERED)
        complete(relay, &relay->result);
    if (atomic_fetch_sub(&sender->relayed, 1) == 1)
        sender_post(&relay->owner->base);
    lane_check_drained(home);
    free(relay->reason);
    free(relay);
    sender_unref(sender);
}

/* On the owner's worker, as the next. What home has given up and the owner taken is the owner's own. */
static void answered(struct weir_ack *ack, const struct weir_result *result)
{
    struct relay *relay = WEIR_CONTAINER_OF(ack, struct relay, ack);
    int awaited = RELAY_AWAITED;
    relay->result = *result;
    relay->reason = result->reason ? weir_xstrdup(result->reason) : NULL;
    relay->result.reason = relay->reason;
    if (!atomic_compare_exchange_strong(&relay->state, &awaited, RELAY_ANSWERED) && result->outcome == WEIR_OK)
        weir_shard_make(relay->owner->base.shard, relay->owner->base.signal, relay->items);
    relay->task.run = return_home;
    weir_worker_post(relay->home->base.worker, &relay->task);
}

static void arrive(struct weir_task *task)
{
    struct relay *relay = WEIR_CONTAINER_OF(task, struct relay, task);
    struct lane *owner = relay->owner;
    struct weir_batch *batch = relay->batch;
    relay->batch = NULL;
    if (owner->open) {
        owner->base.queue->type->offer(&owner->base, batch, &relay->ack);
        return;
    }
    weir_batch_unref(batch);
    answered(&relay->ack, &WEIR_RESULT_RETRYABLE("shutting down"));
}

void relay_offer(struct lane *home, struct weir_batch *batch, struct weir_ack *ack)
{
    struct weir_sender *sender = home->base.sender;
    struct weir_batch *own = weir_batch_exclusive(batch);
    if (!own) {
        sender_refuse(&home->base, batch, ack, &WEIR_RESULT_RETRYABLE("out of memory"));
        return;
    }
    struct relay *relay = weir_xcalloc(1, sizeof *relay);
    relay->task.run = arrive;
    relay->ack = (struct weir_ack){ .done = answered, .promise = weir_ack_promise(ack), .deadline = ack ? ack->deadline : 0 };
    relay->home = home;
    relay->owner = relay_owner(sender, home->base.signal);
    relay->batch = own;
    relay->waiting = ack;
    relay->items = weir_batch_items(own);
    relay->next = home->relays;
    if (relay->next)
        relay->next->previous = relay;
    home->relays = relay;
    atomic_fetch_add(&sender->relayed, 1);
    atomic_fetch_add(&sender->references, 1);
    weir_worker_post(relay->owner->base.worker, &relay->task);
}

void relay_stop(struct lane *home)
{
    for (struct relay *relay = home->relays; relay; relay = relay->next) {
        int awaited = RELAY_AWAITED;
        if (atomic_compare_exchange_strong(&relay->state, &awaited, RELAY_LEFT))
            complete(relay, &WEIR_RESULT_RETRYABLE("shutting down"));
        else if (awaited == RELAY_ANSWERED)
            complete(relay, &relay->result);
    }
}
