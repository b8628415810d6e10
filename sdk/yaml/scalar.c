// SPDX-License-Identifier: Apache-2.0
/*
 * Plain YAML scalars: null, booleans, numbers, timestamps, strings (gopkg.in/yaml.v3, resolve.go).
 */
#include <config.h>

#include <math.h>

#include "sdk/yaml/scalar.h"

static bool is_one_of(struct weir_str text, const char *const *words)
{
    for (; *words; words++) {
        if (weir_str_is(text, *words))
            return true;
    }
    return false;
}

/* The words with a meaning of their own; false if the text is none of them. */
static bool resolve_word(struct weir_node *node)
{
    static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
    static const char *const trues[] = { "true", "True", "TRUE", NULL };
    static const char *const falses[] = { "false", "False", "FALSE", NULL };
    static const char *const nans[] = { ".nan", ".NaN", ".NAN", NULL };
    static const char *const infinities[] = { ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", NULL };
    static const char *const negatives[] = { "-.inf", "-.Inf", "-.INF", NULL };
    if (is_one_of(node->raw, nulls)) {
        node->type = WEIR_NODE_NULL;
    } else if (is_one_of(node->raw, trues) || is_one_of(node->raw, falses)) {
        node->type = WEIR_NODE_BOOL;
        node->boolean = is_one_of(node->raw, trues);
    } else if (is_one_of(node->raw, nans) || is_one_of(node->raw, infinities) ||
               is_one_of(node->raw, negatives)) {
        node->type = WEIR_NODE_DOUBLE;
        node->number = is_one_of(node->raw, nans)        ? NAN
                       : is_one_of(node->raw, negatives) ? -INFINITY
                                                         : INFINITY;
    } else {
        return false;
    }
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int digit_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

/* The base that a prefix asks for (Go's base 0), and how long the prefix is. */
static unsigned number_base(struct weir_str digits, size_t *prefix)
{
    *prefix = 0;
    if (digits.length < 2 || digits.data[0] != '0')
        return 10;
    *prefix = 2;
    switch (digits.data[1]) {
    case 'x':
    case 'X':
        return 16;
    case 'o':
    case 'O':
        return 8;
    case 'b':
    case 'B':
        return 2;
    default:
        *prefix = 1;
        return 8;
    }
}

/* Integers; those beyond int64 but within uint64 become doubles. */
static bool resolve_integer(struct weir_node *node, struct weir_str plain)
{
    bool negative = plain.data[0] == '-';
    bool sign = negative || plain.data[0] == '+';
    struct weir_str digits = weir_str_make(plain.data + sign, plain.length - sign);
    size_t at;
    uint64_t base = number_base(digits, &at);
    if (at >= digits.length)
        return false;
    uint64_t value = 0;
    for (; at < digits.length; at++) {
        uint64_t digit = (uint64_t)digit_value(digits.data[at]);
        if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    uint64_t limit = negative ? (uint64_t)1 << 63 : INT64_MAX;
    if (value <= limit) {
        node->type = WEIR_NODE_INT;
        node->integer = negative ? (int64_t)(0 - value) : (int64_t)value;
        return true;
    }
    if (sign)
        return false;
    node->type = WEIR_NODE_DOUBLE;
    node->number = (double)value;
    return true;
}

static size_t skip_digits(struct weir_str text, size_t at)
{
    while (at < text.length && is_digit(text.data[at]))
        at++;
    return at;
}

/* ^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$ */
static bool looks_like_float(struct weir_str text)
{
    size_t at = text.data[0] == '-' || text.data[0] == '+';
    size_t whole = at;
    at = skip_digits(text, at);
    bool digits = at > whole;
    if (at < text.length && text.data[at] == '.') {
        size_t fraction = ++at;
        at = skip_digits(text, at);
        digits = digits || at > fraction;
    }
    if (!digits)
        return false;
    if (at < text.length && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        if (at < text.length && (text.data[at] == '-' || text.data[at] == '+'))
            at++;
        size_t exponent = at;
        at = skip_digits(text, at);
        if (at == exponent)
            return false;
    }
    return at == text.length;
}

static bool resolve_float(struct weir_node *node, struct weir_str plain)
{
    double value;
    if (!looks_like_float(plain))
        return false;
    if (plain.data[0] == '+')
        plain = weir_str_make(plain.data + 1, plain.length - 1);
    if (!weir_str_to_double(plain, &value) || isinf(value))
        return false;
    node->type = WEIR_NODE_DOUBLE;
    node->number = value;
    return true;
}

/* Reads up to `most` digits into `out` and moves `at` behind them; false if there are fewer than `least`. */
static bool read_digits(struct weir_str text, size_t *at, size_t least, size_t most, unsigned *out)
{
    size_t start = *at;
    unsigned value = 0;
    while (*at < text.length && *at - start < most && is_digit(text.data[*at]))
        value = value * 10 + (unsigned)(text.data[(*at)++] - '0');
    *out = value;
    return *at - start >= least;
}

static bool read_char(struct weir_str text, size_t *at, const char *accepted)
{
    if (*at >= text.length || text.data[*at] == '\0' || !strchr(accepted, text.data[*at]))
        return false;
    (*at)++;
    return true;
}

/* "Z", "+02:00"; needed behind a time that a T introduces, forbidden behind a space. */
static bool read_zone(struct weir_str text, size_t *at)
{
    unsigned hours;
    unsigned minutes;
    if (read_char(text, at, "Z"))
        return true;
    return read_char(text, at, "+-") && read_digits(text, at, 2, 2, &hours) && read_char(text, at, ":") &&
           read_digits(text, at, 2, 2, &minutes) && hours <= 24 && minutes < 60;
}

/* 2006-1-2, 2006-1-2 15:4:5.9, 2006-1-2T15:4:5.9Z07:00 */
static bool is_timestamp(struct weir_str text)
{
    static const unsigned days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    size_t at = 0;
    unsigned year, month, day, hour, minute, second;
    if (!read_digits(text, &at, 4, 4, &year) || !read_char(text, &at, "-") ||
        !read_digits(text, &at, 1, 2, &month) || !read_char(text, &at, "-") ||
        !read_digits(text, &at, 1, 2, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1 || day > days[month - 1] || (month == 2 && day == 29 && !leap))
        return false;
    if (at == text.length)
        return true;
    bool zone = text.data[at] != ' ';
    if (!read_char(text, &at, "Tt ") || !read_digits(text, &at, 1, 2, &hour) || !read_char(text, &at, ":") ||
        !read_digits(text, &at, 1, 2, &minute) || !read_char(text, &at, ":") ||
        !read_digits(text, &at, 1, 2, &second) || hour > 23 || minute > 59 || second > 59)
        return false;
    if (read_char(text, &at, ".")) {
        size_t fraction = at;
        at = skip_digits(text, at);
        if (at == fraction)
            return false;
    }
    return (!zone || read_zone(text, &at)) && at == text.length;
}

/* What starts with a digit or a sign. */
static void resolve_number(struct weir_node *node)
{
    if (is_timestamp(node->raw)) {
        node->type = WEIR_NODE_TIMESTAMP;
        return;
    }
    struct weir_text plain = { 0 };
    for (size_t i = 0; i < node->raw.length; i++) {
        if (node->raw.data[i] != '_')
            weir_text_addc(&plain, node->raw.data[i]);
    }
    if (!resolve_integer(node, weir_text_view(&plain)))
        (void)resolve_float(node, weir_text_view(&plain));
    weir_text_free(&plain);
}

void scalar_resolve(struct weir_node *node)
{
    node->type = WEIR_NODE_STRING;
    node->text = node->raw;
    if (resolve_word(node))
        return;
    char first = node->raw.data[0];
    if (is_digit(first) || first == '-' || first == '+')
        resolve_number(node);
    else if (first == '.')
        (void)resolve_float(node, node->raw);
}
