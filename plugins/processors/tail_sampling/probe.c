// SPDX-License-Identifier: Apache-2.0
/* The one pass over a span's bytes. */
#include <config.h>

#include <stdlib.h>

#include "plugins/processors/tail_sampling/field.h"
#include "plugins/processors/tail_sampling/probe.h"

static const uint8_t no_id[16];

void probes_add_attribute(struct probes *probes, const char *key, struct attribute_probe *probe)
{
    size_t at = 0;
    while (at < probes->key_count && !weir_str_is(probes->keys[at].key, key))
        at++;
    if (at == probes->key_count) {
        probes->keys = weir_xrealloc(probes->keys, (at + 1) * sizeof *probes->keys);
        probes->keys[at] = (struct probe_key){ weir_str_of(key), NULL };
        probes->key_count++;
    }
    probe->bit = probes->count++;
    probe->next = probes->keys[at].first;
    probes->keys[at].first = probe;
}

void probes_add_span(struct probes *probes, struct span_probe *probe)
{
    probe->bit = probes->count++;
    probe->next = probes->spans;
    probes->spans = probe;
}

void probes_add_latency(struct probes *probes, struct latency_probe *probe)
{
    probe->bit = probes->count++;
    probe->next = probes->latencies;
    probes->latencies = probe;
}

void probes_clear(struct probes *probes)
{
    free(probes->keys);
    *probes = (struct probes){ 0 };
}

void probe_scratch_init(struct probe_scratch *scratch, const struct probes *probes)
{
    scratch->seen = weir_xcalloc(probes->key_count + 1, sizeof *scratch->seen);
    scratch->list = 0;
}

void probe_scratch_clear(struct probe_scratch *scratch)
{
    free(scratch->seen);
    scratch->seen = NULL;
}

/* An AnyValue; of several members the last counts. */
static struct probe_value read_value(struct weir_str bytes)
{
    struct probe_value value = { .type = WEIR_VALUE_EMPTY };
    struct weir_cursor cursor = field_start(bytes);
    struct field field;
    while (field_next(&cursor, &field)) {
        if (field.number < 1 || field.number > 7)
            continue;
        static const enum weir_value_type types[] = {
            WEIR_VALUE_EMPTY,  WEIR_VALUE_STRING, WEIR_VALUE_BOOL, WEIR_VALUE_INT,
            WEIR_VALUE_DOUBLE, WEIR_VALUE_ARRAY,  WEIR_VALUE_MAP,  WEIR_VALUE_BYTES,
        };
        value = (struct probe_value){ .type = types[field.number] };
        if (field.number == 1)
            value.string = field.bytes;
        else if (field.number == 2)
            value.boolean = field.value != 0;
        else if (field.number == 3)
            value.integer = (int64_t)field.value;
    }
    return value;
}

static void ask(const struct probe_key *key, struct weir_str bytes, bool of_resource, uint64_t *bits)
{
    struct probe_value value = read_value(bytes);
    for (const struct attribute_probe *probe = key->first; probe; probe = probe->next)
        if (probe->test(probe, &value, of_resource))
            probe_set(bits, probe->bit);
}

/* Of several attributes under one key the first counts. */
static void ask_attribute(const struct probes *probes, struct probe_scratch *scratch, struct weir_str bytes,
                          bool of_resource, uint64_t *bits)
{
    struct weir_str key = WEIR_STR_NONE, value = WEIR_STR_NONE;
    struct weir_cursor cursor = field_start(bytes);
    struct field field;
    while (field_next(&cursor, &field)) {
        if (field.number == 1)
            key = field.bytes;
        else if (field.number == 2)
            value = field.bytes;
    }
    for (size_t i = 0; i < probes->key_count; i++) {
        if (!weir_str_equal(probes->keys[i].key, key))
            continue;
        if (scratch->seen[i] != scratch->list)
            ask(&probes->keys[i], value, of_resource, bits);
        scratch->seen[i] = scratch->list;
        return;
    }
}

static void next_list(const struct probes *probes, struct probe_scratch *scratch)
{
    if (++scratch->list != 0)
        return;
    memset(scratch->seen, 0, probes->key_count * sizeof *scratch->seen);
    scratch->list = 1;
}

void probe_resource(const struct probes *probes, struct probe_scratch *scratch, struct weir_str payload, uint64_t *bits)
{
    struct weir_cursor cursor = field_start(payload);
    struct field field;
    next_list(probes, scratch);
    while (probes->key_count > 0 && field_next(&cursor, &field))
        if (field.number == 1)
            ask_attribute(probes, scratch, field.bytes, true, bits);
}

static bool is_zero(struct weir_str id)
{
    for (size_t i = 0; i < id.length; i++)
        if (id.data[i] != 0)
            return false;
    return true;
}

static int32_t read_status(struct weir_str bytes, int32_t before)
{
    struct weir_cursor cursor = field_start(bytes);
    struct field field;
    while (field_next(&cursor, &field))
        if (field.number == 3)
            before = (int32_t)field.value;
    return before;
}

static void take_field(const struct field *field, struct span_view *view)
{
    switch (field->number) {
    case 1:
        view->trace_id = field->bytes.length == 16 ? (const uint8_t *)field->bytes.data : no_id;
        break;
    case 3:
        view->trace_state = field->bytes;
        break;
    case 4:
        view->root = is_zero(field->bytes);
        break;
    case 7:
        view->start = field->value;
        break;
    case 8:
        view->end = field->value;
        break;
    case 15:
        view->status = read_status(field->bytes, view->status);
        break;
    case 16:
        view->flags = (uint32_t)field->value;
        break;
    default:
        break;
    }
}

/* Steps over attributes, which most of a span's bytes are. */
static void skip_attributes(struct weir_cursor *cursor)
{
    enum { KEY = 9 << 3 | WEIR_WIRE_BYTES, HEAD = 2 }; /* with a length of one byte */
    while (cursor->end - cursor->at >= HEAD && cursor->at[0] == KEY && cursor->at[1] < 0x80 &&
           cursor->end - cursor->at >= HEAD + cursor->at[1])
        cursor->at += HEAD + cursor->at[1];
}

void probe_span(const struct probes *probes, struct probe_scratch *scratch, struct weir_str payload,
                struct span_view *view, uint64_t *bits)
{
    struct weir_cursor cursor = field_start(payload);
    struct field field;
    *view = (struct span_view){ .trace_id = no_id, .root = true };
    if (probes->key_count > 0)
        next_list(probes, scratch);
    while (field_next(&cursor, &field)) {
        if (field.number != 9)
            take_field(&field, view);
        else if (probes->key_count > 0)
            ask_attribute(probes, scratch, field.bytes, false, bits);
        else
            skip_attributes(&cursor);
    }
    for (const struct span_probe *probe = probes->spans; probe; probe = probe->next)
        if (probe->test(probe, view))
            probe_set(bits, probe->bit);
}

void probe_latency(const struct probes *probes, uint64_t span_start, uint64_t span_end, uint64_t *start, uint64_t *end,
                   uint64_t *bits)
{
    if (*start == 0 || span_start < *start)
        *start = span_start;
    if (*end == 0 || span_end > *end)
        *end = span_end;
    int64_t milliseconds = (int64_t)(*end - *start) / 1000000;
    for (const struct latency_probe *probe = probes->latencies; probe; probe = probe->next)
        if (probe->test(probe, milliseconds))
            probe_set(bits, probe->bit);
}
