// SPDX-License-Identifier: Apache-2.0
/* The OTLP codec: validation, and what follows it on a batch that is known to be valid. */
#include <config.h>

#include <weir/action.h>

#include "bench/micro/steps.h"

#define REQUESTS 8

static struct weir_buffer *requests[REQUESTS];

static void prepare(int signal)
{
    for (unsigned i = 0; i < REQUESTS; i++)
        requests[i] = make_request((enum weir_signal)signal, i);
}

static void finish(int signal)
{
    (void)signal;
    for (unsigned i = 0; i < REQUESTS; i++)
        weir_buffer_unref(requests[i]);
}

static struct weir_batch *checked(int signal, size_t i)
{
    struct weir_buffer *request = requests[i];
    return require(weir_batch_from_checked((enum weir_signal)signal, request, request->data, request->length,
                                           REQUEST_ITEMS));
}

static void send(struct weir_batch *batch)
{
    static struct weir_slices slices;
    if (!weir_batch_encode(batch, &slices))
        abort();
    weir_slices_clear(&slices);
}

static uint64_t validate(int signal)
{
    for (size_t i = 0; i < REQUESTS; i++) {
        struct weir_buffer *request = requests[i];
        weir_batch_unref(require(
            weir_batch_from_bytes((enum weir_signal)signal, request, request->data, request->length, NULL)));
    }
    return REQUESTS * REQUEST_ITEMS;
}

static struct weir_entry *first_entry(struct weir_batch *batch)
{
    return weir_scope_group_first(weir_group_first_scope(weir_batch_first_group(batch)));
}

/* Has each(entry) of each item, then ends each batch with end(). */
static uint64_t walk(int signal, void (*each)(struct weir_batch *batch, struct weir_entry *entry, int signal),
                     bool encoded)
{
    uint64_t items = 0;
    for (size_t i = 0; i < REQUESTS; i++) {
        struct weir_batch *batch = checked(signal, i);
        for (struct weir_entry *entry = first_entry(batch); entry; entry = weir_entry_next(entry), items++)
            each(batch, entry, signal);
        if (encoded) {
            weir_batch_commit(batch);
            send(batch);
        }
        weir_batch_unref(batch);
    }
    return items;
}

static void look(struct weir_batch *batch, struct weir_entry *entry, int signal)
{
    (void)batch;
    (void)entry;
    (void)signal;
}

static uint64_t frame(int signal)
{
    return walk(signal, look, false);
}

static void index_entry(struct weir_batch *batch, struct weir_entry *entry, int signal)
{
    struct weir_span_index index;
    (void)batch;
    (void)signal;
    weir_entry_span_index(entry, &index);
}

static uint64_t index_spans(int signal)
{
    return walk(signal, index_entry, false);
}

static void decode_entry(struct weir_batch *batch, struct weir_entry *entry, int signal)
{
    const void *decoded;
    (void)batch;
    if (signal == WEIR_TRACES)
        decoded = weir_entry_span(entry);
    else if (signal == WEIR_LOGS)
        decoded = weir_entry_log_record(entry);
    else
        decoded = weir_entry_metric(entry);
    if (!decoded)
        abort();
}

static uint64_t decode(int signal)
{
    return walk(signal, decode_entry, false);
}

static void edit_entry(struct weir_batch *batch, struct weir_entry *entry, int signal)
{
    (void)batch;
    if (signal == WEIR_TRACES)
        weir_entry_edit_span(entry)->kind = WEIR_SPAN_CLIENT;
    else if (signal == WEIR_LOGS)
        weir_entry_edit_log_record(entry)->severity_number = 10;
    else
        weir_entry_edit_metric(entry)->monotonic = false;
}

static uint64_t edit(int signal)
{
    return walk(signal, edit_entry, true);
}

static struct weir_actions *actions;

static void make_actions(void)
{
    static const struct weir_node production = { .type = WEIR_NODE_STRING, .text = { "production", 10 } };
    struct weir_action_options option = {
        .key = (char[]){ "deployment.environment.name" },
        .action = WEIR_ACTION_INSERT,
        .value.node = &production,
    };
    struct weir_groups options = { .items = &option, .count = 1 };
    if (!actions)
        actions = require(weir_actions_new(&options, NULL));
}

/* What the attributes processor does with one insert. */
static uint64_t insert(int signal)
{
    make_actions();
    for (size_t i = 0; i < REQUESTS; i++) {
        struct weir_batch *batch = checked(signal, i);
        if (!weir_actions_apply_all(actions, batch))
            abort();
        weir_batch_commit(batch);
        send(batch);
        weir_batch_unref(batch);
    }
    return REQUESTS * REQUEST_ITEMS;
}

/* What the resource processor does with one. */
static uint64_t insert_into_resource(int signal)
{
    make_actions();
    for (size_t i = 0; i < REQUESTS; i++) {
        struct weir_batch *batch = checked(signal, i);
        if (!weir_actions_apply_resource(actions, batch, weir_batch_first_group(batch)))
            abort();
        weir_batch_commit(batch);
        send(batch);
        weir_batch_unref(batch);
    }
    return REQUESTS * REQUEST_ITEMS;
}

static uint64_t encode(int signal)
{
    for (size_t i = 0; i < REQUESTS; i++) {
        struct weir_batch *batch = checked(signal, i);
        send(batch);
        weir_batch_unref(batch);
    }
    return REQUESTS * REQUEST_ITEMS;
}

/* What the batch processor does: merges requests, splits in the midst of one, sends both parts. */
static uint64_t merge_and_split(int signal)
{
    struct weir_batch *pending = require(weir_batch_new((enum weir_signal)signal));
    for (size_t i = 0; i < REQUESTS; i++)
        if (!weir_batch_append(pending, checked(signal, i)))
            abort();
    struct weir_batch *head = require(weir_batch_split(pending, REQUESTS * REQUEST_ITEMS - REQUEST_ITEMS / 2));
    send(head);
    send(pending);
    weir_batch_unref(head);
    weir_batch_unref(pending);
    return REQUESTS * REQUEST_ITEMS;
}

#define STEPS(NAME, SIGNAL)                                                               \
    { NAME ": validate", SIGNAL, prepare, validate, finish },                             \
    { NAME ": find the items", SIGNAL, prepare, frame, finish },                          \
    { NAME ": decode", SIGNAL, prepare, decode, finish },                                 \
    { NAME ": encode what is unchanged", SIGNAL, prepare, encode, finish },               \
    { NAME ": edit and encode", SIGNAL, prepare, edit, finish },                          \
    { NAME ": insert into the resource and encode", SIGNAL, prepare, insert_into_resource, finish }, \
    { NAME ": merge, split, encode", SIGNAL, prepare, merge_and_split, finish }

const struct step codec_steps[] = {
    STEPS("traces", WEIR_TRACES),
    { "traces: index", WEIR_TRACES, prepare, index_spans, finish },
    { "traces: insert an attribute and encode", WEIR_TRACES, prepare, insert, finish },
    STEPS("metrics", WEIR_METRICS),
    { "metrics: insert an attribute and encode", WEIR_METRICS, prepare, insert, finish },
    STEPS("logs", WEIR_LOGS),
    { "logs: insert an attribute and encode", WEIR_LOGS, prepare, insert, finish },
    { .name = NULL },
};
