// SPDX-License-Identifier: Apache-2.0
/*
 * Reading numbers.
 */
#include <config.h>

#include <math.h>

#include "sdk/src/json/token.h"

static const char *digits_end(const char *at, const char *end)
{
    while (at < end && json_is_digit(*at))
        at++;
    return at;
}

/* The end of the number that starts at `at` (RFC 8259 section 6), NULL if none does. */
static const char *number_end(const char *at, const char *end)
{
    const char *start;
    if (at < end && *at == '-')
        at++;
    if (at == end || !json_is_digit(*at))
        return NULL;
    at = *at == '0' ? at + 1 : digits_end(at, end);
    if (at < end && *at == '.') {
        start = ++at;
        at = digits_end(at, end);
        if (at == start)
            return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        start = at;
        at = digits_end(at, end);
        if (at == start)
            return NULL;
    }
    // "01", "1x" and the like: what follows must not look like more of the number.
    if (at < end && json_in_number(*at))
        return NULL;
    return at;
}

bool weir_json_number(struct weir_json *json, struct weir_str *out)
{
    char c = json_next(json);
    if (c != '-' && !json_is_digit(c))
        return weir_json_fail(json, json->at < json->end ? "expected a number" : "unexpected end of JSON");
    const char *end = number_end(json->at, json->end);
    if (!end)
        return weir_json_fail(json, "bad number");
    *out = weir_str_make(json->at, (size_t)(end - json->at));
    json->at = end;
    return true;
}

/* Fails at the start of the number that was just read. */
static bool refuse(struct weir_json *json, struct weir_str number, const char *problem)
{
    json->at = number.data;
    return weir_json_fail(json, problem);
}

static bool is_integer(struct weir_str number)
{
    for (size_t i = 0; i < number.length; i++)
        if (number.data[i] == '.' || (number.data[i] | 0x20) == 'e')
            return false;
    return true;
}

bool weir_json_i64(struct weir_json *json, int64_t *out)
{
    struct weir_str number;
    if (!weir_json_number(json, &number))
        return false;
    if (weir_str_to_i64(number, out))
        return true;
    return refuse(json, number, is_integer(number) ? "number does not fit 64 bits" : "expected an integer");
}

bool weir_json_u64(struct weir_json *json, uint64_t *out)
{
    struct weir_str number;
    if (!weir_json_number(json, &number))
        return false;
    if (weir_str_to_u64(number, out))
        return true;
    return refuse(json, number,
                  is_integer(number) ? "number does not fit unsigned 64 bits" : "expected an integer");
}

/* Powers of ten that a double holds exactly. */
static const double exact_tens[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

/* Gathers the digits of a checked number as mantissa * 10^exponent; false when that takes more than 18 digits. */
static bool decompose(struct weir_str text, uint64_t *mantissa, int *exponent)
{
    const char *at = text.data, *end = text.data + text.length;
    uint64_t digits = 0;
    int count = 0, power = 0;
    bool fraction = false;
    for (; at < end && (*at | 0x20) != 'e'; at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        digits = digits * 10 + (uint64_t)(*at - '0');
        // Leading zeros cost no precision.
        count += digits > 0;
        power -= fraction;
        if (count > 18)
            return false;
    }
    if (at < end) {
        bool negative = *++at == '-';
        int written = 0;
        at += *at == '-' || *at == '+';
        for (; at < end; at++)
            written = written < 1000 ? written * 10 + (*at - '0') : written;
        power += negative ? -written : written;
    }
    *mantissa = digits;
    *exponent = power;
    return true;
}

const uint64_t json_fives[28] = {
    1, 5, 25, 125, 625, 3125, 15625, 78125, 390625, 1953125, 9765625, 48828125, 244140625, 1220703125,
    UINT64_C(6103515625), UINT64_C(30517578125), UINT64_C(152587890625), UINT64_C(762939453125),
    UINT64_C(3814697265625), UINT64_C(19073486328125), UINT64_C(95367431640625), UINT64_C(476837158203125),
    UINT64_C(2384185791015625), UINT64_C(11920928955078125), UINT64_C(59604644775390625),
    UINT64_C(298023223876953125), UINT64_C(1490116119384765625), UINT64_C(7450580596923828125),
};

__extension__ typedef unsigned __int128 number_wide;

/* mantissa / 10^places, for at most 27 places, rounded once: one division of integers gives at least 62 bits and says
 * whether anything is left. */
static double divide(uint64_t mantissa, unsigned places)
{
    uint64_t divisor = json_fives[places];
    if (mantissa == 0)
        return 0;
    int up = __builtin_clzll(mantissa), divisor_up = __builtin_clzll(divisor);
    number_wide dividend = (number_wide)(mantissa << up) << 63;
    divisor <<= divisor_up;
    uint64_t quotient = (uint64_t)(dividend / divisor);
    // What is left only has to show below the 53 bits that count.
    quotient |= dividend != (number_wide)quotient * divisor;
    return ldexp((double)quotient, divisor_up - up - 63 - (int)places);
}

const char *json_decimal(const char *at, const char *end, double *out)
{
    bool negative = at < end && *at == '-';
    at += negative;
    uint64_t mantissa = 0;
    const char *next = json_digits(at, end, &mantissa);
    size_t digits = (size_t)(next - at), places = 0;
    if (digits == 0 || (*at == '0' && digits > 1) || next == end)
        return NULL;
    if (*next == '.') {
        at = next + 1;
        next = json_digits(at, end, &mantissa);
        places = (size_t)(next - at);
        if (places == 0 || next == end)
            return NULL;
    }
    if (digits + places > 19 || json_in_number(*next))
        return NULL;
    double value = mantissa <= (uint64_t)1 << 53 ? (double)mantissa / exact_tens[places]
                                                 : divide(mantissa, (unsigned)places);
    *out = negative ? -value : value;
    return next;
}

/* The value of a number that number_end took; false if it is too large. */
static bool double_of(struct weir_str text, double *out)
{
    bool negative = text.data[0] == '-';
    struct weir_str unsigned_text = weir_str_make(text.data + negative, text.length - negative);
    uint64_t mantissa;
    int exponent;
    double value;
    if (text.length >= 400 || !decompose(unsigned_text, &mantissa, &exponent))
        return weir_str_to_double(text, out);
    if (mantissa <= (uint64_t)1 << 53 && exponent >= -22 && exponent <= 22) {
        // Both factors are exact, so the one rounding of the product or quotient is the right one (Clinger 1990).
        value = (double)mantissa;
        value = exponent < 0 ? value / exact_tens[-exponent] : value * exact_tens[exponent];
    } else if (exponent <= 0 && exponent >= -27) {
        value = divide(mantissa, (unsigned)-exponent);
    } else {
        return weir_str_to_double(text, out);
    }
    *out = negative ? -value : value;
    return true;
}

bool weir_json_parse_double(struct weir_str text, double *out)
{
    return text.length > 0 && number_end(text.data, text.data + text.length) == text.data + text.length &&
           double_of(text, out);
}

bool weir_json_double(struct weir_json *json, double *out)
{
    struct weir_str number;
    (void)json_next(json);
    const char *next = json_decimal(json->at, json->end, out);
    if (next) {
        json->at = next;
        return true;
    }
    if (!weir_json_number(json, &number))
        return false;
    return double_of(number, out) || refuse(json, number, "number does not fit a double");
}
