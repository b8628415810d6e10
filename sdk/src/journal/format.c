// SPDX-License-Identifier: Apache-2.0
/*
 * Headers, seals and marks to bytes and back.
 */
#include <config.h>

#include <string.h>

#include <isa-l/crc.h>

#include "sdk/src/journal/format.h"

#define SEGMENT_MAGIC "WEIRSEG\n"
#define MARKS_MAGIC "WEIRMRK\n"
static const uint8_t record_magic[4] = { 0xf5, 'w', 'r', 0x9e };

static void put32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static void put64(uint8_t *out, uint64_t value)
{
    put32(out, (uint32_t)value);
    put32(out + 4, (uint32_t)(value >> 32));
}

static uint32_t get32(const uint8_t *data)
{
    return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

static uint64_t get64(const uint8_t *data)
{
    return get32(data) | (uint64_t)get32(data + 4) << 32;
}

uint32_t format_crc(uint32_t crc, const void *data, size_t length)
{
    const uint8_t *at = data;
    crc = ~crc;
    while (length > 0) {
        size_t part = length < (size_t)1 << 30 ? length : (size_t)1 << 30; // its length is an int
        crc = crc32_iscsi((unsigned char *)(uintptr_t)at, (int)part, crc);
        at += part;
        length -= part;
    }
    return ~crc;
}

uint32_t format_crc_slices(const struct weir_slices *slices)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < slices->count; i++)
        crc = format_crc(crc, slices->ranges[i].iov_base, slices->ranges[i].iov_len);
    return crc;
}

static void file_header_write(const char *magic, const struct segment_header *header, uint8_t *out)
{
    memset(out, 0, SEGMENT_HEADER);
    memcpy(out, magic, 8);
    put32(out + 8, header->version);
    put64(out + 16, header->first);
    put32(out + 24, header->salt);
    put32(out + SEGMENT_HEADER - 4, format_crc(0, out, SEGMENT_HEADER - 4));
}

static enum header_status file_header_read(const char *magic, const uint8_t *data, size_t length,
                                           struct segment_header *out)
{
    if (length < SEGMENT_HEADER || memcmp(data, magic, 8) != 0 ||
        get32(data + SEGMENT_HEADER - 4) != format_crc(0, data, SEGMENT_HEADER - 4))
        return HEADER_DAMAGED;
    if (get32(data + 8) != FORMAT_VERSION)
        return HEADER_FOREIGN;
    out->version = FORMAT_VERSION;
    out->first = get64(data + 16);
    out->salt = get32(data + 24);
    return HEADER_OK;
}

void segment_header_write(const struct segment_header *header, uint8_t out[SEGMENT_HEADER])
{
    file_header_write(SEGMENT_MAGIC, header, out);
}

enum header_status segment_header_read(const uint8_t *data, size_t length, struct segment_header *out)
{
    return file_header_read(SEGMENT_MAGIC, data, length, out);
}

void marks_header_write(const struct segment_header *header, uint8_t out[SEGMENT_HEADER])
{
    file_header_write(MARKS_MAGIC, header, out);
}

enum header_status marks_header_read(const uint8_t *data, size_t length, struct segment_header *out)
{
    return file_header_read(MARKS_MAGIC, data, length, out);
}

void record_header_write(const struct record_header *header, uint8_t out[RECORD_HEADER])
{
    memcpy(out, record_magic, 4);
    put32(out + 4, header->salt);
    put64(out + 8, header->sequence);
    put64(out + 16, header->items);
    put32(out + 24, header->length);
    put32(out + 28, header->checksum);
    put32(out + 32, (uint32_t)header->kind | header->attempts << 8);
    put32(out + 36, format_crc(0, out, RECORD_HEADER - 4));
}

bool record_header_read(const uint8_t *data, struct record_header *out)
{
    if (memcmp(data, record_magic, 4) != 0 || get32(data + 36) != format_crc(0, data, RECORD_HEADER - 4))
        return false;
    uint32_t kind = get32(data + 32);
    out->salt = get32(data + 4);
    out->sequence = get64(data + 8);
    out->items = get64(data + 16);
    out->length = get32(data + 24);
    out->checksum = get32(data + 28);
    out->kind = (enum record_kind)(kind & 0xff);
    out->attempts = kind >> 8;
    return out->length <= RECORD_MAX && (out->kind == RECORD_DATA || out->kind == RECORD_SEAL);
}

size_t record_header_find(const uint8_t *data, size_t length, size_t from)
{
    if (from >= length)
        return length;
    const uint8_t *at = memmem(data + from, length - from, record_magic, sizeof(record_magic));
    return at ? (size_t)(at - data) : length;
}

void seal_write(const struct segment_header *segment, const struct seal *seal, uint8_t out[SEAL_BYTES])
{
    uint8_t *payload = out + RECORD_HEADER;
    put64(payload, seal->records);
    put64(payload + 8, seal->items);
    put64(payload + 16, seal->bytes);
    struct record_header header = {
        .salt = segment->salt,
        .sequence = segment->first + seal->records,
        .length = SEAL_PAYLOAD,
        .checksum = format_crc(0, payload, SEAL_PAYLOAD),
        .kind = RECORD_SEAL,
    };
    record_header_write(&header, out);
}

bool seal_read(const struct segment_header *segment, const uint8_t *data, struct seal *out)
{
    struct record_header header;
    const uint8_t *payload = data + RECORD_HEADER;
    if (!record_header_read(data, &header) || header.kind != RECORD_SEAL || header.salt != segment->salt ||
        header.length != SEAL_PAYLOAD || header.checksum != format_crc(0, payload, SEAL_PAYLOAD) ||
        header.sequence != segment->first + get64(payload))
        return false;
    *out = (struct seal){ get64(payload), get64(payload + 8), get64(payload + 16) };
    return true;
}

void mark_write(const struct mark *mark, uint32_t salt, uint8_t out[MARK_BYTES])
{
    put32(out, mark->index);
    put32(out + 4, mark->count | (uint32_t)mark->kind << 24);
    put32(out + 8, salt);
    put32(out + 12, format_crc(0, out, 12));
}

bool mark_read(const uint8_t *data, uint32_t salt, struct mark *out)
{
    if (get32(data + 8) != salt || get32(data + 12) != format_crc(0, data, 12))
        return false;
    uint32_t word = get32(data + 4);
    *out = (struct mark){ (enum mark_kind)(word >> 24), get32(data), word & 0xffffff };
    return out->kind >= MARK_TAKEN && out->kind <= MARK_SETTLED;
}
