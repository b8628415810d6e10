// SPDX-License-Identifier: Apache-2.0
/* What the sender gets from the queue on disk: each lane takes records, whoever appended them, a few ahead of need. */
#include <config.h>

#include <stdlib.h>

#include <weir/memory.h>

#include "sdk/src/sender/disk_queue.h"
#include "sdk/src/sender/disk_record.h"

/* --- records that cannot be sent --- */

/* Sets the record aside, for a person to look at, and counts its items as dropped. */
static void bury(struct disk_lane *own, const struct weir_journal_record *record, const char *reason, const char *why)
{
    struct sender_lane *lane = own->lane;
    struct disk_queue *queue = disk_queue_of(lane);
    weir_log(weir_instance_logger(lane->queue->instance), WEIR_ERROR,
             "Sending queue on disk: a request goes to the dead letters", WEIR_F_TEXT("reason", why),
             WEIR_F_TEXT("directory", queue->store->directory), WEIR_F_UINT("sequence", record->sequence),
             WEIR_F_UINT("dropped_items", record->items));
    weir_journal_settle(queue->store->journal, record->sequence, WEIR_JOURNAL_DEAD);
    disk_attempts_forget(queue->store->attempts, record->sequence);
    disk_store_uncount(queue->store, record->items, record->length);
    atomic_fetch_sub(&queue->waiting_items, (int64_t)record->items);
    weir_shard_drop(lane->shard, lane->signal, record->items, reason);
    disk_room(lane);
}

/* --- taking --- */

static void take_in(struct disk_lane *own, const struct weir_journal_record *record)
{
    struct disk_queue *queue = disk_queue_of(own->lane);
    struct weir_error error = WEIR_ERROR_INIT;
    const unsigned crashes = disk_attempts_of(queue->store->attempts, record->sequence);
    if (crashes >= DISK_ATTEMPTS_MAX) {
        bury(own, record, "poison", "the process died each time it was sent");
        return;
    }
    struct weir_batch *batch =
        disk_record_decode(own->lane->signal, record->buffer, record->data, record->length, &error);
    if (!batch || weir_batch_items(batch) == 0) {
        bury(own, record, "undecodable", batch ? "it is empty" : weir_error_text(&error));
        weir_batch_unref(batch);
        weir_error_free(&error);
        return;
    }
    weir_memory_reserve(record->length);
    weir_batch_add_permit(batch, record->length);
    struct sender_entry *entry = sender_entry_new(own->lane, batch, NULL);
    entry->items = record->items;
    entry->size = record->length;
    entry->sequence = record->sequence;
    entry->on_disk = true;
    entry->alone = crashes > 0;
    disk_push(entry->alone ? &own->suspects : &own->fetched, entry);
    if (entry->alone)
        atomic_store(&own->has_suspects, true);
    else
        own->fetched_count++;
}

void disk_leave(struct disk_store *store, uint64_t sequence, uint64_t size)
{
    disk_store_unkeep(size);
    weir_journal_settle(store->journal, sequence, WEIR_JOURNAL_RETURNED);
}

void disk_go_on(struct disk_lane *own, struct weir_batch *batch, const struct weir_journal_append *append, uint64_t size)
{
    if (own->draining) {
        weir_batch_unref(batch);
        disk_leave(own->store, append->sequence, size);
        return;
    }
    struct sender_entry *entry = sender_entry_new(own->lane, batch, NULL);
    entry->size = size;
    entry->sequence = append->sequence;
    entry->on_disk = true;
    entry->kept = true;
    disk_push(&own->fetched, entry);
    own->fetched_count++;
}

static void taken(struct weir_journal_take *take, const struct weir_journal_record *record)
{
    struct disk_take *slot = WEIR_CONTAINER_OF(take, struct disk_take, take);
    struct disk_lane *own = slot->own;
    struct disk_store *store = own->store;
    slot->busy = false;
    own->taking--;
    if (record && (own->draining || own->stopped))
        weir_journal_settle(store->journal, record->sequence, WEIR_JOURNAL_RETURNED);
    else if (record)
        take_in(own, record);
    if (!own->stopped)
        sender_wake(own->lane);
    weir_instance_busy(own->queue->base.instance, false);
}

static void ask(struct disk_lane *own)
{
    struct disk_store *store = own->store;
    for (unsigned i = 0; i < DISK_AHEAD && own->taking + own->fetched_count < DISK_AHEAD; i++) {
        struct disk_take *slot = &own->takes[i];
        if (slot->busy)
            continue;
        slot->busy = true;
        slot->own = own;
        slot->take = (struct weir_journal_take){ .done = taken };
        own->taking++;
        weir_instance_busy(own->queue->base.instance, true);
        weir_journal_take(store->journal, own->lane->worker, &slot->take);
    }
}

/* --- handing on --- */

static bool suspect_ready(struct disk_lane *own)
{
    return own->suspects.first && !atomic_load(&own->store->suspect_out);
}

bool disk_ready(struct sender_lane *lane)
{
    struct disk_lane *own = lane->own;
    if (own->stopped)
        return false;
    if (lane->index == 0 && atomic_load_explicit(&own->store->orphaned, memory_order_relaxed) != 0)
        disk_take_over(lane);
    if (lane->index == 0)
        disk_note_lost(lane);
    if (own->outside.first)
        disk_let_in(own);
    if (!own->draining)
        ask(own);
    return own->inside.first || (!own->draining && (own->fetched.first || suspect_ready(own)));
}

static struct sender_entry *next_suspect(struct disk_lane *own)
{
    bool out = false;
    if (!own->suspects.first ||
        !atomic_compare_exchange_strong(&own->store->suspect_out, &out, true))
        return NULL;
    struct sender_entry *entry = disk_pop(&own->suspects);
    if (!own->suspects.first)
        atomic_store(&own->has_suspects, false);
    return entry;
}

struct sender_entry *disk_next(struct sender_lane *lane)
{
    struct disk_lane *own = lane->own;
    struct sender_entry *entry = NULL;
    if (own->inside.first)
        return disk_pop(&own->inside);
    if (!own->draining)
        entry = next_suspect(own);
    if (!entry && !own->draining && own->fetched.first) {
        entry = disk_pop(&own->fetched);
        own->fetched_count--;
    }
    if (!entry)
        return NULL;
    atomic_fetch_sub(&disk_queue_of(lane)->waiting_items, (int64_t)entry->items);
    if (entry->kept)
        disk_store_unkeep(entry->size);
    entry->kept = false;
    return entry;
}

/* --- attempts --- */

/* The next suspect may go, whichever lane has it. */
static void let_suspect_go(struct sender_lane *lane, struct sender_entry *entry)
{
    struct disk_queue *queue = disk_queue_of(lane);
    if (!entry->alone)
        return;
    entry->alone = false;
    atomic_store(&queue->store->suspect_out, false);
    for (unsigned i = 0; i < lane->queue->lane_count; i++) {
        struct disk_lane *other = lane->queue->lanes[i]->own;
        if (atomic_load(&other->has_suspects))
            sender_post(lane->queue->lanes[i]);
    }
}

void disk_attempt(struct sender_lane *lane, struct sender_entry *entry, bool begins)
{
    struct disk_attempts *attempts = disk_queue_of(lane)->store->attempts;
    if (!entry->on_disk)
        return;
    if (begins && entry->attempts++ == 0) {
        entry->slot = disk_attempts_begin(attempts, entry->sequence);
    } else if (!begins && --entry->attempts == 0) {
        disk_attempts_end(attempts, entry->slot);
        let_suspect_go(lane, entry);
    }
}

/* --- the end of an entry --- */

static void give_back(struct sender_lane *lane, struct sender_entry *entry)
{
    struct disk_queue *queue = disk_queue_of(lane);
    atomic_fetch_add(&queue->waiting_items, (int64_t)entry->items);
    weir_journal_settle(queue->store->journal, entry->sequence, WEIR_JOURNAL_RETURNED);
}

void disk_settle(struct sender_lane *lane, struct sender_entry *entry, enum sender_end end)
{
    struct disk_queue *queue = disk_queue_of(lane);
    if (!entry->on_disk && end == SENDER_END_RETURNED)
        weir_shard_drop(lane->shard, lane->signal, entry->items, "shutdown");
    if (entry->on_disk)
        let_suspect_go(lane, entry);
    if (entry->on_disk && end == SENDER_END_RETURNED) {
        give_back(lane, entry);
    } else {
        if (entry->on_disk)
            weir_journal_settle(queue->store->journal, entry->sequence, WEIR_JOURNAL_SETTLED);
        disk_store_uncount(queue->store, entry->items, entry->size);
        disk_room(lane);
    }
    sender_entry_free(lane, entry);
}

static void return_all(struct disk_lane *own, struct disk_list *list)
{
    while (list->first) {
        struct sender_entry *entry = disk_pop(list);
        weir_batch_unref(entry->batch);
        if (entry->kept)
            disk_leave(own->store, entry->sequence, entry->size);
        else
            weir_journal_settle(own->store->journal, entry->sequence, WEIR_JOURNAL_RETURNED);
        sender_entry_free(own->lane, entry);
    }
}

void disk_return_taken(struct disk_lane *own)
{
    struct disk_store *store = own->store;
    return_all(own, &own->fetched);
    return_all(own, &own->suspects);
    own->fetched_count = 0;
    atomic_store(&own->has_suspects, false);
    for (unsigned i = 0; i < DISK_AHEAD; i++)
        if (own->takes[i].busy)
            weir_journal_take_cancel(store->journal, &own->takes[i].take);
}
