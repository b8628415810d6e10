// SPDX-License-Identifier: Apache-2.0
/* probabilistic: a part of the traces, by a hash of the trace id that all collectors compute alike (contrib-processors\n * 1.4). */
#include <config.h>

#include <math.h>

#include "plugins/processors/tail_sampling/policy.h"

#define FNV_START UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

struct probabilistic {
    struct policy base;
    uint64_t salted; /* the hash after the salt */
    uint64_t threshold;
};

static uint64_t fnv_1a(uint64_t hash, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * FNV_PRIME;
    return hash;
}

/* ratio * (2^64 - 1), rounded to 64 significant bits, cut to an integer: what a float of that precision gives. The ratio
 * is m * 2^e with m of 53 bits, so the product is m * 2^64 - m, exactly the two words m - 1 and -m. */
static uint64_t threshold_of(double ratio)
{
    int exponent = 0;
    if (!(ratio > 0))
        return 0;
    if (ratio >= 1)
        return UINT64_MAX;
    uint64_t m = (uint64_t)ldexp(frexp(ratio, &exponent), 53);
    uint64_t high = m - 1, low = 0 - m;
    unsigned extra = 64 - (unsigned)__builtin_clzll(high); /* bits beyond 64; high has 53 bits */
    uint64_t kept = high << (64 - extra) | low >> extra;
    uint64_t rest = low << (64 - extra), half = UINT64_C(1) << 63;
    bool up = rest > half || (rest == half && (kept & 1));
    /* The value is kept * 2^(extra + exponent - 53), below 2^64. */
    int shift = 53 - exponent - (int)extra;
    if (up && ++kept == 0)
        return shift == 0 ? UINT64_MAX : UINT64_C(1) << (64 - shift);
    return shift < 64 ? kept >> shift : 0;
}

static enum vote vote(struct policy *policy, const struct evidence *evidence)
{
    const struct probabilistic *own = (const struct probabilistic *)policy;
    return fnv_1a(own->salted, evidence->trace_id, 16) <= own->threshold ? VOTE_SAMPLED : VOTE_NOT_SAMPLED;
}

struct policy *policy_probabilistic(const struct probabilistic_options *options)
{
    struct probabilistic *own = weir_xcalloc(1, sizeof *own);
    const char *salt = options->hash_salt && *options->hash_salt ? options->hash_salt : "default-hash-seed";
    own->base.vote = vote;
    own->salted = fnv_1a(FNV_START, salt, strlen(salt));
    own->threshold = threshold_of(options->sampling_percentage / 100);
    return &own->base;
}
