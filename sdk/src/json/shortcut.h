// SPDX-License-Identifier: Apache-2.0
/*
 * The transcoder's short cut: an attribute as most writers put it, key first, then one plain scalar, no white space and
 * no escapes: {"key":"K","value":{"stringValue":"V"}}. Most of a span's text is made of these. Whatever looks different
 * in any way is left to the long way, which also finds the words for what is wrong.
 */
#ifndef WEIR_SRC_JSON_SHORTCUT_H
#define WEIR_SRC_JSON_SHORTCUT_H

#include "sdk/src/json/pb_writer.h"
#include "sdk/src/json/token.h"

/* True if the text at `at` begins with `literal`; the text is known to go on for as long. */
#define SHORTCUT_IS(at, literal) (memcmp(at, literal, sizeof(literal) - 1) == 0)
#define SHORTCUT_LENGTH(literal) (sizeof(literal) - 1)
/* What has to follow a place for the fixed text there to be compared without another look at the end, and for a short
 * string that ends there to be copied as a block. */
#define SHORTCUT_AHEAD 32

/* Keys of AnyValue's fields on the wire. */
enum shortcut_kind {
    SHORTCUT_STRING = 1 << 3 | WEIR_WIRE_BYTES,
    SHORTCUT_BOOL = 2 << 3 | WEIR_WIRE_VARINT,
    SHORTCUT_INT = 3 << 3 | WEIR_WIRE_VARINT,
    SHORTCUT_DOUBLE = 4 << 3 | WEIR_WIRE_FIXED64,
};

struct shortcut {
    enum shortcut_kind kind;
    struct weir_str name;
    struct weir_str text;
    uint64_t number;
};

/* An integer, quoted or not, of at most 18 digits, none of them a leading zero; behind it, or NULL. */
static inline const char *shortcut_integer(const char *at, const char *end, uint64_t *out)
{
    bool quoted = *at == '"';
    at += quoted;
    bool negative = *at == '-';
    at += negative;
    uint64_t value = 0;
    const char *next = json_digits(at, end, &value);
    if (next == at || next - at > 18 || (*at == '0' && next - at > 1) || next == end)
        return NULL;
    if (quoted && *next++ != '"')
        return NULL;
    *out = negative ? 0 - value : value;
    return next;
}

/* The name and value of an AnyValue's only field, from behind the name's opening quote; behind the value, or NULL. */
static inline const char *shortcut_value(const char *at, const char *end, struct shortcut *out)
{
    if (SHORTCUT_IS(at, "stringValue\":\"")) {
        const char *start = at + SHORTCUT_LENGTH("stringValue\":\"");
        at = json_plain_end(start, end);
        out->kind = SHORTCUT_STRING;
        out->text = weir_str_make(start, (size_t)(at - start));
        return at < end && *at == '"' ? at + 1 : NULL;
    }
    if (SHORTCUT_IS(at, "intValue\":")) {
        out->kind = SHORTCUT_INT;
        return shortcut_integer(at + SHORTCUT_LENGTH("intValue\":"), end, &out->number);
    }
    if (SHORTCUT_IS(at, "doubleValue\":")) {
        double value;
        at = json_decimal(at + SHORTCUT_LENGTH("doubleValue\":"), end, &value);
        out->kind = SHORTCUT_DOUBLE;
        if (at)
            memcpy(&out->number, &value, sizeof(value));
        return at;
    }
    out->kind = SHORTCUT_BOOL;
    out->number = SHORTCUT_IS(at, "boolValue\":true");
    if (out->number)
        return at + SHORTCUT_LENGTH("boolValue\":true");
    return SHORTCUT_IS(at, "boolValue\":false") ? at + SHORTCUT_LENGTH("boolValue\":false") : NULL;
}

/* Reads an attribute; behind it, or NULL. */
static inline const char *shortcut_read(const char *at, const char *end, struct shortcut *out)
{
    if (end - at < SHORTCUT_AHEAD || !SHORTCUT_IS(at, "{\"key\":\""))
        return NULL;
    const char *start = at + SHORTCUT_LENGTH("{\"key\":\"");
    at = json_plain_end(start, end);
    out->name = weir_str_make(start, (size_t)(at - start));
    if (end - at < SHORTCUT_AHEAD || !SHORTCUT_IS(at, "\",\"value\":{\"") || at == start)
        return NULL;
    at = shortcut_value(at + SHORTCUT_LENGTH("\",\"value\":{\""), end, out);
    return at && end - at >= 2 && SHORTCUT_IS(at, "}}") ? at + 2 : NULL;
}

/* Writes a string's bytes into room that is there with PB_SLACK more; `end` is that of the text. */
static inline uint8_t *shortcut_put_bytes(uint8_t *at, struct weir_str s, const char *end)
{
    // A copy of a fixed size takes no call; what is too much is overwritten by what follows.
    if (s.length <= PB_SLACK && end - s.data >= PB_SLACK)
        memcpy(at, s.data, PB_SLACK);
    else
        memcpy(at, s.data, s.length);
    return at + s.length;
}

static inline uint8_t *shortcut_put_string(uint8_t *at, uint8_t key, struct weir_str s, const char *end)
{
    *at++ = key;
    at = weir_wire_put_varint(at, s.length);
    return shortcut_put_bytes(at, s, end);
}

static inline size_t shortcut_string_size(size_t length)
{
    return 1 + pb_varint_length(length) + length;
}

/* The size of the AnyValue. */
static inline size_t shortcut_value_size(const struct shortcut *it)
{
    if (it->kind == SHORTCUT_STRING)
        return shortcut_string_size(it->text.length);
    return it->kind == SHORTCUT_DOUBLE ? 1 + sizeof(it->number) : 1 + pb_varint_length(it->number);
}

/* Writes the attribute as field `key` (one byte); false, with nothing written, when memory is out or a string is too
 * long. */
static inline bool shortcut_write(struct pb_writer *pb, uint8_t key, const struct shortcut *it, const char *end)
{
    if (it->name.length > WEIR_JSON_MAX_STRING || (it->kind == SHORTCUT_STRING && it->text.length > WEIR_JSON_MAX_STRING))
        return false;
    size_t inner = shortcut_value_size(it);
    size_t whole = shortcut_string_size(it->name.length) + shortcut_string_size(inner);
    if (!pb_room(pb, shortcut_string_size(whole) + PB_SLACK))
        return false;
    uint8_t *out = pb->out->data + pb->out->length;
    *out++ = key;
    out = weir_wire_put_varint(out, whole);
    out = shortcut_put_string(out, 1 << 3 | WEIR_WIRE_BYTES, it->name, end);
    *out++ = 2 << 3 | WEIR_WIRE_BYTES;
    out = weir_wire_put_varint(out, inner);
    if (it->kind == SHORTCUT_STRING) {
        out = shortcut_put_string(out, SHORTCUT_STRING, it->text, end);
    } else if (it->kind == SHORTCUT_DOUBLE) {
        uint64_t bits = htole64(it->number);
        *out++ = SHORTCUT_DOUBLE;
        memcpy(out, &bits, sizeof(bits));
        out += sizeof(bits);
    } else {
        *out++ = (uint8_t)it->kind;
        out = weir_wire_put_varint(out, it->number);
    }
    pb->out->length = (size_t)(out - pb->out->data);
    return true;
}

/* Reads attributes from the next one on and writes each as field `key` (one byte). True if the last that was read is
 * followed by something else than a comma; false, before an attribute, if that one has to go the long way. */
static inline bool shortcut_attributes(struct weir_json *json, struct pb_writer *pb, uint8_t key)
{
    const char *at = json->at, *end = json->end;
    struct shortcut it = { .number = 0 };
    if (json->max_depth - json->depth < 2)
        return false;
    for (;;) {
        at = shortcut_read(at, end, &it);
        if (!at || !shortcut_write(pb, key, &it, end))
            return false;
        json->at = at;
        if (at == end || *at != ',')
            return true;
        json->at = ++at;
    }
}

#endif
