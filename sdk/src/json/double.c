// SPDX-License-Identifier: Apache-2.0
/*
 * The shortest text that reads back as the same double.
 */
#include <config.h>

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "sdk/src/json/writer.h"

/* Digits that always suffice to tell a double from the others. */
#define ENOUGH 17

/* Decimal digits without zeros at either end; the value is 0.DIGITS * 10^point. */
struct decimal {
    char digits[20];
    int count;
    int point;
};

static void set_digits(struct decimal *out, uint64_t mantissa, int exponent)
{
    char *end = out->digits + sizeof(out->digits);
    while (mantissa % 10 == 0) {
        mantissa /= 10;
        exponent++;
    }
    char *start = json_write_digits(end, mantissa);
    out->count = (int)(end - start);
    memmove(out->digits, start, (size_t)out->count);
    out->point = out->count + exponent;
}

/*
 * Values with up to 15 digits and few decimals, which most measurements are: the fewest decimals whose quotient is the
 * value. Numerator and power are exact, so the quotient is what a reader makes of those digits; and of the numbers of
 * at most 15 digits only one can be that close to a double, so it is the shortest.
 */
static bool few_decimals(double value, struct decimal *out)
{
    static const double tens[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };
    for (int decimals = 0; decimals < (int)WEIR_ARRAY_LENGTH(tens); decimals++) {
        double scaled = value * tens[decimals];
        if (scaled >= 1e15)
            return false;
        uint64_t mantissa = (uint64_t)(scaled + 0.5);
        if (mantissa > 0 && (double)mantissa / tens[decimals] == value) {
            set_digits(out, mantissa, -decimals);
            return true;
        }
    }
    return false;
}

/* The mantissa of a power of two. */
#define MANTISSA (UINT64_C(1) << (DBL_MANT_DIG - 1))

__extension__ typedef unsigned __int128 wide;

/* The value as a whole number times a power of two, scaled so that it has ENOUGH digits: product / 2^shift is
 * value * 10^tens. */
struct scaled {
    wide product; /* mantissa * five */
    wide five;    /* 5^tens: what the next mantissa has more */
    uint64_t mantissa;
    int shift;
    int tens;
};

static void scale(struct scaled *out, int exponent, int tens)
{
    int more = tens > 16 ? tens - 16 : 0;
    out->five = json_fives[tens - more];
    out->five *= json_fives[more];
    out->product = out->five * out->mantissa;
    out->shift = -(exponent + tens);
    out->tens = tens;
}

/* False for values that this is not for: smaller ones need a product of more than 128 bits, and of larger ones nothing is
 * behind the point. */
static bool scale_value(double value, struct scaled *out)
{
    uint64_t bits;
    if (!(value >= 0x1p-53 && value < 0x1p52))
        return false;
    memcpy(&bits, &value, sizeof(bits));
    out->mantissa = (bits & (MANTISSA - 1)) | MANTISSA;
    // The power of two at or below the value, and the power of ten at or below that, which may be one too low.
    int exponent = (int)(bits >> (DBL_MANT_DIG - 1)) - (DBL_MAX_EXP - 1);
    int power = (int)floor(exponent * 0.30102999566398120);
    scale(out, exponent - (DBL_MANT_DIG - 1), ENOUGH - 1 - power);
    if (out->product >> out->shift >= 100000000000000000)
        scale(out, exponent - (DBL_MANT_DIG - 1), ENOUGH - 2 - power);
    return true;
}

/* Rounds to a multiple of `unit`, half to even, as printf does. */
static uint64_t round_to(const struct scaled *scaled, uint64_t unit)
{
    uint64_t whole = (uint64_t)(scaled->product >> scaled->shift), rest = whole % unit;
    bool more = scaled->product != (wide)whole << scaled->shift;
    bool up = rest > unit / 2 || (rest == unit / 2 && (more || whole / unit % 2 == 1));
    return whole - rest + (up ? unit : 0);
}

/* The same for what is behind the point, of which there is something. */
static uint64_t round_last(const struct scaled *scaled)
{
    uint64_t whole = (uint64_t)(scaled->product >> scaled->shift);
    wide twice = 2 * (scaled->product - ((wide)whole << scaled->shift));
    wide one = (wide)1 << scaled->shift;
    return whole + (twice > one || (twice == one && whole % 2 == 1));
}

/* True if no other double is as near to this multiple of 10^-tens; none is half way, for `five` is odd. */
static bool is_nearest(const struct scaled *scaled, uint64_t decimal)
{
    wide at = (wide)decimal << scaled->shift;
    if (at >= scaled->product)
        return 2 * (at - scaled->product) < scaled->five;
    // Below a power of two doubles lie twice as close.
    unsigned factor = scaled->mantissa == MANTISSA ? 4 : 2;
    return factor * (scaled->product - at) < scaled->five;
}

/* The same digits as any_decimal finds, without printf. */
static bool exact_decimal(double value, struct decimal *out)
{
    struct scaled scaled;
    if (!scale_value(value, &scaled))
        return false;
    uint64_t digits = round_to(&scaled, 100);
    if (!is_nearest(&scaled, digits))
        digits = round_to(&scaled, 10);
    if (!is_nearest(&scaled, digits))
        digits = round_last(&scaled);
    set_digits(out, digits, -scaled.tens);
    return true;
}

/* The first digits of the value, correctly rounded: *mantissa * 10^*exponent. */
static void print_digits(double value, int precision, uint64_t *mantissa, int *exponent)
{
    char text[40];
    snprintf(text, sizeof(text), "%.*e", precision - 1, value);
    // The separator is the locale's; without it the digits stand together.
    char *e = strchr(text, 'e');
    *mantissa = 0;
    for (char *at = text; at < e; at++)
        if (*at >= '0' && *at <= '9')
            *mantissa = *mantissa * 10 + (uint64_t)(*at - '0');
    int power = 0;
    for (char *at = e + 2; *at; at++)
        power = power * 10 + (*at - '0');
    *exponent = (e[1] == '-' ? -power : power) - (precision - 1);
}

static bool reads_back(double value, uint64_t mantissa, int exponent)
{
    char text[40];
    double back;
    snprintf(text, sizeof(text), "%llue%d", (unsigned long long)mantissa, exponent);
    return weir_str_to_double(weir_str_of(text), &back) && back == value;
}

/*
 * Any other: 15 digits are always kept, and fewer only where doubles lie far apart. They follow from those that are
 * enough, unless these end half way: then only printf, which knows the digits behind them, can round.
 */
static void any_decimal(double value, struct decimal *out)
{
    bool is_normal = value >= DBL_MIN;
    uint64_t all, unit = is_normal ? 100 : 10000000000000000;
    int lowest;
    print_digits(value, ENOUGH, &all, &lowest);
    for (int precision = is_normal ? 15 : 1; precision < ENOUGH; precision++, unit /= 10) {
        uint64_t rest = all % unit, mantissa = all / unit + (rest > unit / 2);
        uint64_t off = rest > unit / 2 ? unit - rest : rest;
        int exponent = lowest + ENOUGH - precision;
        // Further off than half the distance to the next double, which is at most 2^-53 of a normal one.
        if (is_normal && off > (all >> 53) + 1)
            continue;
        if (rest == unit / 2)
            print_digits(value, precision, &mantissa, &exponent);
        if (reads_back(value, mantissa, exponent)) {
            set_digits(out, mantissa, exponent);
            return;
        }
    }
    set_digits(out, all, lowest);
}

static char *put_digits(char *out, const struct decimal *d, int from, int to)
{
    for (int i = from; i < to; i++)
        *out++ = i < d->count ? d->digits[i] : '0';
    return out;
}

/* Digits with a point among, behind or before them; at most 21 before it and 6 zeros behind it. */
static char *put_plain(char *out, const struct decimal *d)
{
    if (d->point <= 0) {
        *out++ = '0';
        *out++ = '.';
        for (int i = d->point; i < 0; i++)
            *out++ = '0';
        return put_digits(out, d, 0, d->count);
    }
    out = put_digits(out, d, 0, d->point);
    if (d->count > d->point) {
        *out++ = '.';
        out = put_digits(out, d, d->point, d->count);
    }
    return out;
}

/* d.ddde-07: an exponent of two digits at least, as Go writes it. */
static char *put_scientific(char *out, const struct decimal *d)
{
    int exponent = d->point - 1;
    *out++ = d->digits[0];
    if (d->count > 1) {
        *out++ = '.';
        out = put_digits(out, d, 1, d->count);
    }
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    unsigned magnitude = (unsigned)(exponent < 0 ? -exponent : exponent);
    if (magnitude >= 100)
        *out++ = (char)('0' + magnitude / 100);
    *out++ = (char)('0' + magnitude / 10 % 10);
    *out++ = (char)('0' + magnitude % 10);
    return out;
}

size_t weir_json_format_double(char out[WEIR_JSON_DOUBLE_ROOM], double value)
{
    struct decimal d = { .count = 0 };
    char *at = out;
    if (signbit(value))
        *at++ = '-';
    double magnitude = fabs(value);
    if (magnitude == 0 || !isfinite(value)) {
        *at++ = '0';
        return (size_t)(at - out);
    }
    if (!few_decimals(magnitude, &d) && !exact_decimal(magnitude, &d))
        any_decimal(magnitude, &d);
    at = magnitude < 1e-6 || magnitude >= 1e21 ? put_scientific(at, &d) : put_plain(at, &d);
    return (size_t)(at - out);
}
