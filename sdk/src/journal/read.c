// SPDX-License-Identifier: Apache-2.0
/*
 * Reading records, forward and in chunks; a chunk is shared by the records in it. Damage is found here: what cannot be
 * read is skipped to the next header that fits.
 */
#include <config.h>

#include <errno.h>

#include "sdk/src/journal/journal.h"

#define PAGE 4096

static int fill(struct weir_journal *journal, struct segment *segment, uint64_t offset, size_t length)
{
    uint64_t there = segment->written - offset;
    size_t size = length > CHUNK_BYTES ? length : CHUNK_BYTES;
    if (size > there)
        size = (size_t)there;
    int failed = segment_open(journal, segment);
    if (failed)
        return failed;
    struct weir_buffer *buffer = weir_buffer_new(size);
    if (!buffer)
        return ENOMEM;
    failed = io_read(segment->fd, buffer->data, size, offset, &buffer->length);
    if (failed) {
        weir_buffer_unref(buffer);
        return failed;
    }
    weir_buffer_unref(journal->chunk);
    journal->chunk = buffer;
    journal->chunk_segment = segment;
    journal->chunk_offset = offset;
    return 0;
}

static bool in_chunk(const struct weir_journal *journal, const struct segment *segment, uint64_t offset,
                     size_t length)
{
    return journal->chunk && journal->chunk_segment == segment && offset >= journal->chunk_offset &&
           offset - journal->chunk_offset <= journal->chunk->length &&
           journal->chunk->length - (offset - journal->chunk_offset) >= length;
}

int read_bytes(struct weir_journal *journal, struct segment *segment, uint64_t offset, size_t length,
               const uint8_t **out)
{
    if (offset > segment->written || segment->written - offset < length)
        return -1;
    if (!in_chunk(journal, segment, offset, length)) {
        int failed = fill(journal, segment, offset, length);
        if (failed)
            return failed;
        if (journal->chunk->length < length)
            return -1;
    }
    *out = journal->chunk->data + (offset - journal->chunk_offset);
    return 0;
}

/* Whether these are the header of a record of this segment that may come where `sequence` is due. */
static bool is_record(const struct segment *segment, const uint8_t *data, uint64_t sequence,
                      struct record_header *out)
{
    return record_header_read(data, out) && out->kind == RECORD_DATA && out->salt == segment->header.salt &&
           out->sequence >= sequence && out->sequence - segment->header.first < segment->total.records;
}

int read_resync(struct weir_journal *journal, struct segment *segment, uint64_t offset, uint64_t sequence,
                uint64_t *out)
{
    struct record_header header;
    while (segment->written - offset >= RECORD_HEADER) {
        uint64_t there = segment->written - offset;
        size_t length = there > CHUNK_BYTES ? CHUNK_BYTES : (size_t)there;
        const uint8_t *data;
        int failed = read_bytes(journal, segment, offset, length, &data);
        if (failed > 0)
            return failed;
        if (failed < 0)
            break;
        for (size_t at = 0; (at = record_header_find(data, length, at)) + RECORD_HEADER <= length; at++) {
            if (!is_record(segment, data + at, sequence, &header))
                continue;
            *out = offset + at;
            return 0;
        }
        offset += length - (RECORD_HEADER - 1);
    }
    *out = segment->written;
    return 0;
}

void read_lost(struct weir_journal *journal, struct segment *segment, uint64_t from, uint64_t to)
{
    uint64_t lost = 0;
    for (uint64_t sequence = from; sequence < to; sequence++) {
        uint32_t index = (uint32_t)(sequence - segment->header.first);
        if (state_of(segment, index) & STATE_SETTLED)
            continue;
        state_mark(journal, segment, index, MARK_SETTLED);
        state_leave(journal, segment, index, 0, 0);
        lost++;
    }
    journal->counts.damaged += lost;
    journal->lost.records += lost;
    if (lost > 0)
        weir_log(journal->logger, WEIR_ERROR, "Records of the journal are damaged and lost",
                 WEIR_F_TEXT("directory", journal->path), WEIR_F_UINT("records", lost));
}

/* Goes over what cannot be read at the cursor. 0 or an errno; EBUSY: not while the end of the segment is being synced,
 * which belongs to those who wait for it. */
static int skip_damage(struct weir_journal *journal, struct segment *segment, uint64_t from)
{
    if (segment->wanted > segment->synced)
        return EBUSY;
    uint64_t offset, sequence = segment->header.first + segment->total.records;
    int failed = read_resync(journal, segment, from, journal->read_sequence, &offset);
    if (failed)
        return failed;
    if (offset < segment->written) {
        const uint8_t *data;
        struct record_header header;
        failed = read_bytes(journal, segment, offset, RECORD_HEADER, &data);
        if (failed)
            return failed > 0 ? failed : EIO;
        record_header_read(data, &header);
        sequence = header.sequence;
    }
    read_lost(journal, segment, journal->read_sequence, sequence);
    journal->read_offset = offset;
    journal->read_sequence = sequence;
    return 0;
}

/* No record is handed out before its append is decided. */
static bool is_undecided(const struct weir_journal *journal, const struct segment *segment)
{
    return segment->wanted > segment->synced && journal->read_offset >= segment->synced;
}

/* A page that the disk does not give after several tries is damage. */
static int after_failed_read(struct weir_journal *journal, struct segment *segment, int failed)
{
    journal_fault(journal, "Cannot read the journal", failed);
    if (failed == ENOENT) {
        read_lost(journal, segment, journal->read_sequence, segment->header.first + segment->total.records);
        journal->read_offset = segment->written;
        return 0;
    }
    if (failed != EIO || ++journal->read_failures < 3)
        return failed;
    journal->read_failures = 0;
    uint64_t from = (journal->read_offset / PAGE + 1) * PAGE;
    return skip_damage(journal, segment, from < segment->written ? from : segment->written);
}

/* To the start of the first segment that has not been read. */
static void begin_reading(struct weir_journal *journal)
{
    struct segment *segment = journal->first;
    while (segment && segment->header.first < journal->read_sequence)
        segment = segment->next;
    journal->reading = segment;
    journal->read_offset = SEGMENT_HEADER;
    if (segment)
        journal->read_sequence = segment->header.first;
}

/* To the segment that the cursor is in; NULL: no record is to come. */
static struct segment *move_on(struct weir_journal *journal)
{
    if (!journal->reading)
        begin_reading(journal);
    struct segment *segment = journal->reading;
    while (segment && (journal->read_offset >= segment->written || segment->left == 0)) {
        if (!segment->sealed && journal->read_offset >= segment->written)
            return NULL;
        if (segment->sealed && journal->read_offset >= segment->written)
            read_lost(journal, segment, journal->read_sequence, segment->header.first + segment->total.records);
        if (!segment->next) {
            journal->read_offset = segment->written;
            journal->read_sequence = segment->header.first + segment->total.records;
            return NULL;
        }
        segment = journal->reading = segment->next;
        journal->read_offset = SEGMENT_HEADER;
        journal->read_sequence = segment->header.first;
        journal->read_failures = 0;
    }
    return segment;
}

bool read_is_at_end(struct weir_journal *journal)
{
    return !journal->returned && !move_on(journal) && journal->reading == journal->active &&
           journal->read_offset == journal->active->written;
}

void read_pass(struct weir_journal *journal)
{
    journal->read_offset = journal->active->written;
    journal->read_sequence = journal->next_sequence;
}

/* The record at the cursor, which moves behind it. 1, 0: skipped; or as read_bytes. */
static int read_one(struct weir_journal *journal, struct segment *segment, struct taken *out)
{
    const uint8_t *data;
    struct record_header header;
    uint64_t offset = journal->read_offset;
    int failed = read_bytes(journal, segment, offset, RECORD_HEADER, &data);
    if (failed > 0)
        return -failed;
    if (failed < 0 || !is_record(segment, data, journal->read_sequence, &header))
        return -skip_damage(journal, segment, offset + (failed == 0));
    if (header.sequence > journal->read_sequence) {
        read_lost(journal, segment, journal->read_sequence, header.sequence);
        journal->read_sequence = header.sequence;
    }
    uint32_t index = (uint32_t)(header.sequence - segment->header.first);
    bool settled = state_of(segment, index) & STATE_SETTLED;
    if (!settled) {
        failed = read_bytes(journal, segment, offset, RECORD_HEADER + (size_t)header.length, &data);
        if (failed > 0)
            return -failed;
        // A damaged length does not get past the header's checksum, so a wrong payload is this record's matter only.
        if (failed < 0 || format_crc(0, data + RECORD_HEADER, header.length) != header.checksum)
            return -skip_damage(journal, segment, offset + 1);
    }
    journal->read_offset = offset + RECORD_HEADER + header.length;
    journal->read_sequence = header.sequence + 1;
    journal->read_failures = 0;
    *out = (struct taken){
        .segment = segment,
        .sequence = header.sequence,
        .offset = offset,
        .items = header.items,
        .length = header.length,
        .attempts = state_of(segment, index) & RECORD_ATTEMPTS_MAX,
    };
    return !settled;
}

int read_next(struct weir_journal *journal, struct taken *out)
{
    struct segment *segment;
    while ((segment = move_on(journal))) {
        if (is_undecided(journal, segment))
            return 0;
        int found = read_one(journal, segment, out);
        if (found == -EBUSY)
            return 0;
        if (found < 0)
            found = -after_failed_read(journal, segment, -found);
        if (found != 0)
            return found;
    }
    return 0;
}

int read_again(struct weir_journal *journal, const struct taken *taken, struct weir_journal_record *out)
{
    const uint8_t *data;
    struct record_header header;
    size_t length = RECORD_HEADER + (size_t)taken->length;
    int failed = read_bytes(journal, taken->segment, taken->offset, length, &data);
    if (failed)
        return failed;
    if (!is_record(taken->segment, data, taken->sequence, &header) ||
        header.checksum != format_crc(0, data + RECORD_HEADER, header.length))
        return -1;
    *out = (struct weir_journal_record){
        .sequence = taken->sequence,
        .items = taken->items,
        .attempts = taken->attempts,
        .buffer = journal->chunk,
        .data = data + RECORD_HEADER,
        .length = taken->length,
    };
    return 0;
}
