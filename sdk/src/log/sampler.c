// SPDX-License-Identifier: Apache-2.0
/*
 * Sampling of repeats: of each identical (level, message), the first lines of a tick pass and then every n-th
 * (service::telemetry::logs::sampling, the scheme of zap's sampler). Counters sit in a table by hash; messages that
 * collide share one, which bounds the memory.
 */
#include <config.h>

#include <stdatomic.h>

#include <weir/hash.h>

#include "sdk/src/log/logger.h"

#define COUNTERS 1024

struct counter {
    _Atomic int64_t resets_at;
    _Atomic uint64_t count;
};

static struct counter counters[4][COUNTERS];

static uint64_t count_line(struct counter *counter, int64_t now, int64_t tick)
{
    int64_t resets_at = atomic_load_explicit(&counter->resets_at, memory_order_relaxed);
    if (now < resets_at)
        return atomic_fetch_add_explicit(&counter->count, 1, memory_order_relaxed) + 1;
    atomic_store_explicit(&counter->count, 1, memory_order_relaxed);
    atomic_compare_exchange_strong(&counter->resets_at, &resets_at, now + tick);
    return 1;
}

bool log_sample(enum weir_log_level level, const char *message, const struct weir_logging *logging, int64_t now)
{
    if (!logging->sampling)
        return true;
    struct counter *counter = &counters[level][weir_hash(0, weir_str_of(message)) % COUNTERS];
    uint64_t n = count_line(counter, now, logging->sampling_tick);
    if (n <= logging->sampling_initial)
        return true;
    return logging->sampling_thereafter && (n - logging->sampling_initial) % logging->sampling_thereafter == 0;
}
