// SPDX-License-Identifier: Apache-2.0
/*
 * What became of the records of a segment: a byte each in memory, marks on disk. Marks are written and not synced: they
 * outlive the process, and what a power cut takes of them makes duplicates.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/src/journal/journal.h"

#define MARKS_AT_ONCE 1024
#define MARKS_KEPT 65536 /* that could not be written; beyond it they are dropped, which makes duplicates */

unsigned state_of(const struct segment *segment, uint32_t index)
{
    return index < segment->state_room ? segment->state[index] : 0;
}

void state_set(struct segment *segment, uint32_t index, unsigned state)
{
    if (index >= segment->state_room) {
        size_t room = segment->total.records > index ? segment->total.records : (size_t)index + 1;
        if (!segment->sealed && room < 2 * (size_t)segment->state_room)
            room = 2 * (size_t)segment->state_room;
        if (room < 64)
            room = 64;
        segment->state = weir_xrealloc(segment->state, room);
        memset(segment->state + segment->state_room, 0, room - segment->state_room);
        segment->state_room = (uint32_t)room;
    }
    segment->state[index] = (uint8_t)state;
}

static unsigned after(unsigned state, enum mark_kind kind)
{
    unsigned attempts = state & RECORD_ATTEMPTS_MAX;
    if (kind == MARK_SETTLED)
        return state | STATE_SETTLED;
    if (kind == MARK_TAKEN && attempts < RECORD_ATTEMPTS_MAX)
        return state + 1;
    if (kind == MARK_RETURNED && attempts > 0)
        return state - 1;
    return state;
}

void state_apply(struct segment *segment, const struct mark *mark)
{
    for (uint32_t i = 0; i < mark->count; i++)
        state_set(segment, mark->index + i, after(state_of(segment, mark->index + i), mark->kind));
}

void state_mark(struct weir_journal *journal, struct segment *segment, uint32_t index, enum mark_kind kind)
{
    (void)journal;
    state_set(segment, index, after(state_of(segment, index), kind));
    struct mark *last = segment->mark_count > 0 ? &segment->marks[segment->mark_count - 1] : NULL;
    if (last && last->kind == kind && last->index + last->count == index) {
        last->count++;
        return;
    }
    if (segment->mark_count == segment->mark_room) {
        if (segment->mark_room == MARKS_KEPT)
            segment->mark_count = 0;
        else
            segment->mark_room = segment->mark_room > 0 ? 2 * segment->mark_room : 16;
        segment->marks = weir_xrealloc(segment->marks, segment->mark_room * sizeof(*segment->marks));
    }
    segment->marks[segment->mark_count++] = (struct mark){ kind, index, 1 };
}

static uint64_t less(uint64_t all, uint64_t part)
{
    return all > part ? all - part : 0;
}

void state_leave(struct weir_journal *journal, struct segment *segment, uint32_t index, uint64_t items,
                 uint64_t bytes)
{
    if (segment->left == 0)
        return;
    (void)index;
    segment->left--;
    journal->counts.records--;
    if (items > segment->items_left)
        items = segment->items_left;
    if (bytes > segment->bytes_left)
        bytes = segment->bytes_left;
    segment->items_left -= items;
    segment->bytes_left -= bytes;
    journal->counts.items = less(journal->counts.items, items);
    journal->counts.bytes = less(journal->counts.bytes, bytes);
}

static int write_marks(struct segment *segment, const struct mark *marks, size_t count)
{
    uint8_t bytes[MARKS_AT_ONCE * MARK_BYTES];
    for (size_t i = 0; i < count; i++)
        mark_write(&marks[i], segment->header.salt, bytes + i * MARK_BYTES);
    struct iovec range = { bytes, count * MARK_BYTES };
    return io_write(segment->marks_fd, &range, 1, segment->marks_bytes, NULL);
}

static int open_marks(struct weir_journal *journal, struct segment *segment)
{
    char name[SEGMENT_NAME];
    if (segment->marks_fd >= 0)
        return 0;
    segment_name(segment, "marks", name);
    int failed = io_open(journal->directory, name, O_WRONLY | O_CREAT, 0640, &segment->marks_fd);
    if (failed || segment->marks_bytes > 0)
        return failed;
    uint8_t bytes[SEGMENT_HEADER];
    marks_header_write(&segment->header, bytes);
    struct iovec range = { bytes, sizeof(bytes) };
    failed = io_write(segment->marks_fd, &range, 1, 0, NULL);
    if (failed) {
        io_close(segment->marks_fd);
        segment->marks_fd = -1;
        return failed;
    }
    segment->marks_bytes = SEGMENT_HEADER;
    journal->counts.disk_bytes += SEGMENT_HEADER;
    return 0;
}

static int flush_some(struct weir_journal *journal, struct segment *segment, size_t *done)
{
    int failed = open_marks(journal, segment);
    while (!failed && *done < segment->mark_count) {
        size_t count = segment->mark_count - *done;
        if (count > MARKS_AT_ONCE)
            count = MARKS_AT_ONCE;
        failed = write_marks(segment, segment->marks + *done, count);
        if (failed)
            break;
        *done += count;
        segment->marks_bytes += count * MARK_BYTES;
        journal->counts.disk_bytes += count * MARK_BYTES;
    }
    return failed;
}

static bool is_full(int errnum)
{
    return errnum == ENOSPC || errnum == EDQUOT;
}

static void flush_segment(struct weir_journal *journal, struct segment *segment)
{
    size_t done = 0;
    int failed = flush_some(journal, segment, &done);
    if (is_full(failed) && !journal->reserve_used && journal->reserve >= 0) {
        journal->reserve_used = true;
        io_truncate(journal->reserve, 0);
        failed = flush_some(journal, segment, &done);
    }
    if (failed) {
        // Kept and tried again with the next ones; appends are refused until there is space for them.
        if (is_full(failed))
            journal->reserve_used = true;
        journal_fault(journal, "Cannot write the journal's marks", failed);
        memmove(segment->marks, segment->marks + done, (segment->mark_count - done) * sizeof(struct mark));
        journal_retry_later(journal);
    }
    segment->mark_count -= done;
}

void marks_flush(struct weir_journal *journal)
{
    bool any = false;
    for (struct segment *segment = journal->first; segment; segment = segment->next)
        any |= segment->mark_count > 0;
    if (!any)
        return;
    (void)WEIR_FAILPOINT("journal.marks.before");
    for (struct segment *segment = journal->first; segment; segment = segment->next)
        if (segment->mark_count > 0)
            flush_segment(journal, segment);
    (void)WEIR_FAILPOINT("journal.marks.after");
}

bool reserve_refill(struct weir_journal *journal)
{
    if (!journal->reserve_used || journal->reserve < 0)
        return true;
    int failed = io_allocate(journal->reserve, RESERVE_BYTES);
    if (failed && failed != EOPNOTSUPP)
        return false;
    journal->reserve_used = false;
    return true;
}
