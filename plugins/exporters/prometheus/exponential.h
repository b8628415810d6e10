// SPDX-License-Identifier: Apache-2.0
/*
 * Adding exponential histograms to each other (OTLP's data model, "Exponential buckets": those of a scale come to those of
 * the next lower one in pairs).
 */
#ifndef PROMETHEUS_EXPONENTIAL_H
#define PROMETHEUS_EXPONENTIAL_H

#include <weir/telemetry.h>

/* The buckets that the sum of two has on one side. */
struct exponential_range {
    int64_t first;
    size_t count;
};

/* The largest scale, at most the lower one of both, at which the sum has a bounded number of buckets. */
struct exponential_sum {
    int32_t scale;
    struct exponential_range positive, negative;
};

/* Whether they can be added: scales far below what any histogram is shown with are refused. */
bool exponential_fit(int32_t scale_a, int32_t scale_b);
struct exponential_sum exponential_lay_out(const struct weir_data_point *a, const struct weir_data_point *b);

/* Adds the buckets, of `scale`, to the counts of the range, which is of sum_scale. */
void exponential_add(const struct weir_buckets *buckets, int32_t scale, int32_t sum_scale,
                     const struct exponential_range *range, uint64_t *counts);

#endif
