// SPDX-License-Identifier: Apache-2.0
/*
 * Helpers of the tests and fuzz targets that compare the codecs.
 */
#include <config.h>

#include "sdk/src/otlp/tests/batches.h"

#include <stdio.h>
#include <stdlib.h>

#define REQUIRE(condition)                                                  \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

struct weir_batch *batch_try(enum weir_signal signal, const void *data, size_t length,
                             struct weir_error *error)
{
    struct weir_buffer *buffer = weir_buffer_copy(data, length);
    REQUIRE(buffer);
    struct weir_batch *batch = weir_batch_from_bytes(signal, buffer, buffer->data, length, error);
    weir_buffer_unref(buffer);
    return batch;
}

struct weir_batch *batch_of(enum weir_signal signal, const void *data, size_t length)
{
    struct weir_batch *batch = batch_try(signal, data, length, NULL);
    REQUIRE(batch);
    return batch;
}

struct weir_buffer *batch_bytes(struct weir_batch *batch)
{
    struct weir_slices slices = { 0 };
    REQUIRE(weir_batch_encode(batch, &slices));
    struct weir_buffer *bytes = weir_slices_join(&slices);
    REQUIRE(bytes);
    REQUIRE(bytes->length == weir_batch_bytes(batch));
    weir_slices_free(&slices);
    return bytes;
}

void batch_same_as(struct weir_batch *batch, const void *data, size_t length)
{
    enum weir_signal signal = weir_batch_signal(batch);
    struct weir_buffer *bytes = batch_bytes(batch);
    size_t is_length = 0, should_length = 0;
    uint8_t *is = oracle_canonical(signal, bytes->data, bytes->length, &is_length);
    uint8_t *should = oracle_canonical(signal, data, length, &should_length);
    REQUIRE(is && should);
    REQUIRE(is_length == should_length);
    REQUIRE(memcmp(is, should, is_length) == 0);
    free(is);
    free(should);
    weir_buffer_unref(bytes);
}

void batch_same(struct weir_batch *batch, struct weir_batch *other)
{
    struct weir_buffer *bytes = batch_bytes(other);
    batch_same_as(batch, bytes->data, bytes->length);
    weir_buffer_unref(bytes);
}

struct oracle_items batch_items(struct weir_batch *batch)
{
    enum weir_signal signal = weir_batch_signal(batch);
    struct weir_buffer *bytes = batch_bytes(batch);
    ProtobufCMessage *request = oracle_unpack(signal, bytes->data, bytes->length);
    REQUIRE(request);
    struct oracle_items items = oracle_flatten(signal, request);
    protobuf_c_message_free_unpacked(request, NULL);
    weir_buffer_unref(bytes);
    return items;
}

/* Calls back for every entry, and for groups and scope groups with less. */
static void each(struct weir_batch *batch,
                 void (*node)(struct weir_group *, struct weir_scope_group *, struct weir_entry *, void *),
                 void *data)
{
    for (struct weir_group *g = weir_batch_first_group(batch); g; g = weir_group_next(g)) {
        node(g, NULL, NULL, data);
        for (struct weir_scope_group *s = weir_group_first_scope(g); s; s = weir_scope_group_next(s)) {
            node(g, s, NULL, data);
            for (struct weir_entry *e = weir_scope_group_first(s); e; e = weir_entry_next(e))
                node(g, s, e, data);
        }
    }
}

struct walker {
    enum weir_signal signal;
    size_t items;
    struct oracle_random *random;
    size_t every;
};

static void check_index(struct weir_entry *entry)
{
    struct weir_span_index raw, index;
    struct weir_value value;
    weir_entry_span_index(entry, &raw);
    bool found = weir_entry_attribute(entry, WEIR_STR("http.method"), &value);
    const struct weir_span *span = weir_entry_span(entry);
    REQUIRE(span);
    weir_entry_span_index(entry, &index);
    REQUIRE(weir_str_equal(raw.trace_id, index.trace_id) && weir_str_equal(raw.span_id, index.span_id));
    REQUIRE(weir_str_equal(raw.parent_span_id, index.parent_span_id) && weir_str_equal(raw.name, index.name));
    REQUIRE(weir_str_equal(raw.trace_state, index.trace_state) && raw.kind == index.kind);
    REQUIRE(raw.start_time_unix_nano == index.start_time_unix_nano && raw.flags == index.flags);
    REQUIRE(raw.end_time_unix_nano == index.end_time_unix_nano && raw.status_code == index.status_code);
    REQUIRE(raw.attribute_count == index.attribute_count && raw.attribute_count == span->attributes.count);
    const struct weir_value *decoded = weir_attributes_get(&span->attributes, WEIR_STR("http.method"));
    REQUIRE(found == (decoded != NULL) && (!found || value.type == decoded->type));
}

static void walk_node(struct weir_group *group, struct weir_scope_group *scope, struct weir_entry *entry,
                      void *data)
{
    struct walker *walker = data;
    if (!scope) {
        REQUIRE(weir_group_resource(group));
        (void)weir_group_schema_url(group);
    } else if (!entry) {
        REQUIRE(weir_scope_group_scope(scope));
        (void)weir_scope_group_schema_url(scope);
    } else if (walker->signal == WEIR_TRACES) {
        check_index(entry);
    } else if (walker->signal == WEIR_METRICS) {
        const struct weir_metric *metric = weir_entry_metric(entry);
        REQUIRE(metric && metric->point_count == weir_entry_items(entry));
    } else {
        REQUIRE(weir_entry_log_record(entry));
    }
    walker->items += entry ? weir_entry_items(entry) : 0;
}

void batch_walk(struct weir_batch *batch)
{
    struct walker walker = { .signal = weir_batch_signal(batch) };
    each(batch, walk_node, &walker);
    REQUIRE(walker.items == weir_batch_items(batch));
}

static void touch_node(struct weir_group *group, struct weir_scope_group *scope, struct weir_entry *entry,
                       void *data)
{
    struct walker *walker = data;
    if (oracle_below(walker->random, walker->every) != 0)
        return;
    if (!scope)
        REQUIRE(weir_group_edit_resource(group));
    else if (!entry)
        REQUIRE(weir_scope_group_edit_scope(scope));
    else if (walker->signal == WEIR_TRACES)
        REQUIRE(weir_entry_edit_span(entry));
    else if (walker->signal == WEIR_METRICS)
        REQUIRE(weir_entry_edit_metric(entry));
    else
        REQUIRE(weir_entry_edit_log_record(entry));
}

void batch_touch(struct weir_batch *batch, struct oracle_random *random, size_t every)
{
    struct walker walker = { .signal = weir_batch_signal(batch), .random = random, .every = every };
    size_t items = weir_batch_items(batch);
    each(batch, touch_node, &walker);
    weir_batch_commit(batch);
    REQUIRE(weir_batch_items(batch) == items);
}
