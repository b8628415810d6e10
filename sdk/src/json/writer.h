// SPDX-License-Identifier: Apache-2.0
/*
 * Appending to the writer's buffer, inlined into the writer and into the OTLP transcoder.
 */
#ifndef WEIR_SRC_JSON_WRITER_H
#define WEIR_SRC_JSON_WRITER_H

#include "sdk/src/json/token.h"

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

/* The same for a literal. */
#define json_copy_text(writer, literal) json_copy(writer, literal, sizeof(literal) - 1)

static inline void json_copy_char(struct weir_json_writer *writer, char c)
{
    writer->out->data[writer->out->length++] = (uint8_t)c;
}

#ifdef __SSE2__
/* Copies fewer than sixteen bytes, in pieces that may overlap; false if one is not plain. */
static inline bool json_copy_short(uint8_t *to, const char *from, size_t length)
{
    uint64_t low, high;
    uint32_t first, last;
    if (length >= 8) {
        memcpy(&low, from, 8);
        memcpy(&high, from + length - 8, 8);
        memcpy(to, &low, 8);
        memcpy(to + length - 8, &high, 8);
    } else if (length >= 4) {
        memcpy(&first, from, 4);
        memcpy(&last, from + length - 4, 4);
        memcpy(to, &first, 4);
        memcpy(to + length - 4, &last, 4);
        low = high = (uint64_t)last << 32 | first;
    } else {
        for (size_t i = 0; i < length; i++)
            to[i] = (uint8_t)from[i];
        return json_plain_end(from, from + length) == from + length;
    }
    return !_mm_movemask_epi8(json_odd_bytes(_mm_set_epi64x((long long)high, (long long)low)));
}

/* The same for sixteen and more. */
static inline bool json_copy_long(uint8_t *to, const char *from, size_t length)
{
    __m128i odd = _mm_setzero_si128();
    for (size_t at = 0; at < length; at += 16) {
        size_t start = length - at < 16 ? length - 16 : at;
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(from + start));
        _mm_storeu_si128((__m128i *)(void *)(to + start), bytes);
        odd = _mm_or_si128(odd, json_odd_bytes(bytes));
    }
    return !_mm_movemask_epi8(odd);
}

/* Appends bytes for which there is room; false, with nothing appended, if one of them does not simply belong to a string
 * (see json_plain_end). */
static inline bool json_copy_plain(struct weir_json_writer *writer, struct weir_str s)
{
    uint8_t *to = writer->out->data + writer->out->length;
    if (!(s.length < 16 ? json_copy_short(to, s.data, s.length) : json_copy_long(to, s.data, s.length)))
        return false;
    writer->out->length += s.length;
    return true;
}
#else
static inline bool json_copy_plain(struct weir_json_writer *writer, struct weir_str s)
{
    if (json_plain_end(s.data, s.data + s.length) != s.data + s.length)
        return false;
    json_copy(writer, s.data, s.length);
    return true;
}
#endif

/* Places the comma that a value or key may need, within the room there is. */
static inline void json_comma(struct weir_json_writer *writer)
{
    if (writer->comma)
        json_copy_char(writer, ',');
}

/* Writes the decimal digits of `value`, 20 at most, so that they end before `end`; returns their start. */
char *json_write_digits(char *end, uint64_t value);

/* Decimal digits of `value` within the room there is (20 bytes at most). */
void json_copy_u64(struct weir_json_writer *writer, uint64_t value);

/* Appends `s` quoted and escaped, without a comma. */
void json_quote(struct weir_json_writer *writer, struct weir_str s);

#endif
