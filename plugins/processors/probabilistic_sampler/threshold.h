// SPDX-License-Identifier: Apache-2.0
/*
 * Randomness and thresholds of 56 bits, and how OpenTelemetry writes them (opentelemetry-specification, trace/
 * tracestate-probability-sampling; contrib-processors section 2). An item is kept when its threshold is at most its
 * randomness.
 */
#ifndef PROBABILISTIC_SAMPLER_THRESHOLD_H
#define PROBABILISTIC_SAMPLER_THRESHOLD_H

#include <weir/str.h>

#define THRESHOLD_NEVER (UINT64_C(1) << 56)
#define THRESHOLD_ALWAYS UINT64_C(0)
#define RANDOMNESS_MAX (THRESHOLD_NEVER - 1)
#define PROBABILITY_MIN 0x1p-56

/* For a probability from PROBABILITY_MIN to 1, rounded to about `precision` significant hexadecimal digits. */
uint64_t threshold_of(double probability, int precision);
double threshold_probability(uint64_t threshold);

/* `th`: 1 to 14 hexadecimal digits in lower case, zeros at the end left out. Never for THRESHOLD_NEVER. */
bool threshold_parse(struct weir_str text, uint64_t *out);
void threshold_print(uint64_t threshold, struct weir_text *text);

/* `rv`: exactly 14 digits. */
bool randomness_parse(struct weir_str text, uint64_t *out);
void randomness_print(uint64_t randomness, struct weir_text *text);

/* Of a W3C trace id (16 bytes): its last 56 bits. */
uint64_t randomness_of_trace_id(const uint8_t *trace_id);

/* The older way: 14 bits of a hash (FNV-1a, 32 bits, over the seed in little endian and the bytes), as randomness. */
uint64_t randomness_hashed(uint32_t seed, struct weir_str bytes);
/* The threshold of that way for a percentage, in 32-bit floating point as upstream computes it. */
uint64_t threshold_hashed(float percentage);

#endif
