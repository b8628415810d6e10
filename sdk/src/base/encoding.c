// SPDX-License-Identifier: Apache-2.0
/*
 * Bytes as text.
 */
#include <config.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "sdk/src/base/encoding.h"

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

bool base64_decode(struct weir_str text, uint8_t *out, size_t *length)
{
    if (text.length > 0 && text.length % 4 == 0 && text.data[text.length - 1] == '=')
        text.length -= text.data[text.length - 2] == '=' ? 2 : 1;
    if (text.length % 4 == 1)
        return false;
    uint32_t bits = 0;
    size_t written = 0;
    for (size_t i = 0; i < text.length; i++) {
        int value = base64_value(text.data[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        // Whole bytes are there after the second, third and fourth character of each four.
        if (i % 4 > 0)
            out[written++] = (uint8_t)(bits >> (6 - i % 4 * 2));
    }
    *length = written;
    return true;
}

void base64_encode(struct weir_str bytes, char *out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = (const unsigned char *)bytes.data;
    size_t left = bytes.length;
    for (; left > 0; in += 3) {
        uint32_t bits = (uint32_t)in[0] << 16 | (left > 1 ? (uint32_t)in[1] << 8 : 0) | (left > 2 ? in[2] : 0);
        *out++ = alphabet[bits >> 18];
        *out++ = alphabet[bits >> 12 & 63];
        *out++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        *out++ = left > 2 ? alphabet[bits & 63] : '=';
        left -= left < 3 ? left : 3;
        if (left == 0)
            break;
    }
}

void base64_add(struct weir_text *text, struct weir_str bytes, bool padded)
{
    for (size_t at = 0; at < bytes.length; at += 3) {
        size_t left = bytes.length - at;
        char quad[4];
        base64_encode(weir_str_make(bytes.data + at, left < 3 ? left : 3), quad);
        weir_text_add(text, quad, padded || left >= 3 ? sizeof quad : left + 1);
    }
}

/* The value of each hexadecimal digit plus one; 0 for all other characters. */
static const uint8_t hex_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int hex_value(char c)
{
    return hex_values[(unsigned char)c] - 1;
}

#ifdef __SSE2__
/* Sixteen digits at once, which is a span id; false if one of them is none. */
static inline bool hex_decode_16(const char *text, uint8_t *out)
{
    const __m128i nine = _mm_set1_epi8(9), five = _mm_set1_epi8(5);
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    __m128i digit = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    __m128i letter = _mm_sub_epi8(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, nine), digit);
    __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, five), letter);
    if (_mm_movemask_epi8(_mm_or_si128(is_digit, is_letter)) != 0xffff)
        return false;
    __m128i value = _mm_or_si128(_mm_and_si128(digit, is_digit),
                                 _mm_and_si128(_mm_add_epi8(letter, _mm_set1_epi8(10)), is_letter));
    // In each pair the first digit, which is the high one, lies in the low byte.
    __m128i pairs = _mm_or_si128(_mm_slli_epi16(value, 4), _mm_srli_epi16(value, 8));
    pairs = _mm_and_si128(pairs, _mm_set1_epi16(0xff));
    _mm_storel_epi64((__m128i *)(void *)out, _mm_packus_epi16(pairs, pairs));
    return true;
}
#endif

bool hex_decode(struct weir_str text, uint8_t *out)
{
    size_t i = 0;
    if (text.length % 2 != 0)
        return false;
#ifdef __SSE2__
    for (; text.length - i >= 16; i += 16) {
        if (!hex_decode_16(text.data + i, out + i / 2))
            return false;
    }
#endif
    for (; i < text.length; i += 2) {
        unsigned high = hex_values[(unsigned char)text.data[i]];
        unsigned low = hex_values[(unsigned char)text.data[i + 1]];
        if (high == 0 || low == 0)
            return false;
        out[i / 2] = (uint8_t)((high - 1) << 4 | (low - 1));
    }
    return true;
}

void hex_encode(struct weir_str bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        out[2 * i] = digits[byte >> 4];
        out[2 * i + 1] = digits[byte & 15];
    }
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'
           || c == '~';
}

void percent_add(struct weir_text *text, struct weir_str bytes)
{
    for (size_t i = 0; i < bytes.length; i++) {
        if (is_unreserved(bytes.data[i]))
            weir_text_addc(text, bytes.data[i]);
        else
            weir_text_addf(text, "%%%02X", (unsigned)(unsigned char)bytes.data[i]);
    }
}

char *percent_decode(struct weir_str text)
{
    char *out = weir_xmalloc(text.length + 1);
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '%' && i + 2 < text.length && hex_value(text.data[i + 1]) >= 0 &&
            hex_value(text.data[i + 2]) >= 0) {
            c = (char)(hex_value(text.data[i + 1]) * 16 + hex_value(text.data[i + 2]));
            i += 2;
        }
        if (c != '\0')
            out[length++] = c;
    }
    out[length] = '\0';
    return out;
}
