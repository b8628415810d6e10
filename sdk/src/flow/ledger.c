// SPDX-License-Identifier: Apache-2.0
/* The ledger: counters that only their own worker writes, summed when somebody reads. */
#include <config.h>

#include <string.h>

#include "sdk/src/flow/instance.h"

/* The last slot takes whatever a component names beyond its allowance, so that no number is lost. */
void ledger_add_reason(struct reason_tally *reasons, const char *reason, uint64_t items, uint64_t bytes)
{
    int i = 0;
    for (; i < WEIR_LEDGER_REASONS - 1; i++) {
        const char *known = atomic_load_explicit(&reasons[i].reason, memory_order_relaxed);
        if (!known || strcmp(known, reason) == 0)
            break;
    }
    if (!atomic_load_explicit(&reasons[i].reason, memory_order_relaxed))
        atomic_store_explicit(&reasons[i].reason, i < WEIR_LEDGER_REASONS - 1 ? reason : "other",
                              memory_order_release);
    tally_add(&reasons[i].items, items);
    tally_add(&reasons[i].bytes, bytes);
}

void weir_shard_drop(struct weir_shard *shard, enum weir_signal signal, uint64_t items, const char *reason)
{
    ledger_add_reason(shard->ledgers[signal].drops, reason, items, 0);
}

void weir_shard_deliver(struct weir_shard *shard, enum weir_signal signal, uint64_t items)
{
    tally_add(&shard->ledgers[signal].delivered, items);
}

void weir_shard_hand_over(struct weir_shard *shard, enum weir_signal signal, uint64_t items)
{
    tally_add(&shard->ledgers[signal].handed_over, items);
}

void weir_shard_keep(struct weir_shard *shard, enum weir_signal signal, uint64_t items)
{
    tally_add(&shard->ledgers[signal].kept, items);
}

void weir_shard_make(struct weir_shard *shard, enum weir_signal signal, uint64_t items)
{
    tally_add(&shard->ledgers[signal].made, items);
}

void weir_shard_refuse(struct weir_shard *shard, enum weir_signal signal, uint64_t bytes, const char *reason)
{
    ledger_add_reason(shard->ledgers[signal].refusals, reason, 1, bytes);
}

static void add_reason(struct weir_ledger_reason *sums, const char *reason, uint64_t items, uint64_t bytes)
{
    int at = 0;
    while (sums[at].reason && strcmp(sums[at].reason, reason) != 0 && at < WEIR_LEDGER_REASONS - 1)
        at++;
    if (!sums[at].reason)
        sums[at].reason = reason;
    sums[at].items += items;
    sums[at].bytes += bytes;
}

static void sum_reasons(struct weir_ledger_reason *sums, const struct reason_tally *reasons)
{
    for (int i = 0; i < WEIR_LEDGER_REASONS; i++) {
        const char *reason = atomic_load_explicit(&((struct reason_tally *)reasons)[i].reason,
                                                  memory_order_acquire);
        if (reason)
            add_reason(sums, reason, tally_read(&reasons[i].items), tally_read(&reasons[i].bytes));
    }
}

static void add_reasons(struct weir_ledger_reason *sums, const struct weir_ledger_reason *reasons)
{
    for (int i = 0; i < WEIR_LEDGER_REASONS; i++)
        if (reasons[i].reason)
            add_reason(sums, reasons[i].reason, reasons[i].items, reasons[i].bytes);
}

void weir_ledger_add(struct weir_ledger *sum, const struct weir_ledger *part)
{
    sum->offered += part->offered;
    sum->offered_bytes += part->offered_bytes;
    sum->accepted += part->accepted;
    sum->accepted_bytes += part->accepted_bytes;
    sum->refused += part->refused;
    sum->refused_bytes += part->refused_bytes;
    sum->failed += part->failed;
    sum->failed_bytes += part->failed_bytes;
    sum->in_flight += part->in_flight;
    sum->made += part->made;
    sum->sent += part->sent;
    sum->sent_bytes += part->sent_bytes;
    sum->send_failed += part->send_failed;
    sum->delivered += part->delivered;
    sum->handed_over += part->handed_over;
    sum->held += part->held;
    sum->dropped += part->dropped;
    add_reasons(sum->drops, part->drops);
    add_reasons(sum->refusals, part->refusals);
}

static void sum_ledger(struct weir_ledger *sum, const struct ledger *part)
{
    sum->offered += tally_read(&part->offered);
    sum->offered_bytes += tally_read(&part->offered_bytes);
    sum->accepted += tally_read(&part->accepted);
    sum->accepted_bytes += tally_read(&part->accepted_bytes);
    sum->refused += tally_read(&part->refused);
    sum->refused_bytes += tally_read(&part->refused_bytes);
    sum->failed += tally_read(&part->failed);
    sum->failed_bytes += tally_read(&part->failed_bytes);
    sum->made += tally_read(&part->made);
    sum->sent += tally_read(&part->sent);
    sum->sent_bytes += tally_read(&part->sent_bytes);
    sum->send_failed += tally_read(&part->send_failed);
    sum->delivered += tally_read(&part->delivered);
    sum->handed_over += tally_read(&part->handed_over);
    sum->held += tally_read(&part->kept);
    sum_reasons(sum->drops, part->drops);
    sum_reasons(sum->refusals, part->refusals);
}

/* An exporter that holds nothing has delivered what it accepted, except what it reports as dropped. */
static bool delivers_on_ack(const struct weir_component *component)
{
    return component->kind == WEIR_EXPORTER && !(component->traits & WEIR_HOLDS);
}

void weir_instance_ledger(struct weir_instance *instance, enum weir_signal signal, bool quiet,
                          struct weir_ledger *out)
{
    const struct weir_component *component = instance->component;
    struct weir_ledger sum = { 0 };
    for (unsigned i = 0; i < instance->shard_count; i++) {
        struct weir_shard *shard = instance->shards[i];
        sum_ledger(&sum, &shard->ledgers[signal]);
        if (quiet && component->held && (component->traits & WEIR_HOLDS) && shard->open)
            sum.held += component->held(shard, signal);
    }
    for (int i = 0; i < WEIR_LEDGER_REASONS; i++)
        sum.dropped += sum.drops[i].items;
    if (component->kind == WEIR_RECEIVER) {
        sum.accepted = sum.sent + sum.dropped;
        sum.accepted_bytes = sum.sent_bytes;
    }
    uint64_t answered = sum.accepted + sum.refused + sum.failed;
    sum.in_flight = sum.offered > answered ? sum.offered - answered : 0;
    if (delivers_on_ack(component))
        sum.delivered = sum.accepted > sum.dropped ? sum.accepted - sum.dropped : 0;
    *out = sum;
}

int64_t weir_ledger_remainder(const struct weir_ledger *ledger)
{
    return (int64_t)(ledger->accepted + ledger->made - ledger->sent - ledger->delivered - ledger->dropped -
                     ledger->handed_over);
}

static const char *transport_at(struct weir_instance *instance, enum weir_signal signal, size_t index)
{
    const char *found[TRANSPORTS];
    size_t count = 0;
    for (unsigned i = 0; i < instance->shard_count; i++)
        for (int t = 0; t < TRANSPORTS; t++) {
            const char *name = atomic_load_explicit(
                &instance->shards[i]->ledgers[signal].transports[t].transport, memory_order_acquire);
            size_t at = 0;
            while (name && at < count && strcmp(found[at], name) != 0)
                at++;
            if (name && at == count && count < TRANSPORTS)
                found[count++] = name;
        }
    return index < count ? found[index] : NULL;
}

bool weir_instance_transport(struct weir_instance *instance, enum weir_signal signal, size_t index,
                             const char **transport, uint64_t *accepted, uint64_t *refused)
{
    const char *wanted = transport_at(instance, signal, index);
    if (!wanted)
        return false;
    *accepted = *refused = 0;
    for (unsigned i = 0; i < instance->shard_count; i++)
        for (int t = 0; t < TRANSPORTS; t++) {
            struct transport_tally *part = &instance->shards[i]->ledgers[signal].transports[t];
            const char *name = atomic_load_explicit(&part->transport, memory_order_acquire);
            if (!name || strcmp(name, wanted) != 0)
                continue;
            *accepted += tally_read(&part->accepted);
            *refused += tally_read(&part->refused);
        }
    *transport = wanted;
    return true;
}
