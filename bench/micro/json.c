// SPDX-License-Identifier: Apache-2.0
/* OTLP/JSON: reading the text, JSON to a batch, and back. */
#include <config.h>

#include <weir/json.h>
#include <weir/otlp_json.h>

#include "bench/micro/steps.h"

static struct weir_buffer *protobuf, *json;

static void prepare(int signal)
{
    protobuf = make_request((enum weir_signal)signal, 0);
    json = require(weir_buffer_new(0));
    struct weir_batch *batch = require(weir_batch_from_checked((enum weir_signal)signal, protobuf, protobuf->data,
                                                               protobuf->length, REQUEST_ITEMS));
    if (!weir_batch_to_json(batch, json, NULL))
        abort();
    weir_batch_unref(batch);
}

static void finish(int signal)
{
    (void)signal;
    weir_buffer_unref(protobuf);
    weir_buffer_unref(json);
}

static uint64_t read_text(int signal)
{
    struct weir_arena arena = { 0 };
    struct weir_json reader;
    (void)signal;
    weir_json_start(&reader, json->data, json->length, &arena, WEIR_JSON_DEPTH);
    if (!weir_json_skip(&reader) || !weir_json_finish(&reader))
        abort();
    weir_arena_free(&arena);
    return REQUEST_ITEMS;
}

static uint64_t from_json(int signal)
{
    weir_batch_unref(require(weir_batch_from_json((enum weir_signal)signal, json->data, json->length, NULL)));
    return REQUEST_ITEMS;
}

static uint64_t to_json(int signal)
{
    struct weir_batch *batch = require(weir_batch_from_checked((enum weir_signal)signal, protobuf, protobuf->data,
                                                               protobuf->length, REQUEST_ITEMS));
    json->length = 0;
    if (!weir_batch_to_json(batch, json, NULL))
        abort();
    weir_batch_unref(batch);
    return REQUEST_ITEMS;
}

#define STEPS(NAME, SIGNAL)                                     \
    { NAME ": read JSON", SIGNAL, prepare, read_text, finish }, \
    { NAME ": from JSON", SIGNAL, prepare, from_json, finish }, \
    { NAME ": to JSON", SIGNAL, prepare, to_json, finish }

const struct step json_steps[] = {
    STEPS("traces", WEIR_TRACES),
    STEPS("metrics", WEIR_METRICS),
    STEPS("logs", WEIR_LOGS),
    { .name = NULL },
};
