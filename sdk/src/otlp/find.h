// SPDX-License-Identifier: Apache-2.0
/*
 * Looking for a few bytes in many. memmem() skips as many places as there are bytes to be found, which is little for short
 * words; here 64 places are ruled out at a time, by the first and the last byte.
 */
#ifndef WEIR_OTLP_FIND_H
#define WEIR_OTLP_FIND_H

#include <string.h>

#include <weir/str.h>

#ifdef __SSE2__
#include <emmintrin.h>

/* The bytes 255 at those of the 16 places from `p` on that have `first`, and `last` so much further on. */
static inline __m128i otlp_find_16(const uint8_t *p, size_t distance, __m128i first, __m128i last)
{
    __m128i here = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i there = _mm_loadu_si128((const __m128i *)(const void *)(p + distance));
    return _mm_and_si128(_mm_cmpeq_epi8(here, first), _mm_cmpeq_epi8(there, last));
}

static inline uint64_t otlp_find_mask(__m128i bytes)
{
    return (uint32_t)_mm_movemask_epi8(bytes);
}
#endif

/* Where `what`, at least one byte, first is between `p` and `end`; NULL: nowhere. */
static inline const uint8_t *otlp_find(const uint8_t *p, const uint8_t *end, struct weir_str what)
{
#ifdef __SSE2__
    size_t last = what.length - 1, middle = what.length / 2;
    const __m128i a = _mm_set1_epi8(what.data[0]), z = _mm_set1_epi8(what.data[last]);
    for (; (size_t)(end - p) >= last + 64; p += 64) {
        __m128i first = otlp_find_16(p, last, a, z), second = otlp_find_16(p + 16, last, a, z);
        __m128i third = otlp_find_16(p + 32, last, a, z), fourth = otlp_find_16(p + 48, last, a, z);
        __m128i any = _mm_or_si128(_mm_or_si128(first, second), _mm_or_si128(third, fourth));
        if (otlp_find_mask(any) == 0)
            continue;
        uint64_t places = otlp_find_mask(first) | otlp_find_mask(second) << 16 | otlp_find_mask(third) << 32 |
                          otlp_find_mask(fourth) << 48;
        for (; places != 0; places &= places - 1) {
            const uint8_t *place = p + __builtin_ctzll(places);
            if (place[middle] == (uint8_t)what.data[middle] && memcmp(place, what.data, what.length) == 0)
                return place;
        }
    }
#endif
    return memmem(p, (size_t)(end - p), what.data, what.length);
}

#endif
