// SPDX-License-Identifier: Apache-2.0
/* One memory limiter: what it measures and what it decides. */
#ifndef MEMORY_LIMITER_LIMITER_H
#define MEMORY_LIMITER_LIMITER_H

#include <stdatomic.h>

#include <weir/component.h>

struct limiter_config {
    struct weir_duration check_interval;
    int64_t limit_mib;
    int64_t spike_limit_mib;
    int64_t limit_percentage;
    int64_t spike_limit_percentage;
    struct weir_duration min_gc_interval_when_soft_limited;
    struct weir_duration min_gc_interval_when_hard_limited;
    struct weir_duration max_gc_interval_when_soft_limited;
    struct weir_duration max_gc_interval_when_hard_limited;
};

struct limits {
    uint64_t hard; /* bytes */
    uint64_t soft;
};

/* What one check found. Kept apart from where the numbers come from, so that tests can make them up. */
struct limiter_reading {
    uint64_t allocated; /* bytes the allocator has handed out */
    uint64_t reserved;  /* bytes admitted for telemetry, at the same moment */
    int64_t now;        /* monotonic, nanoseconds */
};

/*
 * Checks run on worker 0; every worker asks. Between checks, usage is taken as what the last check measured plus what
 * was reserved since, so that a burst shorter than the check interval is refused, too.
 */
struct limiter {
    struct limits limits;
    const struct limiter_config *config;
    _Atomic bool refusing;
    _Atomic uint64_t allocated;
    _Atomic uint64_t reserved;
    int64_t last_trim;
    int64_t trim_interval; /* grows while giving memory back does not help */
};

enum limiter_change {
    LIMITER_SAME,
    LIMITER_REFUSES,
    LIMITER_RESUMES,
};

/* The limits that the config asks for on a machine (or in a cgroup) with `total` bytes. */
struct limits limiter_limits(const struct limiter_config *config, uint64_t total);
void limiter_init(struct limiter *limiter, const struct limiter_config *config, uint64_t total);
/* Takes in a reading; `trim` returns free memory to the system and says what is allocated then. */
enum limiter_change limiter_check(struct limiter *limiter, struct limiter_reading reading,
                                  uint64_t (*trim)(void));
/* True if `bytes` more fit, with `reserved` now being reserved in the process. Any worker. */
bool limiter_admits(struct limiter *limiter, uint64_t bytes, uint64_t reserved);

#endif
