// SPDX-License-Identifier: Apache-2.0
/*
 * The quick check that most strings pass: no byte above 127, eight at a time.
 */
#ifndef WEIR_OTLP_ASCII_H
#define WEIR_OTLP_ASCII_H

#include <weir/str.h>

#define OTLP_HIGH_BITS UINT64_C(0x8080808080808080)

static inline uint64_t otlp_load64(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

/* True if all bytes are ASCII. `limit` ends the memory that may be looked at, and is not below the string's
 * end. */
static inline bool otlp_ascii(const uint8_t *p, size_t length, const uint8_t *limit)
{
    (void)limit;
    uint64_t seen = 0;
    if (length >= 8) {
        const uint8_t *last = p + length - 8;
        for (; p < last; p += 8)
            seen |= otlp_load64(p);
        seen |= otlp_load64(last);
    } else {
        for (size_t i = 0; i < length; i++)
            seen |= p[i];
    }
    return (seen & OTLP_HIGH_BITS) == 0;
}

static inline bool otlp_utf8(const uint8_t *p, size_t length, const uint8_t *limit)
{
    return otlp_ascii(p, length, limit) || weir_utf8_valid((const char *)p, length);
}

#endif
