// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/load_balancing/send.h"

#include <stdlib.h>

#include <weir/otlp_call.h>

/* One batch under way: an attempt, whose parts go to their backends. There is one part unless the backends have changed since
 * the batch was cut. */
struct transfer {
    struct weir_attempt *attempt;
    size_t parts; /* that have no answer yet */
    struct weir_result result; /* the worst so far */
    struct weir_text reason;
    int64_t rejected;
    struct weir_text rejection;
};

/* What one backend gets of it. */
struct part {
    struct weir_otlp_call call;
    struct part *next;
    struct lb_shard *own;
    struct transfer *transfer;
    struct slot *slot;
    struct weir_batch *batch;
    int64_t began; /* the call */
};

static void send_next(struct slot *slot);

/* --- ends --- */

static void finish(struct transfer *transfer)
{
    struct weir_attempt *attempt = transfer->attempt;
    if (transfer->result.outcome == WEIR_OK) {
        struct weir_partial_success partial = { .rejected = transfer->rejected,
                                                .message = weir_text_view(&transfer->rejection) };
        weir_attempt_rejected(attempt, &partial);
    } else {
        transfer->result.reason = weir_text_string(&transfer->reason);
    }
    weir_attempt_done(attempt, &transfer->result);
    weir_text_free(&transfer->reason);
    weir_text_free(&transfer->rejection);
    free(transfer);
}

/* What can be tried again outweighs what cannot: the part that cannot fails again, the other must not be lost. */
static bool outweighs(const struct weir_result *result, const struct weir_result *other)
{
    if (other->outcome == WEIR_OK)
        return result->outcome != WEIR_OK;
    return result->outcome == WEIR_RETRYABLE && other->outcome == WEIR_PERMANENT;
}

static void add_result(struct transfer *transfer, const struct weir_result *result)
{
    if (!outweighs(result, &transfer->result))
        return;
    transfer->result = *result;
    weir_text_clear(&transfer->reason);
    weir_text_adds(&transfer->reason, result->reason ? result->reason : "");
}

static void end_part(struct part *part, const struct weir_result *result)
{
    struct transfer *transfer = part->transfer;
    add_result(transfer, result);
    weir_batch_unref(part->batch);
    free(part);
    if (--transfer->parts == 0)
        finish(transfer);
}

static void sweep_soon(struct lb_shard *own)
{
    if (own->sweeping || own->stopped)
        return;
    own->sweeping = true;
    atomic_fetch_add(&own->shared->references, 1);
    weir_worker_post(weir_shard_worker(own->shard), &own->sweep);
}

static void on_done(struct weir_otlp_call *call, const struct weir_result *result,
                    const struct weir_partial_success *partial)
{
    struct part *part = WEIR_CONTAINER_OF(call, struct part, call);
    struct slot *slot = part->slot;
    struct lb_shard *own = part->own;
    slot->busy--;
    int64_t now = weir_worker_now(weir_shard_worker(own->shard));
    backend_metrics_count(&slot->backend->metrics, now - part->began, result->outcome == WEIR_OK);
    if (partial->rejected > 0 || partial->message.length) {
        part->transfer->rejected += partial->rejected;
        if (part->transfer->rejection.length == 0)
            weir_text_add(&part->transfer->rejection, partial->message.data, partial->message.length);
    }
    if (slot->retired && slot->busy == 0)
        sweep_soon(own);
    end_part(part, result);
    if (!own->stopped)
        send_next(slot);
}

/* --- slots --- */

static void send_next(struct slot *slot)
{
    while (slot->first && slot->busy < slot->first->own->shared->calls) {
        struct part *part = slot->first;
        struct lb_shard *own = part->own;
        slot->first = part->next;
        if (!slot->first)
            slot->last = NULL;
        slot->busy++;
        part->call.done = on_done;
        part->began = weir_worker_now(weir_shard_worker(own->shard));
        weir_otlp_call_send(&part->call, slot->client, &slot->backend->options, part->batch, own->shared->timeout);
    }
}

static void wait(struct slot *slot, struct part *part)
{
    part->slot = slot;
    part->next = NULL;
    *(slot->last ? &slot->last->next : &slot->first) = part;
    slot->last = part;
}

static struct slot *slot_of(struct lb_shard *own, struct backend *backend)
{
    for (struct slot *slot = own->slots; slot; slot = slot->next) {
        if (slot->backend == backend)
            return slot;
    }
    return NULL;
}

static struct slot *open_slot(struct lb_shard *own, struct backend *backend)
{
    struct slot *slot = slot_of(own, backend);
    if (!slot) {
        slot = weir_xcalloc(1, sizeof(*slot));
        slot->backend = backend;
        slot->client = weir_grpc_client_new(weir_shard_worker(own->shard), backend->target);
        slot->next = own->slots;
        own->slots = slot;
        atomic_fetch_add(&backend->clients, 1);
    }
    slot->retired = false;
    return slot;
}

static void free_slot(struct slot *slot)
{
    weir_grpc_client_free(slot->client);
    atomic_fetch_sub(&slot->backend->clients, 1);
    free(slot);
}

static void sweep(struct weir_task *task)
{
    struct lb_shard *own = WEIR_CONTAINER_OF(task, struct lb_shard, sweep);
    struct lb_shared *shared = own->shared;
    struct slot **at = &own->slots;
    bool freed = false;
    own->sweeping = false;
    while (*at) {
        struct slot *slot = *at;
        if (!slot->retired || slot->busy > 0 || slot->first) {
            at = &slot->next;
            continue;
        }
        *at = slot->next;
        free_slot(slot);
        freed = true;
    }
    if (freed)
        lb_sweep_backends(shared);
    lb_shared_unref(shared);
}

/* --- routing --- */

/* Gives each part of the batch (whose reference is taken) to its backend. */
static void route(struct lb_shard *own, struct transfer *transfer, struct weir_batch *batch)
{
    struct routed *routed = NULL;
    const struct router *router = &own->shared->routers[weir_batch_signal(batch)];
    bool any = own->set && own->set->ring.point_count > 0;
    if (any)
        routed = route_batch(router, &own->set->ring, batch);
    if (!routed) {
        add_result(transfer, &WEIR_RESULT_RETRYABLE(any ? "out of memory" : "couldn't find a backend: none is known"));
        weir_batch_unref(batch);
        return;
    }
    for (struct routed *one = routed; one; one = one->next) {
        struct part *part = weir_xcalloc(1, sizeof(*part));
        part->own = own;
        part->transfer = transfer;
        part->batch = one->batch;
        one->batch = NULL;
        transfer->parts++;
        wait(open_slot(own, own->set->backends[one->endpoint]), part);
    }
    route_free(routed);
}

static void send_all(struct lb_shard *own)
{
    for (struct slot *slot = own->slots, *next; slot; slot = next) {
        next = slot->next;
        send_next(slot);
    }
}

void lb_send(struct weir_shard *shard, struct weir_attempt *attempt)
{
    struct lb_shard *own = weir_shard_data(shard);
    struct transfer *transfer = weir_xcalloc(1, sizeof(*transfer));
    transfer->attempt = attempt;
    transfer->parts = 1; /* until all are on their way */
    route(own, transfer, weir_batch_ref(attempt->batch));
    if (--transfer->parts == 0)
        finish(transfer);
    else
        send_all(own);
}

/* Those that waited for a backend that is gone go where they belong now. */
static void reroute(struct lb_shard *own, struct slot *slot)
{
    struct part *waiting = slot->first;
    slot->first = slot->last = NULL;
    while (waiting) {
        struct part *part = waiting;
        struct transfer *transfer = part->transfer;
        waiting = part->next;
        route(own, transfer, part->batch);
        free(part);
        if (--transfer->parts == 0)
            finish(transfer);
    }
}

/* Opens what the set names, and moves what waits for the others. */
static void take_up(struct lb_shard *own)
{
    struct backend_set *set = own->set;
    for (struct slot *slot = own->slots; slot; slot = slot->next)
        slot->retired = true;
    for (size_t i = 0; i < set->count; i++)
        open_slot(own, set->backends[i]);
    for (struct slot *slot = own->slots; slot; slot = slot->next) {
        if (slot->retired && slot->first)
            reroute(own, slot);
    }
    send_all(own);
    sweep_soon(own);
}

void lb_shard_init(struct lb_shard *own, struct lb_shared *shared, struct weir_shard *shard)
{
    *own = (struct lb_shard){ .shared = shared, .shard = shard, .sweep.run = sweep };
}

void lb_adopt(struct lb_shard *own, struct backend_set *set)
{
    if (own->stopped)
        return;
    backend_set_unref(own->set);
    own->set = backend_set_ref(set);
    if (own->open)
        take_up(own);
}

void lb_open(struct lb_shard *own)
{
    own->open = true;
    if (own->set)
        take_up(own);
}

void lb_close(struct lb_shard *own)
{
    own->stopped = true;
    own->open = false;
    while (own->slots) {
        struct slot *slot = own->slots;
        while (slot->first) {
            struct part *part = slot->first;
            slot->first = part->next;
            end_part(part, &WEIR_RESULT_RETRYABLE("shutting down"));
        }
        slot->last = NULL;
        own->slots = slot->next;
        free_slot(slot);
    }
    backend_set_unref(own->set);
    own->set = NULL;
}

void lb_shared_unref(struct lb_shared *shared)
{
    if (atomic_fetch_sub(&shared->references, 1) != 1)
        return;
    free(shared->shards);
    free(shared);
}
