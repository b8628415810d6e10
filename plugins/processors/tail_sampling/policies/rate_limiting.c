// SPDX-License-Identifier: Apache-2.0
/* rate_limiting and bytes_limiting: token buckets that all workers share (virtual scheduling: the bucket is the time\n * at which it will be full again). */
#include <config.h>

#include <stdatomic.h>

#include "plugins/processors/tail_sampling/policy.h"

struct bucket {
    struct policy base;
    double cost; /* nanoseconds that one token takes to come; 0: none come */
    uint64_t burst;
    int64_t depth;       /* nanoseconds that a full bucket takes to come */
    _Atomic int64_t mark; /* when what was taken has come again, less `depth`; without a rate: tokens that are left */
};

static bool take_last(struct bucket *bucket, uint64_t tokens)
{
    int64_t left = atomic_load(&bucket->mark);
    while (left >= (int64_t)tokens)
        if (atomic_compare_exchange_weak(&bucket->mark, &left, left - (int64_t)tokens))
            return true;
    return false;
}

static bool take(struct bucket *bucket, uint64_t tokens, int64_t now)
{
    if (tokens > bucket->burst)
        return false;
    if (bucket->cost == 0)
        return take_last(bucket, tokens);
    int64_t price = (int64_t)((double)tokens * bucket->cost);
    int64_t mark = atomic_load(&bucket->mark);
    for (;;) {
        int64_t start = mark > now - bucket->depth ? mark : now - bucket->depth;
        if (start + price > now)
            return false;
        if (atomic_compare_exchange_weak(&bucket->mark, &mark, start + price))
            return true;
    }
}

static enum vote vote_spans(struct policy *policy, const struct evidence *evidence)
{
    return take((struct bucket *)policy, evidence->spans, evidence->now) ? VOTE_SAMPLED : VOTE_NOT_SAMPLED;
}

static enum vote vote_bytes(struct policy *policy, const struct evidence *evidence)
{
    return take((struct bucket *)policy, evidence->bytes, evidence->now) ? VOTE_SAMPLED : VOTE_NOT_SAMPLED;
}

#define LONGEST (INT64_C(1) << 61)

static struct policy *bucket_new(int64_t rate, int64_t burst)
{
    struct bucket *bucket = weir_xcalloc(1, sizeof *bucket);
    bucket->base.needs_whole = true;
    bucket->burst = burst != 0 ? (uint64_t)burst : (uint64_t)rate * 2;
    if (rate == 0) {
        bucket->mark = burst;
        return &bucket->base;
    }
    bucket->cost = 1e9 / (double)rate;
    double depth = (double)bucket->burst * bucket->cost;
    bucket->depth = depth < (double)LONGEST ? (int64_t)depth : LONGEST;
    bucket->mark = -LONGEST;
    return &bucket->base;
}

struct policy *policy_rate_limiting(const struct rate_options *options)
{
    struct policy *policy = bucket_new(options->spans_per_second, options->burst_capacity);
    policy->vote = vote_spans;
    return policy;
}

struct policy *policy_bytes_limiting(const struct bytes_options *options)
{
    struct policy *policy = bucket_new(options->bytes_per_second, options->burst_capacity);
    policy->vote = vote_bytes;
    return policy;
}
