// SPDX-License-Identifier: Apache-2.0
/*
 * Group commit: one fdatasync at a time, on a thread that does nothing else; it covers all records that were written
 * before it began, and those written meanwhile go with the next one.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "sdk/src/journal/journal.h"

static void *sync_thread(void *argument)
{
    struct weir_journal *journal = argument;
    for (;;) {
        while (sem_wait(&journal->syncer.wake) != 0)
            ;
        struct segment *segment = journal->syncer.segment;
        if (!segment)
            return NULL;
        (void)WEIR_FAILPOINT("journal.sync.before");
        int failed = io_datasync(segment->fd);
        (void)WEIR_FAILPOINT("journal.sync.after");
        if (!failed && journal->syncer.name_too) {
            failed = io_sync_directory(journal->directory);
            (void)WEIR_FAILPOINT("journal.sync.directory");
        }
        journal->syncer.result = failed;
        journal_post(journal, COMMAND_SYNCED, NULL, 0, WEIR_JOURNAL_SETTLED);
    }
}

static void start_thread(struct weir_journal *journal)
{
    sem_init(&journal->syncer.wake, 0, 0);
    if (pthread_create(&journal->syncer.thread, NULL, sync_thread, journal) != 0) {
        fprintf(stderr, "weir: cannot start a thread of the journal\n");
        abort();
    }
    pthread_setname_np(journal->syncer.thread, "weir-sync");
    journal->syncer.started = true;
}

void flush_start(struct weir_journal *journal)
{
    if (journal->syncer.segment)
        return;
    struct segment *segment = journal->first;
    while (segment && segment->wanted <= segment->synced)
        segment = segment->next;
    if (!segment)
        return;
    if (!journal->syncer.started)
        start_thread(journal);
    journal->syncer.segment = segment;
    journal->syncer.end = segment->written;
    journal->syncer.name_too = !segment->named;
    sem_post(&journal->syncer.wake);
}

/* Nothing that was written since the last good sync is trusted: whoever waits for it is written again elsewhere. */
static void after_failed_sync(struct weir_journal *journal, struct segment *segment, int failed)
{
    journal_fault(journal, "Cannot sync the journal", failed);
    if (journal->active == segment)
        segment_end(journal);
    segment->wanted = segment->synced;
    struct append_list waiting = journal->waiting, affected = { NULL, NULL };
    journal->waiting = (struct append_list){ NULL, NULL };
    while (waiting.first) {
        struct weir_journal_append *append = append_list_take(&waiting);
        if (append->segment != segment) {
            append_list_add(&journal->waiting, append);
            continue;
        }
        // Nobody has been given it: only the new copy counts.
        take_undo(journal, append);
        uint32_t index = (uint32_t)(append->sequence - segment->header.first);
        state_mark(journal, segment, index, MARK_SETTLED);
        state_leave(journal, segment, index, append->items, append->payload.bytes);
        append_list_add(&affected, append);
    }
    append_retry(journal, &affected, failed);
}

void flush_done(struct weir_journal *journal)
{
    struct segment *segment = journal->syncer.segment;
    journal->syncer.segment = NULL;
    if (journal->syncer.result) {
        after_failed_sync(journal, segment, journal->syncer.result);
        return;
    }
    segment->synced = journal->syncer.end;
    segment->named = true;
    while (journal->waiting.first && journal->waiting.first->segment == segment &&
           journal->waiting.first->end <= segment->synced)
        append_finish(journal, append_list_take(&journal->waiting), 0);
}

void flush_stop(struct weir_journal *journal)
{
    if (!journal->syncer.started)
        return;
    journal->syncer.segment = NULL;
    sem_post(&journal->syncer.wake);
    pthread_join(journal->syncer.thread, NULL);
    sem_destroy(&journal->syncer.wake);
}
