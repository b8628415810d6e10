// SPDX-License-Identifier: Apache-2.0
/*
 * Segments: files that are begun, ended and let go.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "sdk/src/journal/journal.h"

struct segment *segment_new(uint64_t first)
{
    struct segment *segment = weir_xcalloc(1, sizeof(*segment));
    segment->header = (struct segment_header){ FORMAT_VERSION, first, 0 };
    segment->fd = segment->marks_fd = -1;
    return segment;
}

void segment_close_files(struct segment *segment)
{
    io_close(segment->fd);
    io_close(segment->marks_fd);
    segment->fd = segment->marks_fd = -1;
}

void segment_free(struct segment *segment)
{
    segment_close_files(segment);
    free(segment->state);
    free(segment->marks);
    free(segment);
}

void segment_name(const struct segment *segment, const char *ending, char out[SEGMENT_NAME])
{
    snprintf(out, SEGMENT_NAME, "%016" PRIx64 ".%s", segment->header.first, ending);
}

int segment_open(struct weir_journal *journal, struct segment *segment)
{
    char name[SEGMENT_NAME];
    if (segment->fd >= 0)
        return 0;
    segment_name(segment, "seg", name);
    return io_open(journal->directory, name, O_RDONLY, 0, &segment->fd);
}

static uint32_t random_salt(void)
{
    uint32_t salt = 0;
    while (salt == 0)
        if (getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
            salt = (uint32_t)journal_now();
    return salt;
}

static int write_header(struct segment *segment)
{
    uint8_t header[SEGMENT_HEADER];
    segment_header_write(&segment->header, header);
    struct iovec range = { header, sizeof(header) };
    return io_write(segment->fd, &range, 1, 0, NULL);
}

int segment_begin(struct weir_journal *journal)
{
    char name[SEGMENT_NAME];
    struct segment *segment = segment_new(journal->next_sequence);
    segment->header.salt = random_salt();
    segment_name(segment, "seg", name);
    int failed = io_open(journal->directory, name, O_RDWR | O_CREAT | O_EXCL, 0640, &segment->fd);
    if (failed) {
        segment_free(segment);
        return failed;
    }
    (void)WEIR_FAILPOINT("journal.segment.created");
    failed = write_header(segment);
    if (failed) {
        // Should the file stay, it is empty or damaged, and set aside by the next start.
        io_unlink(journal->directory, name);
        journal->next_sequence++; // its name is not used twice
        segment_free(segment);
        return failed;
    }
    (void)WEIR_FAILPOINT("journal.segment.header");
    segment->written = segment->file_bytes = SEGMENT_HEADER;
    if (journal->last)
        journal->last->next = segment;
    else
        journal->first = segment;
    journal->last = journal->active = segment;
    journal->counts.segments++;
    journal->counts.disk_bytes += segment->file_bytes;
    return 0;
}

void segment_end(struct weir_journal *journal)
{
    struct segment *segment = journal->active;
    if (!segment)
        return;
    uint8_t bytes[SEAL_BYTES];
    struct iovec range = { bytes, sizeof(bytes) };
    seal_write(&segment->header, &segment->total, bytes);
    (void)WEIR_FAILPOINT("journal.seal.before");
    // Without a seal the next start reads the segment to count its records: no harm done.
    if (segment->file_bytes == segment->written &&
        io_write(segment->fd, &range, 1, segment->written, NULL) == 0) {
        segment->file_bytes += SEAL_BYTES;
        journal->counts.disk_bytes += SEAL_BYTES;
    }
    (void)WEIR_FAILPOINT("journal.seal.after");
    if (segment->total.records == 0)
        journal->next_sequence++; // its name is not used twice
    segment->sealed = true;
    journal->active = NULL;
}

static void unlink_file(struct weir_journal *journal, const char *name)
{
    int failed = io_unlink(journal->directory, name);
    if (failed && failed != ENOENT)
        journal_fault(journal, "Cannot remove a file of the journal", failed);
}

static void leave_list(struct weir_journal *journal, struct segment *segment)
{
    struct segment *before = NULL;
    for (struct segment *at = journal->first; at != segment; at = at->next)
        before = at;
    if (before)
        before->next = segment->next;
    else
        journal->first = segment->next;
    if (journal->last == segment)
        journal->last = before;
    if (journal->active == segment)
        journal->active = NULL;
    if (journal->chunk_segment == segment) {
        weir_buffer_unref(journal->chunk);
        journal->chunk = NULL;
        journal->chunk_segment = NULL;
    }
    if (journal->reading == segment) {
        journal->reading = segment->next;
        journal->read_offset = SEGMENT_HEADER;
        // Without a next one, reading goes on in one that is yet to come: older ones hold what is taken.
        journal->read_sequence =
            segment->next ? segment->next->header.first : segment->header.first + segment->total.records;
        journal->read_failures = 0;
    }
}

void segment_remove(struct weir_journal *journal, struct segment *segment)
{
    char name[SEGMENT_NAME], marks[SEGMENT_NAME];
    leave_list(journal, segment);
    segment_name(segment, "seg", name);
    segment_name(segment, "marks", marks);
    (void)WEIR_FAILPOINT("journal.remove.before");
    // The marks go last: without them the records would come again.
    unlink_file(journal, name);
    (void)WEIR_FAILPOINT("journal.remove.segment");
    if (segment->marks_bytes > 0)
        unlink_file(journal, marks);
    (void)WEIR_FAILPOINT("journal.remove.after");
    journal->counts.segments--;
    journal->counts.disk_bytes -= segment->file_bytes + segment->marks_bytes;
    // What damage made of the difference between the seal and the records that were met.
    journal->counts.items -= segment->items_left;
    journal->counts.bytes -= segment->bytes_left;
    journal->lost.items += segment->items_left;
    journal->lost.bytes += segment->bytes_left;
    segment_free(segment);
}

void segment_set_aside(struct weir_journal *journal, const char *name)
{
    char to[2 * SEGMENT_NAME];
    snprintf(to, sizeof(to), "%s.damaged", name);
    (void)WEIR_FAILPOINT("journal.set_aside.before");
    int failed = io_rename(journal->directory, name, to);
    (void)WEIR_FAILPOINT("journal.set_aside.after");
    if (failed)
        journal_fault(journal, "Cannot set a damaged file of the journal aside", failed);
    journal->counts.set_aside++;
    weir_log(journal->logger, WEIR_WARN, "A file of the journal cannot be read and is set aside",
             WEIR_F_TEXT("directory", journal->path), WEIR_F_TEXT("file", to));
}

void segments_reclaim(struct weir_journal *journal, bool idle)
{
    uint64_t limit = idle ? IDLE_BYTES : RECYCLE_BYTES;
    if (limit > journal->segment_bytes / 2)
        limit = journal->segment_bytes / 2;
    struct segment *next;
    bool ahead = false; // of the reader: nobody needs these files before it gets there
    for (struct segment *segment = journal->first; segment; segment = next) {
        next = segment->next;
        if (ahead && segment->sealed && segment->wanted <= segment->synced && journal->syncer.segment != segment)
            segment_close_files(segment);
        ahead |= segment == journal->reading || !journal->reading;
        bool large = segment->file_bytes + segment->marks_bytes > limit;
        if (segment->left > 0 || segment->wanted > segment->synced || journal->syncer.segment == segment ||
            (!segment->sealed && !large))
            continue;
        segment_remove(journal, segment);
    }
}
