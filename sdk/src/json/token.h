// SPDX-License-Identifier: Apache-2.0
/*
 * The steps that every token begins with, inlined into the reader and into the OTLP transcoder.
 */
#ifndef WEIR_SRC_JSON_TOKEN_H
#define WEIR_SRC_JSON_TOKEN_H

#include <endian.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <weir/json.h>

static inline void json_skip_space(struct weir_json *json)
{
    const char *at = json->at;
    while (at < json->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    json->at = at;
}

/* Fails for want of something, saying so when the input simply ends. */
bool json_wanted(struct weir_json *json, const char *problem);

/* The next character that is not white space, not consumed; 0 at the end, which is also where a problem was. */
static inline char json_next(struct weir_json *json)
{
    if (json->at < json->end && (unsigned char)*json->at > ' ')
        return *json->at;
    json_skip_space(json);
    return json->at < json->end ? *json->at : 0;
}

/* Consumes `c` if it comes next. */
static inline bool json_take(struct weir_json *json, char c)
{
    if (json_next(json) != c)
        return false;
    json->at++;
    return true;
}

#ifdef __SSE2__
/* Marks bytes that do not simply belong to a string. */
static inline __m128i json_odd_bytes(__m128i bytes)
{
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(' ');
    // The comparison is signed, so that it finds bytes from 0x80 on, too.
    return _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                        _mm_cmplt_epi8(bytes, space));
}

/* The first byte in [at, end) that does not simply belong to a string (quote, backslash, control character, or any of
 * non-ASCII), or `end`. */
static inline const char *json_plain_end(const char *at, const char *end)
{
    while (end - at >= 16) {
        __m128i found = json_odd_bytes(_mm_loadu_si128((const __m128i *)(const void *)at));
        unsigned mask = (unsigned)_mm_movemask_epi8(found);
        if (mask)
            return at + __builtin_ctz(mask);
        at += 16;
    }
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80)
        at++;
    return at;
}
#else
#define JSON_ONES 0x0101010101010101u
#define JSON_HIGHS 0x8080808080808080u

/* As above, eight bytes at a time: the lowest mark is right, those behind it may be wrong. */
static inline const char *json_plain_end(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        word = le64toh(word);
        uint64_t quote = word ^ (JSON_ONES * '"');
        uint64_t backslash = word ^ (JSON_ONES * '\\');
        uint64_t found = ((quote - JSON_ONES) & ~quote) | ((backslash - JSON_ONES) & ~backslash) |
                         ((word - JSON_ONES * 0x20) & ~word) | word;
        if (found & JSON_HIGHS)
            return at + (__builtin_ctzll(found & JSON_HIGHS) >> 3);
        at += 8;
    }
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80)
        at++;
    return at;
}
#endif

/* Reads a string from its opening quote on, whatever is in it. */
bool json_long_string(struct weir_json *json, struct weir_str *out);

/* As weir_json_string. */
static inline bool json_string(struct weir_json *json, struct weir_str *out)
{
    if (json_next(json) != '"')
        return json_wanted(json, "expected a string");
    const char *start = json->at + 1;
    const char *end = json_plain_end(start, json->end);
    if (end == json->end || *end != '"' || (size_t)(end - start) > WEIR_JSON_MAX_STRING)
        return json_long_string(json, out);
    json->at = end + 1;
    *out = weir_str_make(start, (size_t)(end - start));
    return true;
}

static inline bool json_is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* True of what looks like more of a number, though not at its beginning. */
static inline bool json_in_number(char c)
{
    return json_is_digit(c) || c == '.' || (c | 0x20) == 'e';
}

/* The value of the `count` (1 to 8) digits that `word`, loaded little-endian, begins with. Each step adds up neighbours:
 * digits, then pairs, then fours. */
static inline uint64_t json_word_value(uint64_t word, unsigned count)
{
    // Those behind them are pushed out; zeros come in before them.
    word <<= 64 - 8 * count;
    word &= 0x0f0f0f0f0f0f0f0f;
    word = (word * 10 + (word >> 8)) & 0x00ff00ff00ff00ff;
    word = (word * 100 + (word >> 16)) & 0x0000ffff0000ffff;
    return (word * 10000 + (word >> 32)) & 0xffffffff;
}

/* Reads the digits that come next, at most 24, and appends them to *value, which wraps around if they are too many; the
 * first character that is none. Near the end of the text, where no eight characters can be loaded, it may stop early. */
static inline const char *json_digits(const char *at, const char *end, uint64_t *value)
{
    static const uint64_t tens[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000 };
    for (int i = 0; i < 3 && end - at >= 8; i++) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        word = le64toh(word);
        // 0 to 9 is what a digit differs from '0' in. The lowest mark is right, those behind it may be wrong.
        uint64_t off = word ^ 0x3030303030303030;
        uint64_t other = ((off + 0x7676767676767676) | off) & 0x8080808080808080;
        unsigned count = other ? (unsigned)__builtin_ctzll(other) >> 3 : 8;
        if (count == 0)
            break;
        *value = *value * tens[count] + json_word_value(word, count);
        at += count;
        if (count < 8)
            break;
    }
    return at;
}

/* 5^0 to 5^27, all that 64 bits hold. */
extern const uint64_t json_fives[28];

/* Reads a number without an exponent whose digits are at most 19; behind it, NULL if it is another or none, or the text
 * ends near it. */
const char *json_decimal(const char *at, const char *end, double *out);

/* Moves to the next member or element; false at `close`, which is consumed, or with `problem`. */
static inline bool json_advance(struct weir_json *json, char close, const char *problem)
{
    char c = json_next(json);
    if (c == ',' && !json->first) {
        json->at++;
        return true;
    }
    if (c == close) {
        json->at++;
        json->depth--;
        json->first = false;
        return false;
    }
    if (!json->first || c == 0)
        return json_wanted(json, problem);
    json->first = false;
    return true;
}

/* Reads a key and its colon. */
static inline bool json_key(struct weir_json *json, struct weir_str *key)
{
    if (json_next(json) != '"')
        return json_wanted(json, "expected a key");
    return json_string(json, key) && (json_take(json, ':') || json_wanted(json, "expected ':'"));
}

#endif
