// SPDX-License-Identifier: Apache-2.0
/* The decisions of the memory limiter (collector-core 8.3), without clock and allocator. */
#include <config.h>

#include "plugins/processors/memory_limiter/limiter.h"

#define MIB (1024u * 1024u)

struct limits limiter_limits(const struct limiter_config *config, uint64_t total)
{
    uint64_t hard, spike;
    if (config->limit_mib > 0) {
        hard = (uint64_t)config->limit_mib * MIB;
        spike = (uint64_t)config->spike_limit_mib * MIB;
    } else {
        hard = total / 100 * (uint64_t)config->limit_percentage +
               total % 100 * (uint64_t)config->limit_percentage / 100;
        spike = total / 100 * (uint64_t)config->spike_limit_percentage +
                total % 100 * (uint64_t)config->spike_limit_percentage / 100;
    }
    if (spike == 0)
        spike = hard / 5;
    return (struct limits){ .hard = hard, .soft = hard - spike };
}

void limiter_init(struct limiter *limiter, const struct limiter_config *config, uint64_t total)
{
    *limiter = (struct limiter){ .limits = limiter_limits(config, total), .config = config };
    limiter->last_trim = INT64_MIN / 2;
}

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Upstream forces a garbage collection; the like of it here is to give free memory back to the system. One that
 * does not help is tried less and less often. */
static uint64_t trim_if_due(struct limiter *limiter, const struct limiter_reading *reading,
                            uint64_t (*trim)(void))
{
    const struct limiter_config *config = limiter->config;
    bool hard = reading->allocated >= limiter->limits.hard;
    int64_t least = hard ? config->min_gc_interval_when_hard_limited.ns
                         : config->min_gc_interval_when_soft_limited.ns;
    int64_t most = hard ? config->max_gc_interval_when_hard_limited.ns
                        : config->max_gc_interval_when_soft_limited.ns;
    int64_t interval = max64(least, most > 0 ? min64(limiter->trim_interval, most) : 0);
    if (reading->now - limiter->last_trim < interval)
        return reading->allocated;
    uint64_t left = trim();
    bool helped = left < limiter->limits.soft || left <= reading->allocated / 100 * 95;
    int64_t start = max64(least, config->check_interval.ns / 100 * 95);
    limiter->trim_interval = helped ? 0 : max64(start, limiter->trim_interval * 2);
    limiter->last_trim = reading->now;
    return left;
}

enum limiter_change limiter_check(struct limiter *limiter, struct limiter_reading reading,
                                  uint64_t (*trim)(void))
{
    if (reading.allocated >= limiter->limits.soft)
        reading.allocated = trim_if_due(limiter, &reading, trim);
    bool refuse = reading.allocated >= limiter->limits.soft;
    bool refused = atomic_load_explicit(&limiter->refusing, memory_order_relaxed);
    atomic_store_explicit(&limiter->allocated, reading.allocated, memory_order_relaxed);
    atomic_store_explicit(&limiter->reserved, reading.reserved, memory_order_relaxed);
    atomic_store_explicit(&limiter->refusing, refuse, memory_order_release);
    if (refuse == refused)
        return LIMITER_SAME;
    return refuse ? LIMITER_REFUSES : LIMITER_RESUMES;
}

bool limiter_admits(struct limiter *limiter, uint64_t bytes, uint64_t reserved)
{
    if (atomic_load_explicit(&limiter->refusing, memory_order_acquire))
        return false;
    uint64_t then = atomic_load_explicit(&limiter->reserved, memory_order_relaxed);
    uint64_t since = reserved > then ? reserved - then : 0;
    uint64_t usage = atomic_load_explicit(&limiter->allocated, memory_order_relaxed);
    return !__builtin_add_overflow(usage, since, &usage) && !__builtin_add_overflow(usage, bytes, &usage) &&
           usage < limiter->limits.soft;
}
