// SPDX-License-Identifier: Apache-2.0
/* The claims of requests on what a batcher holds. */
#include <config.h>

#include <stdlib.h>

#include "plugins/processors/batch/claims.h"

void claims_init(struct claims *claims, struct weir_shard *shard, enum weir_signal signal)
{
    *claims = (struct claims){ .shard = shard, .signal = signal };
}

static struct claim *take_spare(struct claims *claims)
{
    struct claim *claim = claims->spare;
    if (!claim)
        return weir_xmalloc(sizeof *claim);
    claims->spare = claim->next;
    return claim;
}

void claims_add(struct claims *claims, struct weir_ack *ack, uint64_t items)
{
    struct claim *claim = take_spare(claims);
    *claim = (struct claim){
        .ack = ack,
        .wants_result = weir_ack_promise(ack) > WEIR_PROMISE_MEMORY,
        .pending = items,
    };
    if (claims->last)
        claims->last->next = claim;
    else
        claims->first = claim;
    claims->last = claim;
    if (claim->wants_result)
        return;
    if (claims->last_waiting)
        claims->last_waiting->next_waiting = claim;
    else
        claims->first_waiting = claim;
    claims->last_waiting = claim;
}

/* Has been answered, and nothing of it is here any more. */
static void give_back(struct claims *claims, struct claim *claim)
{
    free(claim->reason);
    claim->next = claims->spare;
    claims->spare = claim;
}

/* From now on the items that are still here are ours. */
static void answer(struct claims *claims, struct claim *claim, const struct weir_result *result)
{
    struct weir_ack *ack = claim->ack;
    claim->answered = true;
    claim->ack = NULL;
    if (result->outcome == WEIR_OK)
        claims->held += claim->pending + claim->under_way;
    else
        weir_shard_make(claims->shard, claims->signal, claim->gone); /* will come a second time */
    weir_ack_complete(ack, result);
}

static bool is_empty(const struct claim *claim)
{
    return claim->pending == 0 && claim->under_way == 0;
}

/* An answer may bring the next request at once, which then joins the list's end. */
void claims_answer(struct claims *claims)
{
    struct claim *claim = claims->first_waiting;
    claims->first_waiting = claims->last_waiting = NULL;
    while (claim) {
        struct claim *next = claim->next_waiting;
        answer(claims, claim, &WEIR_RESULT_OK);
        if (is_empty(claim))
            give_back(claims, claim);
        claim = next;
    }
}

int64_t claims_deadline(const struct claims *claims)
{
    int64_t first = INT64_MAX;
    for (const struct claim *claim = claims->first; claim; claim = claim->next)
        if (claim->wants_result && claim->ack->deadline != 0 && claim->ack->deadline < first)
            first = claim->ack->deadline;
    return first;
}

size_t claims_count(const struct claims *claims, uint64_t items)
{
    size_t count = 0;
    for (const struct claim *claim = claims->first; items > 0; claim = claim->next, count++)
        items -= claim->pending < items ? claim->pending : items;
    return count;
}

void claims_take(struct claims *claims, uint64_t items, struct part *parts)
{
    for (; items > 0; parts++) {
        struct claim *claim = claims->first;
        uint64_t share = claim->pending < items ? claim->pending : items;
        *parts = (struct part){ claim, share };
        claim->pending -= share;
        claim->under_way += share;
        items -= share;
        if (claim->pending > 0)
            continue;
        claims->first = claim->next;
        claim->next = NULL;
        if (!claims->first)
            claims->last = NULL;
    }
}

static void worsen(struct claim *claim, const struct weir_result *result)
{
    if (result->outcome <= claim->outcome)
        return;
    free(claim->reason);
    claim->outcome = result->outcome;
    claim->grpc_code = result->grpc_code;
    claim->retry_after = result->retry_after;
    claim->reason = result->reason ? weir_xstrdup(result->reason) : NULL;
}

static void answer_result(struct claims *claims, struct claim *claim)
{
    struct weir_result result = { claim->outcome, claim->grpc_code, claim->retry_after, claim->reason };
    answer(claims, claim, &result);
}

/* Returns the items that are lost. */
static uint64_t settle(struct claims *claims, const struct part *part, const struct weir_result *result)
{
    struct claim *claim = part->claim;
    bool ok = result->outcome == WEIR_OK;
    uint64_t lost = ok || claim->wants_result ? 0 : part->items;
    claim->under_way -= part->items;
    if (claim->answered)
        claims->held -= part->items;
    else if (ok || lost > 0)
        claim->gone += part->items;
    if (claim->wants_result) {
        worsen(claim, result);
        if (is_empty(claim))
            answer_result(claims, claim);
    }
    if (is_empty(claim) && claim->answered)
        give_back(claims, claim);
    return lost;
}

uint64_t claims_settle(struct claims *claims, const struct part *parts, size_t count,
                       const struct weir_result *result)
{
    uint64_t lost = 0;
    for (size_t i = 0; i < count; i++)
        lost += settle(claims, &parts[i], result);
    if (lost > 0)
        weir_shard_drop(claims->shard, claims->signal, lost, "send_failed");
    return lost;
}

static void end(struct claims *claims, struct claim *claim)
{
    if (claim->answered) {
        weir_shard_drop(claims->shard, claims->signal, claim->pending, "shutdown");
        claims->held -= claim->pending;
    } else {
        answer(claims, claim, &WEIR_RESULT_RETRYABLE("shutting down"));
    }
    give_back(claims, claim);
}

void claims_end(struct claims *claims)
{
    /* Those that wait without pending items have nothing left here that could be lost. */
    struct claim *waiting = claims->first_waiting;
    claims->first_waiting = claims->last_waiting = NULL;
    while (waiting) {
        struct claim *next = waiting->next_waiting;
        if (is_empty(waiting)) {
            answer(claims, waiting, &WEIR_RESULT_OK);
            give_back(claims, waiting);
        }
        waiting = next;
    }
    while (claims->first) {
        struct claim *claim = claims->first;
        claims->first = claim->next;
        end(claims, claim);
    }
    claims->last = NULL;
    while (claims->spare) {
        struct claim *claim = claims->spare;
        claims->spare = claim->next;
        free(claim);
    }
}
