// SPDX-License-Identifier: Apache-2.0
/*
 * What becomes of a request: booked, logged, answered (collector-core 5.5).
 *
 * Items that nobody waits for are the sender's: held until they are delivered or dropped. Where a client waits they are
 * the client's until it is told WEIR_OK; what reached the destination of a request that is refused all the same may
 * come twice, and the ledger shows it as made.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/sender/sender.h"

void outcome_log(struct lane *lane, bool rejected, const char *error, uint64_t items)
{
    char *message = weir_xasprintf("Exporting failed. %s data.%s", rejected ? "Rejecting" : "Dropping",
                                   lane->base.sender->advice);
    weir_log(lane_logger(lane), WEIR_ERROR, message, WEIR_F_TEXT("error", error),
             WEIR_F_UINT(rejected ? "rejected_items" : "dropped_items", items));
    free(message);
}

static void make(struct lane *lane, uint64_t items)
{
    if (items > 0)
        weir_shard_make(lane->base.shard, lane->base.signal, items);
}

void entry_begin(struct lane *lane, struct sender_entry *entry)
{
    if (!entry->ack)
        lane->held += entry->items;
    entry->shares = 1; /* of whoever makes the transfers */
}

static void answer(struct lane *lane, struct sender_entry *entry)
{
    struct weir_ack *ack = entry->ack;
    struct weir_result result = { entry->worst, entry->grpc_code, entry->retry_after, entry->reason };
    entry->ack = NULL;
    if (result.outcome != WEIR_OK) {
        outcome_log(lane, true, result.reason, entry->items);
        make(lane, entry->settled);
    }
    weir_ack_complete(ack, &result);
}

static void entry_end(struct lane *lane, struct sender_entry *entry)
{
    const struct sender_queue *queue = lane->base.queue;
    bool returned = entry->returned;
    if (entry->ack)
        answer(lane, entry);
    else if (returned)
        make(lane, entry->settled);
    free(entry->reason);
    if (queue)
        queue->type->settle(&lane->base, entry, returned ? SENDER_END_RETURNED : SENDER_END_DONE);
    else
        sender_entry_free(&lane->base, entry);
}

void entry_release(struct lane *lane, struct sender_entry *entry)
{
    if (--entry->shares == 0)
        entry_end(lane, entry);
}

void entry_settled(struct lane *lane, struct sender_entry *entry, uint64_t items)
{
    if (!entry->ack)
        lane->held -= items;
    entry->settled += items;
    entry_release(lane, entry);
}

static void worsen(struct sender_entry *entry, const struct weir_result *result)
{
    if (result->outcome <= entry->worst)
        return;
    free(entry->reason);
    entry->worst = result->outcome;
    entry->grpc_code = result->grpc_code;
    entry->retry_after = result->retry_after;
    entry->reason = weir_xstrdup(result->reason ? result->reason : "");
}

void entry_failed(struct lane *lane, struct sender_entry *entry, uint64_t items, const struct weir_result *result,
                  const char *reason)
{
    if (entry->ack) {
        worsen(entry, result);
    } else {
        lane->held -= items;
        if (reason) {
            weir_shard_drop(lane->base.shard, lane->base.signal, items, reason);
            entry->settled += items;
        } else {
            entry->returned = true;
        }
    }
    entry_release(lane, entry);
}

void entry_detach(struct lane *lane, struct sender_entry *entry, const struct weir_result *result)
{
    struct weir_ack *ack = entry->ack;
    if (!ack)
        return;
    entry->ack = NULL;
    outcome_log(lane, true, result->reason, entry->items);
    make(lane, entry->items);
    lane->held += entry->items - entry->settled;
    weir_ack_complete(ack, result);
}
