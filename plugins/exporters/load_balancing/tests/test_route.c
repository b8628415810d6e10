// SPDX-License-Identifier: Apache-2.0
/* What stays together, for each key (contrib-processors 9). */
#include <config.h>

#include <weir/otlp_json.h>

#include "plugins/exporters/load_balancing/route.h"
#include "tests/unit/suite.h"

static struct ring ring;
static struct weir_strings attributes;
static char a1[] = "k", a2[] = "span.name";
static char *names[] = { a1, a2 };

static void setup(void)
{
    static char e0[] = "a", e1[] = "b", e2[] = "c", e3[] = "d";
    static char *const endpoints[] = { e0, e1, e2, e3 };
    ring_build(&ring, endpoints, 4);
    attributes = (struct weir_strings){ .items = names, .count = 1 };
}

static void teardown(void)
{
    ring_free(&ring);
}

/* A batch of `count` items whose number n stands in what the key looks at: n % groups says what belongs together. */
static struct weir_batch *make(enum weir_signal signal, enum routing_key key, unsigned count, unsigned groups)
{
    struct weir_batch *batch = weir_batch_new(signal);
    struct weir_arena *arena = weir_batch_arena(batch);
    struct weir_group *group = NULL;
    struct weir_scope_group *scope = NULL;
    struct weir_metric *metric = NULL;
    bool per_resource = key == ROUTE_SERVICE || key == ROUTE_RESOURCE;
    for (unsigned i = 0; i < count; i++) {
        struct weir_text text = { 0 };
        weir_text_addf(&text, "value-%u", i % groups);
        struct weir_str which = weir_arena_copy(arena, weir_text_view(&text));
        weir_text_free(&text);
        if (!group || per_resource) {
            group = weir_batch_add_group(batch, WEIR_STR(""));
            scope = weir_group_add_scope(group, WEIR_STR(""));
            ck_assert(weir_attributes_set(&weir_group_edit_resource(group)->attributes, arena, WEIR_STR("service.name"),
                                          weir_value_string(per_resource ? which : WEIR_STR("s"))));
        }
        if (signal == WEIR_TRACES) {
            struct weir_span *span = weir_scope_group_add_span(scope);
            char *id = weir_arena_calloc(arena, 1, 16);
            id[0] = (char)(1 + i % groups);
            span->trace_id = (struct weir_str){ id, 16 };
            span->name = which;
            span->flags = i;
            ck_assert(weir_attributes_set(&span->attributes, arena, WEIR_STR("k"), weir_value_string(which)));
        } else if (signal == WEIR_LOGS) {
            struct weir_log_record *record = weir_scope_group_add_log_record(scope);
            char *id = weir_arena_calloc(arena, 1, 16);
            id[0] = (char)(1 + i % groups);
            record->trace_id = (struct weir_str){ id, 16 };
            record->flags = i;
            ck_assert(weir_attributes_set(&record->attributes, arena, WEIR_STR("k"), weir_value_string(which)));
        } else {
            bool by_point = key == ROUTE_STREAM_ID || key == ROUTE_ATTRIBUTES;
            if (!metric || !by_point) {
                metric = weir_scope_group_add_metric(scope);
                metric->name = key == ROUTE_METRIC ? which : WEIR_STR("m");
                metric->type = WEIR_METRIC_GAUGE;
                metric->points = weir_arena_calloc(arena, count, sizeof(*metric->points));
            }
            struct weir_data_point *point = &metric->points[metric->point_count++];
            point->flags = i << 1;
            point->number = (struct weir_number){ WEIR_NUMBER_INT, { .as_int = i } };
            ck_assert(weir_attributes_set(&point->attributes, arena, WEIR_STR("k"), weir_value_string(which)));
        }
    }
    weir_batch_commit(batch);
    return batch;
}

/* Notes for each item of the batch, by its number, where it went. */
static void note(struct weir_batch *batch, size_t endpoint, int *where, unsigned count)
{
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group)) {
        ck_assert_ptr_nonnull(weir_group_first_scope(group));
        for (struct weir_scope_group *scope = weir_group_first_scope(group); scope; scope = weir_scope_group_next(scope)) {
            ck_assert_ptr_nonnull(weir_scope_group_first(scope));
            for (struct weir_entry *entry = weir_scope_group_first(scope); entry; entry = weir_entry_next(entry)) {
                size_t points = 1;
                if (weir_batch_signal(batch) == WEIR_METRICS)
                    points = weir_entry_metric(entry)->point_count;
                for (size_t i = 0; i < points; i++) {
                    uint32_t number = weir_batch_signal(batch) == WEIR_TRACES ? weir_entry_span(entry)->flags
                                      : weir_batch_signal(batch) == WEIR_LOGS
                                          ? weir_entry_log_record(entry)->flags
                                          : (uint32_t)weir_entry_metric(entry)->points[i].number.as_int;
                    ck_assert_uint_lt(number, count);
                    ck_assert_int_eq(where[number], -1);
                    where[number] = (int)endpoint;
                }
            }
        }
    }
}

static const struct {
    enum weir_signal signal;
    enum routing_key key;
} cases[] = {
    { WEIR_TRACES, ROUTE_TRACE_ID },   { WEIR_TRACES, ROUTE_SERVICE },  { WEIR_TRACES, ROUTE_ATTRIBUTES },
    { WEIR_LOGS, ROUTE_TRACE_ID },     { WEIR_LOGS, ROUTE_SERVICE },    { WEIR_LOGS, ROUTE_RESOURCE },
    { WEIR_LOGS, ROUTE_ATTRIBUTES },   { WEIR_METRICS, ROUTE_SERVICE }, { WEIR_METRICS, ROUTE_RESOURCE },
    { WEIR_METRICS, ROUTE_METRIC },    { WEIR_METRICS, ROUTE_STREAM_ID }, { WEIR_METRICS, ROUTE_ATTRIBUTES },
};

/* Every item goes somewhere, once, and those of one group to one place; several places are used. */
START_TEST(what_belongs_together_stays_together)
{
    enum { ITEMS = 200, GROUPS = 20 };
    int where[ITEMS], of_group[GROUPS];
    size_t items = 0, places = 0;
    struct router router = { .key = cases[_i].key, .attributes = &attributes };
    struct routed *routed = route_batch(&router, &ring, make(cases[_i].signal, cases[_i].key, ITEMS, GROUPS));
    ck_assert_ptr_nonnull(routed);
    memset(where, 0xff, sizeof(where));
    memset(of_group, 0xff, sizeof(of_group));
    for (struct routed *one = routed; one; one = one->next) {
        places++;
        items += weir_batch_items(one->batch);
        note(one->batch, one->endpoint, where, ITEMS);
    }
    ck_assert_uint_eq(items, ITEMS);
    ck_assert_uint_ge(places, 3);
    for (int i = 0; i < ITEMS; i++) {
        ck_assert_int_ge(where[i], 0);
        if (of_group[i % GROUPS] < 0)
            of_group[i % GROUPS] = where[i];
        ck_assert_int_eq(of_group[i % GROUPS], where[i]);
    }
    route_free(routed);
}
END_TEST

START_TEST(one_owner_costs_no_copy)
{
    struct router router = { .key = ROUTE_TRACE_ID, .attributes = &attributes };
    struct weir_batch *batch = make(WEIR_TRACES, ROUTE_TRACE_ID, 10, 1);
    struct routed *routed = route_batch(&router, &ring, batch);
    ck_assert_ptr_eq(routed->batch, batch);
    ck_assert_ptr_null(routed->next);
    route_free(routed);
}
END_TEST

static const struct {
    enum weir_signal signal;
    enum routing_key key;
    size_t attribute_count;
    const char *json;
    const char *identifier;
} identifiers[] = {
    { WEIR_TRACES, ROUTE_SERVICE, 0,
      "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}}]},"
      "\"scopeSpans\":[{\"spans\":[{}]}]}]}",
      "service.name=shop|" },
    { WEIR_TRACES, ROUTE_SERVICE, 0, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{}]}]}]}", "service.name=|" },
    { WEIR_TRACES, ROUTE_ATTRIBUTES, 2,
      "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"GET\",\"attributes\":[{\"key\":\"k\",\"value\":"
      "{\"intValue\":\"7\"}}]}]}]}]}",
      "k=7|span.name=GET|" },
    { WEIR_TRACES, ROUTE_ATTRIBUTES, 1,
      "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"k\",\"value\":{\"stringValue\":\"res\"}}]},"
      "\"scopeSpans\":[{\"spans\":[{\"attributes\":[{\"key\":\"k\",\"value\":{\"stringValue\":\"own\"}}]}]}]}]}",
      "k=res|" },
    { WEIR_TRACES, ROUTE_ATTRIBUTES, 1, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{}]}]}]}", "k=|" },
    { WEIR_LOGS, ROUTE_SERVICE, 0,
      "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}}]},"
      "\"scopeLogs\":[{\"logRecords\":[{}]}]}]}",
      "shop" },
    { WEIR_LOGS, ROUTE_TRACE_ID, 0,
      "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"traceId\":\"000102030405060708090a0b0c0d0e0f\"}]}]}]}",
      "000102030405060708090a0b0c0d0e0f" },
    { WEIR_METRICS, ROUTE_METRIC, 0,
      "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"cpu\",\"gauge\":{\"dataPoints\":[{}]}}]}]}]}", "cpu" },
};

START_TEST(identifiers_are_upstreams)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_batch *batch =
        weir_batch_from_json(identifiers[_i].signal, identifiers[_i].json, strlen(identifiers[_i].json), &error);
    ck_assert_msg(batch != NULL, "%s", weir_error_text(&error));
    attributes.count = identifiers[_i].attribute_count;
    struct router router = { .key = identifiers[_i].key, .attributes = &attributes };
    /* each position an endpoint of its own, so that the endpoint says where the identifier came to lie */
    struct ring_point *points = weir_xcalloc(RING_POSITIONS, sizeof(*points));
    for (unsigned i = 0; i < RING_POSITIONS; i++)
        points[i] = (struct ring_point){ .position = (uint16_t)i, .endpoint = (uint16_t)i };
    struct ring every = { .points = points, .point_count = RING_POSITIONS };
    struct routed *routed = route_batch(&router, &every, batch);
    ck_assert_ptr_nonnull(routed);
    ck_assert_uint_eq(routed->endpoint, ring_position(weir_str_of(identifiers[_i].identifier)));
    route_free(routed);
    free(points);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("routes");
    TCase *tests = tcase_create("routes");
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, what_belongs_together_stays_together, 0, (int)WEIR_ARRAY_LENGTH(cases));
    tcase_add_test(tests, one_owner_costs_no_copy);
    tcase_add_loop_test(tests, identifiers_are_upstreams, 0, (int)WEIR_ARRAY_LENGTH(identifiers));
    return run_suite(suite);
}
