// SPDX-License-Identifier: Apache-2.0
/*
 * The dead-letter file: records that were given up, in the format of a segment, for a person to look at and replay.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "sdk/src/journal/journal.h"

static int begin_file(struct weir_journal *journal)
{
    uint8_t bytes[SEGMENT_HEADER];
    struct segment_header header = { FORMAT_VERSION, 0, (uint32_t)journal_now() | 1 };
    segment_header_write(&header, bytes);
    struct iovec range = { bytes, sizeof(bytes) };
    int failed = io_write(journal->dead_letter, &range, 1, 0, NULL);
    if (failed)
        return failed;
    journal->dead_letter_salt = header.salt;
    journal->dead_letter_bytes = SEGMENT_HEADER;
    return 0;
}

static int open_file(struct weir_journal *journal)
{
    uint8_t bytes[SEGMENT_HEADER];
    struct segment_header header;
    struct stat status;
    size_t got = 0;
    for (;;) {
        int failed = io_open(journal->directory, WEIR_JOURNAL_DEAD_LETTER, O_RDWR | O_CREAT, 0640,
                             &journal->dead_letter);
        if (!failed)
            failed = io_read(journal->dead_letter, bytes, sizeof(bytes), 0, &got);
        if (failed)
            return failed;
        if (got == 0)
            return begin_file(journal);
        if (segment_header_read(bytes, got, &header) == HEADER_OK)
            break;
        io_close(journal->dead_letter);
        journal->dead_letter = -1;
        segment_set_aside(journal, WEIR_JOURNAL_DEAD_LETTER);
    }
    if (fstat(journal->dead_letter, &status) != 0)
        return EIO;
    journal->dead_letter_salt = header.salt;
    journal->dead_letter_bytes = (uint64_t)status.st_size;
    return 0;
}

int dead_letter_add(struct weir_journal *journal, const struct weir_journal_record *record)
{
    int failed = 0;
    if (journal->dead_letter_bytes == 0) {
        failed = open_file(journal);
        if (!failed)
            failed = io_sync_directory(journal->directory);
    }
    uint8_t bytes[RECORD_HEADER];
    struct record_header header = {
        .salt = journal->dead_letter_salt,
        .sequence = record->sequence,
        .items = record->items,
        .length = (uint32_t)record->length,
        .checksum = format_crc(0, record->data, record->length),
        .kind = RECORD_DATA,
        .attempts = record->attempts,
    };
    record_header_write(&header, bytes);
    struct iovec ranges[2] = { { bytes, sizeof(bytes) }, { (void *)(uintptr_t)record->data, record->length } };
    (void)WEIR_FAILPOINT("journal.dead_letter.before");
    if (!failed)
        failed = io_write(journal->dead_letter, ranges, 2, journal->dead_letter_bytes, NULL);
    (void)WEIR_FAILPOINT("journal.dead_letter.written");
    if (!failed)
        failed = io_datasync(journal->dead_letter);
    (void)WEIR_FAILPOINT("journal.dead_letter.synced");
    if (failed) {
        // What is behind the last good record is looked at afresh the next time.
        if (journal->dead_letter >= 0 && journal->dead_letter_bytes > 0)
            io_truncate(journal->dead_letter, journal->dead_letter_bytes);
        io_close(journal->dead_letter);
        journal->dead_letter = -1;
        journal->dead_letter_bytes = 0;
        return failed;
    }
    journal->dead_letter_bytes += RECORD_HEADER + record->length;
    return 0;
}
