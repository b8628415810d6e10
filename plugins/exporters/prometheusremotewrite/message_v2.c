// SPDX-License-Identifier: Apache-2.0
/*
 * Remote write 2.0: io.prometheus.write.v2.Request, whose texts stand once in a table of symbols.
 */
#include <config.h>

#include <weir/hash.h>

#include "plugins/exporters/prometheusremotewrite/message.h"
#include "plugins/exporters/prometheusremotewrite/message_common.h"

/* The texts of one request. */
struct symbols {
    struct weir_arena *arena;
    ProtobufCBinaryData *items; /* the first is empty */
    size_t count, capacity;
    uint32_t *table; /* 1 + index */
    size_t table_size;
};

static struct weir_str text_at(const struct symbols *symbols, size_t index)
{
    return weir_str_make((const char *)symbols->items[index].data, symbols->items[index].len);
}

/* Where the text is, or should be, in the table. */
static size_t slot_of(const struct symbols *symbols, struct weir_str text)
{
    size_t at = weir_hash(0, text) & (symbols->table_size - 1);
    while (symbols->table[at] && !weir_str_equal(text_at(symbols, symbols->table[at] - 1), text))
        at = (at + 1) & (symbols->table_size - 1);
    return at;
}

static bool grow(struct symbols *symbols)
{
    size_t capacity = symbols->capacity ? symbols->capacity * 2 : 128;
    ProtobufCBinaryData *items = weir_arena_calloc(symbols->arena, capacity, sizeof(*items));
    uint32_t *table = weir_arena_calloc(symbols->arena, capacity * 2, sizeof(*table));
    if (!items || !table)
        return false;
    if (symbols->count)
        memcpy(items, symbols->items, symbols->count * sizeof(*items));
    symbols->items = items;
    symbols->capacity = capacity;
    symbols->table = table;
    symbols->table_size = capacity * 2;
    for (size_t i = 0; i < symbols->count; i++)
        table[slot_of(symbols, text_at(symbols, i))] = (uint32_t)i + 1;
    return true;
}

static bool find_symbol(struct symbols *symbols, struct weir_str text, uint32_t *index)
{
    if (symbols->count == symbols->capacity && !grow(symbols))
        return false;
    size_t at = slot_of(symbols, text);
    if (!symbols->table[at]) {
        symbols->items[symbols->count++] = bytes_of(text);
        symbols->table[at] = (uint32_t)symbols->count;
    }
    *index = symbols->table[at] - 1;
    return true;
}

static bool set_refs(struct symbols *symbols, const struct weir_prometheus_label *labels, size_t count, uint32_t **refs,
                     size_t *ref_count)
{
    *ref_count = count * 2;
    *refs = weir_arena_calloc(symbols->arena, count * 2, sizeof(**refs));
    if (!*refs)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!find_symbol(symbols, labels[i].name, &(*refs)[2 * i])
            || !find_symbol(symbols, labels[i].value, &(*refs)[2 * i + 1]))
            return false;
    }
    return true;
}

static bool set_samples(const struct series *series, struct weir_arena *arena, Prompb__TimeSeriesV2 *out)
{
    Prompb__SampleV2 *samples = weir_arena_calloc(arena, series->sample_count, sizeof(*samples));
    size_t count = 0;
    if (!samples)
        return false;
    for (size_t i = 0; i < series->sample_count; i++) {
        if (series->samples[i].native)
            continue;
        prompb__sample_v2__init(&samples[count]);
        samples[count].value = series->samples[i].value;
        samples[count].start_timestamp = series->samples[i].start;
        samples[count++].timestamp = series->samples[i].timestamp;
    }
    out->n_samples = count;
    out->samples = prw_pointers(arena, samples, count, sizeof(*samples));
    return out->samples != NULL;
}

static bool set_exemplars(const struct series *series, struct symbols *symbols, Prompb__TimeSeriesV2 *out)
{
    Prompb__ExemplarV2 *exemplars = weir_arena_calloc(symbols->arena, series->exemplar_count, sizeof(*exemplars));
    if (!exemplars)
        return false;
    for (size_t i = 0; i < series->exemplar_count; i++) {
        const struct exemplar *exemplar = &series->exemplars[i];
        prompb__exemplar_v2__init(&exemplars[i]);
        if (!set_refs(symbols, exemplar->labels, exemplar->label_count, &exemplars[i].labels_refs,
                      &exemplars[i].n_labels_refs))
            return false;
        exemplars[i].value = exemplar->value;
        exemplars[i].timestamp = exemplar->timestamp;
    }
    out->n_exemplars = series->exemplar_count;
    out->exemplars = prw_pointers(symbols->arena, exemplars, series->exemplar_count, sizeof(*exemplars));
    return out->exemplars != NULL;
}

static bool set_metadata(const struct family *family, struct symbols *symbols, Prompb__TimeSeriesV2 *out)
{
    static const struct family target_info = { .type = WEIR_PROMETHEUS_GAUGE, .help = { "Target metadata", 15 } };
    Prompb__MetadataV2 *metadata = weir_arena_alloc(symbols->arena, sizeof(*metadata));
    if (!metadata)
        return false;
    prompb__metadata_v2__init(metadata);
    if (!family)
        family = &target_info;
    metadata->type = family->type;
    out->metadata = metadata;
    return find_symbol(symbols, family->help, &metadata->help_ref) && find_symbol(symbols, family->unit, &metadata->unit_ref);
}

static bool set_series(const struct series *series, struct symbols *symbols, Prompb__TimeSeriesV2 *message)
{
    prompb__time_series_v2__init(message);
    return set_refs(symbols, series->labels, series->label_count, &message->labels_refs, &message->n_labels_refs)
           && set_samples(series, symbols->arena, message) && set_exemplars(series, symbols, message)
           && set_metadata(series->family, symbols, message)
           && prw_histograms(series, true, symbols->arena, &message->histograms, &message->n_histograms);
}

/* The symbols belong to a request, so the message is made with it; its size is told as version 1 would have it. */
static void *series_message(const struct series *series, struct weir_arena *arena, size_t *bytes)
{
    return prw_format_v1.series(series, arena, bytes) ? (void *)(uintptr_t)series : NULL;
}

static struct weir_buffer *pack_series(void **messages, size_t count, struct weir_arena *arena)
{
    Prompb__RequestV2 request;
    struct symbols symbols = { .arena = arena };
    Prompb__TimeSeriesV2 *all = weir_arena_calloc(arena, count, sizeof(*all));
    uint32_t none;
    if (!all || !find_symbol(&symbols, WEIR_STR(""), &none))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (!set_series(messages[i], &symbols, &all[i]))
            return NULL;
    }
    prompb__request_v2__init(&request);
    request.symbols = symbols.items;
    request.n_symbols = symbols.count;
    request.timeseries = prw_pointers(arena, all, count, sizeof(*all));
    request.n_timeseries = count;
    return request.timeseries ? prw_pack(&request.base) : NULL;
}

const struct prw_format prw_format_v2 = { series_message, pack_series };
