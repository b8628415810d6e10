// SPDX-License-Identifier: Apache-2.0
/*
 * The steps that every token begins with, inlined into the reader and into the OTLP transcoder.
 */
#ifndef WEIR_SRC_JSON_TOKEN_H
#define WEIR_SRC_JSON_TOKEN_H

#include <endian.h>

#include <weir/json.h>

/* Ends every line of the tables below: one bit at the top of each byte. */
#define JSON_ONES 0x0101010101010101u
#define JSON_HIGHS 0x8080808080808080u

static inline void json_skip_space(struct weir_json *json)
{
    const char *at = json->at;
    while (at < json->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    json->at = at;
}

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

/* Marks, from the lowest address up to the first one marked, the bytes that do not simply belong to a string: quote,
 * backslash, control characters, and all of non-ASCII. Marks behind the first may be wrong. */
static inline uint64_t json_special(uint64_t word)
{
    uint64_t quote = word ^ (JSON_ONES * '"');
    uint64_t backslash = word ^ (JSON_ONES * '\\');
    uint64_t found = ((quote - JSON_ONES) & ~quote) | ((backslash - JSON_ONES) & ~backslash) |
                     ((word - JSON_ONES * 0x20) & ~word) | word;
    return found & JSON_HIGHS;
}

/* The first byte in [at, end) that is marked as above, or `end`. */
static inline const char *json_plain_end(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        uint64_t special = json_special(le64toh(word));
        if (special)
            return at + (__builtin_ctzll(special) >> 3);
        at += 8;
    }
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80)
        at++;
    return at;
}

#endif
