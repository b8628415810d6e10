// SPDX-License-Identifier: Apache-2.0
/*
 * Which numbered items have come, and how often.
 */
#include <config.h>

#include <stdlib.h>

#include "bench/sink/sink.h"

/* Numbers above this are taken for damaged ones: the map of the seen ones has to fit into memory. */
#define HIGHEST_SEQ (UINT64_C(1) << 36)

struct producer *sink_producer(struct sink_counts *counts, struct weir_str run, struct weir_str name)
{
    for (size_t i = 0; i < counts->producer_count; i++)
        if (weir_str_is(name, counts->producers[i].name) && weir_str_is(run, counts->producers[i].run))
            return &counts->producers[i];
    if (counts->producer_count == counts->producer_capacity) {
        counts->producer_capacity = counts->producer_capacity ? 2 * counts->producer_capacity : 16;
        counts->producers =
            weir_xrealloc(counts->producers, counts->producer_capacity * sizeof *counts->producers);
    }
    struct producer *producer = &counts->producers[counts->producer_count++];
    *producer = (struct producer){ .run = weir_str_dup(run),
                                   .name = weir_str_dup(name),
                                   .base = number_base(run, name) };
    return producer;
}

static void mark(struct producer *producer, uint64_t seq)
{
    size_t word = (size_t)(seq / 64);
    if (word >= producer->words) {
        size_t words = producer->words ? producer->words : 1024;
        while (words <= word)
            words *= 2;
        producer->seen = weir_xrealloc(producer->seen, words * sizeof *producer->seen);
        memset(producer->seen + producer->words, 0, (words - producer->words) * sizeof *producer->seen);
        producer->words = words;
    }
    uint64_t bit = UINT64_C(1) << seq % 64;
    producer->received++;
    producer->duplicates += (producer->seen[word] & bit) != 0;
    producer->seen[word] |= bit;
    if (seq > producer->highest)
        producer->highest = seq;
}

bool producer_has(const struct producer *producer, uint64_t seq)
{
    return seq / 64 < producer->words && (producer->seen[seq / 64] >> seq % 64 & 1);
}

/* One item with the attributes `seq` and `crc` (NULL: it has none). */
static void take_item(struct sink_counts *counts, struct producer *producer, const struct weir_value *seq,
                      const struct weir_value *crc, struct weir_str text)
{
    uint64_t number, sum;
    if (!producer || !seq || !crc || seq->type != WEIR_VALUE_STRING || crc->type != WEIR_VALUE_STRING) {
        counts->unnumbered++;
        return;
    }
    if (!number_parse(seq->string, NUMBER_SEQ_DIGITS, &number) ||
        !number_parse(crc->string, NUMBER_CRC_DIGITS, &sum) || number > HIGHEST_SEQ ||
        sum != number_crc(producer->base, seq->string.data, text)) {
        counts->bad_crc++;
        return;
    }
    mark(producer, number);
}

static void take_metric(struct sink_counts *counts, struct producer *producer, struct weir_entry *entry)
{
    const struct weir_metric *metric = weir_entry_metric(entry);
    for (size_t i = 0; metric && i < metric->point_count; i++) {
        const struct weir_attributes *attributes = &metric->points[i].attributes;
        take_item(counts, producer, weir_attributes_get(attributes, WEIR_STR("weir.seq")),
                  weir_attributes_get(attributes, WEIR_STR("weir.crc")), metric->name);
    }
}

static void take_entry(struct sink_counts *counts, struct producer *producer, enum weir_signal signal,
                       struct weir_entry *entry)
{
    struct weir_value seq, crc;
    if (signal == WEIR_METRICS) {
        take_metric(counts, producer, entry);
        return;
    }
    bool has_seq = weir_entry_attribute(entry, WEIR_STR("weir.seq"), &seq);
    bool has_crc = weir_entry_attribute(entry, WEIR_STR("weir.crc"), &crc);
    struct weir_str text = WEIR_STR_NONE;
    if (signal == WEIR_TRACES) {
        struct weir_span_index index;
        weir_entry_span_index(entry, &index);
        text = index.name;
    } else {
        const struct weir_log_record *record = weir_entry_log_record(entry);
        if (record && record->body.type == WEIR_VALUE_STRING)
            text = record->body.string;
    }
    take_item(counts, producer, has_seq ? &seq : NULL, has_crc ? &crc : NULL, text);
}

static struct producer *producer_of(struct sink_counts *counts, struct weir_group *group)
{
    const struct weir_resource *resource = weir_group_resource(group);
    const struct weir_value *run = weir_attributes_get(&resource->attributes, WEIR_STR("weir.run"));
    const struct weir_value *name = weir_attributes_get(&resource->attributes, WEIR_STR("weir.producer"));
    if (!run || !name || run->type != WEIR_VALUE_STRING || name->type != WEIR_VALUE_STRING)
        return NULL;
    return sink_producer(counts, run->string, name->string);
}

void sink_take(struct sink_counts *counts, struct weir_batch *batch)
{
    enum weir_signal signal = weir_batch_signal(batch);
    counts->items[signal] += weir_batch_items(batch);
    if (signal == WEIR_PROFILES) {
        counts->unnumbered += weir_batch_items(batch);
        return;
    }
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group)) {
        struct producer *producer = producer_of(counts, group);
        for (struct weir_scope_group *scope = weir_group_first_scope(group); scope;
             scope = weir_scope_group_next(scope))
            for (struct weir_entry *entry = weir_scope_group_first(scope); entry;
                 entry = weir_entry_next(entry))
                take_entry(counts, producer, signal, entry);
    }
}

void sink_counts_free(struct sink_counts *counts)
{
    for (size_t i = 0; i < counts->producer_count; i++) {
        free(counts->producers[i].run);
        free(counts->producers[i].name);
        free(counts->producers[i].seen);
    }
    free(counts->producers);
}
