// SPDX-License-Identifier: Apache-2.0
/*
 * Remote write 1.0: prometheus.WriteRequest of prompb/remote.proto and prompb/types.proto.
 */
#include <config.h>

#include "plugins/exporters/prometheusremotewrite/fields.h"
#include "plugins/exporters/prometheusremotewrite/message.h"

static size_t label_length(const struct weir_prometheus_label *label)
{
    return text_size(label->name) + text_size(label->value);
}

static size_t labels_size(const struct weir_prometheus_label *labels, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += weir_wire_bytes_size(label_length(&labels[i]));
    return size;
}

static uint8_t *put_labels(uint8_t *at, const struct weir_prometheus_label *labels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        at = weir_wire_put_head(at, 1, label_length(&labels[i]));
        at = put_text(at, 1, labels[i].name);
        at = put_text(at, 2, labels[i].value);
    }
    return at;
}

static size_t exemplar_length(const struct exemplar *exemplar)
{
    return labels_size(exemplar->labels, exemplar->label_count) + real_size(exemplar->value)
           + number_size((uint64_t)exemplar->timestamp);
}

static size_t exemplars_size(const struct series *series)
{
    size_t size = 0;
    for (size_t i = 0; i < series->exemplar_count; i++)
        size += weir_wire_bytes_size(exemplar_length(&series->exemplars[i]));
    return size;
}

static uint8_t *put_exemplars(uint8_t *at, const struct series *series)
{
    for (size_t i = 0; i < series->exemplar_count; i++) {
        const struct exemplar *exemplar = &series->exemplars[i];
        at = weir_wire_put_head(at, 3, exemplar_length(exemplar));
        at = put_labels(at, exemplar->labels, exemplar->label_count);
        at = put_real(at, 2, exemplar->value);
        at = put_number(at, 3, (uint64_t)exemplar->timestamp);
    }
    return at;
}

size_t prw_series_measure(struct series *series)
{
    series->length = labels_size(series->labels, series->label_count) + prw_samples_size(series, false) + exemplars_size(series)
                     + prw_histograms_size(series, false);
    return weir_wire_bytes_size(series->length);
}

struct weir_buffer *prw_pack_v1(const struct series *first, size_t count, size_t bytes)
{
    struct weir_buffer *body = weir_buffer_new(bytes);
    if (!body)
        return NULL;
    uint8_t *at = body->data;
    for (const struct series *series = first; count > 0; series = series->next, count--) {
        at = weir_wire_put_head(at, 1, series->length);
        at = put_labels(at, series->labels, series->label_count);
        at = prw_put_samples(at, series, false);
        at = put_exemplars(at, series);
        at = prw_put_histograms(at, 4, series, false);
    }
    body->length = (size_t)(at - body->data);
    return body;
}

/* --- metadata --- */

static size_t metadata_length(const struct family *family)
{
    return number_size(family->type) + text_size(family->name) + text_size(family->help) + text_size(family->unit);
}

size_t prw_metadata_size(const struct family *family)
{
    return weir_wire_bytes_size(metadata_length(family));
}

struct weir_buffer *prw_pack_metadata(const struct family *first, size_t count, size_t bytes)
{
    struct weir_buffer *body = weir_buffer_new(bytes);
    if (!body)
        return NULL;
    uint8_t *at = body->data;
    for (const struct family *family = first; count > 0; family = family->next, count--) {
        at = weir_wire_put_head(at, 3, metadata_length(family));
        at = put_number(at, 1, family->type);
        at = put_text(at, 2, family->name);
        at = put_text(at, 4, family->help);
        at = put_text(at, 5, family->unit);
    }
    body->length = (size_t)(at - body->data);
    return body;
}
