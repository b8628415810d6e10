// SPDX-License-Identifier: Apache-2.0
/*
 * Latencies, counted in buckets that are 3 % wide.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB 32
#define HISTOGRAM_BUCKETS (60 * HISTOGRAM_SUB)

/* Zero-initialise to start. */
struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t total;
    int64_t max;
};

void histogram_add(struct histogram *histogram, int64_t ns);
/* The smallest latency that `share` (0 to 1) of all do not exceed, in nanoseconds; 0 when there is none. */
int64_t histogram_quantile(const struct histogram *histogram, double share);

#endif
