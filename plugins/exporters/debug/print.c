// SPDX-License-Identifier: Apache-2.0
/* Strings, values, ids and times. */
#include <config.h>

#include <inttypes.h>
#include <math.h>
#include <time.h>

#include "plugins/exporters/debug/print.h"

void print_string(struct weir_text *text, struct weir_str string)
{
    for (size_t i = 0; i < string.length; i++) {
        unsigned char c = (unsigned char)string.data[i];
        if (c >= 0x20 && c != 0x7f)
            weir_text_addc(text, (char)c);
        else if (c == '\n')
            weir_text_adds(text, "\\n");
        else if (c == '\t')
            weir_text_adds(text, "\\t");
        else
            weir_text_addf(text, "\\x%02x", c);
    }
}

void print_value(struct weir_text *text, const struct weir_value *value)
{
    struct weir_text plain = { 0 };
    weir_value_print(value, &plain);
    print_string(text, weir_text_view(&plain));
    weir_text_free(&plain);
}

static const char *const type_names[] = {
    [WEIR_VALUE_EMPTY] = "Empty", [WEIR_VALUE_STRING] = "Str",    [WEIR_VALUE_BOOL] = "Bool",
    [WEIR_VALUE_INT] = "Int",     [WEIR_VALUE_DOUBLE] = "Double", [WEIR_VALUE_ARRAY] = "Slice",
    [WEIR_VALUE_MAP] = "Map",     [WEIR_VALUE_BYTES] = "Bytes",
};

void print_typed(struct weir_text *text, const struct weir_value *value)
{
    weir_text_addf(text, "%s(", type_names[value->type]);
    print_value(text, value);
    weir_text_addc(text, ')');
}

void print_id(struct weir_text *text, weir_id_bytes id)
{
    bool zero = true;
    for (size_t i = 0; i < id.length; i++)
        zero &= id.data[i] == 0;
    for (size_t i = 0; !zero && i < id.length; i++)
        weir_text_addf(text, "%02x", (unsigned char)id.data[i]);
}

/* Go's time.Time.String in UTC: the fraction without its trailing zeros, none when it is zero. */
void print_time(struct weir_text *text, uint64_t nanoseconds)
{
    time_t seconds = (time_t)(nanoseconds / 1000000000);
    uint64_t fraction = nanoseconds % 1000000000;
    struct tm utc;
    char date[64];
    if (!gmtime_r(&seconds, &utc) || strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &utc) == 0) {
        weir_text_addf(text, "%" PRIu64 " ns", nanoseconds);
        return;
    }
    weir_text_adds(text, date);
    if (fraction > 0) {
        int digits = 9;
        for (; fraction % 10 == 0; fraction /= 10)
            digits--;
        weir_text_addf(text, ".%0*" PRIu64, digits, fraction);
    }
    weir_text_adds(text, " +0000 UTC");
}

void print_pairs(struct weir_text *text, const struct weir_attributes *attributes)
{
    for (size_t i = 0; i < attributes->count; i++) {
        weir_text_addc(text, ' ');
        print_string(text, attributes->items[i].key);
        weir_text_addc(text, '=');
        print_value(text, &attributes->items[i].value);
    }
}

void print_double(struct weir_text *text, double number)
{
    struct weir_value value = weir_value_double(number);
    weir_value_print(&value, text);
}

/* Not exp2, for the sake of which the image of a sidecar would have libm: 0.9 MB that nothing else there needs. */
double bucket_bound(int32_t scale, int64_t index)
{
    enum { LARGEST = 4096, TERMS = 30 }; /* beyond any double's exponent; until they vanish */
    double exponent = ldexp((double)index, scale < -LARGEST ? LARGEST : -scale);
    exponent = exponent > LARGEST ? LARGEST : exponent < -LARGEST ? -LARGEST : exponent;
    int whole = (int)exponent;
    whole -= whole > exponent;
    long double x = ((long double)exponent - whole) * 0.693147180559945309417232121458L, term = 1, sum = 1;
    for (int i = 1; i < TERMS; i++) {
        term *= x / i;
        sum += term;
    }
    return ldexp((double)sum, whole);
}
