// SPDX-License-Identifier: Apache-2.0
/*
 * Protobuf's wire format (protobuf.dev: Encoding): the bounds-checked cursor, which is the one way to walk bytes that came
 * from outside, and writing into room that was measured before.
 */
#ifndef WEIR_WIRE_H
#define WEIR_WIRE_H

#include <weir/str.h>

WEIR_BEGIN

enum weir_wire_type {
    WEIR_WIRE_VARINT = 0,
    WEIR_WIRE_FIXED64 = 1,
    WEIR_WIRE_BYTES = 2,
    WEIR_WIRE_GROUP_START = 3,
    WEIR_WIRE_GROUP_END = 4,
    WEIR_WIRE_FIXED32 = 5,
};

/* Reads from `at` up to `end`, never past it. Each read moves `at` on success and leaves it on failure. Any thread. */
struct weir_cursor {
    const uint8_t *at;
    const uint8_t *end;
};

static inline struct weir_cursor weir_cursor_make(const void *data, size_t length)
{
    // No bytes may have no address, to which nothing must be added.
    const uint8_t *start = (const uint8_t *)data;
    struct weir_cursor cursor = { start, length > 0 ? start + length : start };
    return cursor;
}

static inline size_t weir_cursor_left(const struct weir_cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

/* A varint of at most 10 bytes, excess bits dropped as protobuf does: where it ends, NULL if it does not end before `end`.
 * For weir_cursor_varint, which hands over no cursor, so that compilers keep cursors in registers. */
WEIR_EXPORT const uint8_t *weir_wire_varint(const uint8_t *at, const uint8_t *end, uint64_t *out);

static inline bool weir_cursor_varint(struct weir_cursor *cursor, uint64_t *out)
{
    if (cursor->at < cursor->end && *cursor->at < 0x80) {
        *out = *cursor->at++;
        return true;
    }
    uint64_t value = 0;
    const uint8_t *behind = weir_wire_varint(cursor->at, cursor->end, &value);
    if (!behind)
        return false;
    cursor->at = behind;
    *out = value;
    return true;
}

static inline bool weir_cursor_u8(struct weir_cursor *cursor, uint8_t *out)
{
    if (cursor->at == cursor->end)
        return false;
    *out = *cursor->at++;
    return true;
}

/* Little-endian 32 and 64 bits. */
static inline bool weir_cursor_fixed32(struct weir_cursor *cursor, uint32_t *out)
{
    const uint8_t *p = cursor->at;
    if (weir_cursor_left(cursor) < 4)
        return false;
    *out = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    cursor->at += 4;
    return true;
}

static inline bool weir_cursor_fixed64(struct weir_cursor *cursor, uint64_t *out)
{
    uint32_t low = 0, high = 0;
    if (weir_cursor_left(cursor) < 8)
        return false;
    (void)weir_cursor_fixed32(cursor, &low);
    (void)weir_cursor_fixed32(cursor, &high);
    *out = (uint64_t)high << 32 | low;
    return true;
}

/* A view of the next `length` bytes. */
static inline bool weir_cursor_take(struct weir_cursor *cursor, uint64_t length, struct weir_str *out)
{
    if (length > weir_cursor_left(cursor))
        return false;
    *out = weir_str_make((const char *)cursor->at, (size_t)length);
    cursor->at += (size_t)length;
    return true;
}

/* A length-delimited field's payload: varint length, then that many bytes. */
static inline bool weir_cursor_bytes(struct weir_cursor *cursor, struct weir_str *out)
{
    const uint8_t *start = cursor->at;
    uint64_t length = 0;
    if (weir_cursor_varint(cursor, &length) && weir_cursor_take(cursor, length, out))
        return true;
    cursor->at = start;
    return false;
}

/* A field's key: number 1 to 2^29-1 and wire type 0 to 5; false on anything else. */
static inline bool weir_cursor_tag(struct weir_cursor *cursor, uint32_t *field, enum weir_wire_type *type)
{
    const uint8_t *start = cursor->at;
    uint64_t tag = 0;
    if (!weir_cursor_varint(cursor, &tag) || tag < 8 || tag > 0xffffffffu || (tag & 7) > 5) {
        cursor->at = start;
        return false;
    }
    *field = (uint32_t)(tag >> 3);
    *type = (enum weir_wire_type)(tag & 7);
    return true;
}

/* Steps over the payload of a field that the caller does not know; groups are refused, as no OTLP message has any. */
static inline bool weir_cursor_skip(struct weir_cursor *cursor, enum weir_wire_type type)
{
    uint64_t number;
    struct weir_str bytes;
    switch (type) {
    case WEIR_WIRE_VARINT:
        return weir_cursor_varint(cursor, &number);
    case WEIR_WIRE_FIXED64:
        return weir_cursor_take(cursor, 8, &bytes);
    case WEIR_WIRE_BYTES:
        return weir_cursor_bytes(cursor, &bytes);
    case WEIR_WIRE_FIXED32:
        return weir_cursor_take(cursor, 4, &bytes);
    case WEIR_WIRE_GROUP_START:
    case WEIR_WIRE_GROUP_END:
        break;
    }
    return false;
}

static inline int32_t weir_zigzag32(uint32_t n)
{
    return (int32_t)((n >> 1) ^ (~(n & 1) + 1));
}

/* The other way: sint32 and sint64 as the varints that stand for them. */
static inline uint64_t weir_wire_zigzag(int64_t n)
{
    return (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0);
}

/* Bytes that a varint takes: 1 to 10. */
static inline size_t weir_wire_varint_size(uint64_t value)
{
    return (size_t)((63 - __builtin_clzll(value | 1)) * 9 + 73) / 64;
}

/* Bytes that a length-delimited field takes whose number is 1 to 15. */
static inline size_t weir_wire_bytes_size(size_t length)
{
    return 1 + weir_wire_varint_size(length) + length;
}

/* These write to `at`, where the caller has made sure of the room, and return the end of what they wrote. */
static inline uint8_t *weir_wire_put_varint(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

static inline uint8_t *weir_wire_put_tag(uint8_t *at, uint32_t field, enum weir_wire_type type)
{
    return weir_wire_put_varint(at, (uint64_t)field << 3 | type);
}

/* The tag and length of a field whose payload follows. */
static inline uint8_t *weir_wire_put_head(uint8_t *at, uint32_t field, size_t length)
{
    return weir_wire_put_varint(weir_wire_put_tag(at, field, WEIR_WIRE_BYTES), length);
}

static inline uint8_t *weir_wire_put_bytes(uint8_t *at, uint32_t field, struct weir_str bytes)
{
    at = weir_wire_put_head(at, field, bytes.length);
    if (bytes.length > 0)
        memcpy(at, bytes.data, bytes.length);
    return at + bytes.length;
}

/* 64 bits, little-endian. */
static inline uint8_t *weir_wire_put_fixed64(uint8_t *at, uint32_t field, uint64_t bits)
{
    at = weir_wire_put_tag(at, field, WEIR_WIRE_FIXED64);
    for (unsigned i = 0; i < 8; i++)
        at[i] = (uint8_t)(bits >> 8 * i);
    return at + 8;
}

WEIR_END

#endif
