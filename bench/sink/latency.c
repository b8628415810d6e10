// SPDX-License-Identifier: Apache-2.0
/*
 * How long it took from when a request was due at weir-load, which --stamp writes into its resources, until
 * it came. The requests are walked down to their resources' attributes only, so that it costs next to
 * nothing.
 */
#include <config.h>

#include <time.h>

#include <weir/wire.h>

#include "bench/sink/sink.h"

/* The next field `wanted` of a message, if it is a string or a message. */
static bool next(struct weir_cursor *message, uint32_t wanted, struct weir_str *out)
{
    uint32_t field;
    enum weir_wire_type type;
    while (weir_cursor_tag(message, &field, &type)) {
        if (field == wanted && type == WEIR_WIRE_BYTES)
            return weir_cursor_bytes(message, out);
        if (!weir_cursor_skip(message, type))
            return false;
    }
    return false;
}

static bool first(struct weir_str message, uint32_t wanted, struct weir_str *out)
{
    struct weir_cursor cursor = weir_cursor_make(message.data, message.length);
    return next(&cursor, wanted, out);
}

/* Field numbers: Resource.attributes 1, KeyValue.key 1 and .value 2, AnyValue.string_value 1. */
static bool due_of(struct weir_str resource, uint64_t *due)
{
    struct weir_cursor attributes = weir_cursor_make(resource.data, resource.length);
    struct weir_str attribute, key, value, text;
    while (next(&attributes, 1, &attribute))
        if (first(attribute, 1, &key) && weir_str_is(key, "weir.due") && first(attribute, 2, &value) &&
            first(value, 1, &text))
            return number_parse(text, NUMBER_DUE_DIGITS, due);
    return false;
}

void sink_take_latency(struct sink_counts *counts, struct weir_str request)
{
    /* ResourceSpans, ResourceMetrics and ResourceLogs are field 1 of their request and have the resource in
     * field 1. */
    struct weir_cursor groups = weir_cursor_make(request.data, request.length);
    struct weir_str group, resource;
    struct timespec now;
    uint64_t due;
    clock_gettime(CLOCK_MONOTONIC, &now);
    while (next(&groups, 1, &group))
        if (first(group, 1, &resource) && due_of(resource, &due))
            histogram_add(&counts->latency, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - (int64_t)due);
}
