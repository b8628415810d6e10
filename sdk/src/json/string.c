// SPDX-License-Identifier: Apache-2.0
/*
 * Reading strings: one fast scan for the closing quote, and a second look only where escapes are.
 */
#include <config.h>

#include "sdk/src/base/encoding.h"
#include "sdk/src/base/utf8.h"
#include "sdk/src/json/token.h"

/* The four digits of a \u escape that was checked before. */
static uint32_t code_unit(const char *digits)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++)
        unit = unit << 4 | (uint32_t)hex_value(digits[i]);
    return unit;
}

/* Length of the escape at `at` (a backslash), 0 if it is none. */
static size_t escape_length(const char *at, const char *end)
{
    if (end - at < 2)
        return 0;
    if (at[1] != 'u')
        return at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) ? 2 : 0;
    if (end - at < 6)
        return 0;
    for (int i = 2; i < 6; i++)
        if (hex_value(at[i]) < 0)
            return 0;
    return 6;
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* Reads the character of the \u escape at *at, a pair of them where they belong together, and steps over it. */
static uint32_t take_unicode(const char **at, const char *end)
{
    uint32_t unit = code_unit(*at + 2);
    *at += 6;
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    if (unit < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        uint32_t low = code_unit(*at + 2);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *at += 6;
            return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return 0xfffd;
}

/* Copies the inside of a checked string with its escapes resolved; it never grows. */
static char *unescape(const char *at, const char *end, char *out)
{
    static const char meaning[] = { ['"'] = '"', ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t' };
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape ? escape : end) - at);
        memcpy(out, at, plain);
        out += plain;
        at += plain;
        if (!escape)
            break;
        if (at[1] == 'u') {
            out = put_utf8(out, take_unicode(&at, end));
        } else {
            *out++ = meaning[(unsigned char)at[1]];
            at += 2;
        }
    }
    return out;
}

/* Moves json->at from the first character inside to the closing quote; NULL with a problem. */
static bool scan(struct weir_json *json, bool *escaped)
{
    for (;;) {
        json->at = json_plain_end(json->at, json->end);
        if (json->at == json->end)
            return weir_json_fail(json, "unexpected end of JSON");
        unsigned char c = (unsigned char)*json->at;
        size_t step;
        if (c == '"')
            return true;
        if (c == '\\') {
            *escaped = true;
            step = escape_length(json->at, json->end);
            if (step == 0)
                return weir_json_fail(json, "bad escape in string");
        } else if (c < 0x20) {
            return weir_json_fail(json, "control character in string");
        } else {
            step = utf8_sequence((const unsigned char *)json->at, (size_t)(json->end - json->at));
            if (step == 0)
                return weir_json_fail(json, "bad UTF-8 in string");
        }
        json->at += step;
    }
}

bool json_long_string(struct weir_json *json, struct weir_str *out)
{
    const char *start = ++json->at;
    bool escaped = false;
    if (!scan(json, &escaped))
        return false;
    size_t length = (size_t)(json->at - start);
    if (length > WEIR_JSON_MAX_STRING)
        return weir_json_fail(json, "string is too long");
    if (escaped) {
        char *copy = weir_arena_alloc(json->arena, length);
        if (!copy)
            return weir_json_fail(json, "out of memory");
        length = (size_t)(unescape(start, json->at, copy) - copy);
        start = copy;
    }
    json->at++;
    *out = weir_str_make(start, length);
    return true;
}

bool weir_json_string(struct weir_json *json, struct weir_str *out)
{
    return json_string(json, out);
}
