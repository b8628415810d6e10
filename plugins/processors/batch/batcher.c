// SPDX-License-Identifier: Apache-2.0
/*
 * Gathering and sending: a batcher sends when it holds send_batch_size items or when its timeout is over.
 *
 * Like upstream's, it answers a request as soon as it holds the data. Upstream's queue in front of the batcher is
 * bounded, and a client then waits; here at most MAX_SENDING batches are under way, and while that many are, requests
 * that arrive beyond a full batch are answered only when a send has ended.
 */
#include <config.h>

#include <stdlib.h>

#include "plugins/processors/batch/batch.h"

#define MAX_SENDING 8

/* One batch on its way downstream. */
struct sending {
    struct weir_ack ack;
    struct batcher *batcher;
    uint64_t items;
    uint64_t bytes;
    bool by_timeout;
};

static enum weir_signal signal_of(const struct batcher *batcher)
{
    struct weir_instance *instance = weir_shard_instance(batcher->owner->shard);
    for (int signal = 0; signal < WEIR_PROFILES; signal++)
        if (weir_instance_uses(instance, (enum weir_signal)signal))
            return (enum weir_signal)signal;
    return WEIR_TRACES;
}

static size_t pending_items(const struct batcher *batcher)
{
    return batcher->pending ? weir_batch_items(batcher->pending) : 0;
}

/* True while what is there is reason enough to send. */
static bool full(const struct batcher *batcher)
{
    const struct batch_config *config = batcher->owner->config;
    size_t items = pending_items(batcher);
    if (items == 0)
        return false;
    return config->timeout.ns == 0 || config->send_batch_size == 0 || batcher->owner->draining ||
           items >= (uint64_t)config->send_batch_size;
}

static void answer_waiters(struct batcher *batcher, const struct weir_result *result)
{
    size_t count = batcher->waiter_count;
    struct waiter *waiters = batcher->waiters;
    batcher->waiters = NULL;
    batcher->waiter_count = batcher->waiter_capacity = 0;
    for (size_t i = 0; i < count; i++) {
        batcher->owner->unanswered -= waiters[i].items;
        weir_ack_complete(waiters[i].ack, result);
    }
    free(waiters);
}

static void send_ready(struct batcher *batcher);

static void count_sent(const struct sending *sending)
{
    struct batch_instance *shared = sending->batcher->owner->shared;
    weir_series_observe(shared->send_size, (double)sending->items);
    weir_series_observe(shared->send_size_bytes, (double)sending->bytes);
    weir_series_add(sending->by_timeout ? shared->timeout_trigger : shared->size_trigger, 1);
}

static void count_lost(const struct sending *sending, const struct weir_result *result)
{
    struct weir_shard *shard = sending->batcher->owner->shard;
    weir_shard_drop(shard, signal_of(sending->batcher), sending->items, "send_failed");
    weir_log(weir_instance_logger(weir_shard_instance(shard)), WEIR_WARN, "Sender failed",
             WEIR_F_TEXT("error", result->reason), WEIR_F_UINT("dropped_items", sending->items));
}

static void sent(struct weir_ack *ack, const struct weir_result *result)
{
    struct sending *sending = WEIR_CONTAINER_OF(ack, struct sending, ack);
    struct batcher *batcher = sending->batcher;
    struct batch_shard *owner = batcher->owner;
    if (result->outcome == WEIR_OK)
        count_sent(sending);
    else
        count_lost(sending, result);
    owner->held -= sending->items;
    owner->sending--;
    batcher->sending--;
    free(sending);
    send_ready(batcher);
    if (owner->draining && owner->held == 0 && owner->sending == 0) {
        owner->draining = false;
        weir_shard_drained(owner->shard);
    }
}

/* The next batch to go: all that is pending, or its first send_batch_max_size items. */
static struct weir_batch *take_batch(struct batcher *batcher)
{
    int64_t max = batcher->owner->config->send_batch_max_size;
    struct weir_batch *batch = batcher->pending;
    if (max > 0 && weir_batch_items(batch) > (uint64_t)max)
        return weir_batch_split(batch, (size_t)max);
    batcher->pending = NULL;
    return batch;
}

/* Sends one batch; false when memory for it is out, and it stays pending until the timer. */
static bool send_one(struct batcher *batcher, bool by_timeout)
{
    struct weir_batch *batch = take_batch(batcher);
    if (!batch)
        return false;
    struct sending *sending = weir_xmalloc(sizeof *sending);
    *sending = (struct sending){
        .ack = { sent },
        .batcher = batcher,
        .items = weir_batch_items(batch),
        .bytes = weir_batch_bytes(batch),
        .by_timeout = by_timeout,
    };
    weir_batch_set_context(batch, batcher->context);
    batcher->sending++;
    batcher->owner->sending++;
    weir_shard_send(batcher->owner->shard, batch, &sending->ack);
    return true;
}

static void restart_timer(struct batcher *batcher)
{
    int64_t timeout = batcher->owner->config->timeout.ns;
    weir_timer_stop(&batcher->timer);
    if (batcher->pending && timeout > 0)
        weir_timer_start(&batcher->timer, timeout);
}

static void send_ready(struct batcher *batcher)
{
    bool any = false;
    if (batcher->busy)
        return;
    batcher->busy = true;
    while (full(batcher) && batcher->sending < MAX_SENDING && send_one(batcher, false))
        any = true;
    batcher->busy = false;
    if (any)
        restart_timer(batcher);
    if (!full(batcher) && batcher->waiter_count > 0)
        answer_waiters(batcher, &WEIR_RESULT_OK);
}

static void timed_out(struct weir_timer *timer)
{
    struct batcher *batcher = WEIR_CONTAINER_OF(timer, struct batcher, timer);
    if (batcher->pending && batcher->sending < MAX_SENDING)
        send_one(batcher, true);
    restart_timer(batcher);
    send_ready(batcher);
}

struct batcher *batcher_new(struct batch_shard *owner, struct weir_context *context)
{
    struct batcher *batcher = weir_xcalloc(1, sizeof *batcher);
    batcher->owner = owner;
    batcher->context = context ? weir_context_ref(context) : NULL;
    weir_timer_init(&batcher->timer, weir_shard_worker(owner->shard), timed_out);
    return batcher;
}

/* What was answered and not sent is lost. Of a request that is told to come back, a part may be gone downstream
 * already: it will come twice, and the ledger shows it as made. */
static void count_shutdown(struct batcher *batcher)
{
    struct weir_shard *shard = batcher->owner->shard;
    uint64_t unanswered = 0, pending = pending_items(batcher);
    for (size_t i = 0; i < batcher->waiter_count; i++)
        unanswered += batcher->waiters[i].items;
    if (pending > unanswered)
        weir_shard_drop(shard, signal_of(batcher), pending - unanswered, "shutdown");
    else if (unanswered > pending)
        weir_shard_make(shard, signal_of(batcher), unanswered - pending);
    batcher->owner->held -= pending;
}

void batcher_free(struct batcher *batcher)
{
    struct weir_result stopping = WEIR_RESULT_RETRYABLE("shutting down");
    weir_timer_stop(&batcher->timer);
    count_shutdown(batcher);
    answer_waiters(batcher, &stopping);
    weir_batch_unref(batcher->pending);
    weir_context_unref(batcher->context);
    free(batcher);
}

static void add_waiter(struct batcher *batcher, struct weir_ack *ack, uint64_t items)
{
    if (batcher->waiter_count == batcher->waiter_capacity) {
        batcher->waiter_capacity = batcher->waiter_capacity ? batcher->waiter_capacity * 2 : 16;
        batcher->waiters =
            weir_xrealloc(batcher->waiters, batcher->waiter_capacity * sizeof *batcher->waiters);
    }
    batcher->waiters[batcher->waiter_count++] = (struct waiter){ ack, items };
    batcher->owner->unanswered += items;
}

void batcher_add(struct batcher *batcher, struct weir_batch *batch, struct weir_ack *ack)
{
    size_t items = weir_batch_items(batch);
    bool first = batcher->pending == NULL;
    if (first) {
        batcher->pending = batch;
    } else if (!weir_batch_append(batcher->pending, batch)) {
        struct weir_result refused = WEIR_RESULT_RETRYABLE("out of memory");
        weir_batch_unref(batch);
        weir_ack_complete(ack, &refused);
        return;
    }
    batcher->owner->held += items;
    add_waiter(batcher, ack, items);
    if (first)
        restart_timer(batcher);
    send_ready(batcher);
}

void batcher_flush(struct batcher *batcher)
{
    send_ready(batcher);
}
