// SPDX-License-Identifier: Apache-2.0
/*
 * One batch on its way to the destination: tried, tried again after a wait, delivered or given up (collector-core 5.2).
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/base/failpoint.h"
#include "sdk/src/base/random.h"
#include "sdk/src/sender/sender.h"

static void retry(struct weir_timer *timer);

/* --- making --- */

struct transfer *transfer_new(struct lane *lane, struct weir_batch *batch)
{
    struct transfer *transfer = lane->spare_transfers;
    if (transfer)
        lane->spare_transfers = transfer->next;
    else
        transfer = weir_xmalloc(sizeof *transfer);
    *transfer = (struct transfer){ .attempt = { batch, transfer },
                                   .lane = lane,
                                   .items = weir_batch_items(batch),
                                   .shares = &transfer->first,
                                   .share_capacity = 1 };
    weir_timer_init(&transfer->timer, lane->base.worker, retry);
    return transfer;
}

void transfer_free(struct transfer *transfer)
{
    struct lane *lane = transfer->lane;
    weir_batch_unref(transfer->attempt.batch);
    if (transfer->shares != &transfer->first)
        free(transfer->shares);
    transfer->next = lane->spare_transfers;
    lane->spare_transfers = transfer;
}

void transfer_add_share(struct transfer *transfer, struct sender_entry *entry, uint64_t items)
{
    if (transfer->share_count == transfer->share_capacity) {
        size_t capacity = transfer->share_capacity * 4;
        bool first = transfer->shares == &transfer->first;
        struct share *grown = weir_xrealloc(first ? NULL : transfer->shares, capacity * sizeof *grown);
        if (first)
            grown[0] = transfer->first;
        transfer->shares = grown;
        transfer->share_capacity = capacity;
    }
    transfer->shares[transfer->share_count++] = (struct share){ entry, items };
    entry->shares++;
}

/* Moves the shares in the first `items` items to `head`. */
static void move_shares(struct transfer *transfer, struct transfer *head, uint64_t items)
{
    size_t whole = 0;
    for (; whole < transfer->share_count && transfer->shares[whole].items <= items; whole++) {
        transfer_add_share(head, transfer->shares[whole].entry, transfer->shares[whole].items);
        transfer->shares[whole].entry->shares--; /* moved, not doubled */
        items -= transfer->shares[whole].items;
    }
    transfer->share_count -= whole;
    for (size_t i = 0; i < transfer->share_count; i++)
        transfer->shares[i] = transfer->shares[i + whole];
    if (items > 0) {
        transfer_add_share(head, transfer->shares[0].entry, items);
        transfer->shares[0].items -= items;
    }
}

struct transfer *transfer_split(struct transfer *transfer, uint64_t size, int sizer)
{
    struct weir_batch *whole = weir_batch_exclusive(transfer->attempt.batch);
    if (!whole)
        return NULL;
    transfer->attempt.batch = whole;
    struct weir_batch *part =
        sizer == WEIR_SIZER_BYTES ? weir_batch_split_bytes(whole, size) : weir_batch_split(whole, size);
    if (!part)
        return NULL;
    struct transfer *head = transfer_new(transfer->lane, part);
    head->started = transfer->started;
    move_shares(transfer, head, head->items);
    transfer->items -= head->items;
    return head;
}

/* --- lists --- */

static struct transfers *list_of(struct transfer *transfer)
{
    return transfer->state == TRANSFER_DUE ? &transfer->lane->due : &transfer->lane->under_way;
}

static void unlink_transfer(struct transfer *transfer)
{
    struct transfers *list = list_of(transfer);
    *(transfer->previous ? &transfer->previous->next : &list->first) = transfer->next;
    *(transfer->next ? &transfer->next->previous : &list->last) = transfer->previous;
}

static void link_under_way(struct transfer *transfer)
{
    struct transfers *list = &transfer->lane->under_way;
    transfer->next = NULL;
    transfer->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = transfer;
    list->last = transfer;
}

/* --- the end --- */

/* Frees the transfer, which is in no list, and what it had taken. */
static void finish(struct transfer *transfer)
{
    struct lane *lane = transfer->lane;
    bool has_slot = transfer->has_slot;
    transfer_free(transfer);
    if (has_slot)
        slots_release(lane);
    if (lane->stopped)
        slots_settle(lane);
    else
        lane_pump_soon(lane);
}

static void delivered(struct transfer *transfer)
{
    struct lane *lane = transfer->lane;
    struct weir_shard *shard = lane->base.shard;
    unlink_transfer(transfer);
    weir_shard_deliver(shard, lane->base.signal, transfer->items - transfer->rejected);
    if (transfer->rejected > 0)
        weir_shard_drop(shard, lane->base.signal, transfer->rejected, "partial_success");
    for (size_t i = 0; i < transfer->share_count; i++)
        entry_settled(lane, transfer->shares[i].entry, transfer->shares[i].items);
    finish(transfer);
}

static void fail_shares(struct transfer *transfer, const struct weir_result *result, const char *reason)
{
    struct lane *lane = transfer->lane;
    uint64_t dropped = 0;
    for (size_t i = 0; i < transfer->share_count; i++)
        dropped += transfer->shares[i].entry->ack ? 0 : transfer->shares[i].items;
    if (dropped > 0 && reason)
        outcome_log(lane, false, result->reason, dropped);
    weir_series_add(lane->base.sender->series[lane->base.signal].send_failed, (double)transfer->items);
    for (size_t i = 0; i < transfer->share_count; i++)
        entry_failed(lane, transfer->shares[i].entry, transfer->shares[i].items, result, reason);
}

void transfer_fail(struct transfer *transfer, const struct weir_result *result, const char *reason)
{
    unlink_transfer(transfer);
    fail_shares(transfer, result, reason);
    finish(transfer);
}

/* Gives up, with upstream's words before the last error. */
static void give_up(struct transfer *transfer, const char *words, const struct weir_result *result, const char *reason)
{
    char *text = weir_xasprintf("%s: %s", words, result->reason ? result->reason : "");
    struct weir_result why = *result;
    why.reason = text;
    transfer_fail(transfer, &why, reason);
    free(text);
}

static bool lasts(const struct lane *lane)
{
    return lane->base.queue && lane->base.queue->type->lasting;
}

bool transfer_is_awaited(const struct transfer *transfer)
{
    for (size_t i = 0; i < transfer->share_count; i++)
        if (transfer->shares[i].entry->ack)
            return true;
    return false;
}

static void interrupt(struct transfer *transfer, const struct weir_result *result)
{
    give_up(transfer, "interrupted due to shutdown", result, lasts(transfer->lane) ? NULL : "shutdown");
}

void transfer_leave(struct transfer *transfer, const struct weir_result *why)
{
    struct lane *lane = transfer->lane;
    uint64_t own = 0;
    for (size_t i = 0; i < transfer->share_count; i++)
        own += transfer->shares[i].entry->ack ? 0 : transfer->shares[i].items;
    if (own == 0 || lasts(lane)) {
        transfer_fail(transfer, why, lasts(lane) ? NULL : "shutdown");
        return;
    }
    unlink_transfer(transfer);
    struct leftover *left = weir_xmalloc(sizeof *left);
    *left = (struct leftover){ lane->left, weir_batch_ref(transfer->attempt.batch), transfer->items,
                               lane->base.signal };
    lane->left = left;
    for (size_t i = 0; i < transfer->share_count; i++) {
        struct sender_entry *entry = transfer->shares[i].entry;
        entry_detach(lane, entry, why);
        entry_settled(lane, entry, transfer->shares[i].items);
    }
    finish(transfer);
}

/* --- trying --- */

/* True once nobody waits any more for any part of it, though everybody did. */
static bool all_gone(const struct transfer *transfer, int64_t when)
{
    for (size_t i = 0; i < transfer->share_count; i++) {
        const struct weir_ack *ack = transfer->shares[i].entry->ack;
        if (!ack || ack->deadline == 0 || ack->deadline > when)
            return false;
    }
    return true;
}

/* The queue hears of attempts: a request whose sending kills the process shall be found out. */
static void tell_queue(struct transfer *transfer, bool begins)
{
    struct sender_lane *lane = &transfer->lane->base;
    if (!lane->queue || !lane->queue->type->attempt)
        return;
    for (size_t i = 0; i < transfer->share_count; i++)
        lane->queue->type->attempt(lane, transfer->shares[i].entry, begins);
}

static void pass_failpoint(struct weir_batch *batch)
{
#ifdef WEIR_FAILPOINTS
    struct weir_slices slices = { 0 };
    struct weir_buffer *bytes = weir_batch_encode(batch, &slices) ? weir_slices_join(&slices) : NULL;
    if (bytes)
        (void)WEIR_FAILPOINT_BYTES("sender.send", bytes->data, bytes->length);
    weir_buffer_unref(bytes);
    weir_slices_free(&slices);
#else
    (void)batch;
#endif
}

static void try(struct transfer *transfer)
{
    struct lane *lane = transfer->lane;
    struct weir_sender *sender = lane->base.sender;
    transfer->state = TRANSFER_SENDING;
    transfer->rejected = 0;
    weir_series_add(sender->series[lane->base.signal].in_flight, 1);
    tell_queue(transfer, true);
    pass_failpoint(transfer->attempt.batch);
    sender->send(lane->base.shard, &transfer->attempt);
}

void transfer_start(struct transfer *transfer)
{
    struct lane *lane = transfer->lane;
    const struct weir_sender *sender = lane->base.sender;
    int64_t now = lane_now(lane);
    if (all_gone(transfer, now)) {
        transfer_fail(transfer, &WEIR_RESULT_RETRYABLE("request is cancelled or timed out"), "deadline");
        return;
    }
    unlink_transfer(transfer);
    transfer->state = TRANSFER_SENDING;
    link_under_way(transfer);
    if (transfer->started == 0)
        transfer->started = now;
    if (sender->options->queue_on && sender->options->queue.batch_on) {
        const struct sender_series *series = &sender->series[lane->base.signal];
        weir_series_observe(series->send_size, (double)transfer->items);
        weir_series_observe(series->send_bytes, (double)weir_batch_bytes(transfer->attempt.batch));
    }
    try(transfer);
}

static void retry(struct weir_timer *timer)
{
    struct transfer *transfer = WEIR_CONTAINER_OF(timer, struct transfer, timer);
    free(transfer->error);
    transfer->error = NULL;
    try(transfer);
}

/* Those who will not wait for the next try are told so now; the others' part goes on. */
static void detach_hurried(struct transfer *transfer, int64_t next, const struct weir_result *result)
{
    for (size_t i = 0; i < transfer->share_count; i++) {
        struct sender_entry *entry = transfer->shares[i].entry;
        if (!entry->ack || entry->ack->deadline == 0 || entry->ack->deadline > next)
            continue;
        char *text = weir_xasprintf("request will be cancelled before next retry: %s", result->reason);
        struct weir_result why = *result;
        why.reason = text;
        entry_detach(transfer->lane, entry, &why);
        free(text);
    }
}

static void rest(struct transfer *transfer, int64_t delay, const struct weir_result *result)
{
    struct weir_text interval = { 0 };
    weir_duration_print((struct weir_duration){ delay }, &interval);
    weir_log(lane_logger(transfer->lane), WEIR_INFO, "Exporting failed. Will retry the request after interval.",
             WEIR_F_TEXT("error", result->reason), WEIR_F_TEXT("interval", weir_text_string(&interval)));
    weir_text_free(&interval);
    transfer->error = weir_xstrdup(result->reason);
    transfer->grpc_code = result->grpc_code;
    transfer->state = TRANSFER_RESTING;
    weir_timer_start(&transfer->timer, delay);
}

static void try_again(struct transfer *transfer, const struct weir_result *result)
{
    struct lane *lane = transfer->lane;
    const struct weir_retry_options *options = &lane->base.sender->options->retry;
    int64_t now = lane_now(lane), most = options->max_elapsed_time.ns;
    int64_t delay = backoff_next(&transfer->backoff, options, random_unit(&lane->random));
    if (delay < result->retry_after)
        delay = result->retry_after;
    if (delay > INT64_MAX / 4)
        delay = INT64_MAX / 4;
    if (most > 0 && now + delay > transfer->started + most) {
        give_up(transfer, "no more retries left", result, "retries_exhausted");
    } else if (all_gone(transfer, now + delay)) {
        give_up(transfer, "request will be cancelled before next retry", result, "deadline");
    } else if (lane->draining) {
        interrupt(transfer, result);
    } else {
        detach_hurried(transfer, now + delay, result);
        rest(transfer, delay, result);
    }
}

/* --- what the exporter says --- */

static struct transfer *attempt_ended(struct weir_attempt *attempt)
{
    struct transfer *transfer = attempt->internal;
    const struct lane *lane = transfer->lane;
    weir_series_add(lane->base.sender->series[lane->base.signal].in_flight, -1);
    return transfer;
}

static void failed(struct transfer *transfer, const struct weir_result *result)
{
    struct lane *lane = transfer->lane;
    bool retries = lane->base.sender->options->retry.enabled;
    if (result->outcome == WEIR_PERMANENT) {
        if (retries)
            give_up(transfer, "not retryable error", result, "permanent");
        else
            transfer_fail(transfer, result, "permanent");
    } else if (lane->stopped) {
        transfer_leave(transfer, result);
    } else if (!retries) {
        transfer_fail(transfer, result, "send_failed");
    } else if (lane->retiring && !transfer_is_awaited(transfer)) {
        transfer_leave(transfer, result);
    } else {
        try_again(transfer, result);
    }
}

void weir_attempt_done(struct weir_attempt *attempt, const struct weir_result *result)
{
    struct transfer *transfer = attempt_ended(attempt);
    tell_queue(transfer, false);
    if (result->outcome == WEIR_OK) {
        delivered(transfer);
        return;
    }
    struct weir_result why = *result;
    if (!why.reason)
        why.reason = "";
    failed(transfer, &why);
}

void weir_attempt_too_large(struct weir_attempt *attempt, const struct weir_result *result)
{
    struct transfer *transfer = attempt->internal;
    struct lane *lane = transfer->lane;
    tell_queue(transfer, false); /* of all its shares, of which some go to the head */
    struct transfer *head = transfer->items > 1 ? transfer_split(transfer, transfer->items / 2, WEIR_SIZER_ITEMS) : NULL;
    if (!head) {
        tell_queue(transfer, true);
        weir_attempt_done(attempt, &(struct weir_result){ WEIR_PERMANENT, result->grpc_code, 0, result->reason });
        return;
    }
    attempt_ended(attempt);
    unlink_transfer(transfer);
    lane_due(lane, transfer, true);
    lane_due(lane, head, true);
    if (transfer->has_slot)
        slots_release(lane);
    transfer->has_slot = false;
    if (lane->stopped) {
        transfer_leave(head, result);
        transfer_leave(transfer, result);
    } else {
        lane_pump_soon(lane);
    }
}

void weir_attempt_rejected(struct weir_attempt *attempt, const struct weir_partial_success *partial)
{
    static const char *const names[WEIR_SIGNALS] = { "dropped_spans", "dropped_data_points", "dropped_log_records",
                                                     "dropped_profiles" };
    struct transfer *transfer = attempt->internal;
    struct lane *lane = transfer->lane;
    if (partial->rejected == 0 && partial->message.length == 0)
        return;
    weir_log(lane_logger(lane), WEIR_WARN, "Partial success response", WEIR_F_STR("message", partial->message),
             WEIR_F_INT(names[lane->base.signal], partial->rejected));
    if (partial->rejected > 0)
        transfer->rejected = (uint64_t)partial->rejected < transfer->items ? (uint64_t)partial->rejected
                                                                             : transfer->items;
}

static bool is_to_end(const struct transfer *transfer)
{
    const struct lane *lane = transfer->lane;
    return transfer->state == TRANSFER_RESTING &&
           (!lane->retiring || lane->stopped || !transfer_is_awaited(transfer));
}

static struct transfer *first_to_end(const struct lane *lane)
{
    struct transfer *transfer = lane->under_way.first;
    while (transfer && !is_to_end(transfer))
        transfer = transfer->next;
    return transfer;
}

void transfers_interrupt(struct lane *lane)
{
    struct transfer *transfer;
    while ((transfer = first_to_end(lane))) { /* from the start: the end of one may end others */
        char *error = transfer->error;
        struct weir_result why = { WEIR_RETRYABLE, transfer->grpc_code, 0, error };
        transfer->error = NULL;
        weir_timer_stop(&transfer->timer);
        if (lane->stopped || lane->retiring)
            transfer_leave(transfer, &why);
        else
            interrupt(transfer, &why);
        free(error);
    }
}
