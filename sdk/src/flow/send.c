// SPDX-License-Identifier: Apache-2.0
/*
 * Sending: a batch goes down every edge, each edge is counted at both ends, and one acknowledgement comes back when
 * all branches have answered.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/memory.h>

#include "sdk/src/flow/instance.h"

/* The result a fan-out answers with: the worst, with its text kept until then. */
struct verdict {
    struct weir_result result;
    char *reason;
};

/* One send under way: the sender's ack, and one leg for each edge. Legs of one hop answer in any order. */
struct leg {
    struct weir_ack ack;
    struct hop *hop;
    struct weir_shard *to;
};

struct hop {
    struct hop *next; /* under way or spare, of the same shard */
    struct hop **link;
    struct weir_ack *ack;
    struct weir_shard *from; /* NULL: abandoned, the shard is closed */
    enum weir_signal signal;
    struct transport_tally *transport; /* a receiver's; NULL for others */
    uint64_t items;
    uint64_t bytes;
    uint64_t taken_out; /* items that the sender has left out, dropped once the rest is accepted */
    const char *reason; /* why */
    size_t pending;
    struct verdict worst;
    size_t leg_capacity;
    struct leg legs[];
};

static struct hop *take_hop(struct weir_shard *from, size_t legs)
{
    struct hop *hop = from->spare_hops;
    if (hop)
        from->spare_hops = hop->next;
    if (!hop || hop->leg_capacity < legs) {
        free(hop); /* replaced, so that there are never more than were under way at one time */
        hop = weir_xmalloc(sizeof *hop + legs * sizeof(struct leg));
        hop->leg_capacity = legs;
    }
    hop->next = from->hops;
    hop->link = &from->hops;
    if (hop->next)
        hop->next->link = &hop->next;
    from->hops = hop;
    return hop;
}

static void leave_list(struct hop *hop)
{
    *hop->link = hop->next;
    if (hop->next)
        hop->next->link = hop->link;
}

static void tell_if_idle(struct weir_shard *shard)
{
    if (!shard->wants_idle || shard->hops || shard->busy > 0)
        return;
    shard->wants_idle = false;
    shard->instance->host->idle(shard);
}

static void give_hop(struct hop *hop)
{
    struct weir_shard *from = hop->from;
    leave_list(hop);
    free(hop->worst.reason);
    hop->next = from->spare_hops;
    from->spare_hops = hop;
    tell_if_idle(from);
}

bool weir_shard_await_idle(struct weir_shard *shard)
{
    shard->wants_idle = shard->hops != NULL || shard->busy > 0;
    return !shard->wants_idle;
}

void weir_shard_busy(struct weir_shard *shard, bool busy)
{
    shard->busy += busy ? 1 : -1u;
    tell_if_idle(shard);
}

void hops_free(struct weir_shard *shard)
{
    while (shard->spare_hops) {
        struct hop *hop = shard->spare_hops;
        shard->spare_hops = hop->next;
        free(hop);
    }
}

static void worsen(struct verdict *worst, const struct weir_result *result)
{
    if (result->outcome <= worst->result.outcome)
        return;
    free(worst->reason);
    worst->reason = result->reason ? weir_xstrdup(result->reason) : NULL;
    worst->result = *result;
    worst->result.reason = worst->reason;
}

static struct transport_tally *transport_slot(struct ledger *ledger, const char *transport)
{
    for (int i = 0; i < TRANSPORTS; i++) {
        struct transport_tally *slot = &ledger->transports[i];
        const char *name = atomic_load_explicit(&slot->transport, memory_order_relaxed);
        if (!name) {
            /* A copy: the word may belong to the request's context, which goes with the batch. */
            atomic_store_explicit(&slot->transport, weir_xstrdup(transport), memory_order_release);
            return slot;
        }
        if (strcmp(name, transport) == 0)
            return slot;
    }
    return &ledger->transports[TRANSPORTS - 1];
}

/* A receiver's own entry: what it offered to its pipelines and what became of it. */
static void count_received(struct weir_shard *from, const struct hop *hop, enum weir_outcome outcome)
{
    struct ledger *ledger = &from->ledgers[hop->signal];
    struct transport_tally *slot = hop->transport;
    if (outcome == WEIR_OK) {
        tally_add(&slot->accepted, hop->items);
        return;
    }
    tally_add(&slot->refused, hop->items);
    tally_add(outcome == WEIR_RETRYABLE ? &ledger->refused : &ledger->failed, hop->items);
    tally_add(outcome == WEIR_RETRYABLE ? &ledger->refused_bytes : &ledger->failed_bytes, hop->bytes);
}

static void hop_done(struct hop *hop)
{
    struct weir_shard *from = hop->from;
    if (!from) { /* abandoned, and the sender has been answered */
        free(hop->worst.reason);
        free(hop);
        return;
    }
    struct ledger *ledger = &from->ledgers[hop->signal];
    const struct weir_result *result = &hop->worst.result;
    if (result->outcome == WEIR_OK) {
        tally_add(&ledger->sent, hop->items);
        tally_add(&ledger->sent_bytes, hop->bytes);
        if (hop->taken_out > 0)
            weir_shard_drop(from, hop->signal, hop->taken_out, hop->reason);
    } else {
        tally_add(&ledger->send_failed, hop->items);
    }
    if (from->instance->component->kind == WEIR_RECEIVER)
        count_received(from, hop, result->outcome);
    weir_ack_complete(hop->ack, result);
    give_hop(hop);
}

void hops_abandon(struct weir_shard *shard)
{
    struct weir_result refused = WEIR_RESULT_RETRYABLE("shutting down");
    shard->wants_idle = false;
    while (shard->hops) {
        struct hop *hop = shard->hops;
        leave_list(hop);
        hop->from = NULL;
        tally_add(&shard->ledgers[hop->signal].send_failed, hop->items);
        if (shard->instance->component->kind == WEIR_RECEIVER)
            count_received(shard, hop, WEIR_RETRYABLE);
        weir_ack_complete(hop->ack, &refused);
    }
}

static void leg_done(struct weir_ack *ack, const struct weir_result *result)
{
    struct leg *leg = WEIR_CONTAINER_OF(ack, struct leg, ack);
    struct hop *hop = leg->hop;
    struct ledger *ledger = &leg->to->ledgers[hop->signal];
    switch (result->outcome) {
    case WEIR_OK:
        tally_add(&ledger->accepted, hop->items);
        tally_add(&ledger->accepted_bytes, hop->bytes);
        break;
    case WEIR_RETRYABLE:
        tally_add(&ledger->refused, hop->items);
        tally_add(&ledger->refused_bytes, hop->bytes);
        break;
    case WEIR_PERMANENT:
        tally_add(&ledger->failed, hop->items);
        tally_add(&ledger->failed_bytes, hop->bytes);
        break;
    }
    worsen(&hop->worst, result);
    if (--hop->pending == 0)
        hop_done(hop);
}

static void leg_refuse(struct leg *leg, struct weir_batch *batch, const char *reason)
{
    struct weir_result refused = WEIR_RESULT_RETRYABLE(reason);
    weir_batch_unref(batch);
    leg_done(&leg->ack, &refused);
}

/* Hands one reference on `batch` to the leg's shard. */
static void leg_start(struct leg *leg, struct weir_batch *batch)
{
    struct weir_shard *to = leg->to;
    const struct weir_component *component = to->instance->component;
    struct ledger *ledger = &to->ledgers[leg->hop->signal];
    tally_add(&ledger->offered, leg->hop->items);
    tally_add(&ledger->offered_bytes, leg->hop->bytes);
    if (!to->open) {
        leg_refuse(leg, batch, "shutting down");
        return;
    }
    if (component->traits & WEIR_MUTATES) {
        struct weir_batch *own = weir_batch_exclusive(batch);
        if (!own) {
            leg_refuse(leg, batch, "out of memory");
            return;
        }
        batch = own;
    }
    component->consume(to, batch, &leg->ack);
}

static size_t add_legs(struct hop *hop, size_t at, const struct route *route, unsigned worker)
{
    for (size_t i = 0; i < route->count; i++) {
        struct leg *leg = &hop->legs[at++];
        leg->ack = (struct weir_ack){ leg_done, route->promise, hop->ack ? hop->ack->deadline : 0 };
        leg->hop = hop;
        leg->to = route->targets[i]->shards[worker];
    }
    return at;
}

static struct hop *start_hop(struct weir_shard *from, struct weir_batch *batch, struct weir_ack *ack,
                             size_t legs)
{
    struct hop *hop = take_hop(from, legs);
    hop->ack = ack;
    hop->from = from;
    hop->signal = weir_batch_signal(batch);
    hop->items = weir_batch_items(batch);
    hop->bytes = weir_batch_bytes(batch);
    hop->transport = NULL;
    hop->taken_out = 0;
    hop->pending = legs;
    hop->worst = (struct verdict){ .result = WEIR_RESULT_OK };
    if (from->instance->component->kind == WEIR_RECEIVER) {
        const char *transport = weir_context_transport(weir_batch_context(batch));
        hop->transport = transport_slot(&from->ledgers[hop->signal], transport ? transport : "");
        tally_add(&from->ledgers[hop->signal].offered, hop->items);
        tally_add(&from->ledgers[hop->signal].offered_bytes, hop->bytes);
    }
    return hop;
}

/* Every leg is started, whatever became of the ones before; readers behind the mutating legs share the batch. The
 * extra pending count keeps the hop alive until all are. */
static void run_legs(struct hop *hop, size_t legs, struct weir_batch *batch)
{
    hop->pending = legs + 1;
    for (size_t i = 0; i + 1 < legs; i++)
        leg_start(&hop->legs[i], weir_batch_ref(batch));
    leg_start(&hop->legs[legs - 1], batch);
    if (--hop->pending == 0)
        hop_done(hop);
}

/* A shard that is closed has nobody to hear of a later answer. */
static void send_refused(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    struct hop *hop = start_hop(shard, batch, ack, 0);
    hop->worst.result = WEIR_RESULT_RETRYABLE("shutting down");
    weir_batch_unref(batch);
    hop_done(hop);
}

/* Nobody takes this signal: the telemetry ends here, and the ledger says so. */
static void send_nowhere(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    struct hop *hop = start_hop(shard, batch, ack, 0);
    weir_shard_drop(shard, hop->signal, hop->items, "no_pipeline");
    weir_batch_unref(batch);
    weir_ack_ok(hop->ack);
    give_hop(hop);
}

/* Sends down every edge of the batch's signal. */
static void send_all(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack, uint64_t taken_out,
                     const char *reason)
{
    const struct routes *routes = &shard->wiring->routes[weir_batch_signal(batch)];
    if (shard->closed) {
        send_refused(shard, batch, ack);
        return;
    }
    if (routes->targets == 0) {
        if (taken_out > 0)
            weir_shard_drop(shard, weir_batch_signal(batch), taken_out, reason);
        send_nowhere(shard, batch, ack);
        return;
    }
    struct hop *hop = start_hop(shard, batch, ack, routes->targets);
    hop->taken_out = taken_out;
    hop->reason = reason;
    unsigned worker = weir_worker_index(shard->worker);
    size_t legs = 0;
    for (size_t i = 0; i < routes->count; i++)
        legs = add_legs(hop, legs, &routes->items[i], worker);
    run_legs(hop, legs, batch);
}

void weir_shard_send(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    send_all(shard, batch, ack, 0, NULL);
}

void weir_shard_send_rest(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack,
                          uint64_t taken_out, const char *reason)
{
    if (weir_batch_items(batch) > 0) {
        send_all(shard, batch, ack, taken_out, reason);
        return;
    }
    weir_shard_drop(shard, weir_batch_signal(batch), taken_out, reason);
    weir_batch_unref(batch);
    weir_ack_ok(ack);
}

size_t weir_shard_pipelines(const struct weir_shard *shard, enum weir_signal signal)
{
    return shard->wiring->routes[signal].count;
}

const char *weir_shard_pipeline(const struct weir_shard *shard, enum weir_signal signal, size_t index)
{
    return shard->wiring->routes[signal].items[index].pipeline;
}

void weir_shard_send_to(struct weir_shard *shard, size_t pipeline, struct weir_batch *batch,
                        struct weir_ack *ack)
{
    const struct route *route = &shard->wiring->routes[weir_batch_signal(batch)].items[pipeline];
    if (shard->closed) {
        send_refused(shard, batch, ack);
        return;
    }
    struct hop *hop = start_hop(shard, batch, ack, route->count);
    size_t legs = add_legs(hop, 0, route, weir_worker_index(shard->worker));
    run_legs(hop, legs, batch);
}

/* Pipelines have no cycles (the graph is checked), so neither has this walk; its depth is the config's, not the
 * data's. */
static bool admits(const struct weir_shard *shard, enum weir_signal signal, size_t bytes, struct weir_result *refusal)
{
    const struct routes *routes = &shard->wiring->routes[signal];
    unsigned worker = weir_worker_index(shard->worker);
    for (size_t r = 0; r < routes->count; r++)
        for (size_t i = 0; i < routes->items[r].count; i++) {
            struct weir_shard *target = routes->items[r].targets[i]->shards[worker];
            const struct weir_component *component = target->instance->component;
            if (component->admit && target->open && !component->admit(target, signal, bytes, refusal))
                return false;
            if (!admits(target, signal, bytes, refusal))
                return false;
        }
    return true;
}

bool weir_shard_admit(struct weir_shard *shard, enum weir_signal signal, size_t bytes,
                      struct weir_result *refusal)
{
    if (!admits(shard, signal, bytes, refusal))
        return false;
    weir_memory_reserve(bytes);
    return true;
}
