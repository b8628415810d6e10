// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: what tail_sampling reads of a span in one pass over its bytes is what decoding it gives. */
#include <config.h>

#include <stdlib.h>

#include <weir/batch.h>

#include "plugins/processors/tail_sampling/field.h"
#include "plugins/processors/tail_sampling/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct probes probes;
static struct probe_scratch scratch;
static struct policy *by_text, *by_state;

static void set_up(void)
{
    static char value[] = "v", key[] = "k", *values[] = { value };
    static struct string_options text = { .key = key, .values = { values, 1, true } };
    static struct trace_state_options state = { .key = key, .values = { values, 1, true } };
    by_text = policy_string_attribute(&text, &probes, NULL);
    by_state = policy_trace_state(&state, &probes);
    probe_scratch_init(&scratch, &probes);
}

static void require(bool good)
{
    if (!good)
        abort();
}

static bool is_id(weir_id_bytes id, const uint8_t *read)
{
    static const uint8_t none[16];
    return memcmp(id.data ? (const void *)id.data : none, read, 16) == 0;
}

static void compare(const struct weir_span *span, const struct span_view *view, const uint64_t *bits)
{
    struct evidence evidence = { .bits = bits };
    const struct weir_value *value = weir_attributes_get(&span->attributes, WEIR_STR("k"));
    bool is_v = value && value->type == WEIR_VALUE_STRING && weir_str_is(value->string, "v");
    require(is_id(span->trace_id, view->trace_id));
    require(view->root == (span->parent_span_id.length == 0));
    require(view->start == span->start_time_unix_nano && view->end == span->end_time_unix_nano);
    require(view->status == span->status_code && view->flags == span->flags);
    require(weir_str_equal(view->trace_state, span->trace_state));
    require((by_text->vote(by_text, &evidence) == VOTE_SAMPLED) == is_v);
    (void)by_state->vote(by_state, &evidence);
}

static void compare_scope(struct weir_scope_group *scope, struct weir_str payload)
{
    struct weir_entry *entry = weir_scope_group_first(scope);
    struct weir_cursor cursor = field_start(payload);
    struct field field;
    while (field_next(&cursor, &field)) {
        uint64_t bits = 0;
        struct span_view view;
        if (field.number != 2)
            continue;
        require(entry != NULL);
        probe_span(&probes, &scratch, field.bytes, &view, &bits);
        compare(weir_entry_span(entry), &view, &bits);
        entry = weir_entry_next(entry);
    }
    require(entry == NULL && weir_cursor_left(&cursor) == 0);
}

static void compare_group(struct weir_group *group, struct weir_str payload)
{
    struct weir_scope_group *scope = weir_group_first_scope(group);
    struct weir_cursor cursor = field_start(payload);
    struct field field;
    uint64_t bits = 0;
    while (field_next(&cursor, &field)) {
        if (field.number == 1)
            probe_resource(&probes, &scratch, field.bytes, &bits);
        if (field.number != 2)
            continue;
        require(scope != NULL);
        compare_scope(scope, field.bytes);
        scope = weir_scope_group_next(scope);
    }
    require(scope == NULL);
}

static void compare_all(struct weir_batch *batch)
{
    struct weir_slices slices = { 0 };
    require(weir_batch_encode(batch, &slices));
    struct weir_buffer *bytes = weir_slices_join(&slices);
    require(bytes != NULL);
    struct weir_group *group = weir_batch_first_group(batch);
    struct weir_cursor cursor = weir_cursor_make(bytes->data, bytes->length);
    struct field field;
    while (field_next(&cursor, &field)) {
        if (field.number != 1)
            continue;
        require(group != NULL);
        compare_group(group, field.bytes);
        group = weir_group_next(group);
    }
    require(group == NULL);
    weir_buffer_unref(bytes);
    weir_slices_free(&slices);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!by_text)
        set_up();
    struct weir_buffer *buffer = weir_buffer_copy(data, size);
    struct weir_batch *batch = buffer ? weir_batch_from_bytes(WEIR_TRACES, buffer, buffer->data, size, NULL) : NULL;
    if (batch)
        compare_all(batch);
    weir_batch_unref(batch);
    weir_buffer_unref(buffer);
    return 0;
}
