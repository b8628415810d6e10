// SPDX-License-Identifier: Apache-2.0
/*
 * The growing string.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <weir/str.h>

#include "sdk/src/base/utf8.h"

/* Room for `more` bytes and the NUL. */
static void reserve(struct weir_text *text, size_t more)
{
    size_t need;
    if (!weir_size_add(text->length, more, &need) || !weir_size_add(need, 1, &need))
        need = SIZE_MAX; // weir_xrealloc() reports it
    if (need <= text->capacity)
        return;
    size_t capacity = text->capacity ? text->capacity : 64;
    while (capacity < need)
        if (!weir_size_mul(capacity, 2, &capacity))
            capacity = need;
    text->data = weir_xrealloc(text->data, capacity);
    text->capacity = capacity;
}

void weir_text_add(struct weir_text *text, const char *data, size_t length)
{
    reserve(text, length);
    if (length > 0)
        memcpy(text->data + text->length, data, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void weir_text_adds(struct weir_text *text, const char *string)
{
    weir_text_add(text, string, strlen(string));
}

void weir_text_addc(struct weir_text *text, char c)
{
    weir_text_add(text, &c, 1);
}

void weir_text_addf(struct weir_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    weir_text_vaddf(text, format, arguments);
    va_end(arguments);
}

void weir_text_vaddf(struct weir_text *text, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    reserve(text, 32);
    size_t room = text->capacity - text->length;
    int length = vsnprintf(text->data + text->length, room, format, arguments);
    if (length > 0 && (size_t)length >= room) {
        reserve(text, (size_t)length);
        length = vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
    }
    va_end(again);
    if (length > 0)
        text->length += (size_t)length;
    text->data[text->length] = '\0';
}

static void add_json_ascii(struct weir_text *text, unsigned char c)
{
    switch (c) {
    case '"':
        weir_text_adds(text, "\\\"");
        break;
    case '\\':
        weir_text_adds(text, "\\\\");
        break;
    case '\b':
        weir_text_adds(text, "\\b");
        break;
    case '\f':
        weir_text_adds(text, "\\f");
        break;
    case '\n':
        weir_text_adds(text, "\\n");
        break;
    case '\r':
        weir_text_adds(text, "\\r");
        break;
    case '\t':
        weir_text_adds(text, "\\t");
        break;
    default:
        weir_text_addf(text, "\\u%04x", c);
    }
}

void weir_text_add_json(struct weir_text *text, struct weir_str s)
{
    const unsigned char *data = (const unsigned char *)s.data;
    size_t plain = 0; // start of what can be copied as it is
    size_t at = 0;
    while (at < s.length) {
        unsigned char c = data[at];
        size_t step = utf8_sequence(data + at, s.length - at);
        if (step > 1 || (step == 1 && c >= 0x20 && c != '"' && c != '\\')) {
            at += step;
            continue;
        }
        weir_text_add(text, s.data + plain, at - plain);
        if (step == 0)
            weir_text_adds(text, "\xef\xbf\xbd"); // U+FFFD for each byte that fits nowhere
        else
            add_json_ascii(text, c);
        plain = ++at;
    }
    if (at > plain)
        weir_text_add(text, s.data + plain, at - plain);
}

void weir_text_clear(struct weir_text *text)
{
    text->length = 0;
    if (text->data)
        text->data[0] = '\0';
}

void weir_text_free(struct weir_text *text)
{
    free(text->data);
    *text = (struct weir_text){ NULL, 0, 0 };
}

const char *weir_text_string(const struct weir_text *text)
{
    return text->data ? text->data : "";
}

char *weir_text_steal(struct weir_text *text)
{
    char *data = text->data ? text->data : weir_xstrdup("");
    *text = (struct weir_text){ NULL, 0, 0 };
    return data;
}
