// SPDX-License-Identifier: Apache-2.0
/*
 * The quick check that most strings pass: no byte above 127. Strings of up to 32 bytes take no branch on
 * their length, which is what costs when every string is another length.
 */
#ifndef WEIR_OTLP_ASCII_H
#define WEIR_OTLP_ASCII_H

#include <weir/str.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define OTLP_HIGH_BITS UINT64_C(0x8080808080808080)

static inline uint64_t otlp_load64(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

static inline bool otlp_ascii_loop(const uint8_t *p, size_t length)
{
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

#ifdef __SSE2__
/* A bit for each of 32 bytes: whether it is above 127. */
static inline uint64_t otlp_high_32(const uint8_t *p)
{
    __m128i low = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(p + 16));
    return (uint32_t)_mm_movemask_epi8(low) | (uint64_t)(uint32_t)_mm_movemask_epi8(high) << 16;
}
#endif

/* True if all bytes are ASCII. `limit` ends the memory that may be looked at; it is not below the string's
 * end. */
static inline bool otlp_ascii(const uint8_t *p, size_t length, const uint8_t *limit)
{
#ifdef __SSE2__
    if (length <= 32 && limit - p >= 32) {
        return (otlp_high_32(p) & ((UINT64_C(1) << length) - 1)) == 0;
    }
#else
    (void)limit;
#endif
    return otlp_ascii_loop(p, length);
}

/* The same for an attribute's text, which is a bit longer: up to 63 bytes take no branch on their length. */
static inline bool otlp_ascii_63(const uint8_t *p, size_t length, const uint8_t *limit)
{
#ifdef __SSE2__
    if (length < 64 && limit - p >= 64) {
        uint64_t mask = otlp_high_32(p) | otlp_high_32(p + 32) << 32;
        return (mask & ((UINT64_C(1) << length) - 1)) == 0;
    }
#endif
    return otlp_ascii(p, length, limit);
}

static inline bool otlp_utf8(const uint8_t *p, size_t length, const uint8_t *limit)
{
    return otlp_ascii(p, length, limit) || weir_utf8_valid((const char *)p, length);
}

#endif
