// SPDX-License-Identifier: Apache-2.0
/*
 * Gathering and sending: a batcher sends when it holds send_batch_size items or when its timeout is over.
 *
 * Like upstream's, it answers a request as soon as it holds the data, unless the pipeline asks for more (claims.h).
 * Upstream's queue in front of the batcher is bounded, and a client then waits; here at most MAX_SENDING batches are
 * under way, and while that many are, requests that arrive beyond a full batch are answered only when a send has ended.
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
    size_t part_count;
    struct part parts[]; /* whose items they are */
};

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

static void send_ready(struct batcher *batcher);

static void count_sent(const struct sending *sending)
{
    struct batch_instance *shared = sending->batcher->owner->shared;
    weir_series_observe(shared->send_size, (double)sending->items);
    weir_series_observe(shared->send_size_bytes, (double)sending->bytes);
    weir_series_add(sending->by_timeout ? shared->timeout_trigger : shared->size_trigger, 1);
}

/* Counts what is lost, and answers those that waited for the result. */
static void settle(const struct sending *sending, const struct weir_result *result)
{
    struct batcher *batcher = sending->batcher;
    uint64_t lost = claims_settle(&batcher->claims, sending->parts, sending->part_count, result);
    if (lost > 0)
        weir_log(weir_instance_logger(weir_shard_instance(batcher->owner->shard)), WEIR_WARN, "Sender failed",
                 WEIR_F_TEXT("error", result->reason), WEIR_F_UINT("dropped_items", lost));
}

static void sent(struct weir_ack *ack, const struct weir_result *result)
{
    struct sending *sending = WEIR_CONTAINER_OF(ack, struct sending, ack);
    struct batcher *batcher = sending->batcher;
    struct batch_shard *owner = batcher->owner;
    if (result->outcome == WEIR_OK)
        count_sent(sending);
    owner->sending--;
    batcher->sending--;
    settle(sending, result);
    free(sending);
    send_ready(batcher);
    batch_drained_if_empty(owner);
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
    uint64_t items = weir_batch_items(batch);
    size_t parts = claims_count(&batcher->claims, items);
    struct sending *sending = weir_xmalloc(sizeof *sending + parts * sizeof(struct part));
    *sending = (struct sending){
        .ack = { .done = sent },
        .batcher = batcher,
        .items = items,
        .bytes = weir_batch_bytes(batch),
        .by_timeout = by_timeout,
        .part_count = parts,
    };
    claims_take(&batcher->claims, items, sending->parts);
    weir_batch_set_context(batch, batcher->context);
    batcher->sending++;
    batcher->owner->sending++;
    weir_shard_send(batcher->owner->shard, batch, &sending->ack);
    return true;
}

/* A client that waits for the result and gives up before the timeout gets half of its time for the way to the
 * destination and back. */
static void restart_timer(struct batcher *batcher)
{
    int64_t timeout = batcher->owner->config->timeout.ns;
    weir_timer_stop(&batcher->timer);
    if (!batcher->pending || timeout == 0)
        return;
    int64_t deadline = claims_deadline(&batcher->claims);
    int64_t patience = deadline == INT64_MAX
                           ? INT64_MAX
                           : (deadline - weir_worker_now(weir_shard_worker(batcher->owner->shard))) / 2;
    weir_timer_start(&batcher->timer, patience < timeout ? patience : timeout);
}

/* A new client may be in more of a hurry than those before it. */
static void hurry(struct batcher *batcher, const struct weir_ack *ack)
{
    if (weir_ack_promise(ack) == WEIR_PROMISE_MEMORY || ack->deadline == 0 || !weir_timer_active(&batcher->timer))
        return;
    int64_t now = weir_worker_now(weir_shard_worker(batcher->owner->shard));
    int64_t patience = (ack->deadline - now) / 2;
    if (now + patience < batcher->timer.deadline)
        weir_timer_start(&batcher->timer, patience);
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
    if (!full(batcher))
        claims_answer(&batcher->claims);
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
    claims_init(&batcher->claims, owner->shard, weir_instance_signal(weir_shard_instance(owner->shard)));
    weir_timer_init(&batcher->timer, weir_shard_worker(owner->shard), timed_out);
    return batcher;
}

void batcher_free(struct batcher *batcher)
{
    weir_timer_stop(&batcher->timer);
    claims_end(&batcher->claims);
    weir_batch_unref(batcher->pending);
    weir_context_unref(batcher->context);
    free(batcher);
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
    claims_add(&batcher->claims, ack, items);
    if (first)
        restart_timer(batcher);
    else
        hurry(batcher, ack);
    send_ready(batcher);
}

void batcher_flush(struct batcher *batcher)
{
    send_ready(batcher);
}
