// SPDX-License-Identifier: Apache-2.0
/*
 * What a directory holds when it is opened. Complete segments are known from their seals and are read only when they are
 * due; the others, and those of which a part is settled, are read through here.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/src/journal/journal.h"

#define MARKS_MAX ((size_t)64 << 20)
#define READ_TRIES 3
#define PAGE 4096

enum file_kind { FILE_OTHER, FILE_SEGMENT, FILE_MARKS, FILE_DAMAGED };

static enum file_kind kind_of(const char *name, uint64_t *number)
{
    char *end;
    if (strspn(name, "0123456789abcdef") != 16)
        return FILE_OTHER;
    *number = strtoull(name, &end, 16);
    if (strcmp(end, ".seg") == 0)
        return FILE_SEGMENT;
    if (strcmp(end, ".marks") == 0)
        return FILE_MARKS;
    return strncmp(end, ".seg.damaged", 12) == 0 ? FILE_DAMAGED : FILE_OTHER;
}

struct names {
    uint64_t *segments, *marks;
    size_t segment_count, mark_count;
    uint64_t highest;
};

static void add_name(uint64_t **list, size_t *count, uint64_t number)
{
    if ((*count & (*count - 1)) == 0)
        *list = weir_xrealloc(*list, (*count ? 2 * *count : 1) * sizeof(**list));
    (*list)[(*count)++] = number;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int list_names(const struct weir_journal *journal, struct names *names)
{
    int copy = openat(journal->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = copy < 0 ? NULL : fdopendir(copy);
    if (!directory) {
        int failed = errno;
        io_close(copy);
        return failed;
    }
    for (struct dirent *entry; (entry = readdir(directory));) {
        uint64_t number = 0;
        enum file_kind kind = kind_of(entry->d_name, &number);
        if (kind == FILE_SEGMENT)
            add_name(&names->segments, &names->segment_count, number);
        else if (kind == FILE_MARKS)
            add_name(&names->marks, &names->mark_count, number);
        if (kind != FILE_OTHER && number > names->highest)
            names->highest = number;
    }
    closedir(directory);
    if (names->segment_count > 0)
        qsort(names->segments, names->segment_count, sizeof(uint64_t), by_number);
    return 0;
}

/* The salt of the first record in a segment whose own header is damaged; false: there is none. */
static bool find_salt(struct weir_journal *journal, struct segment *segment)
{
    struct record_header header;
    for (uint64_t offset = 0; segment->written - offset >= RECORD_HEADER;) {
        uint64_t there = segment->written - offset;
        size_t length = there > CHUNK_BYTES ? CHUNK_BYTES : (size_t)there;
        const uint8_t *data;
        if (read_bytes(journal, segment, offset, length, &data) != 0)
            return false;
        for (size_t at = 0; (at = record_header_find(data, length, at)) + RECORD_HEADER <= length; at++)
            if (record_header_read(data + at, &header) && header.sequence >= segment->header.first &&
                header.sequence - segment->header.first < segment->written / RECORD_HEADER) {
                segment->header.salt = header.salt;
                return true;
            }
        offset += length - (RECORD_HEADER - 1);
    }
    return false;
}

static void apply_marks(struct segment *segment, const uint8_t *data, size_t length)
{
    struct mark mark;
    // No segment has more records than that, sealed or not.
    uint64_t most = segment->file_bytes / RECORD_HEADER;
    for (size_t at = SEGMENT_HEADER; at + MARK_BYTES <= length; at += MARK_BYTES)
        if (mark_read(data + at, segment->header.salt, &mark) && (uint64_t)mark.index + mark.count <= most)
            state_apply(segment, &mark);
}

/* Marks that cannot be read only make duplicates. Each is checked by itself, so the file's header hardly matters. */
static void load_marks(struct weir_journal *journal, struct segment *segment)
{
    char name[SEGMENT_NAME];
    struct stat status;
    struct segment_header header;
    int fd;
    segment_name(segment, "marks", name);
    if (io_open(journal->directory, name, O_RDONLY, 0, &fd) != 0)
        return;
    size_t got = 0, size = fstat(fd, &status) == 0 && (uint64_t)status.st_size < MARKS_MAX
                               ? (size_t)status.st_size
                               : 0;
    uint8_t *data = malloc(size > 0 ? size : 1);
    int failed = data ? io_read(fd, data, size, 0, &got) : ENOMEM;
    io_close(fd);
    if (failed)
        journal_fault(journal, "Cannot read the journal's marks", failed);
    else if (marks_header_read(data, got, &header) == HEADER_FOREIGN)
        weir_log(journal->logger, WEIR_WARN, "Marks of another version are ignored",
                 WEIR_F_TEXT("directory", journal->path), WEIR_F_TEXT("file", name));
    else
        apply_marks(segment, data, got);
    free(data);
    segment->marks_bytes = size < SEGMENT_HEADER ? SEGMENT_HEADER : (size + MARK_BYTES - 1) / MARK_BYTES * MARK_BYTES;
}

/* What reading a segment through has found so far. */
struct scan {
    uint64_t offset, sequence; /* where the next record is due */
    uint64_t end;              /* of the last whole record */
    unsigned failures;
};

static bool is_settled(const struct segment *segment, uint64_t sequence)
{
    return state_of(segment, (uint32_t)(sequence - segment->header.first)) & STATE_SETTLED;
}

static void lose(struct weir_journal *journal, struct segment *segment, uint64_t from, uint64_t to)
{
    for (uint64_t sequence = from; sequence < to; sequence++) {
        if (is_settled(segment, sequence))
            continue;
        state_mark(journal, segment, (uint32_t)(sequence - segment->header.first), MARK_SETTLED);
        journal->counts.damaged++;
    }
}

/* One record, or the way over damage. 0 or an errno. */
static int scan_one(struct weir_journal *journal, struct segment *segment, struct scan *scan)
{
    const uint8_t *data;
    struct record_header header;
    int failed = read_bytes(journal, segment, scan->offset, RECORD_HEADER, &data);
    if (failed > 0)
        return failed;
    bool good = failed == 0 && record_header_read(data, &header) && header.kind == RECORD_DATA &&
                header.salt == segment->header.salt && header.sequence >= scan->sequence &&
                header.sequence - segment->header.first < segment->total.records;
    if (good) {
        failed = read_bytes(journal, segment, scan->offset, RECORD_HEADER + (size_t)header.length, &data);
        if (failed > 0)
            return failed;
        good = failed == 0 && format_crc(0, data + RECORD_HEADER, header.length) == header.checksum;
    }
    if (!good)
        return read_resync(journal, segment, scan->offset + (segment->written > scan->offset), scan->sequence,
                           &scan->offset);
    lose(journal, segment, scan->sequence, header.sequence);
    scan->sequence = header.sequence + 1;
    scan->offset += RECORD_HEADER + header.length;
    scan->end = scan->offset;
    segment->total.items += header.items;
    segment->total.bytes += header.length;
    if (!is_settled(segment, header.sequence)) {
        segment->left++;
        segment->items_left += header.items;
        segment->bytes_left += header.length;
    }
    return 0;
}

/* Reads all records; `seal` says how many there are, NULL: that is not known. 0 or an errno that is not the disk's. */
static int scan(struct weir_journal *journal, struct segment *segment, const struct seal *seal)
{
    struct scan at = { SEGMENT_HEADER, segment->header.first, SEGMENT_HEADER, 0 };
    segment->total = (struct seal){ seal ? seal->records : segment->written / RECORD_HEADER, 0, 0 };
    while (at.offset < segment->written) {
        int failed = scan_one(journal, segment, &at);
        if (failed && failed != EIO)
            return failed;
        if (!failed || ++at.failures % READ_TRIES != 0)
            continue;
        journal_fault(journal, "Cannot read the journal", failed);
        at.offset = (at.offset / PAGE + 1) * PAGE;
        at.end = at.offset < segment->written ? at.offset : segment->written;
    }
    if (seal)
        lose(journal, segment, at.sequence, segment->header.first + seal->records);
    else if (at.end < segment->written)
        journal->counts.damaged++; // a torn end, which nobody was told to be safe, or damage to the last records
    if (!seal) {
        segment->total.records = at.sequence - segment->header.first;
        segment->written = at.end;
    }
    return 0;
}

/* Cuts off what is behind the last record and seals, so that the next start knows the segment. */
static void complete(struct weir_journal *journal, struct segment *segment)
{
    char name[SEGMENT_NAME];
    uint8_t bytes[SEAL_BYTES], header[SEGMENT_HEADER];
    struct iovec range = { bytes, sizeof(bytes) }, head = { header, sizeof(header) };
    segment_name(segment, "seg", name);
    seal_write(&segment->header, &segment->total, bytes);
    segment_header_write(&segment->header, header);
    int fd;
    int failed = io_open(journal->directory, name, O_RDWR, 0, &fd);
    if (failed)
        return;
    (void)WEIR_FAILPOINT("journal.recover.truncate");
    if (segment->written < segment->file_bytes)
        failed = io_truncate(fd, segment->written);
    if (!failed)
        segment->file_bytes = segment->written;
    if (!failed)
        failed = io_write(fd, &head, 1, 0, NULL); // it may have been damaged
    if (!failed)
        failed = io_write(fd, &range, 1, segment->written, NULL);
    if (!failed)
        segment->file_bytes = segment->written + SEAL_BYTES;
    (void)WEIR_FAILPOINT("journal.recover.sealed");
    io_close(fd);
}

static bool read_seal(struct weir_journal *journal, const struct segment *segment, struct seal *out)
{
    uint8_t bytes[SEAL_BYTES];
    size_t got;
    if (segment->file_bytes < SEGMENT_HEADER + SEAL_BYTES)
        return false;
    uint64_t at = segment->file_bytes - SEAL_BYTES;
    (void)journal;
    return io_read(segment->fd, bytes, sizeof(bytes), at, &got) == 0 && got == sizeof(bytes) &&
           seal_read(&segment->header, bytes, out) && out->records <= at / RECORD_HEADER && out->bytes <= at;
}

/* 0, an errno, or -1: the file is none of ours. */
static int read_header(struct weir_journal *journal, struct segment *segment)
{
    uint8_t bytes[SEGMENT_HEADER];
    struct segment_header header;
    size_t got = 0;
    int failed = io_read(segment->fd, bytes, sizeof(bytes), 0, &got);
    if (failed && failed != EIO)
        return failed;
    enum header_status found = segment_header_read(bytes, got, &header);
    if (found == HEADER_FOREIGN || (found == HEADER_OK && header.first != segment->header.first))
        return -1;
    if (found == HEADER_OK) {
        segment->header = header;
        return 0;
    }
    if (!find_salt(journal, segment))
        return -1;
    journal->counts.damaged++;
    return 0;
}

static int load_segment(struct weir_journal *journal, struct segment *segment)
{
    struct stat status;
    int failed = segment_open(journal, segment);
    if (failed)
        return failed;
    if (fstat(segment->fd, &status) != 0)
        return errno;
    segment->written = segment->file_bytes = (uint64_t)status.st_size;
    segment->sealed = segment->named = true;
    failed = read_header(journal, segment);
    if (failed)
        return failed;
    load_marks(journal, segment);
    struct seal seal;
    bool sealed = read_seal(journal, segment, &seal);
    if (sealed)
        segment->written -= SEAL_BYTES;
    if (sealed && !segment->state) {
        segment->total = seal;
        segment->left = (uint32_t)seal.records;
        segment->items_left = seal.items;
        segment->bytes_left = seal.bytes;
        return 0;
    }
    failed = scan(journal, segment, sealed ? &seal : NULL);
    if (failed)
        return failed;
    if (!sealed)
        complete(journal, segment);
    else
        segment->total = seal;
    return 0;
}

static void enter(struct weir_journal *journal, struct segment *segment)
{
    if (journal->last)
        journal->last->next = segment;
    else
        journal->first = segment;
    journal->last = segment;
    segment->synced = segment->written;
    struct weir_journal_counts *counts = &journal->counts;
    counts->segments++;
    counts->disk_bytes += segment->file_bytes + segment->marks_bytes;
    counts->records += segment->left;
    counts->items += segment->items_left;
    counts->bytes += segment->bytes_left;
    journal->next_sequence = segment->header.first + segment->total.records;
}

/* An empty file is what a crash leaves that comes between a segment's making and its first bytes. */
static void drop_or_set_aside(struct weir_journal *journal, struct segment *segment)
{
    char name[SEGMENT_NAME];
    segment_name(segment, "seg", name);
    if (segment->file_bytes == 0)
        io_unlink(journal->directory, name);
    else
        segment_set_aside(journal, name);
}

static void forget_chunk(struct weir_journal *journal)
{
    weir_buffer_unref(journal->chunk);
    journal->chunk = NULL;
    journal->chunk_segment = NULL;
}

static int load_all(struct weir_journal *journal, const struct names *names)
{
    for (size_t i = 0; i < names->segment_count; i++) {
        struct segment *segment = segment_new(names->segments[i]);
        int failed = load_segment(journal, segment);
        forget_chunk(journal);
        segment_close_files(segment);
        if (failed > 0) {
            segment_free(segment);
            return failed;
        }
        if (failed == 0 && segment->header.first >= journal->next_sequence) {
            enter(journal, segment);
            continue;
        }
        drop_or_set_aside(journal, segment);
        segment_free(segment);
    }
    return 0;
}

/* Marks of segments that are gone. */
static void remove_orphans(struct weir_journal *journal, const struct names *names)
{
    for (size_t i = 0; i < names->mark_count; i++) {
        char name[SEGMENT_NAME];
        struct segment *segment = journal->first;
        while (segment && segment->header.first != names->marks[i])
            segment = segment->next;
        if (segment)
            continue;
        struct segment gone = { .header.first = names->marks[i] };
        segment_name(&gone, "marks", name);
        io_unlink(journal->directory, name);
    }
}

int recover(struct weir_journal *journal, struct weir_error *error)
{
    struct names names = { .segment_count = 0 };
    journal->next_sequence = 1;
    int failed = list_names(journal, &names);
    if (!failed)
        failed = load_all(journal, &names);
    if (!failed) {
        remove_orphans(journal, &names);
        (void)WEIR_FAILPOINT("journal.recover.scanned");
        if (journal->next_sequence <= names.highest)
            journal->next_sequence = names.highest + 1;
        segments_reclaim(journal, false);
        journal->lost = (struct weir_journal_lost){ 0, 0, 0 }; // nobody has seen them in the counts
        journal->counts.found_records = journal->counts.records;
        journal->counts.found_items = journal->counts.items;
        marks_flush(journal);
    }
    free(names.segments);
    free(names.marks);
    if (failed)
        return weir_error_errno(error, failed, "cannot read the journal in %s", journal->path);
    return 0;
}
