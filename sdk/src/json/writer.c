// SPDX-License-Identifier: Apache-2.0
/*
 * The writer.
 */
#include <config.h>

#include <math.h>

#include "sdk/src/base/utf8.h"
#include "sdk/src/json/writer.h"

/* The longest form of one input byte: \u001f. */
#define ESCAPE_ROOM 6

static void copy_escape(struct weir_json_writer *writer, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char names[] = { ['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' };
    json_copy_char(writer, '\\');
    if (c < sizeof(names) && names[c]) {
        json_copy_char(writer, names[c]);
        return;
    }
    json_copy(writer, "u00", 3);
    json_copy_char(writer, hex[c >> 4]);
    json_copy_char(writer, hex[c & 15]);
}

/* One byte or sequence that cannot be copied blindly; returns how much of the input it was. */
static size_t copy_special(struct weir_json_writer *writer, const char *at, size_t left)
{
    unsigned char c = (unsigned char)*at;
    if (c < 0x80) {
        copy_escape(writer, c);
        return 1;
    }
    size_t length = utf8_sequence((const unsigned char *)at, left);
    if (length > 0)
        json_copy(writer, at, length);
    else
        json_copy(writer, "\xef\xbf\xbd", 3);
    return length > 0 ? length : 1;
}

void json_quote(struct weir_json_writer *writer, struct weir_str s)
{
    const char *at = s.length > 0 ? s.data : "";
    const char *end = at + s.length;
    if (s.length > SIZE_MAX / 2 || !json_room(writer, s.length + 2)) {
        writer->failed = true;
        return;
    }
    json_copy_char(writer, '"');
    if (json_copy_plain(writer, weir_str_make(at, s.length))) {
        json_copy_char(writer, '"');
        return;
    }
    for (;;) {
        const char *special = json_plain_end(at, end);
        json_copy(writer, at, (size_t)(special - at));
        if (special == end)
            break;
        // Room for the rest as it is, the escape, and the closing quote.
        if (!json_room(writer, (size_t)(end - special) + ESCAPE_ROOM + 1))
            return;
        at = special + copy_special(writer, special, (size_t)(end - special));
    }
    json_copy_char(writer, '"');
}

static void open_level(struct weir_json_writer *writer, char bracket)
{
    if (!json_room(writer, 2))
        return;
    json_comma(writer);
    json_copy_char(writer, bracket);
    writer->comma = false;
}

static void close_level(struct weir_json_writer *writer, char bracket)
{
    if (!json_room(writer, 1))
        return;
    json_copy_char(writer, bracket);
    writer->comma = true;
}

void weir_json_open_object(struct weir_json_writer *writer)
{
    open_level(writer, '{');
}

void weir_json_close_object(struct weir_json_writer *writer)
{
    close_level(writer, '}');
}

void weir_json_open_array(struct weir_json_writer *writer)
{
    open_level(writer, '[');
}

void weir_json_close_array(struct weir_json_writer *writer)
{
    close_level(writer, ']');
}

void weir_json_key(struct weir_json_writer *writer, struct weir_str key)
{
    weir_json_put_string(writer, key);
    if (!json_room(writer, 1))
        return;
    json_copy_char(writer, ':');
    writer->comma = false;
}

void weir_json_put_string(struct weir_json_writer *writer, struct weir_str s)
{
    if (!json_room(writer, 1))
        return;
    json_comma(writer);
    json_quote(writer, s);
    writer->comma = true;
}

char *json_write_digits(char *end, uint64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    while (value >= 100) {
        end -= 2;
        memcpy(end, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value < 10) {
        *--end = (char)('0' + value);
        return end;
    }
    end -= 2;
    memcpy(end, pairs + value * 2, 2);
    return end;
}

void json_copy_u64(struct weir_json_writer *writer, uint64_t value)
{
    char text[20], *start = json_write_digits(text + sizeof(text), value);
    json_copy(writer, start, (size_t)(text + sizeof(text) - start));
}

void weir_json_put_u64(struct weir_json_writer *writer, uint64_t value)
{
    if (!json_room(writer, 22))
        return;
    json_comma(writer);
    json_copy_u64(writer, value);
    writer->comma = true;
}

void weir_json_put_i64(struct weir_json_writer *writer, int64_t value)
{
    if (!json_room(writer, 22))
        return;
    json_comma(writer);
    if (value < 0)
        json_copy_char(writer, '-');
    json_copy_u64(writer, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
    writer->comma = true;
}

void weir_json_put_raw(struct weir_json_writer *writer, struct weir_str json)
{
    if (json.length > SIZE_MAX / 2 || !json_room(writer, json.length + 1)) {
        writer->failed = true;
        return;
    }
    json_comma(writer);
    json_copy(writer, json.data, json.length);
    writer->comma = true;
}

void weir_json_put_bool(struct weir_json_writer *writer, bool value)
{
    weir_json_put_raw(writer, value ? WEIR_STR("true") : WEIR_STR("false"));
}

void weir_json_put_null(struct weir_json_writer *writer)
{
    weir_json_put_raw(writer, WEIR_STR("null"));
}

void weir_json_put_double(struct weir_json_writer *writer, double value)
{
    char text[WEIR_JSON_DOUBLE_ROOM];
    if (isnan(value))
        weir_json_put_raw(writer, WEIR_STR("\"NaN\""));
    else if (isinf(value))
        weir_json_put_raw(writer, value > 0 ? WEIR_STR("\"Infinity\"") : WEIR_STR("\"-Infinity\""));
    else
        weir_json_put_raw(writer, weir_str_make(text, weir_json_format_double(text, value)));
}
