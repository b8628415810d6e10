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

/* Behind `text`, a literal, if it comes next; else NULL. */
#define SHORTCUT_TAKE(at, end, text) \
    (SHORTCUT_IS(at, end, text, sizeof(text) - 1) ? (at) + sizeof(text) - 1 : NULL)
#define SHORTCUT_IS(at, end, text, length) ((size_t)((end) - (at)) >= (length) && memcmp(at, text, length) == 0)

/* Keys of AnyValue's fields on the wire. */
enum shortcut_kind {
    SHORTCUT_STRING = 1 << 3 | WEIR_WIRE_BYTES,
    SHORTCUT_BOOL = 2 << 3 | WEIR_WIRE_VARINT,
    SHORTCUT_INT = 3 << 3 | WEIR_WIRE_VARINT,
};

struct shortcut_value {
    enum shortcut_kind kind;
    struct weir_str text;
    uint64_t number;
};

/* The rest of a string without escapes, all ASCII; behind its closing quote, or NULL. */
static inline const char *shortcut_string(const char *at, const char *end, struct weir_str *out)
{
    const char *close = json_plain_end(at, end);
    if (close == end || *close != '"' || (size_t)(close - at) > WEIR_JSON_MAX_STRING)
        return NULL;
    *out = weir_str_make(at, (size_t)(close - at));
    return close + 1;
}

/* An integer of at most 18 digits, none of them a leading zero, which therefore fits. */
static inline const char *shortcut_integer(const char *at, const char *end, uint64_t *out)
{
    uint64_t value = 0;
    bool negative = at < end && *at == '-';
    at += negative;
    const char *start = at;
    for (; at < end && (unsigned char)(*at - '0') < 10; at++) {
        if (at - start == 18)
            return NULL;
        value = value * 10 + (unsigned char)(*at - '0');
    }
    if (at == start || (*start == '0' && at - start > 1))
        return NULL;
    *out = negative ? 0 - value : value;
    return at;
}

/* An AnyValue and the brace behind it; behind both, or NULL. */
static inline const char *shortcut_value(const char *at, const char *end, struct shortcut_value *out)
{
    const char *next;
    if ((next = SHORTCUT_TAKE(at, end, "{\"stringValue\":\"")) != NULL) {
        out->kind = SHORTCUT_STRING;
        next = shortcut_string(next, end, &out->text);
        return next ? SHORTCUT_TAKE(next, end, "}}") : NULL;
    }
    if ((next = SHORTCUT_TAKE(at, end, "{\"intValue\":")) != NULL) {
        out->kind = SHORTCUT_INT;
        bool quoted = next < end && *next == '"';
        next = shortcut_integer(next + quoted, end, &out->number);
        if (!next)
            return NULL;
        return quoted ? SHORTCUT_TAKE(next, end, "\"}}") : SHORTCUT_TAKE(next, end, "}}");
    }
    out->kind = SHORTCUT_BOOL;
    out->number = (next = SHORTCUT_TAKE(at, end, "{\"boolValue\":true}}")) != NULL;
    return next ? next : SHORTCUT_TAKE(at, end, "{\"boolValue\":false}}");
}

static inline size_t shortcut_string_size(size_t length)
{
    return 1 + pb_varint_length(length) + length;
}

/* Writes a string's key, length and bytes into room that is there with PB_SLACK more; `end` is that of the text. */
static inline uint8_t *shortcut_put_string(uint8_t *at, uint8_t key, struct weir_str s, const char *end)
{
    *at++ = key;
    at = pb_store_varint(at, s.length);
    // A copy of a fixed size takes no call; what is too much is overwritten by what follows.
    if (s.length <= PB_SLACK && end - s.data >= PB_SLACK)
        memcpy(at, s.data, PB_SLACK);
    else
        memcpy(at, s.data, s.length);
    return at + s.length;
}

/* Writes the attribute that comes next in `json` as field `key` (one byte), if it is one of these; false, with nothing
 * read or written, if not, or when memory is out. */
static inline bool shortcut_attribute(struct weir_json *json, struct pb_writer *pb, uint8_t key)
{
    struct weir_str name;
    struct shortcut_value value = { .number = 0 };
    const char *at = SHORTCUT_TAKE(json->at, json->end, "{\"key\":\"");
    at = at ? shortcut_string(at, json->end, &name) : NULL;
    at = at ? SHORTCUT_TAKE(at, json->end, ",\"value\":") : NULL;
    at = at ? shortcut_value(at, json->end, &value) : NULL;
    if (!at || name.length == 0 || json->max_depth - json->depth < 2)
        return false;
    size_t inner = value.kind == SHORTCUT_STRING ? shortcut_string_size(value.text.length)
                                                 : 1 + pb_varint_length(value.number);
    size_t whole = shortcut_string_size(name.length) + shortcut_string_size(inner);
    if (!pb_room(pb, shortcut_string_size(whole) + PB_SLACK))
        return false;
    uint8_t *out = pb->out->data + pb->out->length;
    *out++ = key;
    out = pb_store_varint(out, whole);
    out = shortcut_put_string(out, 1 << 3 | WEIR_WIRE_BYTES, name, json->end);
    *out++ = 2 << 3 | WEIR_WIRE_BYTES;
    out = pb_store_varint(out, inner);
    if (value.kind == SHORTCUT_STRING) {
        out = shortcut_put_string(out, SHORTCUT_STRING, value.text, json->end);
    } else {
        *out++ = (uint8_t)value.kind;
        out = pb_store_varint(out, value.number);
    }
    pb->out->length = (size_t)(out - pb->out->data);
    json->at = at;
    return true;
}

#endif
