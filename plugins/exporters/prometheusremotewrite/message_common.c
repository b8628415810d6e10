// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheusremotewrite/message_common.h"

void *prw_pointers(struct weir_arena *arena, void *messages, size_t count, size_t size)
{
    void **pointers = weir_arena_calloc(arena, count, sizeof(void *));
    for (size_t i = 0; pointers && i < count; i++)
        pointers[i] = (char *)messages + i * size;
    return pointers;
}

static bool set_spans(const struct weir_prometheus_runs *runs, struct weir_arena *arena, Prompb__BucketSpan ***out,
                      size_t *count)
{
    Prompb__BucketSpan *spans = weir_arena_calloc(arena, runs->span_count, sizeof(*spans));
    if (!spans)
        return false;
    for (size_t i = 0; i < runs->span_count; i++) {
        prompb__bucket_span__init(&spans[i]);
        spans[i].offset = runs->spans[i].offset;
        spans[i].length = runs->spans[i].length;
    }
    *out = prw_pointers(arena, spans, runs->span_count, sizeof(*spans));
    *count = runs->span_count;
    return *out != NULL;
}

static bool set_histogram(const struct sample *sample, bool start, struct weir_arena *arena, Prompb__Histogram *out)
{
    const struct weir_prometheus_native *native = sample->native;
    prompb__histogram__init(out);
    out->count_case = PROMPB__HISTOGRAM__COUNT_COUNT_INT;
    out->count_int = native->count;
    out->sum = native->sum;
    out->schema = native->schema;
    out->zero_threshold = native->zero_threshold;
    out->zero_count_case = PROMPB__HISTOGRAM__ZERO_COUNT_ZERO_COUNT_INT;
    out->zero_count_int = native->zero_count;
    out->positive_deltas = native->positive.deltas;
    out->n_positive_deltas = native->positive.delta_count;
    out->negative_deltas = native->negative.deltas;
    out->n_negative_deltas = native->negative.delta_count;
    out->timestamp = sample->timestamp;
    out->start_timestamp = start ? sample->start : 0;
    return set_spans(&native->positive, arena, &out->positive_spans, &out->n_positive_spans)
           && set_spans(&native->negative, arena, &out->negative_spans, &out->n_negative_spans);
}

bool prw_histograms(const struct series *series, bool start, struct weir_arena *arena, Prompb__Histogram ***out,
                    size_t *count)
{
    size_t found = 0, at = 0;
    for (size_t i = 0; i < series->sample_count; i++)
        found += series->samples[i].native != NULL;
    *count = found;
    if (found == 0)
        return true;
    Prompb__Histogram *histograms = weir_arena_calloc(arena, found, sizeof(*histograms));
    if (!histograms)
        return false;
    for (size_t i = 0; i < series->sample_count; i++) {
        if (series->samples[i].native && !set_histogram(&series->samples[i], start, arena, &histograms[at++]))
            return false;
    }
    *out = prw_pointers(arena, histograms, found, sizeof(*histograms));
    return *out != NULL;
}

size_t prw_listed_size(const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message), prefix = 2;
    for (size_t rest = size; rest >= 0x80; rest >>= 7)
        prefix++;
    return prefix + size;
}

struct weir_buffer *prw_pack(const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    struct weir_buffer *buffer = weir_buffer_new(size);
    if (buffer)
        buffer->length = protobuf_c_message_pack(message, buffer->data);
    return buffer;
}
