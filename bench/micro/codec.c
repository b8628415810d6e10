// SPDX-License-Identifier: Apache-2.0
/*
 * What the OTLP codec costs per item. Run it pinned and by hand: taskset -c 1 bench/micro/codec
 * [traces|logs|metrics]
 *
 * The requests are like those of the design's table: 100 items each, spans of about 350 bytes with 10
 * attributes.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <weir/action.h>

#define REQUESTS 64
#define ITEMS 100
#define ROUNDS 15

static struct weir_buffer *requests[REQUESTS];
static size_t request_bytes;
static enum weir_signal signal_kind;
static uint64_t seed = 1;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void *require(void *pointer)
{
    if (!pointer)
        abort();
    return pointer;
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

static void fill_item(struct weir_arena *arena, struct weir_scope_group *scope, unsigned i)
{
    uint64_t now = UINT64_C(1700000000000000000) + i * UINT64_C(1000000);
    if (signal_kind == WEIR_TRACES) {
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
    } else if (signal_kind == WEIR_LOGS) {
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

static struct weir_buffer *make_request(void)
{
    struct weir_batch *batch = require(weir_batch_new(signal_kind));
    struct weir_arena *arena = require(weir_batch_arena(batch));
    struct weir_group *group = require(weir_batch_add_group(batch, WEIR_STR_NONE));
    struct weir_resource *resource = require(weir_group_edit_resource(group));
    set(arena, &resource->attributes, "service.name", weir_value_string(WEIR_STR("orders")));
    set(arena, &resource->attributes, "host.name", weir_value_string(WEIR_STR("node-17.example.com")));
    struct weir_scope_group *scope = require(weir_group_add_scope(group, WEIR_STR_NONE));
    struct weir_scope *edited = require(weir_scope_group_edit_scope(scope));
    edited->name = WEIR_STR("io.opentelemetry.http");
    for (unsigned i = 0; i < ITEMS; i++)
        fill_item(arena, scope, i);
    weir_batch_commit(batch);
    struct weir_slices slices = { 0 };
    if (!weir_batch_encode(batch, &slices))
        abort();
    struct weir_buffer *bytes = require(weir_slices_join(&slices));
    weir_slices_free(&slices);
    weir_batch_unref(batch);
    return bytes;
}

static struct weir_batch *take(size_t i)
{
    struct weir_buffer *request = requests[i % REQUESTS];
    return require(weir_batch_from_bytes(signal_kind, request, request->data, request->length, NULL));
}

static size_t send(struct weir_batch *batch)
{
    static struct weir_slices slices;
    if (!weir_batch_encode(batch, &slices))
        abort();
    size_t bytes = slices.bytes;
    weir_slices_clear(&slices);
    return bytes;
}

static size_t validate(size_t i)
{
    struct weir_batch *batch = take(i);
    size_t items = weir_batch_items(batch);
    weir_batch_unref(batch);
    return items;
}

static size_t pass(size_t i)
{
    struct weir_batch *batch = take(i);
    size_t bytes = send(batch);
    weir_batch_unref(batch);
    return bytes;
}

/* What the batch processor does: merge to 8,192 items, split at 1,000 now and then. */
static size_t merge_and_split(size_t i)
{
    static struct weir_batch *pending;
    size_t bytes = 0;
    if (!pending)
        pending = require(weir_batch_new(signal_kind));
    if (!weir_batch_append(pending, take(i)))
        abort();
    while (weir_batch_items(pending) >= 8192) {
        struct weir_batch *head = require(weir_batch_split(pending, 8150));
        bytes += send(head);
        weir_batch_unref(head);
    }
    return bytes;
}

static struct weir_entry *first_entry(struct weir_batch *batch)
{
    return weir_scope_group_first(weir_group_first_scope(weir_batch_first_group(batch)));
}

static size_t list(size_t i)
{
    size_t items = 0;
    struct weir_batch *batch = take(i);
    for (struct weir_entry *entry = first_entry(batch); entry; entry = weir_entry_next(entry))
        items++;
    weir_batch_unref(batch);
    return items;
}

static size_t index_spans(size_t i)
{
    struct weir_span_index index;
    size_t sum = 0;
    struct weir_batch *batch = take(i);
    for (struct weir_entry *entry = first_entry(batch); entry; entry = weir_entry_next(entry)) {
        weir_entry_span_index(entry, &index);
        sum += index.attribute_count;
    }
    weir_batch_unref(batch);
    return sum;
}

static const struct weir_attributes *decode_entry(struct weir_entry *entry)
{
    if (signal_kind == WEIR_TRACES)
        return &weir_entry_span(entry)->attributes;
    if (signal_kind == WEIR_LOGS)
        return &weir_entry_log_record(entry)->attributes;
    return &weir_entry_metric(entry)->points->attributes;
}

static size_t decode(size_t i)
{
    size_t sum = 0;
    struct weir_batch *batch = take(i);
    for (struct weir_entry *entry = first_entry(batch); entry; entry = weir_entry_next(entry))
        sum += decode_entry(entry)->count;
    weir_batch_unref(batch);
    return sum;
}

static size_t edit_resource(size_t i)
{
    struct weir_batch *batch = take(i);
    struct weir_resource *resource = weir_group_edit_resource(weir_batch_first_group(batch));
    set(weir_batch_arena(batch), &resource->attributes, "deployment.environment.name",
        weir_value_string(WEIR_STR("production")));
    weir_batch_commit(batch);
    size_t bytes = send(batch);
    weir_batch_unref(batch);
    return bytes;
}

static void edit_entry(struct weir_entry *entry)
{
    if (signal_kind == WEIR_TRACES)
        weir_entry_edit_span(entry)->kind = WEIR_SPAN_CLIENT;
    else if (signal_kind == WEIR_LOGS)
        weir_entry_edit_log_record(entry)->severity_number = 10;
    else
        weir_entry_edit_metric(entry)->monotonic = false;
}

static size_t edit_items(size_t i)
{
    struct weir_batch *batch = take(i);
    for (struct weir_entry *entry = first_entry(batch); entry; entry = weir_entry_next(entry))
        edit_entry(entry);
    weir_batch_commit(batch);
    size_t bytes = send(batch);
    weir_batch_unref(batch);
    return bytes;
}

/* What the attributes processor does with one insert. */
static size_t insert_attribute(size_t i)
{
    static struct weir_actions *actions;
    static const struct weir_node production = { .type = WEIR_NODE_STRING, .text = { "production", 10 } };
    struct weir_action_options option = {
        .key = (char[]){ "deployment.environment.name" },
        .action = WEIR_ACTION_INSERT,
        .value.node = &production,
    };
    struct weir_groups options = { .items = &option, .count = 1 };
    if (!actions)
        actions = require(weir_actions_new(&options, NULL));
    struct weir_batch *batch = take(i);
    for (struct weir_entry *entry = first_entry(batch); entry; entry = weir_entry_next(entry)) {
        if (!weir_actions_apply_entry(actions, batch, entry))
            abort();
    }
    weir_batch_commit(batch);
    size_t bytes = send(batch);
    weir_batch_unref(batch);
    return bytes;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The best of several rounds over all requests, in CPU time, as other processes only ever add to it. */
static void measure(const char *what, size_t (*run)(size_t))
{
    double best = 1;
    volatile size_t sink = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = seconds();
        for (size_t i = 0; i < REQUESTS * 4; i++)
            sink += run(i);
        double time = (seconds() - start) / (REQUESTS * 4 * ITEMS);
        best = time < best ? time : best;
    }
    double each = (double)request_bytes / (REQUESTS * ITEMS);
    printf("%-34s %8.1f ns/item %8.0f MB/s\n", what, best * 1e9, each / best / 1e6);
}

int main(int argc, char **argv)
{
    for (int kind = WEIR_TRACES; kind <= WEIR_LOGS; kind++) {
        if (argc > 1 && strcmp(argv[1], weir_signal_name((enum weir_signal)kind)) == 0)
            signal_kind = (enum weir_signal)kind;
    }
    for (size_t i = 0; i < REQUESTS; i++) {
        requests[i] = make_request();
        request_bytes += requests[i]->length;
    }
    printf("%s, %.0f bytes an item, %d items a request\n", weir_signal_name(signal_kind),
           (double)request_bytes / (REQUESTS * ITEMS), ITEMS);
    measure("validate and count", validate);
    measure("validate, encode", pass);
    measure("validate, merge, split, encode", merge_and_split);
    measure("validate, list entries", list);
    if (signal_kind == WEIR_TRACES)
        measure("validate, span index", index_spans);
    measure("validate, decode", decode);
    measure("validate, edit resource, encode", edit_resource);
    if (signal_kind != WEIR_METRICS)
        measure("validate, insert into items, encode", insert_attribute);
    measure("validate, edit items, encode", edit_items);
    for (size_t i = 0; i < REQUESTS; i++)
        weir_buffer_unref(requests[i]);
    return 0;
}
