// SPDX-License-Identifier: Apache-2.0
/*
 * Exponential histograms as native ones (OpenTelemetry specification, "Exponential Histograms" of the Prometheus
 * compatibility; Prometheus' prompb types.proto).
 */
#include <config.h>

#include <weir/prometheus.h>

#define SCHEMA_MAX 8
#define SCHEMA_MIN (-4)
/* Empty buckets up to so many are written out, for a run of their own would take more room. */
#define GAP_MAX 2
#define ZERO_THRESHOLD 1e-128

struct builder {
    struct weir_prometheus_runs *runs;
    int64_t next; /* the bucket behind the last */
    int64_t before; /* the last count */
};

static void put_count(struct builder *builder, int64_t count)
{
    struct weir_prometheus_runs *runs = builder->runs;
    runs->spans[runs->span_count - 1].length++;
    runs->deltas[runs->delta_count++] = count - builder->before;
    builder->before = count;
    builder->next++;
}

static void put_bucket(struct builder *builder, int64_t bucket, int64_t count)
{
    struct weir_prometheus_runs *runs = builder->runs;
    int64_t gap = bucket - builder->next;
    if (runs->span_count == 0 || gap > GAP_MAX) {
        runs->spans[runs->span_count++] = (struct weir_prometheus_span){ .offset = (int32_t)gap };
        builder->next = bucket;
    }
    while (builder->next < bucket)
        put_count(builder, 0);
    put_count(builder, count);
}

/* Bucket i of OTLP ends where bucket i + 1 of Prometheus does; a shift makes one bucket of 2^shift. What is put never
 * outgrows the buckets that came, for gaps lie between them. */
static int make_runs(const struct weir_buckets *buckets, unsigned shift, struct weir_arena *arena,
                     struct weir_prometheus_runs *runs, struct weir_error *error)
{
    struct builder builder = { .runs = runs };
    *runs = (struct weir_prometheus_runs){ 0 };
    if (buckets->count == 0)
        return 0;
    runs->spans = weir_arena_calloc(arena, buckets->count, sizeof(*runs->spans));
    runs->deltas = weir_arena_calloc(arena, buckets->count, sizeof(*runs->deltas));
    if (!runs->spans || !runs->deltas)
        return weir_error_set(error, "out of memory");
    for (size_t i = 0; i < buckets->count;) {
        int64_t bucket = (((int64_t)buckets->offset + (int64_t)i) >> shift) + 1;
        uint64_t count = 0;
        for (; i < buckets->count && (((int64_t)buckets->offset + (int64_t)i) >> shift) + 1 == bucket; i++) {
            if (__builtin_add_overflow(count, buckets->counts[i], &count) || count > INT64_MAX)
                return weir_error_set(error, "counts of buckets are too large");
        }
        if (bucket > INT32_MAX || bucket < INT32_MIN)
            return weir_error_set(error, "offset of buckets is too large");
        if (count)
            put_bucket(&builder, bucket, (int64_t)count);
    }
    return 0;
}

int weir_prometheus_native_of(const struct weir_data_point *point, struct weir_arena *arena,
                              struct weir_prometheus_native *out, struct weir_error *error)
{
    struct weir_prometheus_native native = { .schema = point->scale };
    unsigned shift = 0;
    if (point->scale < SCHEMA_MIN)
        return weir_error_set(error, "cannot convert exponential to native histogram: scale must be >= -4, was %d",
                              point->scale);
    if (point->scale > SCHEMA_MAX) {
        shift = (unsigned)(point->scale - SCHEMA_MAX);
        native.schema = SCHEMA_MAX;
    }
    if (shift > 62)
        shift = 62;
    if (make_runs(&point->positive, shift, arena, &native.positive, error) < 0
        || make_runs(&point->negative, shift, arena, &native.negative, error) < 0)
        return -1;
    native.zero_threshold = point->zero_threshold > 0 ? point->zero_threshold : ZERO_THRESHOLD;
    native.zero_count = point->zero_count;
    native.count = point->count;
    native.sum = point->sum.present ? point->sum.value : 0;
    if (point->flags & WEIR_POINT_NO_RECORDED_VALUE) {
        native.sum = weir_prometheus_stale();
        native.count = 0;
    }
    *out = native;
    return 0;
}
