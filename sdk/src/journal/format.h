// SPDX-License-Identifier: Apache-2.0
/*
 * The bytes of a journal's files (docs/developer/journal.md). Everything is little-endian.
 *
 * A segment, NUMBER.seg: a header, records one after the other, and once it is complete a seal. A dead-letter file is a
 * segment without a seal. NUMBER.marks says what became of a segment's records: a header and entries.
 */
#ifndef WEIR_JOURNAL_FORMAT_H
#define WEIR_JOURNAL_FORMAT_H

#include <weir/buffer.h>

#define FORMAT_VERSION 1
#define SEGMENT_HEADER 64
#define RECORD_HEADER 40
#define SEAL_PAYLOAD 24
#define SEAL_BYTES (RECORD_HEADER + SEAL_PAYLOAD)
#define MARK_BYTES 16
#define RECORD_MAX ((size_t)1 << 30) /* bytes of a payload */
/* What a record costs beyond its payload. */
#define RECORD_ATTEMPTS_MAX 0x7f

/* CRC-32C, continued from `crc` (0 to start). */
uint32_t format_crc(uint32_t crc, const void *data, size_t length);
uint32_t format_crc_slices(const struct weir_slices *slices);

struct segment_header {
    uint32_t version;
    uint64_t first; /* sequence of the first record */
    uint32_t salt;  /* random; on every record and on the marks, which thereby belong to this file and no other */
};

enum header_status {
    HEADER_OK,
    HEADER_DAMAGED,
    HEADER_FOREIGN, /* whole, but of a version that this code does not know */
};

void segment_header_write(const struct segment_header *header, uint8_t out[SEGMENT_HEADER]);
enum header_status segment_header_read(const uint8_t *data, size_t length, struct segment_header *out);
/* The same for a file of marks, whose header is as long. */
void marks_header_write(const struct segment_header *header, uint8_t out[SEGMENT_HEADER]);
enum header_status marks_header_read(const uint8_t *data, size_t length, struct segment_header *out);

enum record_kind {
    RECORD_DATA = 1,
    RECORD_SEAL = 2,
};

struct record_header {
    uint32_t salt;
    uint64_t sequence;
    uint64_t items;
    uint32_t length;   /* of the payload, which follows */
    uint32_t checksum; /* of the payload */
    enum record_kind kind;
    unsigned attempts; /* in a dead-letter file: how often it was taken */
};

void record_header_write(const struct record_header *header, uint8_t out[RECORD_HEADER]);
/* False: these RECORD_HEADER bytes are none, whatever the salt. */
bool record_header_read(const uint8_t *data, struct record_header *out);
/* Where in `data` the next record header may begin, from `from` on; `length` if nowhere. */
size_t record_header_find(const uint8_t *data, size_t length, size_t from);

struct seal {
    uint64_t records, items, bytes; /* of all records that were written, payload bytes */
};

void seal_write(const struct segment_header *segment, const struct seal *seal, uint8_t out[SEAL_BYTES]);
bool seal_read(const struct segment_header *segment, const uint8_t *data, struct seal *out);

enum mark_kind {
    MARK_TAKEN = 1,   /* one attempt more */
    MARK_RETURNED,    /* one attempt fewer */
    MARK_SETTLED,
};

/* What became of `count` records from the segment's `index`-th on. */
struct mark {
    enum mark_kind kind;
    uint32_t index;
    uint32_t count; /* below 2^24 */
};

void mark_write(const struct mark *mark, uint32_t salt, uint8_t out[MARK_BYTES]);
bool mark_read(const uint8_t *data, uint32_t salt, struct mark *out);

#endif
