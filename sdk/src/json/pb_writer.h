// SPDX-License-Identifier: Apache-2.0
/*
 * Writes nested protobuf messages forwards, in one pass, with the shortest length prefixes.
 *
 * The length of a message is known only behind it. So room for the prefix is left that the last message of its kind
 * needed; where that was wrong, a short message is moved, and for a long one the place is noted and everything put right
 * in one copy at the end. So the cost stays linear, however messages are nested.
 */
#ifndef WEIR_SRC_JSON_PB_WRITER_H
#define WEIR_SRC_JSON_PB_WRITER_H

#include <endian.h>
#include <string.h>

#include <weir/buffer.h>
#include <weir/wire.h>

/* A prefix that did not fit the room left for it. */
struct pb_gap {
    size_t at;
    size_t length;
    uint8_t room;
};

struct pb_writer {
    struct weir_buffer *out;
    struct pb_gap *gaps;
    size_t gap_count;
    size_t gap_capacity;
    ptrdiff_t growth; /* what closing the gaps will add to the length */
    bool failed;      /* memory is out */
};

/* A message being written. */
struct pb_mark {
    size_t at;
    ptrdiff_t growth;
    uint8_t room;
};

/* Short strings may be copied as so many bytes, into room that is there for as many more. */
#define PB_SLACK 32

/* False, with the writer failed, when memory is out. */
static inline bool pb_room(struct pb_writer *writer, size_t more)
{
    if (writer->out->capacity - writer->out->length >= more)
        return true;
    if (!writer->failed && !weir_buffer_reserve(writer->out, more))
        writer->failed = true;
    return !writer->failed;
}

static inline unsigned pb_varint_length(uint64_t value)
{
    // A branch, which is guessed right, lets what follows go on before the value is known.
    if (value < 0x80)
        return 1;
    return (unsigned)weir_wire_varint_size(value);
}

/* These write into room that pb_room made: 10 bytes for a varint, 4 or 8 for the others. */
static inline void pb_put_varint(struct pb_writer *writer, uint64_t value)
{
    uint8_t *at = writer->out->data + writer->out->length;
    writer->out->length += (size_t)(weir_wire_put_varint(at, value) - at);
}

static inline void pb_put_tag(struct pb_writer *writer, uint32_t number, enum weir_wire_type type)
{
    pb_put_varint(writer, (uint64_t)number << 3 | type);
}

static inline void pb_put_fixed32(struct pb_writer *writer, uint32_t value)
{
    value = htole32(value);
    memcpy(writer->out->data + writer->out->length, &value, sizeof(value));
    writer->out->length += sizeof(value);
}

static inline void pb_put_fixed64(struct pb_writer *writer, uint64_t value)
{
    value = htole64(value);
    memcpy(writer->out->data + writer->out->length, &value, sizeof(value));
    writer->out->length += sizeof(value);
}

/* Begins a length-prefixed message, for whose prefix `room` (1 to 5) bytes are to be expected. */
static inline struct pb_mark pb_open(struct pb_writer *writer, uint8_t room)
{
    struct pb_mark mark = { writer->out->length, writer->growth, room };
    if (pb_room(writer, room))
        writer->out->length += room;
    return mark;
}

/* Ends it; returns the bytes that its prefix takes. */
uint8_t pb_close(struct pb_writer *writer, struct pb_mark mark);

/* Puts everything right. False when memory is or was out; the gaps are freed in any case. */
bool pb_finish(struct pb_writer *writer);

#endif
