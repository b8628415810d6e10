// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheus/exponential.h"

/* Far more than the 160 of the SDKs. Two that lie far apart are told less exactly, so that they cannot take memory without
 * bound. */
#define BUCKETS_MAX 4096

/* Not even the range of a double makes sense of these. */
#define SCALE_MIN (-64)

bool exponential_fit(int32_t scale_a, int32_t scale_b)
{
    return scale_a >= SCALE_MIN && scale_b >= SCALE_MIN;
}

static unsigned shift_of(int32_t scale, int32_t lower)
{
    int64_t shift = (int64_t)scale - lower;
    return shift > 62 ? 62 : (unsigned)shift;
}

/* Widens the range, from *first up to *end, over the buckets. */
static void cover(const struct weir_buckets *buckets, unsigned shift, int64_t *first, int64_t *end)
{
    if (buckets->count == 0)
        return;
    int64_t own_first = (int64_t)buckets->offset >> shift;
    int64_t own_end = (((int64_t)buckets->offset + (int64_t)buckets->count - 1) >> shift) + 1;
    bool none = *first == *end;
    *first = none || own_first < *first ? own_first : *first;
    *end = none || own_end > *end ? own_end : *end;
}

static struct exponential_range range_of(const struct weir_buckets *a, unsigned shift_a, const struct weir_buckets *b,
                                         unsigned shift_b)
{
    int64_t first = 0, end = 0;
    cover(a, shift_a, &first, &end);
    cover(b, shift_b, &first, &end);
    return (struct exponential_range){ first, (size_t)(end - first) };
}

struct exponential_sum exponential_lay_out(const struct weir_data_point *a, const struct weir_data_point *b)
{
    int32_t scale = a->scale < b->scale ? a->scale : b->scale;
    for (;; scale--) {
        unsigned shift_a = shift_of(a->scale, scale), shift_b = shift_of(b->scale, scale);
        struct exponential_sum sum = {
            .scale = scale,
            .positive = range_of(&a->positive, shift_a, &b->positive, shift_b),
            .negative = range_of(&a->negative, shift_a, &b->negative, shift_b),
        };
        if (sum.positive.count <= BUCKETS_MAX && sum.negative.count <= BUCKETS_MAX)
            return sum;
    }
}

void exponential_add(const struct weir_buckets *buckets, int32_t scale, int32_t sum_scale,
                     const struct exponential_range *range, uint64_t *counts)
{
    unsigned shift = shift_of(scale, sum_scale);
    for (size_t i = 0; i < buckets->count; i++)
        counts[(((int64_t)buckets->offset + (int64_t)i) >> shift) - range->first] += buckets->counts[i];
}
