// SPDX-License-Identifier: Apache-2.0
/* The requests that the codec's steps work on: 100 items each, of about 350 bytes with 10 attributes. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "bench/micro/steps.h"

static uint64_t seed;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static struct weir_str text(struct weir_arena *arena, const char *before, unsigned number, const char *behind)
{
    char room[128];
    int length = snprintf(room, sizeof(room), "%s%u%s", before, number, behind);
    return weir_arena_copy(arena, weir_str_make(room, (size_t)length));
}

static struct weir_str id(struct weir_arena *arena, size_t size)
{
    char *bytes = require(weir_arena_alloc(arena, size));
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)next_random();
    return weir_str_make(bytes, size);
}

static void set(struct weir_arena *arena, struct weir_attributes *attributes, const char *key,
                struct weir_value value)
{
    if (!weir_attributes_set(attributes, arena, weir_str_of(key), value))
        abort();
}

static unsigned small(unsigned below)
{
    return (unsigned)(next_random() % below);
}

static void fill_attributes(struct weir_arena *arena, struct weir_attributes *out)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "DELETE" };
    set(arena, out, "http.request.method", weir_value_string(weir_str_of(methods[small(4)])));
    set(arena, out, "url.path", weir_value_string(text(arena, "/api/v1/orders/", small(100000), "")));
    set(arena, out, "http.response.status_code", weir_value_int(small(5) ? 200 : 503));
    set(arena, out, "server.address", weir_value_string(text(arena, "orders-", small(8), ".example.com")));
    set(arena, out, "server.port", weir_value_int(8443));
    set(arena, out, "network.peer.address", weir_value_string(text(arena, "10.0.3.", small(250), "")));
    set(arena, out, "user.id", weir_value_string(text(arena, "u-", small(1u << 31), "")));
    set(arena, out, "thread.id", weir_value_int(small(64)));
    set(arena, out, "cache.hit", weir_value_bool(small(2)));
    set(arena, out, "app.cost", weir_value_double((double)small(1000) / 7));
}

static void fill_item(enum weir_signal signal, struct weir_arena *arena, struct weir_scope_group *scope, unsigned i)
{
    uint64_t now = UINT64_C(1700000000000000000) + i * UINT64_C(1000000);
    if (signal == WEIR_TRACES) {
        struct weir_span *span = require(weir_scope_group_add_span(scope));
        span->trace_id = id(arena, 16);
        span->span_id = id(arena, 8);
        span->parent_span_id = id(arena, 8);
        span->name = text(arena, "GET /api/v1/orders/", i % 10, "");
        span->kind = WEIR_SPAN_SERVER;
        span->flags = 0x101;
        span->start_time_unix_nano = now;
        span->end_time_unix_nano = now + 12345678;
        span->status_code = small(5) ? WEIR_STATUS_UNSET : WEIR_STATUS_ERROR;
        fill_attributes(arena, &span->attributes);
    } else if (signal == WEIR_LOGS) {
        struct weir_log_record *record = require(weir_scope_group_add_log_record(scope));
        record->time_unix_nano = record->observed_time_unix_nano = now;
        record->severity_number = 9;
        record->severity_text = WEIR_STR("INFO");
        record->body =
            weir_value_string(text(arena, "order ", small(100000), " was accepted and is on its way"));
        record->trace_id = id(arena, 16);
        record->span_id = id(arena, 8);
        fill_attributes(arena, &record->attributes);
    } else {
        struct weir_metric *metric = require(weir_scope_group_add_metric(scope));
        metric->name = text(arena, "http.server.requests.", i, "");
        metric->unit = WEIR_STR("1");
        metric->type = WEIR_METRIC_SUM;
        metric->temporality = WEIR_TEMPORALITY_CUMULATIVE;
        metric->monotonic = true;
        metric->point_count = 1;
        metric->points = require(weir_arena_calloc(arena, 1, sizeof(*metric->points)));
        metric->points->time_unix_nano = now;
        metric->points->start_time_unix_nano = now - 1000000;
        metric->points->number =
            (struct weir_number){ .type = WEIR_NUMBER_INT, .as_int = (int64_t)next_random() };
        fill_attributes(arena, &metric->points->attributes);
    }
}

struct weir_buffer *make_request(enum weir_signal signal, unsigned number)
{
    seed = 4711 + number;
    struct weir_batch *batch = require(weir_batch_new(signal));
    struct weir_arena *arena = require(weir_batch_arena(batch));
    struct weir_group *group = require(weir_batch_add_group(batch, WEIR_STR_NONE));
    struct weir_resource *resource = require(weir_group_edit_resource(group));
    set(arena, &resource->attributes, "service.name", weir_value_string(WEIR_STR("orders")));
    set(arena, &resource->attributes, "host.name", weir_value_string(WEIR_STR("node-17.example.com")));
    struct weir_scope_group *scope = require(weir_group_add_scope(group, WEIR_STR_NONE));
    struct weir_scope *edited = require(weir_scope_group_edit_scope(scope));
    edited->name = WEIR_STR("io.opentelemetry.http");
    for (unsigned i = 0; i < REQUEST_ITEMS; i++)
        fill_item(signal, arena, scope, i);
    weir_batch_commit(batch);
    struct weir_slices slices = { 0 };
    if (!weir_batch_encode(batch, &slices))
        abort();
    struct weir_buffer *bytes = require(weir_slices_join(&slices));
    weir_slices_free(&slices);
    weir_batch_unref(batch);
    return bytes;
}
