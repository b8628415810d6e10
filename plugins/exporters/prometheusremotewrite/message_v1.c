// SPDX-License-Identifier: Apache-2.0
/*
 * Remote write 1.0: prometheus.WriteRequest.
 */
#include <config.h>

#include "plugins/exporters/prometheusremotewrite/message.h"
#include "plugins/exporters/prometheusremotewrite/message_common.h"

static bool set_labels(const struct weir_prometheus_label *labels, size_t count, struct weir_arena *arena,
                       Prompb__Label ***out)
{
    Prompb__Label *messages = weir_arena_calloc(arena, count, sizeof(*messages));
    if (!messages)
        return false;
    for (size_t i = 0; i < count; i++) {
        prompb__label__init(&messages[i]);
        messages[i].name = bytes_of(labels[i].name);
        messages[i].value = bytes_of(labels[i].value);
    }
    *out = prw_pointers(arena, messages, count, sizeof(*messages));
    return *out != NULL;
}

static bool set_samples(const struct series *series, struct weir_arena *arena, Prompb__TimeSeries *out)
{
    Prompb__Sample *samples = weir_arena_calloc(arena, series->sample_count, sizeof(*samples));
    size_t count = 0;
    if (!samples)
        return false;
    for (size_t i = 0; i < series->sample_count; i++) {
        if (series->samples[i].native)
            continue;
        prompb__sample__init(&samples[count]);
        samples[count].value = series->samples[i].value;
        samples[count++].timestamp = series->samples[i].timestamp;
    }
    out->n_samples = count;
    out->samples = prw_pointers(arena, samples, count, sizeof(*samples));
    return out->samples != NULL;
}

static bool set_exemplars(const struct series *series, struct weir_arena *arena, Prompb__TimeSeries *out)
{
    Prompb__Exemplar *exemplars = weir_arena_calloc(arena, series->exemplar_count, sizeof(*exemplars));
    if (!exemplars)
        return false;
    for (size_t i = 0; i < series->exemplar_count; i++) {
        const struct exemplar *exemplar = &series->exemplars[i];
        prompb__exemplar__init(&exemplars[i]);
        exemplars[i].n_labels = exemplar->label_count;
        if (!set_labels(exemplar->labels, exemplar->label_count, arena, &exemplars[i].labels))
            return false;
        exemplars[i].value = exemplar->value;
        exemplars[i].timestamp = exemplar->timestamp;
    }
    out->n_exemplars = series->exemplar_count;
    out->exemplars = prw_pointers(arena, exemplars, series->exemplar_count, sizeof(*exemplars));
    return out->exemplars != NULL;
}

static void *series_message(const struct series *series, struct weir_arena *arena, size_t *bytes)
{
    Prompb__TimeSeries *message = weir_arena_alloc(arena, sizeof(*message));
    if (!message)
        return NULL;
    prompb__time_series__init(message);
    message->n_labels = series->label_count;
    if (!set_labels(series->labels, series->label_count, arena, &message->labels)
        || !set_samples(series, arena, message) || !set_exemplars(series, arena, message)
        || !prw_histograms(series, false, arena, &message->histograms, &message->n_histograms))
        return NULL;
    *bytes = prw_listed_size(&message->base);
    return message;
}

static struct weir_buffer *pack_series(void **messages, size_t count, struct weir_arena *arena)
{
    Prompb__WriteRequest request;
    (void)arena;
    prompb__write_request__init(&request);
    request.timeseries = (Prompb__TimeSeries **)messages;
    request.n_timeseries = count;
    return prw_pack(&request.base);
}

const struct prw_format prw_format_v1 = { series_message, pack_series };

void *prw_metadata_message(const struct family *family, struct weir_arena *arena, size_t *bytes)
{
    Prompb__MetricMetadata *message = weir_arena_alloc(arena, sizeof(*message));
    if (!message)
        return NULL;
    prompb__metric_metadata__init(message);
    message->type = family->type;
    message->metric_family_name = bytes_of(family->name);
    message->help = bytes_of(family->help);
    message->unit = bytes_of(family->unit);
    *bytes = prw_listed_size(&message->base);
    return message;
}

static struct weir_buffer *pack_metadata(void **messages, size_t count, struct weir_arena *arena)
{
    Prompb__WriteRequest request;
    (void)arena;
    prompb__write_request__init(&request);
    request.metadata = (Prompb__MetricMetadata **)messages;
    request.n_metadata = count;
    return prw_pack(&request.base);
}

const struct prw_format prw_format_metadata = { NULL, pack_metadata };
