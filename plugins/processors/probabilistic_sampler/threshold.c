// SPDX-License-Identifier: Apache-2.0
/* Randomness and thresholds. */
#include <config.h>

#include <inttypes.h>
#include <math.h>

#include "plugins/processors/probabilistic_sampler/threshold.h"

#define DIGITS 14
#define BUCKETS 0x4000u /* of the hash */

static int max(int a, int b)
{
    return a > b ? a : b;
}

/* Probabilities near 0 and near 1 get more digits: one for every four leading zeros of p, or of 1 - p. */
static int digits_for(double probability, int precision)
{
    int zeros = 0, ones = 0;
    frexp(probability, &zeros);
    frexp(1 - probability, &ones);
    int digits = max(precision + -zeros / 4, precision + -ones / 4);
    return digits < DIGITS ? digits : DIGITS;
}

uint64_t threshold_of(double probability, int precision)
{
    uint64_t threshold = THRESHOLD_NEVER - (uint64_t)round(probability * (double)THRESHOLD_NEVER);
    int digits = digits_for(probability, precision);
    if (digits < DIGITS) {
        unsigned shift = 4 * (unsigned)(DIGITS - digits);
        threshold = (threshold + (UINT64_C(1) << (shift - 1))) >> shift << shift;
    }
    return threshold;
}

double threshold_probability(uint64_t threshold)
{
    return (double)(THRESHOLD_NEVER - threshold) / (double)THRESHOLD_NEVER;
}

static bool parse_digits(struct weir_str text, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *out = value;
    return true;
}

bool threshold_parse(struct weir_str text, uint64_t *out)
{
    uint64_t value;
    if (text.length < 1 || text.length > DIGITS || !parse_digits(text, &value))
        return false;
    *out = value << (4 * (DIGITS - text.length));
    return true;
}

bool randomness_parse(struct weir_str text, uint64_t *out)
{
    return text.length == DIGITS && parse_digits(text, out);
}

void randomness_print(uint64_t randomness, struct weir_text *text)
{
    weir_text_addf(text, "%014" PRIx64, randomness);
}

void threshold_print(uint64_t threshold, struct weir_text *text)
{
    int digits = DIGITS;
    for (; digits > 1 && (threshold & 15) == 0; digits--)
        threshold >>= 4;
    weir_text_addf(text, "%0*" PRIx64, digits, threshold);
}

uint64_t randomness_of_trace_id(const uint8_t *trace_id)
{
    uint64_t value = 0;
    for (int i = 9; i < 16; i++)
        value = value << 8 | trace_id[i];
    return value;
}

static uint32_t fnv_1a(uint32_t hash, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

/* The bucket, 14 bits, is turned round to be the upper bits; the other 28 and the bucket again fill the rest, so that
 * equal hashes only have equal randomness. */
uint64_t randomness_hashed(uint32_t seed, struct weir_str bytes)
{
    uint8_t start[4] = { (uint8_t)seed, (uint8_t)(seed >> 8), (uint8_t)(seed >> 16), (uint8_t)(seed >> 24) };
    uint32_t hash = fnv_1a(fnv_1a(2166136261u, start, sizeof start), bytes.data, bytes.length);
    uint64_t bucket = hash & (BUCKETS - 1), upper = hash >> 18;
    uint64_t middle = (upper ^ upper << 10) & 0xfffffff;
    return (BUCKETS - 1 - bucket) << 42 | middle << 14 | bucket;
}

uint64_t threshold_hashed(float percentage)
{
    float scaled = percentage * 163.84f;
    uint32_t accepted = scaled >= (float)BUCKETS ? BUCKETS : (uint32_t)scaled;
    return accepted == 0 ? THRESHOLD_NEVER : (uint64_t)(BUCKETS - accepted) << 42;
}
