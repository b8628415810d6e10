// SPDX-License-Identifier: Apache-2.0
/*
 * A journal as a whole: its thread, and the commands that others post to it.
 */
#include <config.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sdk/src/journal/directory.h"
#include "sdk/src/journal/journal.h"

int64_t journal_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void journal_fault(struct weir_journal *journal, const char *what, int errnum)
{
    journal->counts.errors++;
    weir_log(journal->logger, WEIR_ERROR, what, WEIR_F_TEXT("directory", journal->path),
             WEIR_F_TEXT("error", strerror(errnum)));
}

void journal_retry_later(struct weir_journal *journal)
{
    int64_t at = journal_now() + RETRY_NS;
    if (journal->retry_at == 0 || journal->retry_at > at)
        journal->retry_at = at;
}

void journal_publish(struct weir_journal *journal)
{
    pthread_mutex_lock(&journal->counts_lock);
    journal->published = journal->counts;
    const struct weir_journal_lost *lost = &journal->lost;
    if (lost->records > 0 || lost->items > 0 || lost->bytes > 0) {
        journal->published_lost.records += lost->records;
        journal->published_lost.items += lost->items;
        journal->published_lost.bytes += lost->bytes;
        journal->lost = (struct weir_journal_lost){ 0, 0, 0 };
        atomic_store(&journal->any_lost, true);
    }
    pthread_mutex_unlock(&journal->counts_lock);
}

bool weir_journal_lost(struct weir_journal *journal, struct weir_journal_lost *out)
{
    if (!atomic_load_explicit(&journal->any_lost, memory_order_relaxed))
        return false;
    pthread_mutex_lock(&journal->counts_lock);
    *out = journal->published_lost;
    journal->published_lost = (struct weir_journal_lost){ 0, 0, 0 };
    bool any = atomic_exchange(&journal->any_lost, false);
    pthread_mutex_unlock(&journal->counts_lock);
    return any;
}

void weir_journal_counts(const struct weir_journal *journal, struct weir_journal_counts *out)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&journal->counts_lock;
    pthread_mutex_lock(lock);
    *out = journal->published;
    pthread_mutex_unlock(lock);
}

void journal_post(struct weir_journal *journal, enum command_kind kind, void *object, uint64_t number,
                  enum weir_journal_end end)
{
    struct command *command = weir_xmalloc(sizeof(*command));
    *command = (struct command){ NULL, kind, end, number, object };
    struct command *head = atomic_load_explicit(&journal->commands, memory_order_relaxed);
    do
        command->next = head;
    while (!atomic_compare_exchange_weak_explicit(&journal->commands, &head, command, memory_order_release,
                                                  memory_order_relaxed));
    if (kind == COMMAND_SYNCED || kind == COMMAND_CLOSE)
        wake_now(journal->wake);
    else
        wake_soon(journal->wake);
}

void weir_journal_append(struct weir_journal *journal, struct weir_worker *worker,
                         struct weir_journal_append *append)
{
    append->worker = worker;
    append->tries = 0;
    append->taken = false;
    append->sync |= journal->sync;
    append->checksum = format_crc_slices(&append->payload);
    journal_post(journal, COMMAND_APPEND, append, 0, WEIR_JOURNAL_SETTLED);
}

void weir_journal_take(struct weir_journal *journal, struct weir_worker *worker, struct weir_journal_take *take)
{
    take->worker = worker;
    take->record = (struct weir_journal_record){ .buffer = NULL };
    take->ticket = atomic_fetch_add(&journal->tickets, 1) + 1;
    journal_post(journal, COMMAND_TAKE, take, 0, WEIR_JOURNAL_SETTLED);
}

void weir_journal_take_cancel(struct weir_journal *journal, struct weir_journal_take *take)
{
    journal_post(journal, COMMAND_CANCEL, take, take->ticket, WEIR_JOURNAL_SETTLED);
}

void weir_journal_settle(struct weir_journal *journal, uint64_t sequence, enum weir_journal_end end)
{
    journal_post(journal, COMMAND_SETTLE, NULL, sequence, end);
}

void weir_journal_survived(struct weir_journal *journal, uint64_t sequence)
{
    journal_post(journal, COMMAND_SURVIVED, NULL, sequence, WEIR_JOURNAL_SETTLED);
}

static void obey(struct weir_journal *journal, const struct command *command)
{
    switch (command->kind) {
    case COMMAND_APPEND:
        append_list_add(&journal->pending, command->object);
        break;
    case COMMAND_TAKE:
        take_list_add(&journal->takes, command->object);
        break;
    case COMMAND_CANCEL:
        take_cancel(journal, command->object, command->number);
        break;
    case COMMAND_SETTLE:
        take_settle(journal, command->number, command->end);
        break;
    case COMMAND_SURVIVED:
        take_survived(journal, command->number);
        break;
    case COMMAND_SYNCED:
        flush_done(journal);
        break;
    case COMMAND_CLOSE:
        journal->closing = true;
        break;
    }
}

/* True if there were any. */
static bool obey_all(struct weir_journal *journal)
{
    struct command *last = atomic_exchange_explicit(&journal->commands, NULL, memory_order_acquire);
    struct command *first = NULL;
    bool any = last != NULL;
    while (last) {
        struct command *next = last->next;
        last->next = first;
        first = last;
        last = next;
    }
    while (first) {
        struct command *next = first->next;
        obey(journal, first);
        free(first);
        first = next;
    }
    return any;
}

static void work(struct weir_journal *journal, bool idle)
{
    if (journal->retry_at != 0 && journal_now() >= journal->retry_at) {
        journal->retry_at = 0;
        take_retry(journal);
    }
    append_write(journal);
    flush_start(journal);
    take_serve(journal);
    segments_reclaim(journal, idle);
    marks_flush(journal);
    journal_publish(journal);
    append_tell(journal);
    take_tell(journal);
}

/* True if the journal has been left alone for a while and should look around. */
static bool wait_for_work(struct weir_journal *journal)
{
    const struct segment *active = journal->active;
    bool spare = active && active->left == 0 && active->file_bytes > IDLE_BYTES;
    if (journal->retry_at == 0 && spare)
        return !wake_wait(journal->wake, journal_now() + RETRY_NS);
    return !wake_wait(journal->wake, journal->retry_at);
}

static bool is_done(const struct weir_journal *journal)
{
    return journal->closing && !journal->pending.first && !journal->waiting.first && !journal->syncer.segment &&
           !atomic_load(&journal->commands);
}

static void *run(void *argument)
{
    struct weir_journal *journal = argument;
    while (!is_done(journal)) {
        bool idle = wait_for_work(journal);
        obey_all(journal);
        work(journal, idle);
    }
    flush_stop(journal);
    segments_reclaim(journal, true);
    segment_end(journal);
    segments_reclaim(journal, true);
    marks_flush(journal);
    return NULL;
}

void journal_start(struct weir_journal *journal)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    journal->wake = wake_new();
    if (pthread_create(&journal->thread, NULL, run, journal) != 0) {
        fprintf(stderr, "weir: cannot start a thread of the journal\n");
        abort();
    }
    pthread_setname_np(journal->thread, "weir-journal");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void journal_stop(struct weir_journal *journal)
{
    journal_post(journal, COMMAND_CLOSE, NULL, 0, WEIR_JOURNAL_SETTLED);
    pthread_join(journal->thread, NULL);
    wake_free(journal->wake);
    take_close(journal);
    for (struct segment *segment = journal->first, *next; segment; segment = next) {
        next = segment->next;
        segment_free(segment);
    }
    io_close(journal->dead_letter);
}
