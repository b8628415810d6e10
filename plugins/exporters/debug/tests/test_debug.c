// SPDX-License-Identifier: Apache-2.0
/* What the debug exporter writes, in each verbosity. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

static const struct weir_component *component;
static char path[] = "/tmp/weir-debug-XXXXXX";

/* Sends the batch through an exporter with these options and returns what it wrote. */
static char *written(const char *options, struct weir_batch *batch)
{
    static char text[65536];
    int file = mkstemp(path);
    char *all = weir_xasprintf("{\"use_internal_logger\": false, \"output_paths\": [\"%s\"]%s%s}", path,
                               *options ? ", " : "", options);
    struct weir_harness *harness = make_harness(component, all, weir_batch_signal(batch));
    size_t request = weir_harness_consume(harness, batch);
    weir_harness_turn(harness, 0);
    ck_assert_int_eq(weir_harness_answer(harness, request)->outcome, WEIR_OK);
    ssize_t length = read(file, text, sizeof text - 1);
    ck_assert_int_ge(length, 0);
    text[length] = '\0';
    weir_harness_free(harness);
    free(all);
    close(file);
    unlink(path);
    return text;
}

START_TEST(basic_counts)
{
    ck_assert_str_eq(written("", weir_harness_batch(WEIR_TRACES, 0, 3)),
                     "Traces\t{\"resource spans\": 1, \"spans\": 3}\n");
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    ck_assert_str_eq(written("", weir_harness_batch(WEIR_METRICS, 0, 4)),
                     "Metrics\t{\"resource metrics\": 1, \"metrics\": 1, \"data points\": 4}\n");
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    ck_assert_str_eq(written("", weir_harness_batch(WEIR_LOGS, 0, 5)),
                     "Logs\t{\"resource logs\": 1, \"log records\": 5}\n");
}
END_TEST

static struct weir_batch *rich_span(void)
{
    struct weir_batch *batch = weir_batch_new(WEIR_TRACES);
    struct weir_arena *arena = weir_batch_arena(batch);
    struct weir_group *group = weir_batch_add_group(batch, WEIR_STR("http://schema"));
    struct weir_scope_group *scope = weir_group_add_scope(group, WEIR_STR_NONE);
    struct weir_resource *resource = weir_group_edit_resource(group);
    ck_assert(weir_attributes_set(&resource->attributes, arena, WEIR_STR("service.name"),
                                  weir_value_string(WEIR_STR("shop"))));
    struct weir_scope *own = weir_scope_group_edit_scope(scope);
    own->name = WEIR_STR("lib");
    own->version = WEIR_STR("1.2");
    struct weir_span *span = weir_scope_group_add_span(scope);
    span->trace_id = WEIR_STR("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10");
    span->span_id = WEIR_STR("\x11\x12\x13\x14\x15\x16\x17\x18");
    span->name = WEIR_STR("GET\n/forged");
    span->kind = WEIR_SPAN_SERVER;
    span->start_time_unix_nano = UINT64_C(1581452773000000789);
    span->end_time_unix_nano = UINT64_C(1581452774000000000);
    span->status_code = WEIR_STATUS_ERROR;
    span->status_message = WEIR_STR("boom");
    span->dropped_events_count = 3;
    ck_assert(weir_attributes_set(&span->attributes, arena, WEIR_STR("n"), weir_value_int(-5)));
    ck_assert(weir_attributes_set(&span->attributes, arena, WEIR_STR("ok"), weir_value_bool(true)));
    weir_batch_commit(batch);
    return batch;
}

START_TEST(normal_is_a_line_an_item)
{
    ck_assert_str_eq(written("\"verbosity\": \"Normal\"", rich_span()),
                     "Traces\t{\"resource spans\": 1, \"spans\": 1}\n"
                     "ResourceTraces #0 [http://schema] service.name=shop\n"
                     "ScopeTraces #0 lib@1.2\n"
                     "GET\\n/forged 0102030405060708090a0b0c0d0e0f10 1112131415161718 n=-5 ok=true\n"
                     "\n");
}
END_TEST

START_TEST(detailed_has_every_field)
{
    ck_assert_str_eq(written("\"verbosity\": \"detailed\"", rich_span()),
                     "Traces\t{\"resource spans\": 1, \"spans\": 1}\n"
                     "ResourceSpans #0\n"
                     "Resource SchemaURL: http://schema\n"
                     "Resource attributes:\n"
                     "     -> service.name: Str(shop)\n"
                     "ScopeSpans #0\n"
                     "ScopeSpans SchemaURL: \n"
                     "InstrumentationScope lib 1.2\n"
                     "Span #0\n"
                     "    Trace ID       : 0102030405060708090a0b0c0d0e0f10\n"
                     "    Parent ID      : \n"
                     "    ID             : 1112131415161718\n"
                     "    Name           : GET\\n/forged\n"
                     "    Kind           : Server\n"
                     "    Start time     : 2020-02-11 20:26:13.000000789 +0000 UTC\n"
                     "    End time       : 2020-02-11 20:26:14 +0000 UTC\n"
                     "    Status code    : Error\n"
                     "    Status message : boom\n"
                     "    DroppedEventsCount: 3\n"
                     "Attributes:\n"
                     "     -> n: Int(-5)\n"
                     "     -> ok: Bool(true)\n"
                     "\n");
}
END_TEST

static struct weir_data_point *add_point(struct weir_arena *arena, struct weir_scope_group *scope, const char *name,
                                         enum weir_metric_type type)
{
    struct weir_metric *metric = weir_scope_group_add_metric(scope);
    metric->name = weir_str_of(name);
    metric->type = type;
    metric->temporality = WEIR_TEMPORALITY_CUMULATIVE;
    metric->points = weir_arena_calloc(arena, 1, sizeof *metric->points);
    metric->point_count = 1;
    return metric->points;
}

static struct weir_batch *rich_metrics(void)
{
    static uint64_t counts[] = { 1, 2, 3 };
    static double bounds[] = { 0.5, 10 };
    static struct weir_quantile quantiles[] = { { 0.99, 7.5 } };
    struct weir_batch *batch = weir_batch_new(WEIR_METRICS);
    struct weir_arena *arena = weir_batch_arena(batch);
    struct weir_scope_group *scope =
        weir_group_add_scope(weir_batch_add_group(batch, WEIR_STR_NONE), WEIR_STR_NONE);
    struct weir_data_point *sum = add_point(arena, scope, "sum", WEIR_METRIC_SUM);
    sum->number = (struct weir_number){ WEIR_NUMBER_DOUBLE, { .as_double = 1.25 } };
    ck_assert(weir_attributes_set(&sum->attributes, arena, WEIR_STR("k"), weir_value_string(WEIR_STR("v"))));
    struct weir_data_point *histogram = add_point(arena, scope, "histogram", WEIR_METRIC_HISTOGRAM);
    histogram->count = 6;
    histogram->sum = (struct weir_optional_double){ true, 42 };
    histogram->positive = (struct weir_buckets){ 0, counts, 3 };
    histogram->explicit_bounds = bounds;
    histogram->explicit_bound_count = 2;
    struct weir_data_point *exponential = add_point(arena, scope, "exponential", WEIR_METRIC_EXPONENTIAL_HISTOGRAM);
    exponential->count = 7;
    exponential->zero_count = 1;
    exponential->positive = (struct weir_buckets){ 0, counts, 2 };
    exponential->negative = (struct weir_buckets){ 1, counts, 1 };
    struct weir_data_point *summary = add_point(arena, scope, "summary", WEIR_METRIC_SUMMARY);
    summary->count = 2;
    summary->sum = (struct weir_optional_double){ true, 3 };
    summary->quantiles = quantiles;
    summary->quantile_count = 1;
    weir_batch_commit(batch);
    return batch;
}

START_TEST(normal_metrics)
{
    ck_assert_str_eq(written("\"verbosity\": \"normal\"", rich_metrics()),
                     "Metrics\t{\"resource metrics\": 1, \"metrics\": 4, \"data points\": 4}\n"
                     "ResourceMetrics #0\n"
                     "ScopeMetrics #0\n"
                     "sum{k=v} 1.25\n"
                     "histogram{} count=6 sum=42 le0.5=1 le10=2 3\n"
                     "exponential{} count=7 le-2=1 zero=1 le2=1 le4=2\n"
                     "summary{} count=2 sum=3 q0.99=7.5\n"
                     "\n");
}
END_TEST

static const struct {
    int32_t scale, offset;
    const char *bound; /* the upper one */
} exponential_buckets[] = {
    { 0, 0, "2" },
    { 1, 0, "1.4142135623730951" },
    { 3, 0, "1.0905077326652577" },
    { 3, -2, "0.9170040432046712" },
    { 20, 1048575, "2" },
    { 2, 4004, "2.5484913189051297e+301" },
    { -3, 0, "256" },
    { INT32_MIN, -1, "1" },
    { INT32_MIN, -2, "0" },
    { INT32_MAX, INT32_MAX, "1" },
};

START_TEST(bounds_of_exponential_buckets)
{
    static uint64_t counts[] = { 1 };
    struct weir_batch *batch = weir_batch_new(WEIR_METRICS);
    struct weir_scope_group *scope =
        weir_group_add_scope(weir_batch_add_group(batch, WEIR_STR_NONE), WEIR_STR_NONE);
    struct weir_data_point *point =
        add_point(weir_batch_arena(batch), scope, "e", WEIR_METRIC_EXPONENTIAL_HISTOGRAM);
    point->scale = exponential_buckets[_i].scale;
    point->positive = (struct weir_buckets){ exponential_buckets[_i].offset, counts, 1 };
    weir_batch_commit(batch);
    char *expected = weir_xasprintf("e{} count=0 le%s=1\n", exponential_buckets[_i].bound);
    const char *text = written("\"verbosity\": \"normal\"", batch);
    ck_assert_msg(strstr(text, expected) != NULL, "no \"%s\" in:\n%s", expected, text);
    free(expected);
}
END_TEST

START_TEST(detailed_metrics)
{
    const char *text = written("\"verbosity\": \"detailed\"", rich_metrics());
    static const char *const parts[] = {
        "     -> DataType: Sum\n     -> IsMonotonic: false\n     -> AggregationTemporality: Cumulative\n",
        "NumberDataPoints #0\nData point attributes:\n     -> k: Str(v)\nStartTimestamp: 1970-01-01 00:00:00 +0000 UTC\n",
        "Value: 1.250000\n",
        "Count: 6\nSum: 42.000000\nExplicitBounds #0: 0.500000\nExplicitBounds #1: 10.000000\n"
        "Buckets #0, Count: 1\nBuckets #1, Count: 2\nBuckets #2, Count: 3\n",
        "Bucket [-4.000000, -2.000000), Count: 1\nBucket [0, 0], Count: 1\n"
        "Bucket (1.000000, 2.000000], Count: 1\nBucket (2.000000, 4.000000], Count: 2\n",
        "QuantileValue #0: Quantile 0.990000, Value 7.500000\n",
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(parts); i++)
        ck_assert_msg(strstr(text, parts[i]) != NULL, "no \"%s\" in:\n%s", parts[i], text);
}
END_TEST

static struct weir_batch *rich_log(void)
{
    struct weir_batch *batch = weir_batch_new(WEIR_LOGS);
    struct weir_scope_group *scope =
        weir_group_add_scope(weir_batch_add_group(batch, WEIR_STR_NONE), WEIR_STR_NONE);
    struct weir_log_record *record = weir_scope_group_add_log_record(scope);
    record->severity_number = 10;
    record->severity_text = WEIR_STR("INFO");
    record->body = weir_value_string(WEIR_STR("hello"));
    record->flags = 1;
    weir_batch_commit(batch);
    return batch;
}

START_TEST(detailed_log)
{
    const char *text = written("\"verbosity\": \"detailed\"", rich_log());
    ck_assert_msg(strstr(text, "LogRecord #0\nObservedTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
                               "Timestamp: 1970-01-01 00:00:00 +0000 UTC\nSeverityText: INFO\n"
                               "SeverityNumber: Info2(10)\nBody: Str(hello)\nTrace ID: \nSpan ID: \nFlags: 1\n"),
                  "%s", text);
}
END_TEST

START_TEST(samples_messages)
{
    int file = mkstemp(path), lines = 0;
    char *options = weir_xasprintf("{\"use_internal_logger\": false, \"output_paths\": [\"%s\"], "
                                   "\"sampling_initial\": 3, \"sampling_thereafter\": 0}",
                                   path);
    struct weir_harness *harness = make_harness(component, options, WEIR_LOGS);
    int64_t second = weir_wall_clock() / 1000000000;
    for (uint64_t i = 0; i < 20; i++)
        weir_harness_consume(harness, weir_harness_batch(WEIR_LOGS, i, 1));
    weir_harness_turn(harness, 0);
    bool one_second = weir_wall_clock() / 1000000000 == second;
    char c;
    while (read(file, &c, 1) == 1)
        lines += c == '\n';
    ck_assert_int_ge(lines, 3);
    ck_assert_int_le(lines, one_second ? 3 : 6);
    weir_harness_free(harness);
    free(options);
    close(file);
    unlink(path);
}
END_TEST

START_TEST(refuses_wrong_options)
{
    static const struct bad_options cases[] = {
        { "{\"verbosity\": \"none\"}", "verbosity level \"None\" is not supported" },
        { "{\"verbosity\": \"loud\"}", "verbosity" },
        { "{\"verbosity\": \"basic\", \"loglevel\": \"info\"}",
          "'loglevel' and 'verbosity' are incompatible. Use only 'verbosity' instead" },
        { "{\"output_paths\": [\"stdout\"]}", "output_paths is not supported when use_internal_logger is true" },
        { "{\"sending_queue\": {\"num_consumers\": 0}}", "`num_consumers` must be positive" },
    };
    assert_refused(component, WEIR_TRACES, cases, WEIR_ARRAY_LENGTH(cases));
}
END_TEST

int main(void)
{
    component = weir_harness_load(WEIR_EXPORTER, "debug");
    Suite *suite = suite_create("debug exporter");
    TCase *tests = tcase_create("debug");
    tcase_add_test(tests, basic_counts);
    tcase_add_test(tests, normal_is_a_line_an_item);
    tcase_add_test(tests, detailed_has_every_field);
    tcase_add_test(tests, normal_metrics);
    tcase_add_loop_test(tests, bounds_of_exponential_buckets, 0, WEIR_ARRAY_LENGTH(exponential_buckets));
    tcase_add_test(tests, detailed_metrics);
    tcase_add_test(tests, detailed_log);
    tcase_add_test(tests, samples_messages);
    tcase_add_test(tests, refuses_wrong_options);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
