// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/loki/line.h"

#include <stdio.h>

bool loki_line_grow(struct loki_line *line, size_t more)
{
    if (line->problem)
        return false;
    if (more > LOKI_LINE_MAX - (line->out->length - line->start))
        line->problem = "the line would be longer than 16 MiB";
    else if (!weir_buffer_reserve(line->out, more))
        line->problem = "out of memory";
    return !line->problem;
}

/* Bytes from the blank on that do not stand in a string as they are: in any, and in one as Go's encoder has it. */
enum { ALWAYS = 1, IN_HTML = 2 };
static const unsigned char special[256] = {
    ['"'] = ALWAYS,  ['\\'] = ALWAYS, ['<'] = IN_HTML,
    ['>'] = IN_HTML, ['&'] = IN_HTML, [0xe2] = IN_HTML, /* the last maybe; see is_separator */
};

/* Where the next byte stands that may have to be escaped, or the end. */
static size_t skip_plain(struct weir_str text, size_t at, unsigned char which)
{
    while (at < text.length) {
        unsigned char c = (unsigned char)text.data[at];
        if (c < ' ' || (special[c] & which))
            break;
        at++;
    }
    return at;
}

static void add_escape(struct loki_line *line, unsigned char c)
{
    char text[8];
    switch (c) {
    case '"':
        loki_line_add(line, WEIR_STR("\\\""));
        break;
    case '\\':
        loki_line_add(line, WEIR_STR("\\\\"));
        break;
    case '\n':
        loki_line_add(line, WEIR_STR("\\n"));
        break;
    case '\r':
        loki_line_add(line, WEIR_STR("\\r"));
        break;
    case '\t':
        loki_line_add(line, WEIR_STR("\\t"));
        break;
    default:
        snprintf(text, sizeof(text), "\\u%04x", c);
        loki_line_add(line, weir_str_of(text));
    }
}

/* U+2028 and U+2029, which Go escapes for JavaScript's sake. */
static bool is_separator(struct weir_str text, size_t at)
{
    return text.length - at >= 3 && memcmp(text.data + at, "\xe2\x80", 2) == 0 &&
           (text.data[at + 2] == '\xa8' || text.data[at + 2] == '\xa9');
}

void loki_line_add_quoted(struct loki_line *line, struct weir_str text, bool html)
{
    unsigned char which = html ? ALWAYS | IN_HTML : ALWAYS;
    size_t from = 0, at = skip_plain(text, 0, which);
    loki_line_addc(line, '"');
    for (; at < text.length && !line->problem; at = skip_plain(text, at, which)) {
        unsigned char c = (unsigned char)text.data[at];
        bool separator = c == 0xe2 && is_separator(text, at);
        if (c == 0xe2 && !separator) {
            at++;
            continue;
        }
        loki_line_add(line, weir_str_make(text.data + from, at - from));
        if (separator)
            loki_line_add(line, text.data[at + 2] == '\xa8' ? WEIR_STR("\\u2028") : WEIR_STR("\\u2029"));
        else
            add_escape(line, c);
        at += separator ? 3 : 1;
        from = at;
    }
    if (text.length > from)
        loki_line_add(line, weir_str_make(text.data + from, text.length - from));
    loki_line_addc(line, '"');
}

bool loki_id_is_set(weir_id_bytes id)
{
    for (size_t i = 0; i < id.length; i++) {
        if (id.data[i])
            return true;
    }
    return false;
}

void loki_line_add_hex(struct loki_line *line, weir_id_bytes id)
{
    static const char digits[] = "0123456789abcdef";
    char text[32];
    for (size_t i = 0; i < id.length;) {
        size_t length = 0;
        for (; i < id.length && length < sizeof(text); i++) {
            text[length++] = digits[(unsigned char)id.data[i] >> 4];
            text[length++] = digits[(unsigned char)id.data[i] & 15];
        }
        loki_line_add(line, weir_str_make(text, length));
    }
}

void loki_line_add_value(struct loki_line *line, const struct weir_value *value)
{
    if (value->type == WEIR_VALUE_STRING) {
        loki_line_add(line, value->string);
        return;
    }
    struct weir_text text = { 0 };
    weir_value_print(value, &text);
    loki_line_add(line, weir_text_view(&text));
    weir_text_free(&text);
}

void loki_line_add_number(struct loki_line *line, int64_t number)
{
    char text[24], *at = text + sizeof(text);
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (number < 0)
        *--at = '-';
    loki_line_add(line, weir_str_make(at, (size_t)(text + sizeof(text) - at)));
}

void loki_line_raw(struct loki_line *line, const struct loki_record *record)
{
    loki_line_add_value(line, &record->log->body);
}
