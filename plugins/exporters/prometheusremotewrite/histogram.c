// SPDX-License-Identifier: Apache-2.0
/*
 * Native histograms: prometheus.Histogram, which is the same in both versions.
 */
#include <config.h>

#include "plugins/exporters/prometheusremotewrite/fields.h"

static size_t span_length(const struct weir_prometheus_span *span)
{
    return number_size(weir_wire_zigzag(span->offset)) + number_size(span->length);
}

static size_t deltas_length(const struct weir_prometheus_runs *runs)
{
    size_t length = 0;
    for (size_t i = 0; i < runs->delta_count; i++)
        length += weir_wire_varint_size(weir_wire_zigzag(runs->deltas[i]));
    return length;
}

static size_t runs_size(const struct weir_prometheus_runs *runs)
{
    size_t size = runs->delta_count ? weir_wire_bytes_size(deltas_length(runs)) : 0;
    for (size_t i = 0; i < runs->span_count; i++)
        size += weir_wire_bytes_size(span_length(&runs->spans[i]));
    return size;
}

/* The deltas' field is behind that of the spans. */
static uint8_t *put_runs(uint8_t *at, uint32_t field, const struct weir_prometheus_runs *runs)
{
    for (size_t i = 0; i < runs->span_count; i++) {
        at = weir_wire_put_head(at, field, span_length(&runs->spans[i]));
        at = put_number(at, 1, weir_wire_zigzag(runs->spans[i].offset));
        at = put_number(at, 2, runs->spans[i].length);
    }
    if (runs->delta_count)
        at = weir_wire_put_head(at, field + 1, deltas_length(runs));
    for (size_t i = 0; i < runs->delta_count; i++)
        at = weir_wire_put_varint(at, weir_wire_zigzag(runs->deltas[i]));
    return at;
}

/* Counts are of oneofs, so they are there when they are zero. */
static size_t histogram_length(const struct sample *sample, bool start)
{
    const struct weir_prometheus_native *native = sample->native;
    size_t length = 1 + weir_wire_varint_size(native->count) + real_size(native->sum)
                    + number_size(weir_wire_zigzag(native->schema)) + real_size(native->zero_threshold)
                    + 1 + weir_wire_varint_size(native->zero_count) + runs_size(&native->negative)
                    + runs_size(&native->positive) + number_size((uint64_t)sample->timestamp);
    if (start && sample->start)
        length += 2 + weir_wire_varint_size((uint64_t)sample->start);
    return length;
}

static uint8_t *put_histogram(uint8_t *at, const struct sample *sample, bool start)
{
    const struct weir_prometheus_native *native = sample->native;
    at = put_number_always(at, 1, native->count);
    at = put_real(at, 3, native->sum);
    at = put_number(at, 4, weir_wire_zigzag(native->schema));
    at = put_real(at, 5, native->zero_threshold);
    at = put_number_always(at, 6, native->zero_count);
    at = put_runs(at, 8, &native->negative);
    at = put_runs(at, 11, &native->positive);
    at = put_number(at, 15, (uint64_t)sample->timestamp);
    return start ? put_number(at, 17, (uint64_t)sample->start) : at;
}

size_t prw_histograms_size(const struct series *series, bool start)
{
    size_t size = 0;
    for (size_t i = 0; i < series->sample_count; i++) {
        if (series->samples[i].native)
            size += weir_wire_bytes_size(histogram_length(&series->samples[i], start));
    }
    return size;
}

uint8_t *prw_put_histograms(uint8_t *at, uint32_t field, const struct series *series, bool start)
{
    for (size_t i = 0; i < series->sample_count; i++) {
        const struct sample *sample = &series->samples[i];
        if (sample->native)
            at = put_histogram(weir_wire_put_head(at, field, histogram_length(sample, start)), sample, start);
    }
    return at;
}
