// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheus/text.h"

#include <math.h>

#include <weir/json.h>

#define SECOND 1000000000u

/* --- names --- */

static bool is_plain(char c, bool first, bool metric)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (metric && c == ':')
           || (!first && c >= '0' && c <= '9');
}

bool text_is_plain_name(struct weir_str name, bool metric)
{
    for (size_t i = 0; i < name.length; i++) {
        if (!is_plain(name.data[i], i == 0, metric))
            return false;
    }
    return name.length > 0;
}

/* The bytes of the character at `at`, and in *character what it is. The text is valid UTF-8. */
static size_t decode(struct weir_str text, size_t at, uint32_t *character)
{
    unsigned char lead = (unsigned char)text.data[at];
    size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length == 1 || length > text.length - at) {
        *character = lead;
        return 1;
    }
    uint32_t all = lead & (0x7fu >> length);
    for (size_t i = 1; i < length; i++)
        all = all << 6 | ((unsigned char)text.data[at + i] & 0x3fu);
    *character = all;
    return length;
}

static void add_odd(struct weir_text *text, uint32_t character, enum escaping escaping)
{
    if (escaping == ESCAPE_VALUES)
        weir_text_addf(text, "_%x_", (unsigned)character);
    else if (escaping == ESCAPE_DOTS)
        weir_text_adds(text, character == '.' ? "_dot_" : "__");
    else
        weir_text_addc(text, '_');
}

void text_add_name(struct weir_text *text, struct weir_str name, bool metric, enum escaping escaping)
{
    bool plain = text_is_plain_name(name, metric);
    if (escaping == ESCAPE_NOT || (plain && escaping != ESCAPE_DOTS)) {
        weir_text_add(text, name.data, name.length);
        return;
    }
    if (escaping == ESCAPE_VALUES)
        weir_text_adds(text, "U__");
    for (size_t at = 0; at < name.length;) {
        char c = name.data[at];
        uint32_t character;
        size_t length = decode(name, at, &character);
        if (c == '_' && escaping != ESCAPE_UNDERSCORES)
            weir_text_adds(text, "__");
        else if (length == 1 && is_plain(c, at == 0, metric))
            weir_text_addc(text, c);
        else
            add_odd(text, character, escaping);
        at += length;
    }
}

/* --- labels --- */

void text_add_quoted(struct weir_text *text, struct weir_str string)
{
    size_t from = 0;
    for (size_t i = 0; i < string.length; i++) {
        char c = string.data[i];
        if (c != '\\' && c != '"' && c != '\n')
            continue;
        weir_text_add(text, string.data + from, i - from);
        weir_text_addc(text, '\\');
        weir_text_addc(text, c == '\n' ? 'n' : c);
        from = i + 1;
    }
    if (from < string.length)
        weir_text_add(text, string.data + from, string.length - from);
}

void text_add_label(struct weir_text *text, struct weir_str name, struct weir_str value)
{
    const char *quote = text_is_plain_name(name, false) ? "" : "\"";
    if (text->length)
        weir_text_addc(text, ',');
    weir_text_adds(text, quote);
    text_add_quoted(text, name);
    weir_text_adds(text, quote);
    weir_text_adds(text, "=\"");
    text_add_quoted(text, value);
    weir_text_addc(text, '"');
}

/* The place behind the quoted string at `at`. */
static size_t skip_quoted(struct weir_str text, size_t at)
{
    for (at++; at < text.length && text.data[at] != '"'; at++) {
        if (text.data[at] == '\\')
            at++;
    }
    return at + 1;
}

static void unquote(struct weir_str quoted, struct weir_text *name)
{
    for (size_t i = 0; i < quoted.length; i++) {
        char c = quoted.data[i];
        if (c == '\\' && i + 1 < quoted.length) {
            c = quoted.data[++i];
            if (c == 'n')
                c = '\n';
        }
        weir_text_addc(name, c);
    }
}

/* Reads the name at `at`; returns the place of what is behind it. */
static size_t read_name(struct weir_str labels, size_t at, struct weir_text *name)
{
    size_t end = at;
    weir_text_clear(name);
    if (labels.data[at] == '"') {
        end = skip_quoted(labels, at);
        unquote(weir_str_make(labels.data + at + 1, end - at - 2), name);
    } else {
        while (labels.data[end] != '=')
            end++;
        weir_text_add(name, labels.data + at, end - at);
    }
    return end;
}

bool text_next_label(struct weir_str *labels, struct weir_text *name, struct weir_text *value)
{
    if (labels->length == 0)
        return false;
    size_t at = read_name(*labels, 0, name) + 1, end = skip_quoted(*labels, at);
    weir_text_clear(value);
    unquote(weir_str_make(labels->data + at + 1, end - at - 2), value);
    if (end < labels->length) /* the comma */
        end++;
    *labels = weir_str_make(labels->data + end, labels->length - end);
    return true;
}

void text_add_labels(struct weir_text *text, struct weir_str labels, enum escaping escaping)
{
    struct weir_text name = { 0 };
    if (escaping == ESCAPE_NOT || labels.length == 0) {
        weir_text_add(text, labels.data, labels.length);
        return;
    }
    for (size_t at = 0; at < labels.length;) {
        size_t end = read_name(labels, at, &name);
        text_add_name(text, weir_text_view(&name), false, escaping);
        at = skip_quoted(labels, end + 1);
        if (at < labels.length) /* the comma */
            at++;
        weir_text_add(text, labels.data + end, at - end);
    }
    weir_text_free(&name);
}

/* --- numbers --- */

/* A decimal number: 0.DIGITS times ten to the `exponent`. */
struct decimal {
    char digits[WEIR_JSON_DOUBLE_ROOM];
    size_t count;
    int64_t exponent;
};

static void split(const char *shortest, size_t length, struct decimal *out)
{
    const char *e = memchr(shortest, 'e', length), *end = e ? e : shortest + length;
    bool point = false;
    *out = (struct decimal){ .count = 0 };
    for (const char *at = shortest; at < end; at++) {
        if (*at == '.') {
            point = true;
        } else if (*at != '-') {
            bool leads = out->count == 0 && *at == '0';
            if (!leads)
                out->digits[out->count++] = *at;
            out->exponent += point ? (leads ? -1 : 0) : !leads;
        }
    }
    if (e) {
        const char *from = e[1] == '+' ? e + 2 : e + 1;
        int64_t more = 0;
        if (weir_str_to_i64(weir_str_make(from, (size_t)(shortest + length - from)), &more))
            out->exponent += more;
    }
    while (out->count > 1 && out->digits[out->count - 1] == '0')
        out->count--;
}

static void add_exponential(struct weir_text *text, const struct decimal *decimal)
{
    int exponent = (int)decimal->exponent - 1;
    weir_text_addc(text, decimal->digits[0]);
    if (decimal->count > 1) {
        weir_text_addc(text, '.');
        weir_text_add(text, decimal->digits + 1, decimal->count - 1);
    }
    weir_text_addf(text, "e%c%02d", exponent < 0 ? '-' : '+', exponent < 0 ? -exponent : exponent);
}

static void add_plain(struct weir_text *text, const struct decimal *decimal, bool point)
{
    int64_t whole = decimal->exponent;
    if (whole <= 0)
        weir_text_adds(text, "0.");
    for (int64_t i = whole; i < 0; i++)
        weir_text_addc(text, '0');
    for (int64_t i = 0; i < (int64_t)decimal->count || i < whole; i++) {
        if (whole > 0 && i == whole)
            weir_text_addc(text, '.');
        weir_text_addc(text, i < (int64_t)decimal->count ? decimal->digits[i] : '0');
    }
    if (point && whole >= (int64_t)decimal->count)
        weir_text_adds(text, ".0");
}

void text_add_number(struct weir_text *text, double value, bool point)
{
    char shortest[WEIR_JSON_DOUBLE_ROOM];
    struct decimal decimal;
    if (isnan(value)) {
        weir_text_adds(text, "NaN");
        return;
    }
    if (isinf(value)) {
        weir_text_adds(text, value > 0 ? "+Inf" : "-Inf");
        return;
    }
    split(shortest, weir_json_format_double(shortest, value), &decimal);
    if (signbit(value))
        weir_text_addc(text, '-');
    if (decimal.count == 0)
        weir_text_adds(text, point ? "0.0" : "0");
    else if (decimal.exponent < -3 || decimal.exponent > 6)
        add_exponential(text, &decimal);
    else
        add_plain(text, &decimal, point);
}

void text_add_seconds(struct weir_text *text, uint64_t nanoseconds)
{
    char digits[16];
    size_t length = sizeof(digits);
    uint64_t rest = nanoseconds % SECOND;
    size_t count = 9;
    for (; count > 1 && rest % 10 == 0; rest /= 10)
        count--;
    for (size_t i = 0; i < count; i++, rest /= 10)
        digits[--length] = (char)('0' + rest % 10);
    weir_text_addf(text, "%llu.", (unsigned long long)(nanoseconds / SECOND));
    weir_text_add(text, digits + length, sizeof(digits) - length);
}
