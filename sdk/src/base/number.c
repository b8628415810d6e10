// SPDX-License-Identifier: Apache-2.0
/*
 * Decimal numbers from views, whatever the locale.
 */
#include <config.h>

#include <endian.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include <weir/str.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The value of eight digits; false if one of them is none. Each step adds up neighbours: digits, then pairs, then fours. */
static inline bool eight_digits(const char *text, uint64_t *out)
{
    uint64_t word;
    memcpy(&word, text, sizeof(word));
    word = le64toh(word);
    // A digit is 0x30 to 0x39: nothing else keeps a high half of 3 also with 6 added.
    if ((word & 0xf0f0f0f0f0f0f0f0) != 0x3030303030303030 ||
        ((word + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) != 0x3030303030303030)
        return false;
    word &= 0x0f0f0f0f0f0f0f0f;
    word = (word * 10 + (word >> 8)) & 0x00ff00ff00ff00ff;
    word = (word * 100 + (word >> 16)) & 0x0000ffff0000ffff;
    *out = (word * 10000 + (word >> 32)) & 0xffffffff;
    return true;
}

bool weir_str_to_u64(struct weir_str s, uint64_t *out)
{
    uint64_t value = 0, eight = 0;
    size_t i = 0;
    if (s.length == 0)
        return false;
    // Sixteen digits cannot overflow; timestamps have 19.
    for (; i < 16 && s.length - i >= 8; i += 8) {
        if (!eight_digits(s.data + i, &eight))
            return false;
        value = value * 100000000 + eight;
    }
    for (; i < s.length; i++) {
        if (!is_digit(s.data[i]))
            return false;
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.data[i] - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

bool weir_str_to_i64(struct weir_str s, int64_t *out)
{
    uint64_t magnitude;
    bool negative = s.length > 0 && s.data[0] == '-';
    if (negative || (s.length > 0 && s.data[0] == '+')) {
        s.data++;
        s.length--;
    }
    if (!weir_str_to_u64(s, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    // Unsigned negation, so that INT64_MIN does not overflow on the way.
    *out = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

static size_t skip_digits(struct weir_str s, size_t at)
{
    while (at < s.length && is_digit(s.data[at]))
        at++;
    return at;
}

/* sign? (digits [. digits?] | . digits) ([eE] sign? digits)? : what strtod() may see; no hex, inf or nan. */
static bool is_decimal(struct weir_str s)
{
    size_t at = 0;
    if (at < s.length && (s.data[at] == '-' || s.data[at] == '+'))
        at++;
    size_t start = at;
    at = skip_digits(s, at);
    size_t digits = at - start;
    if (at < s.length && s.data[at] == '.') {
        start = ++at;
        at = skip_digits(s, at);
        digits += at - start;
    }
    if (digits == 0)
        return false;
    if (at < s.length && (s.data[at] == 'e' || s.data[at] == 'E')) {
        at++;
        if (at < s.length && (s.data[at] == '-' || s.data[at] == '+'))
            at++;
        start = at;
        at = skip_digits(s, at);
        if (at == start)
            return false;
    }
    return at == s.length;
}

static locale_t c_locale;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

bool weir_str_to_double(struct weir_str s, double *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (!is_decimal(s))
        return false;
    pthread_once(&once, make_c_locale);
    char small[64];
    bool fits = s.length < sizeof(small);
    char *text = fits ? small : malloc(s.length + 1);
    if (!text)
        return false;
    memcpy(text, s.data, s.length);
    text[s.length] = '\0';
    double value = c_locale ? strtod_l(text, NULL, c_locale) : strtod(text, NULL);
    if (!fits)
        free(text);
    if (isinf(value))
        return false;
    *out = value;
    return true;
}
