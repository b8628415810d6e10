// SPDX-License-Identifier: Apache-2.0
/*
 * Taking: records are handed out in order to whoever waits, and kept in mind until they are settled.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/journal/journal.h"

void take_list_add(struct take_list *list, struct weir_journal_take *take)
{
    take->next = NULL;
    if (list->last)
        list->last->next = take;
    else
        list->first = take;
    list->last = take;
}

static struct weir_journal_take *take_list_take(struct take_list *list)
{
    struct weir_journal_take *take = list->first;
    list->first = take->next;
    if (!list->first)
        list->last = NULL;
    return take;
}

static void tell(struct weir_task *task)
{
    struct weir_journal_take *take = WEIR_CONTAINER_OF(task, struct weir_journal_take, task);
    struct weir_journal_record record = take->record;
    take->done(take, record.buffer ? &record : NULL);
    weir_buffer_unref(record.buffer);
}

void take_tell(struct weir_journal *journal)
{
    if (journal->served.first)
        (void)WEIR_FAILPOINT("journal.take.before_answer");
    while (journal->served.first) {
        struct weir_journal_take *take = take_list_take(&journal->served);
        take->task.run = tell;
        weir_worker_post(take->worker, &take->task);
    }
}

void take_cancel(struct weir_journal *journal, const void *take, uint64_t ticket)
{
    struct take_list waiting = journal->takes;
    journal->takes = (struct take_list){ NULL, NULL };
    while (waiting.first) {
        struct weir_journal_take *at = take_list_take(&waiting);
        // The ticket is looked at only in takes that wait: another one may have died and its place been used again.
        bool cancelled = at == take && at->ticket == ticket;
        take_list_add(cancelled ? &journal->served : &journal->takes, at);
    }
}

static struct taken **place_of(struct weir_journal *journal, uint64_t sequence)
{
    return &journal->taken[sequence & (journal->taken_room - 1)];
}

static void grow(struct weir_journal *journal)
{
    struct taken **before = journal->taken;
    size_t room = journal->taken_room;
    journal->taken_room = room > 0 ? 2 * room : 64;
    journal->taken = weir_xcalloc(journal->taken_room, sizeof(*journal->taken));
    for (size_t i = 0; i < room; i++)
        while (before[i]) {
            struct taken *taken = before[i];
            before[i] = taken->next;
            struct taken **place = place_of(journal, taken->sequence);
            taken->next = *place;
            *place = taken;
        }
    free(before);
}

static void remember(struct weir_journal *journal, struct taken *taken)
{
    if (journal->taken_count == journal->taken_room)
        grow(journal);
    struct taken **place = place_of(journal, taken->sequence);
    taken->next = *place;
    *place = taken;
    journal->counts.taken = ++journal->taken_count;
}

static struct taken **find(struct weir_journal *journal, uint64_t sequence)
{
    if (journal->taken_room == 0)
        return NULL;
    struct taken **at = place_of(journal, sequence);
    while (*at && (*at)->sequence != sequence)
        at = &(*at)->next;
    return *at ? at : NULL;
}

static uint32_t index_of(const struct taken *taken)
{
    return (uint32_t)(taken->sequence - taken->segment->header.first);
}

/* Takes the record out of those that are taken. */
static struct taken *forget(struct weir_journal *journal, struct taken **at)
{
    struct taken *taken = *at;
    *at = taken->next;
    journal->counts.taken = --journal->taken_count;
    return taken;
}

/* Keeps in mind that somebody has the record. */
static void hand_out(struct weir_journal *journal, struct taken *taken)
{
    if (journal->max_attempts != UINT32_MAX) {
        taken->counted = true;
        state_mark(journal, taken->segment, index_of(taken), MARK_TAKEN);
    }
    remember(journal, taken);
}

void take_appended(struct weir_journal *journal, struct weir_journal_append *append, uint64_t offset)
{
    struct taken *taken = weir_xmalloc(sizeof(*taken));
    *taken = (struct taken){
        .segment = append->segment,
        .sequence = append->sequence,
        .offset = offset,
        .items = append->items,
        .length = (uint32_t)append->payload.bytes,
    };
    hand_out(journal, taken);
    append->taken = true;
}

void take_undo(struct weir_journal *journal, struct weir_journal_append *append)
{
    if (append->taken)
        free(forget(journal, find(journal, append->sequence)));
    append->taken = false;
}

static void leave(struct weir_journal *journal, struct taken *taken)
{
    state_mark(journal, taken->segment, index_of(taken), MARK_SETTLED);
    state_leave(journal, taken->segment, index_of(taken), taken->items, taken->length);
    free(taken);
}

/* Into `list`, in the order of sequences. */
static void insert(struct taken **list, struct taken *taken)
{
    while (*list && (*list)->sequence < taken->sequence)
        list = &(*list)->next;
    taken->next = *list;
    *list = taken;
}

/* To the dead-letter file; where that fails, later. */
static void bury(struct weir_journal *journal, struct taken *taken)
{
    struct weir_journal_record record;
    int failed = read_again(journal, taken, &record);
    if (failed < 0) {
        read_lost(journal, taken->segment, taken->sequence, taken->sequence + 1);
        free(taken);
        return;
    }
    if (failed == 0)
        failed = dead_letter_add(journal, &record);
    if (failed > 0) {
        journal_fault(journal, "Cannot write to the journal's dead-letter file", failed);
        insert(&journal->dead, taken);
        journal_retry_later(journal);
        return;
    }
    journal->counts.dead_records++;
    journal->counts.dead_items += taken->items;
    weir_log(journal->logger, WEIR_ERROR, "A record of the journal goes to the dead-letter file",
             WEIR_F_TEXT("directory", journal->path), WEIR_F_UINT("sequence", taken->sequence),
             WEIR_F_UINT("items", taken->items), WEIR_F_UINT("attempts", taken->attempts));
    leave(journal, taken);
}

void take_retry(struct weir_journal *journal)
{
    struct taken *dead = journal->dead;
    journal->dead = NULL;
    while (dead) {
        struct taken *next = dead->next;
        bury(journal, dead);
        dead = next;
    }
}

/* The next record to be handed out, to be freed; NULL: none now. */
static struct taken *next_record(struct weir_journal *journal)
{
    struct taken *taken = journal->returned;
    if (taken) {
        journal->returned = taken->next;
        return taken;
    }
    struct taken found;
    int status = read_next(journal, &found);
    if (status < 0)
        journal_retry_later(journal);
    if (status <= 0)
        return NULL;
    taken = weir_xmalloc(sizeof(*taken));
    *taken = found;
    return taken;
}

/* False: nothing more can be read now. */
static bool serve_one(struct weir_journal *journal)
{
    struct taken *taken = next_record(journal);
    if (!taken)
        return false;
    if (taken->attempts >= journal->max_attempts) {
        bury(journal, taken);
        return true;
    }
    struct weir_journal_record record;
    int failed = read_again(journal, taken, &record);
    if (failed < 0) {
        read_lost(journal, taken->segment, taken->sequence, taken->sequence + 1);
        free(taken);
        return true;
    }
    if (failed > 0) {
        journal_fault(journal, "Cannot read the journal", failed);
        insert(&journal->returned, taken);
        journal_retry_later(journal);
        return false;
    }
    hand_out(journal, taken);
    struct weir_journal_take *take = take_list_take(&journal->takes);
    take->record = record;
    weir_buffer_ref(record.buffer);
    take_list_add(&journal->served, take);
    return true;
}

void take_serve(struct weir_journal *journal)
{
    if (journal->read_failures > 0 && journal_now() < journal->retry_at)
        return;
    while (journal->takes.first && serve_one(journal))
        ;
}

void take_survived(struct weir_journal *journal, uint64_t sequence)
{
    struct taken **at = find(journal, sequence);
    if (!at || !(*at)->counted)
        return;
    (*at)->counted = false;
    state_mark(journal, (*at)->segment, index_of(*at), MARK_RETURNED);
}

void take_settle(struct weir_journal *journal, uint64_t sequence, enum weir_journal_end end)
{
    struct taken **at = find(journal, sequence);
    if (!at)
        return;
    if (end == WEIR_JOURNAL_RETURNED)
        take_survived(journal, sequence);
    struct taken *taken = forget(journal, at);
    if (end == WEIR_JOURNAL_RETURNED)
        insert(&journal->returned, taken);
    else if (end == WEIR_JOURNAL_DEAD)
        bury(journal, taken);
    else
        leave(journal, taken);
}

static void free_list(struct taken *taken)
{
    while (taken) {
        struct taken *next = taken->next;
        free(taken);
        taken = next;
    }
}

void take_close(struct weir_journal *journal)
{
    for (size_t i = 0; i < journal->taken_room; i++)
        free_list(journal->taken[i]);
    free_list(journal->returned);
    free_list(journal->dead);
    free(journal->taken);
    weir_buffer_unref(journal->chunk);
}
