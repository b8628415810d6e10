// SPDX-License-Identifier: Apache-2.0
/*
 * Remote write 2.0: io.prometheus.write.v2.Request of prompb/io/prometheus/write/v2/types.proto, whose texts stand once in a
 * table of symbols.
 */
#include <config.h>

#include "plugins/exporters/prometheusremotewrite/fields.h"
#include "plugins/exporters/prometheusremotewrite/message.h"
#include "plugins/exporters/prometheusremotewrite/symbols.h"

/* The body in the making. */
struct body {
    struct weir_arena arena;
    struct symbols symbols;
    uint32_t *refs;  /* of all series, in this order: labels, exemplars' labels, help, unit */
    size_t *lengths; /* of each series' message */
};

static const struct family *family_of(const struct series *series)
{
    static const struct family target_info = { .type = WEIR_PROMETHEUS_GAUGE, .help = { "Target metadata", 15 } };
    return series->family ? series->family : &target_info;
}

/* --- symbols --- */

static size_t count_refs(const struct series *series)
{
    size_t count = 2 * series->label_count + 2;
    for (size_t i = 0; i < series->exemplar_count; i++)
        count += 2 * series->exemplars[i].label_count;
    return count;
}

/* Fills *refs from there on, and leaves it behind them; false when memory is out, as for the next. */
static bool find_labels(struct symbols *symbols, const struct weir_prometheus_label *labels, size_t count, uint32_t **refs)
{
    for (size_t i = 0; i < count; i++) {
        if (!symbols_find(symbols, labels[i].name, (*refs)++) || !symbols_find(symbols, labels[i].value, (*refs)++))
            return false;
    }
    return true;
}

static bool find_symbols(struct symbols *symbols, const struct series *series, uint32_t **refs)
{
    if (!find_labels(symbols, series->labels, series->label_count, refs))
        return false;
    for (size_t i = 0; i < series->exemplar_count; i++) {
        if (!find_labels(symbols, series->exemplars[i].labels, series->exemplars[i].label_count, refs))
            return false;
    }
    return symbols_find(symbols, family_of(series)->help, (*refs)++)
           && symbols_find(symbols, family_of(series)->unit, (*refs)++);
}

/* --- fields --- */

static size_t refs_length(const uint32_t *refs, size_t count)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length += weir_wire_varint_size(refs[i]);
    return length;
}

static size_t refs_size(const uint32_t *refs, size_t count)
{
    return count ? weir_wire_bytes_size(refs_length(refs, count)) : 0;
}

static uint8_t *put_refs(uint8_t *at, const uint32_t *refs, size_t count)
{
    if (count)
        at = weir_wire_put_head(at, 1, refs_length(refs, count));
    for (size_t i = 0; i < count; i++)
        at = weir_wire_put_varint(at, refs[i]);
    return at;
}

static size_t exemplar_length(const struct exemplar *exemplar, const uint32_t *refs)
{
    return refs_size(refs, 2 * exemplar->label_count) + real_size(exemplar->value)
           + number_size((uint64_t)exemplar->timestamp);
}

static uint8_t *put_exemplar(uint8_t *at, const struct exemplar *exemplar, const uint32_t *refs)
{
    at = weir_wire_put_head(at, 4, exemplar_length(exemplar, refs));
    at = put_refs(at, refs, 2 * exemplar->label_count);
    at = put_real(at, 2, exemplar->value);
    return put_number(at, 3, (uint64_t)exemplar->timestamp);
}

static size_t metadata_length(const struct series *series, const uint32_t *refs)
{
    return number_size(family_of(series)->type) + number_size(refs[0]) + number_size(refs[1]);
}

static uint8_t *put_metadata(uint8_t *at, const struct series *series, const uint32_t *refs)
{
    at = weir_wire_put_head(at, 5, metadata_length(series, refs));
    at = put_number(at, 1, family_of(series)->type);
    at = put_number(at, 3, refs[0]);
    return put_number(at, 4, refs[1]);
}

/* --- series --- */

static size_t series_length(const struct series *series, const uint32_t *refs)
{
    size_t length = refs_size(refs, 2 * series->label_count) + prw_samples_size(series, true) + prw_histograms_size(series, true);
    refs += 2 * series->label_count;
    for (size_t i = 0; i < series->exemplar_count; i++) {
        length += weir_wire_bytes_size(exemplar_length(&series->exemplars[i], refs));
        refs += 2 * series->exemplars[i].label_count;
    }
    return length + weir_wire_bytes_size(metadata_length(series, refs));
}

static uint8_t *put_series(uint8_t *at, const struct series *series, const uint32_t *refs)
{
    at = put_refs(at, refs, 2 * series->label_count);
    at = prw_put_samples(at, series, true);
    at = prw_put_histograms(at, 3, series, true);
    refs += 2 * series->label_count;
    for (size_t i = 0; i < series->exemplar_count; i++) {
        at = put_exemplar(at, &series->exemplars[i], refs);
        refs += 2 * series->exemplars[i].label_count;
    }
    return put_metadata(at, series, refs);
}

/* --- the request --- */

static bool prepare(struct body *body, const struct series *first, size_t count)
{
    const struct series *series = first;
    size_t refs = 0;
    uint32_t empty, *at;
    for (size_t i = 0; i < count; i++, series = series->next)
        refs += count_refs(series);
    body->refs = at = weir_arena_calloc(&body->arena, refs, sizeof(*body->refs));
    body->lengths = weir_arena_calloc(&body->arena, count, sizeof(*body->lengths));
    if (!body->refs || !body->lengths || !symbols_find(&body->symbols, WEIR_STR(""), &empty))
        return false;
    series = first;
    for (size_t i = 0; i < count; i++, series = series->next) {
        if (!find_symbols(&body->symbols, series, &at))
            return false;
    }
    return true;
}

static size_t measure(struct body *body, const struct series *first, size_t count)
{
    const struct series *series = first;
    const uint32_t *refs = body->refs;
    size_t size = 0;
    for (size_t i = 0; i < body->symbols.count; i++)
        size += weir_wire_bytes_size(body->symbols.items[i].length);
    for (size_t i = 0; i < count; i++, series = series->next) {
        body->lengths[i] = series_length(series, refs);
        size += weir_wire_bytes_size(body->lengths[i]);
        refs += count_refs(series);
    }
    return size;
}

static struct weir_buffer *pack(struct body *body, const struct series *first, size_t count)
{
    struct weir_buffer *buffer = weir_buffer_new(measure(body, first, count));
    const struct series *series = first;
    const uint32_t *refs = body->refs;
    if (!buffer)
        return NULL;
    uint8_t *at = buffer->data;
    for (size_t i = 0; i < body->symbols.count; i++)
        at = weir_wire_put_bytes(at, 4, body->symbols.items[i]);
    for (size_t i = 0; i < count; i++, series = series->next) {
        at = put_series(weir_wire_put_head(at, 5, body->lengths[i]), series, refs);
        refs += count_refs(series);
    }
    buffer->length = (size_t)(at - buffer->data);
    return buffer;
}

struct weir_buffer *prw_pack_v2(const struct series *first, size_t count)
{
    struct body body = { .symbols = { .arena = &body.arena } };
    struct weir_buffer *buffer = prepare(&body, first, count) ? pack(&body, first, count) : NULL;
    weir_arena_free(&body.arena);
    return buffer;
}
