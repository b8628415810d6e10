// SPDX-License-Identifier: Apache-2.0
/*
 * Appending to the writer's buffer, inlined into the writer and into the OTLP transcoder.
 */
#ifndef WEIR_SRC_JSON_WRITER_H
#define WEIR_SRC_JSON_WRITER_H

#include <weir/json.h>

/* Makes room for `more` bytes; false, with the writer failed, when memory is out. */
static inline bool json_room(struct weir_json_writer *writer, size_t more)
{
    if (writer->failed)
        return false;
    if (writer->out->capacity - writer->out->length >= more)
        return true;
    writer->failed = !weir_buffer_reserve(writer->out, more);
    return !writer->failed;
}

/* Appends bytes for which there is room. */
static inline void json_copy(struct weir_json_writer *writer, const char *data, size_t length)
{
    memcpy(writer->out->data + writer->out->length, data, length);
    writer->out->length += length;
}

static inline void json_copy_char(struct weir_json_writer *writer, char c)
{
    writer->out->data[writer->out->length++] = (uint8_t)c;
}

/* Places the comma that a value or key may need, within the room there is. */
static inline void json_comma(struct weir_json_writer *writer)
{
    if (writer->comma)
        json_copy_char(writer, ',');
}

/* Decimal digits of `value` within the room there is (20 bytes at most). */
void json_copy_u64(struct weir_json_writer *writer, uint64_t value);

/* Appends `s` quoted and escaped, without a comma. */
void json_quote(struct weir_json_writer *writer, struct weir_str s);

#endif
