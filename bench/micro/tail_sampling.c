// SPDX-License-Identifier: Apache-2.0
/*
 * What tail_sampling costs once it has run for a while: nanoseconds for each span, to take it in and to decide its trace,
 * with that many traces undecided at any time, and the bytes that they take. One worker, requests of 100 spans of about 350
 * bytes with 10 attributes; the spans of a trace come a second apart, among those of all others, so that every look-up
 * misses the caches once the table is large. With a + behind their number they come side by side in one request, and traces
 * stay until four times as many are there: as in bench/run's tail-200k.
 *
 *     WEIR_PLUGIN_PATH=build/plugins-1 taskset -c 1 bench/micro/tail_sampling [spans in a trace][+] [traces]...
 */
#include <config.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <weir/harness.h>
#include <weir/memory.h>
#include <weir/sys/worker.h>

#define ITEMS 100
#define WAIT_SECONDS 10
#define KEPT_TIMES 4
#define TURN 2000 /* traces that are decided before other tasks have their turn */
#define SECOND INT64_C(1000000000)

static const char options[] =
    "{\"decision_wait\": \"10s\", \"num_traces\": %llu, \"decision_cache\": {\"sampled_cache_size\": %d,"
    " \"non_sampled_cache_size\": %d}, \"policies\": ["
    "{\"name\": \"errors\", \"type\": \"status_code\", \"status_code\": {\"status_codes\": [\"ERROR\"]}},"
    "{\"name\": \"slow\", \"type\": \"latency\", \"latency\": {\"threshold_ms\": 1000}},"
    "{\"name\": \"part\", \"type\": \"probabilistic\", \"probabilistic\": {\"sampling_percentage\": 10}}]}";

static uint64_t seed = 1;
static uint64_t taken_spans, kept_spans;
static bool together; /* the spans of a trace come in one request */

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

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* A request whose trace ids are filled in later, at `places`. */
struct template
{
    struct weir_buffer *bytes;
    size_t places[ITEMS];
};

static void set(struct weir_arena *arena, struct weir_attributes *attributes, const char *key, const char *value)
{
    if (!weir_attributes_set(attributes, arena, weir_str_of(key), weir_value_string(weir_str_of(value))))
        abort();
}

static struct weir_str random_id(struct weir_arena *arena, size_t size)
{
    char *id = require(weir_arena_alloc(arena, size));
    for (size_t i = 0; i < size; i++)
        id[i] = (char)next_random();
    return weir_str_make(id, size);
}

static void fill_span(struct weir_arena *arena, struct weir_span *span)
{
    static const char *const keys[] = { "http.request.method", "url.path",    "server.address", "network.peer.address",
                                        "user.id",             "url.scheme",  "http.route",     "client.address",
                                        "thread.name",         "app.session" };
    static const char *const values[] = { "GET",          "/api/v1/orders/17", "orders-3.example.com", "10.0.3.17",
                                          "u-1234567890", "https",             "/api/v1/orders/{id}",  "10.9.8.7",
                                          "worker-17",    "f81d4fae" };
    span->trace_id = random_id(arena, 16);
    span->span_id = random_id(arena, 8);
    span->parent_span_id = random_id(arena, 8);
    span->name = WEIR_STR("GET /api/v1/orders");
    span->kind = WEIR_SPAN_SERVER;
    span->start_time_unix_nano = UINT64_C(1700000000000000000);
    span->end_time_unix_nano = UINT64_C(1700000000012345678);
    span->status_code = next_random() % 30 == 0 ? WEIR_STATUS_ERROR : WEIR_STATUS_UNSET;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(keys); i++)
        set(arena, &span->attributes, keys[i], values[i]);
}

static void make_template(struct template *out)
{
    struct weir_batch *batch = require(weir_batch_new(WEIR_TRACES));
    struct weir_arena *arena = require(weir_batch_arena(batch));
    struct weir_group *group = require(weir_batch_add_group(batch, WEIR_STR_NONE));
    struct weir_attributes *resource = &((struct weir_resource *)require(weir_group_edit_resource(group)))->attributes;
    set(arena, resource, "service.name", "orders");
    set(arena, resource, "host.name", "node-17.example.com");
    struct weir_scope_group *scope = require(weir_group_add_scope(group, WEIR_STR_NONE));
    ((struct weir_scope *)require(weir_scope_group_edit_scope(scope)))->name = WEIR_STR("io.opentelemetry.http");
    struct weir_str ids[ITEMS];
    for (int i = 0; i < ITEMS; i++) {
        struct weir_span *span = require(weir_scope_group_add_span(scope));
        fill_span(arena, span);
        ids[i] = span->trace_id;
    }
    weir_batch_commit(batch);
    struct weir_slices slices = { 0 };
    if (!weir_batch_encode(batch, &slices))
        abort();
    out->bytes = require(weir_slices_join(&slices));
    for (int i = 0; i < ITEMS; i++)
        out->places[i] = (size_t)((uint8_t *)require(memmem(out->bytes->data, out->bytes->length, ids[i].data, 16)) -
                                  out->bytes->data);
    weir_slices_free(&slices);
    weir_batch_unref(batch);
}

/* Spans `first` and on of those of a second: span k of a trace comes k seconds after its first, and neighbours in time
 * are none in memory. */
static struct weir_batch *make_request(uint64_t second, uint64_t first, uint64_t part, unsigned spans)
{
    static struct template templates[16];
    if (!templates[0].bytes)
        for (size_t i = 0; i < WEIR_ARRAY_LENGTH(templates); i++)
            make_template(&templates[i]);
    const struct template *template = &templates[next_random() % 16];
    struct weir_buffer *bytes = require(weir_buffer_copy(template->bytes->data, template->bytes->length));
    for (uint64_t i = 0; i < ITEMS; i++) {
        uint64_t at = (first + i) * UINT64_C(2654435761) % (part * spans);
        uint64_t trace = together ? second * part + (first + i) / spans
                                  : (second + spans - at % spans) * part + at / spans;
        uint64_t id[2] = { 1, trace * UINT64_C(0xff51afd7ed558ccd) };
        memcpy(bytes->data + template->places[i], id, sizeof id);
    }
    struct weir_batch *batch = require(weir_batch_from_checked(WEIR_TRACES, bytes, bytes->data, bytes->length, ITEMS));
    weir_buffer_unref(bytes);
    return batch;
}

static void take(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    (void)shard;
    kept_spans += weir_batch_items(batch);
    weir_batch_unref(batch);
    weir_ack_ok(ack);
}

static const struct weir_component sink = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "sink",
    .consume = take,
};

static double in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return (double)(info.uordblks + info.hblkhd);
}

struct cost {
    double taken, decided; /* nanoseconds */
};

/* One second of a collector's life: a part of the traces is new, each of the others still live gets its next span, and
 * the oldest are decided. Behind the harness's back, which would keep all that it has seen. */
static struct cost live_second(struct weir_harness *harness, uint64_t second, uint64_t part, unsigned spans)
{
    const struct weir_component *component = weir_instance_component(weir_harness_instance(harness));
    struct cost cost = { 0, 0 };
    uint64_t total = part * spans;
    for (uint64_t sent = 0; sent < total; sent += ITEMS) {
        struct weir_batch *batch = make_request(second, sent, part, spans);
        double start = now();
        component->consume(weir_harness_shard(harness), batch, NULL);
        cost.taken += now() - start;
    }
    taken_spans += total;
    double start = now();
    weir_worker_advance(weir_worker_at(0), SECOND);
    for (uint64_t turn = 0; turn <= part / TURN; turn++)
        weir_worker_advance(weir_worker_at(0), 0);
    cost.decided = now() - start;
    return cost;
}

/* Fills up for as many seconds as traces wait, then measures as many. */
static void measure(struct weir_harness *harness, uint64_t traces, unsigned spans)
{
    uint64_t part = traces / WAIT_SECONDS;
    double all = (double)(part * spans * WAIT_SECONDS), before = in_use(), held = 0;
    struct cost fresh = { 0, 0 }, live = { 0, 0 };
    taken_spans = kept_spans = 0;
    uint64_t steady = (together ? KEPT_TIMES + 1 : 2) * WAIT_SECONDS;
    for (uint64_t second = 0; second < steady + WAIT_SECONDS; second++) {
        struct cost cost = live_second(harness, second, part, spans);
        struct cost *sum = second < WAIT_SECONDS ? &fresh : &live;
        sum->taken += second < steady && sum == &live ? 0 : cost.taken;
        sum->decided += second < steady && sum == &live ? 0 : cost.decided;
        if (second == WAIT_SECONDS - 1)
            held = in_use() - before;
    }
    printf("%8llu traces of %u spans: take in %.0f (%.0f into new memory), decide and send %.0f ns/span (%.0f%% sampled);"
           " %.0f bytes/span\n",
           (unsigned long long)traces, spans, live.taken / all, fresh.taken / all, live.decided / all,
           100 * (double)kept_spans / ((double)steady / WAIT_SECONDS * all), held / all);
}

int main(int argc, char **argv)
{
    /* As weir does. */
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
    struct weir_error error = WEIR_ERROR_INIT;
    unsigned spans = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;
    together = argc > 1 && strchr(argv[1], '+');
    static char small[] = "20000", large[] = "200000", *usual[] = { small, large };
    char **sizes = argc > 2 ? argv + 2 : usual;
    int count = argc > 2 ? argc - 2 : 2;
    const struct weir_component *component = weir_harness_load(WEIR_PROCESSOR, "tail_sampling");
    for (int i = 0; i < count && spans > 0; i++) {
        unsigned long long traces = strtoull(sizes[i], NULL, 10) / ITEMS * ITEMS;
        int cached = together ? 0 : 1000;
        char *config = weir_xasprintf(options, together ? KEPT_TIMES * traces : 100000000ULL, cached, cached);
        struct weir_harness *harness = weir_harness_new(component, config, WEIR_TRACES, &error);
        free(config);
        if (!harness || traces == 0) {
            fprintf(stderr, "%s\n", harness ? "too few traces" : weir_error_text(&error));
            return 1;
        }
        struct weir_instance *drain = weir_instance_new(&sink, "sink", NULL, NULL, NULL, NULL);
        weir_instance_set_uses(drain, WEIR_TRACES);
        weir_instance_plan(weir_harness_instance(harness));
        weir_instance_connect(weir_harness_instance(harness), WEIR_TRACES, "bench", WEIR_PROMISE_MEMORY, drain);
        weir_shard_follow_plan(weir_harness_shard(harness));
        weir_instance_settle_plan(weir_harness_instance(harness));
        weir_shard_open(weir_instance_shard(drain, 0), NULL);
        measure(harness, traces, spans);
        weir_shard_close(weir_instance_shard(drain, 0));
        /* The ledger knows nothing of what came in past it. */
        weir_shard_make(weir_harness_shard(harness), WEIR_TRACES, taken_spans);
        taken_spans = 0;
        weir_harness_free(harness);
        weir_instance_free(drain);
    }
    weir_error_free(&error);
    return 0;
}
