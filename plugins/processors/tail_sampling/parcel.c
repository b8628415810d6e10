// SPDX-License-Identifier: Apache-2.0
/* The way of parcels to the owners and back, and the answers. */
#include <config.h>

#include <stdlib.h>

#include <weir/memory.h>

#include "plugins/processors/tail_sampling/tail.h"

/* Keeps the worse of both results, with a copy of its reason. */
static void worsen(struct weir_result *worst, char **reason, const struct weir_result *result)
{
    if (result->outcome <= worst->outcome)
        return;
    free(*reason);
    *reason = result->reason ? weir_xstrdup(result->reason) : NULL;
    *worst = *result;
    worst->reason = *reason;
}

void parcel_release(struct parcel *parcel)
{
    weir_memory_release(parcel->reserved);
    parcel->reserved = 0;
    weir_buffer_unref(parcel->buffer);
    parcel->buffer = NULL;
    weir_arena_free(&parcel->arena);
    free(parcel->items);
    free(parcel->groups);
    free(parcel->heads);
    parcel->items = NULL;
    parcel->groups = NULL;
    parcel->heads = NULL;
    parcel->group_count = 0;
}

void parcel_free(struct parcel *parcel)
{
    if (!parcel)
        return;
    parcel->reserved = 0; /* only those that were sent have reserved it */
    parcel_release(parcel);
    free(parcel->reason);
    free(parcel);
}

static void request_unlink(struct request *request)
{
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
}

/* What is kept or gone was taken on with this answer, or, where the answer is no, comes a second time. */
static void answer(struct request *request)
{
    struct tail_shard *own = request->own;
    struct weir_ack *ack = request->ack;
    request->answered = true;
    request->ack = NULL;
    request_unlink(request);
    own->late += request->done;
    if (request->worst.outcome != WEIR_OK)
        weir_shard_make(own->shard, WEIR_TRACES, request->done);
    weir_ack_complete(ack, &request->worst);
}

/* All its parcels are back. */
static void end_request(struct request *request)
{
    if (!request->answered)
        answer(request);
    if (request->busy && !atomic_load(&request->own->tail->destroyed))
        weir_shard_busy(request->own->shard, false);
    free(request->reason);
    free(request);
}

/* A request that was answered at the end, while parcels were under way. */
static void account_late(struct request *request, const struct parcel *parcel)
{
    request->own->late += parcel->done;
    if (!atomic_load(&request->own->tail->destroyed))
        weir_shard_make(request->own->shard, WEIR_TRACES, parcel->done);
}

/* On the worker of the request. */
static void come_back(struct parcel *parcel)
{
    struct request *request = parcel->request;
    struct tail_shard *own = request->own;
    if (request->answered) {
        account_late(request, parcel);
    } else {
        request->done += parcel->done;
        worsen(&request->worst, &request->reason, &parcel->worst);
    }
    free(parcel->reason);
    free(parcel);
    if (--request->parcels > 0)
        return;
    end_request(request);
    tail_drained_if_empty(own);
}

static void came_back(struct weir_task *task)
{
    struct parcel *parcel = WEIR_CONTAINER_OF(task, struct parcel, task);
    struct tail *tail = parcel->owner->tail;
    come_back(parcel);
    tail_unref(tail);
}

static void arrived(struct weir_task *task)
{
    struct parcel *parcel = WEIR_CONTAINER_OF(task, struct parcel, task);
    tail_take(parcel->owner, parcel);
}

/* The reference on the instance that a posted parcel has goes both ways. */
static void post(struct parcel *parcel, struct tail_shard *to, void (*run)(struct weir_task *task))
{
    parcel->task.run = run;
    weir_worker_post(to->worker, &parcel->task);
}

static void finish_if_done(struct parcel *parcel)
{
    if (parcel->pending > 0)
        return;
    parcel_release(parcel);
    if (parcel->owner == parcel->request->own)
        come_back(parcel);
    else
        post(parcel, parcel->request->own, came_back);
}

void parcel_hold(struct parcel *parcel)
{
    parcel->pending++;
}

void parcel_let_go(struct parcel *parcel)
{
    parcel->pending--;
    finish_if_done(parcel);
}

void parcel_done(struct parcel *parcel, uint64_t items)
{
    parcel->owner->early += items;
    parcel->done += items;
    parcel->pending -= items;
    finish_if_done(parcel);
}

void parcel_failed(struct parcel *parcel, uint64_t items, const struct weir_result *result)
{
    worsen(&parcel->worst, &parcel->reason, result);
    parcel->pending -= items;
    finish_if_done(parcel);
}

void request_begin(struct tail_shard *own, struct parcel **parcels, struct weir_ack *ack)
{
    struct request *request = weir_xcalloc(1, sizeof *request);
    unsigned count = own->tail->shard_count;
    struct parcel *mine = NULL;
    request->own = own;
    request->ack = ack;
    request->worst = WEIR_RESULT_OK;
    request->next = own->requests;
    request->link = &own->requests;
    if (request->next)
        request->next->link = &request->next;
    own->requests = request;
    for (unsigned i = 0; i < count; i++)
        request->parcels += parcels[i] != NULL;
    /* Who waits for decisions would keep the host waiting for those, too. */
    request->busy = request->parcels > 0 && weir_ack_promise(ack) == WEIR_PROMISE_MEMORY;
    if (request->busy)
        weir_shard_busy(own->shard, true);
    for (unsigned i = 0; i < count; i++) {
        struct parcel *parcel = parcels[i];
        if (!parcel)
            continue;
        parcel->request = request;
        parcel->claims = weir_ack_promise(ack) > WEIR_PROMISE_MEMORY;
        parcel->pending = parcel->item_count;
        weir_memory_reserve(parcel->reserved);
        if (parcel->owner == own) {
            mine = parcel;
            continue;
        }
        tail_ref(own->tail);
        post(parcel, parcel->owner, arrived);
    }
    if (mine)
        tail_take(own, mine);
    else if (request->parcels == 0)
        end_request(request);
}

void requests_end(struct tail_shard *own)
{
    while (own->requests) {
        struct request *request = own->requests;
        struct weir_result why = WEIR_RESULT_RETRYABLE("shutting down");
        worsen(&request->worst, &request->reason, &why);
        answer(request);
    }
}

void claim_add(struct claim **list, struct parcel *parcel, uint64_t items)
{
    struct claim *claim = weir_xmalloc(sizeof *claim);
    *claim = (struct claim){ *list, parcel, items };
    *list = claim;
}

uint64_t claims_items(const struct claim *list)
{
    uint64_t items = 0;
    for (; list; list = list->next)
        items += list->items;
    return items;
}

void claims_settle(struct claim *list, const struct weir_result *result)
{
    while (list) {
        struct claim *claim = list;
        list = claim->next;
        if (result->outcome == WEIR_OK)
            parcel_done(claim->parcel, claim->items);
        else
            parcel_failed(claim->parcel, claim->items, result);
        free(claim);
    }
}
