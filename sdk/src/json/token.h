// SPDX-License-Identifier: Apache-2.0
/*
 * The steps that every token begins with, inlined into the reader and into the OTLP transcoder.
 */
#ifndef WEIR_SRC_JSON_TOKEN_H
#define WEIR_SRC_JSON_TOKEN_H

#ifdef __SSE2__
#include <emmintrin.h>
#else
#include <endian.h>
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

/* The next character that is not white space, not consumed; 0 at the end or after a problem. */
static inline char json_next(struct weir_json *json)
{
    if (json->problem)
        return 0;
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
/* The first byte in [at, end) that does not simply belong to a string (quote, backslash, control character, or any of
 * non-ASCII), or `end`. */
static inline const char *json_plain_end(const char *at, const char *end)
{
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(' ');
    while (end - at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        // The comparison is signed, so that it finds bytes from 0x80 on, too.
        __m128i found = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                                     _mm_cmplt_epi8(bytes, space));
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
