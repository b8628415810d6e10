// SPDX-License-Identifier: Apache-2.0
/*
 * Durations in Go's syntax (time.ParseDuration and Duration.String of Go's standard library).
 */
#include <config.h>

#include <weir/option.h>

struct unit {
    const char *name;
    int64_t ns;
};

/* Longer names first where one starts with another. */
static const struct unit units[] = {
    { "ns", 1 },           { "us", 1000 },      { "\xc2\xb5s", 1000 }, /* U+00B5 micro sign */
    { "\xce\xbcs", 1000 },                                             /* U+03BC Greek mu */
    { "ms", 1000000 },     { "s", 1000000000 }, { "m", 60000000000 },  { "h", 3600000000000 },
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const struct unit *find_unit(struct weir_str name)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(units); i++) {
        if (weir_str_is(name, units[i].name))
            return &units[i];
    }
    return NULL;
}

/* Reads the digits at `at` as an integer; false if they pass 2^63. */
static bool read_whole(struct weir_str text, size_t *at, uint64_t *out)
{
    uint64_t value = 0;
    for (; *at < text.length && is_digit(text.data[*at]); (*at)++) {
        if (value > (uint64_t)1 << 63 || __builtin_mul_overflow(value, (uint64_t)10, &value))
            return false;
        value += (uint64_t)(text.data[*at] - '0');
        if (value > (uint64_t)1 << 63)
            return false;
    }
    *out = value;
    return true;
}

/* Reads the digits behind a point: value / scale; digits beyond what fits are dropped. */
static void read_fraction(struct weir_str text, size_t *at, uint64_t *value, double *scale)
{
    bool full = false;
    for (; *at < text.length && is_digit(text.data[*at]); (*at)++) {
        uint64_t next;
        if (full || __builtin_mul_overflow(*value, (uint64_t)10, &next) ||
            __builtin_add_overflow(next, (uint64_t)(text.data[*at] - '0'), &next) ||
            next >= (uint64_t)1 << 63) {
            full = true;
            continue;
        }
        *value = next;
        *scale *= 10;
    }
}

/* Reads one "number unit" at `at` and adds it to the sum. */
static bool read_part(struct weir_str text, size_t *at, uint64_t *sum)
{
    uint64_t whole = 0;
    uint64_t fraction = 0;
    double scale = 1;
    size_t start = *at;
    if (!read_whole(text, at, &whole))
        return false;
    bool digits = *at > start;
    if (*at < text.length && text.data[*at] == '.') {
        start = ++*at;
        read_fraction(text, at, &fraction, &scale);
        digits = digits || *at > start;
    }
    if (!digits)
        return false;

    start = *at;
    while (*at < text.length && text.data[*at] != '.' && !is_digit(text.data[*at]))
        (*at)++;
    const struct unit *unit = find_unit(weir_str_make(text.data + start, *at - start));
    if (!unit)
        return false;
    uint64_t value;
    if (__builtin_mul_overflow(whole, (uint64_t)unit->ns, &value) || value > (uint64_t)1 << 63)
        return false;
    if (fraction > 0)
        value += (uint64_t)((double)fraction * ((double)unit->ns / scale));
    if (value > (uint64_t)1 << 63)
        return false;
    return !__builtin_add_overflow(*sum, value, sum) && *sum <= (uint64_t)1 << 63;
}

bool weir_duration_parse(struct weir_str text, struct weir_duration *out)
{
    size_t at = 0;
    bool negative = false;
    if (text.length > 0 && (text.data[0] == '-' || text.data[0] == '+')) {
        negative = text.data[0] == '-';
        at = 1;
    }
    if (text.length - at == 1 && text.data[at] == '0') {
        out->ns = 0;
        return true;
    }
    if (at == text.length)
        return false;
    uint64_t sum = 0;
    while (at < text.length) {
        if (!read_part(text, &at, &sum))
            return false;
    }
    if (sum == (uint64_t)1 << 63 && !negative)
        return false;
    out->ns = negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return true;
}

/* Adds `value` / 10^places without trailing zeros. */
static void add_decimal(struct weir_text *text, uint64_t value, unsigned places)
{
    uint64_t scale = 1;
    for (unsigned i = 0; i < places; i++)
        scale *= 10;
    weir_text_addf(text, "%llu", (unsigned long long)(value / scale));
    uint64_t rest = value % scale;
    while (rest > 0 && rest % 10 == 0) {
        rest /= 10;
        places--;
    }
    if (rest > 0)
        weir_text_addf(text, ".%0*llu", (int)places, (unsigned long long)rest);
}

void weir_duration_print(struct weir_duration duration, struct weir_text *text)
{
    uint64_t ns = duration.ns < 0 ? 0 - (uint64_t)duration.ns : (uint64_t)duration.ns;
    if (duration.ns < 0)
        weir_text_addc(text, '-');
    if (ns == 0) {
        weir_text_adds(text, "0s");
    } else if (ns < 1000) {
        weir_text_addf(text, "%lluns", (unsigned long long)ns);
    } else if (ns < 1000000) {
        add_decimal(text, ns, 3);
        weir_text_adds(text, "\xc2\xb5s");
    } else if (ns < 1000000000) {
        add_decimal(text, ns, 6);
        weir_text_adds(text, "ms");
    } else {
        uint64_t minutes = ns / 60000000000ull;
        if (minutes >= 60)
            weir_text_addf(text, "%lluh", (unsigned long long)(minutes / 60));
        if (minutes > 0)
            weir_text_addf(text, "%llum", (unsigned long long)(minutes % 60));
        add_decimal(text, ns % 60000000000ull, 9);
        weir_text_addc(text, 's');
    }
}
