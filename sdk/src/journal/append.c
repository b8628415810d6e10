// SPDX-License-Identifier: Apache-2.0
/*
 * Appending: all that is pending is written with few calls, behind each other.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/src/journal/journal.h"

#define TRIES 2 /* after a failed write or sync once more, in another segment */

void append_list_add(struct append_list *list, struct weir_journal_append *append)
{
    append->next = NULL;
    if (list->last)
        list->last->next = append;
    else
        list->first = append;
    list->last = append;
}

struct weir_journal_append *append_list_take(struct append_list *list)
{
    struct weir_journal_append *append = list->first;
    list->first = append->next;
    if (!list->first)
        list->last = NULL;
    return append;
}

static void tell(struct weir_task *task)
{
    struct weir_journal_append *append = WEIR_CONTAINER_OF(task, struct weir_journal_append, task);
    weir_slices_free(&append->payload);
    append->done(append, append->status);
}

void append_finish(struct weir_journal *journal, struct weir_journal_append *append, int status)
{
    append->status = status;
    append_list_add(&journal->finished, append);
}

void append_tell(struct weir_journal *journal)
{
    if (journal->finished.first)
        (void)WEIR_FAILPOINT("journal.append.before_answer");
    while (journal->finished.first) {
        struct weir_journal_append *append = append_list_take(&journal->finished);
        append->task.run = tell;
        weir_worker_post(append->worker, &append->task);
    }
}

/* What the record takes on disk. */
static uint64_t size_of(const struct weir_journal_append *append)
{
    return RECORD_HEADER + (uint64_t)append->payload.bytes;
}

/* Why the record cannot be taken in at all; 0: it can. */
static int refusal(const struct weir_journal *journal, const struct weir_journal_append *append)
{
    if (append->payload.bytes > RECORD_MAX)
        return EFBIG;
    uint64_t after = journal->counts.disk_bytes + size_of(append) + SEGMENT_HEADER + SEAL_BYTES;
    uint64_t most = atomic_load(&journal->max_bytes);
    return most > 0 && after > most ? EFBIG : 0;
}

/* What one call writes. */
struct gather {
    struct append_list list;
    size_t count, ranges;
    uint64_t bytes;
};

static bool fits(const struct weir_journal *journal, const struct gather *gather,
                 const struct weir_journal_append *append)
{
    const struct segment *segment = journal->active;
    if (gather->count == 0)
        return true;
    return gather->count < GATHER_RECORDS && gather->bytes + size_of(append) <= GATHER_BYTES &&
           segment->written + gather->bytes + size_of(append) <= journal->segment_bytes;
}

static void gather_some(struct weir_journal *journal, struct gather *gather)
{
    while (journal->pending.first) {
        struct weir_journal_append *append = journal->pending.first;
        int refused = refusal(journal, append);
        if (!refused && !fits(journal, gather, append))
            break;
        append_list_take(&journal->pending);
        if (refused) {
            append_finish(journal, append, refused);
            continue;
        }
        append_list_add(&gather->list, append);
        gather->count++;
        gather->ranges += 1 + append->payload.count;
        gather->bytes += size_of(append);
        // So that the next one's refusal() sees it.
        journal->counts.disk_bytes += size_of(append);
    }
    journal->counts.disk_bytes -= gather->bytes;
}

static int write_gathered(const struct weir_journal *journal, const struct gather *gather)
{
    struct segment *segment = journal->active;
    struct iovec *ranges = weir_xcalloc(gather->ranges, sizeof(*ranges));
    uint8_t(*headers)[RECORD_HEADER] = weir_xcalloc(gather->count, RECORD_HEADER);
    size_t range = 0, record = 0;
    for (struct weir_journal_append *append = gather->list.first; append; append = append->next) {
        struct record_header header = {
            .salt = segment->header.salt,
            .sequence = journal->next_sequence + record,
            .items = append->items,
            .length = (uint32_t)append->payload.bytes,
            .checksum = append->checksum,
            .kind = RECORD_DATA,
        };
        record_header_write(&header, headers[record]);
        ranges[range++] = (struct iovec){ headers[record], RECORD_HEADER };
        for (size_t i = 0; i < append->payload.count; i++)
            ranges[range++] = append->payload.ranges[i];
        record++;
    }
    (void)WEIR_FAILPOINT("journal.append.before_write");
    int failed = io_write(segment->fd, ranges, range, segment->written, NULL);
    (void)WEIR_FAILPOINT("journal.append.after_write");
    free(headers);
    free(ranges);
    return failed;
}

/* The record is in the active segment. */
static void enter(struct weir_journal *journal, struct weir_journal_append *append)
{
    struct segment *segment = journal->active;
    const uint64_t offset = segment->written;
    const bool is_next = append->take && read_is_at_end(journal);
    append->sequence = journal->next_sequence++;
    segment->written += size_of(append);
    segment->file_bytes = segment->written;
    segment->total.records++;
    segment->total.items += append->items;
    segment->total.bytes += append->payload.bytes;
    segment->left++;
    segment->items_left += append->items;
    segment->bytes_left += append->payload.bytes;
    journal->counts.records++;
    journal->counts.items += append->items;
    journal->counts.bytes += append->payload.bytes;
    journal->counts.disk_bytes += size_of(append);
    append->segment = segment;
    append->end = segment->written;
    if (is_next) {
        read_pass(journal);
        take_appended(journal, append, offset);
    }
    if (!append->sync) {
        append_finish(journal, append, 0);
        return;
    }
    segment->wanted = segment->written;
    append_list_add(&journal->waiting, append);
}

/* Puts the appends before what is pending, or ends those that have been tried enough. */
static void again(struct weir_journal *journal, struct append_list *list, int failed, bool give_up)
{
    struct append_list pending = journal->pending;
    journal->pending = (struct append_list){ NULL, NULL };
    while (list->first) {
        struct weir_journal_append *append = append_list_take(list);
        if (++append->tries >= TRIES || give_up)
            append_finish(journal, append, failed);
        else
            append_list_add(&journal->pending, append);
    }
    if (!pending.first)
        return;
    if (journal->pending.last)
        journal->pending.last->next = pending.first;
    else
        journal->pending.first = pending.first;
    journal->pending.last = pending.last;
}

/*
 * What the failed call left behind the last whole record is cut off. A full disk is nothing against the segment; after
 * any other error, or where cutting fails, it is not written any more.
 */
static void after_failed_write(struct weir_journal *journal, struct gather *gather, int failed)
{
    struct segment *segment = journal->active;
    bool full = failed == ENOSPC || failed == EDQUOT || failed == EFBIG;
    journal_fault(journal, "Cannot write to the journal", failed);
    int kept = io_truncate(segment->fd, segment->written);
    if (kept != 0)
        segment->file_bytes = segment->written + 1; // no seal behind bytes that nobody knows
    if (!full || kept != 0)
        segment_end(journal);
    if (kept != 0)
        segment->file_bytes = segment->written;
    again(journal, &gather->list, failed, full);
}

static void fail_all(struct weir_journal *journal, int failed)
{
    while (journal->pending.first)
        append_finish(journal, append_list_take(&journal->pending), failed);
}

static bool is_spent(const struct weir_journal *journal, const struct segment *segment)
{
    const struct weir_journal_append *append = journal->pending.first;
    return segment->total.records > 0 && (segment->written + size_of(append) > journal->segment_bytes ||
                                          segment->total.records >= SEGMENT_RECORDS);
}

void append_write(struct weir_journal *journal)
{
    if (journal->pending.first && !reserve_refill(journal))
        fail_all(journal, ENOSPC);
    while (journal->pending.first) {
        if (refusal(journal, journal->pending.first) == 0) {
            if (journal->active && is_spent(journal, journal->active))
                segment_end(journal);
            int failed = journal->active ? 0 : segment_begin(journal);
            if (failed) {
                journal_fault(journal, "Cannot begin a segment of the journal", failed);
                fail_all(journal, failed);
                return;
            }
        }
        struct gather gather = { .count = 0 };
        gather_some(journal, &gather);
        if (gather.count == 0)
            continue;
        int failed = write_gathered(journal, &gather);
        if (failed)
            after_failed_write(journal, &gather, failed);
        while (gather.list.first)
            enter(journal, append_list_take(&gather.list));
    }
}

void append_retry(struct weir_journal *journal, struct append_list *list, int failed)
{
    again(journal, list, failed, false);
}
