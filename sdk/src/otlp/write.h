// SPDX-License-Identifier: Apache-2.0
/*
 * Writing protobuf from the last byte to the first: what a message holds is written before its length is, so
 * that one pass will do. Fields are therefore written in falling order of their numbers. Zero values are left
 * out, as proto3 says.
 */
#ifndef WEIR_OTLP_WRITE_H
#define WEIR_OTLP_WRITE_H

#include "sdk/src/otlp/tree.h"

/* The bytes from `at` to `end` are written. Zero-initialise to start, free `start`. */
struct otlp_writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool failed; /* memory was out; nothing is written from then on */
};

bool otlp_writer_grow(struct otlp_writer *writer, size_t more);

static inline bool otlp_writer_room(struct otlp_writer *writer, size_t more)
{
    return (size_t)(writer->at - writer->start) >= more || otlp_writer_grow(writer, more);
}

static inline size_t otlp_written(const struct otlp_writer *writer)
{
    return (size_t)(writer->end - writer->at);
}

/* Room for a key and the longest varint. */
#define OTLP_WRITE_SCALAR 12u

static inline void otlp_write_varint_raw(struct otlp_writer *writer, uint64_t value)
{
    writer->at -= weir_wire_varint_size(value);
    weir_wire_put_varint(writer->at, value);
}

static inline void otlp_write_key(struct otlp_writer *writer, uint32_t number, uint32_t type)
{
    if (number < 16)
        *--writer->at = (uint8_t)(number << 3 | type);
    else
        otlp_write_varint_raw(writer, number << 3 | type);
}

/* The same also where it is zero, for members of oneofs. */
static inline void otlp_write_varint_always(struct otlp_writer *writer, uint32_t number, uint64_t value)
{
    if (!otlp_writer_room(writer, OTLP_WRITE_SCALAR))
        return;
    otlp_write_varint_raw(writer, value);
    otlp_write_key(writer, number, 0);
}

static inline void otlp_write_varint(struct otlp_writer *writer, uint32_t number, uint64_t value)
{
    if (value != 0)
        otlp_write_varint_always(writer, number, value);
}

/* int32 and enums: negative ones take ten bytes. */
static inline void otlp_write_int32(struct otlp_writer *writer, uint32_t number, int32_t value)
{
    otlp_write_varint(writer, number, (uint64_t)(int64_t)value);
}

static inline void otlp_write_little(struct otlp_writer *writer, uint64_t value, unsigned bytes)
{
    writer->at -= bytes;
    for (unsigned i = 0; i < bytes; i++)
        writer->at[i] = (uint8_t)(value >> 8 * i);
}

static inline void otlp_write_fixed64_always(struct otlp_writer *writer, uint32_t number, uint64_t value)
{
    if (!otlp_writer_room(writer, OTLP_WRITE_SCALAR))
        return;
    otlp_write_little(writer, value, 8);
    otlp_write_key(writer, number, 1);
}

static inline void otlp_write_fixed64(struct otlp_writer *writer, uint32_t number, uint64_t value)
{
    if (value != 0)
        otlp_write_fixed64_always(writer, number, value);
}

static inline void otlp_write_fixed32(struct otlp_writer *writer, uint32_t number, uint32_t value)
{
    if (value == 0 || !otlp_writer_room(writer, OTLP_WRITE_SCALAR))
        return;
    otlp_write_little(writer, value, 4);
    otlp_write_key(writer, number, 5);
}

static inline uint64_t otlp_double_bits(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof(bits));
    return bits;
}

static inline void otlp_write_double(struct otlp_writer *writer, uint32_t number, double value)
{
    otlp_write_fixed64(writer, number, otlp_double_bits(value));
}

static inline void otlp_write_string_always(struct otlp_writer *writer, uint32_t number, struct weir_str s)
{
    if (!otlp_writer_room(writer, s.length + OTLP_WRITE_SCALAR))
        return;
    writer->at -= s.length;
    if (s.length > 0)
        memcpy(writer->at, s.data, s.length);
    otlp_write_varint_raw(writer, s.length);
    otlp_write_key(writer, number, 2);
}

static inline void otlp_write_string(struct otlp_writer *writer, uint32_t number, struct weir_str s)
{
    if (s.length > 0)
        otlp_write_string_always(writer, number, s);
}

/* Makes what was written since otlp_written was `before` the payload of field `number`. */
static inline void otlp_write_wrap(struct otlp_writer *writer, uint32_t number, size_t before)
{
    if (!otlp_writer_room(writer, OTLP_WRITE_SCALAR))
        return;
    otlp_write_varint_raw(writer, otlp_written(writer) - before);
    otlp_write_key(writer, number, 2);
}

/* The fields of messages, without key and length. */
void otlp_write_value(struct otlp_writer *writer, const struct weir_value *value, unsigned depth);
void otlp_write_attributes(struct otlp_writer *writer, uint32_t number,
                           const struct weir_attributes *attributes);
void otlp_write_resource(struct otlp_writer *writer, const struct weir_resource *resource);
void otlp_write_scope(struct otlp_writer *writer, const struct weir_scope *scope);
void otlp_write_span(struct otlp_writer *writer, const struct weir_span *span);
void otlp_write_log_record(struct otlp_writer *writer, const struct weir_log_record *record);
void otlp_write_metric(struct otlp_writer *writer, const struct weir_metric *metric);
void otlp_write_point(struct otlp_writer *writer, enum weir_metric_type type,
                      const struct weir_data_point *point);

#endif
