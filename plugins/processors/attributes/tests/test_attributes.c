// SPDX-License-Identifier: Apache-2.0
/* The attributes processor: which items it changes, for each field of include and exclude. */
#include <config.h>

#include <stdlib.h>

#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

static const struct weir_component *component;

/* JSON written with ' for ". */
static char *quoted(const char *start, const char *rest, const char *end)
{
    char *json = weir_xasprintf("%s%s%s", start, rest, end);
    for (char *c = json; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    return json;
}

#define ACTIONS "'actions': [{'key': 'hit', 'value': 1, 'action': 'insert'}]"

static struct weir_scope_group *add_scope(struct weir_batch *batch, const char *service)
{
    struct weir_group *group = weir_batch_add_group(batch, WEIR_STR(""));
    struct weir_arena *arena = weir_batch_arena(batch);
    struct weir_attributes *attributes = &weir_group_edit_resource(group)->attributes;
    if (service)
        ck_assert(weir_attributes_set(attributes, arena, WEIR_STR("service.name"),
                                      weir_value_string(weir_str_of(service))));
    ck_assert(weir_attributes_set(attributes, arena, WEIR_STR("zone"), weir_value_int(3)));
    struct weir_scope_group *scope = weir_group_add_scope(group, WEIR_STR(""));
    weir_scope_group_edit_scope(scope)->name = WEIR_STR("lib");
    weir_scope_group_edit_scope(scope)->version = WEIR_STR("1.2");
    return scope;
}

/* Four spans: GET /a and POST /b of shop, GET /a of pay, and one without service. */
static struct weir_batch *spans(void)
{
    static const struct {
        const char *service, *name;
        int kind;
        const char *tier;
    } all[] = {
        { "shop", "GET /a", WEIR_SPAN_SERVER, "gold" },
        { "shop", "POST /b", WEIR_SPAN_CLIENT, NULL },
        { "pay", "GET /a", WEIR_SPAN_SERVER, "silver" },
        { NULL, "none", WEIR_SPAN_INTERNAL, "gold" },
    };
    struct weir_batch *batch = weir_batch_new(WEIR_TRACES);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(all); i++) {
        struct weir_span *span = weir_scope_group_add_span(add_scope(batch, all[i].service));
        span->name = weir_str_of(all[i].name);
        span->kind = all[i].kind;
        if (all[i].tier)
            ck_assert(weir_attributes_set(&span->attributes, weir_batch_arena(batch), WEIR_STR("tier"),
                                          weir_value_string(weir_str_of(all[i].tier))));
        ck_assert(weir_attributes_set(&span->attributes, weir_batch_arena(batch), WEIR_STR("n"),
                                      weir_value_int((int64_t)i)));
    }
    weir_batch_commit(batch);
    return batch;
}

static struct weir_batch *records(void)
{
    static const struct {
        const char *body, *severity;
        int number;
    } all[] = { { "started", "INFO", 9 }, { "failed: 5", "ERROR", 17 }, { "odd", "", 0 }, { "warn", "WARN", 13 } };
    struct weir_batch *batch = weir_batch_new(WEIR_LOGS);
    struct weir_scope_group *scope = add_scope(batch, "shop");
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(all); i++) {
        struct weir_log_record *record = weir_scope_group_add_log_record(scope);
        record->body = weir_value_string(weir_str_of(all[i].body));
        record->severity_text = weir_str_of(all[i].severity);
        record->severity_number = all[i].number;
    }
    weir_batch_commit(batch);
    return batch;
}

static const struct weir_attributes *attributes_of(struct weir_entry *entry, enum weir_signal signal)
{
    if (signal == WEIR_TRACES)
        return &weir_entry_span(entry)->attributes;
    if (signal == WEIR_LOGS)
        return &weir_entry_log_record(entry)->attributes;
    return &weir_entry_metric(entry)->points[0].attributes;
}

/* "x" for each item that was changed, "." for the others. */
static void hits(struct weir_batch *batch, struct weir_text *text)
{
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group))
        for (struct weir_scope_group *scope = weir_group_first_scope(group); scope;
             scope = weir_scope_group_next(scope))
            for (struct weir_entry *entry = weir_scope_group_first(scope); entry; entry = weir_entry_next(entry))
                weir_text_addc(text, weir_attributes_get(attributes_of(entry, weir_batch_signal(batch)),
                                                         WEIR_STR("hit"))
                                         ? 'x'
                                         : '.');
}

static void expect(struct weir_batch *batch, const char *options, const char *changed)
{
    enum weir_signal signal = weir_batch_signal(batch);
    char *json = quoted("{" ACTIONS, options, "}");
    struct weir_harness *harness = make_harness(component, json, signal);
    struct weir_text text = { 0 };
    weir_harness_consume(harness, batch);
    hits(weir_harness_sent(harness, 0), &text);
    ck_assert_msg(strcmp(weir_text_string(&text), changed) == 0, "%s: %s, expected %s", options,
                  weir_text_string(&text), changed);
    weir_text_free(&text);
    weir_harness_free(harness);
    free(json);
}

START_TEST(of_spans)
{
    static const char *const cases[][2] = {
        { "", "xxxx" },
        { ", 'include': {'match_type': 'strict', 'services': ['shop']}", "xx.." },
        { ", 'include': {'match_type': 'strict', 'services': ['shop', 'pay']}", "xxx." },
        { ", 'include': {'match_type': 'regexp', 'services': ['^s', 'nil-service']}", "xx.x" },
        { ", 'include': {'match_type': 'strict', 'span_names': ['GET']}", "...." },
        { ", 'include': {'match_type': 'regexp', 'span_names': ['GET']}", "x.x." },
        { ", 'include': {'match_type': 'strict', 'span_kinds': ['SPAN_KIND_SERVER', 'SPAN_KIND_CLIENT']}", "xxx." },
        { ", 'include': {'match_type': 'regexp', 'span_kinds': ['INTERN']}", "...x" },
        { ", 'include': {'match_type': 'strict', 'attributes': [{'key': 'tier'}]}", "x.xx" },
        { ", 'include': {'match_type': 'strict', 'attributes': [{'key': 'tier', 'value': 'gold'}]}", "x..x" },
        { ", 'include': {'match_type': 'strict', 'attributes': [{'key': 'n', 'value': 2}]}", "..x." },
        { ", 'include': {'match_type': 'strict', 'attributes': [{'key': 'n', 'value': '2'}]}", "...." },
        { ", 'include': {'match_type': 'regexp', 'attributes': [{'key': 'n', 'value': '[23]'}]}", "..xx" },
        { ", 'include': {'match_type': 'strict', 'attributes': [{'key': 'tier'}, {'key': 'n', 'value': 3}]}", "...x" },
        { ", 'include': {'match_type': 'strict', 'resources': [{'key': 'service.name', 'value': 'pay'}]}", "..x." },
        { ", 'include': {'match_type': 'strict', 'resources': [{'key': 'zone', 'value': 3}]}", "xxxx" },
        { ", 'include': {'match_type': 'strict', 'libraries': [{'name': 'lib'}]}", "xxxx" },
        { ", 'include': {'match_type': 'strict', 'libraries': [{'name': 'lib', 'version': '1.2'}]}", "xxxx" },
        { ", 'include': {'match_type': 'strict', 'libraries': [{'name': 'lib', 'version': ''}]}", "...." },
        { ", 'include': {'match_type': 'strict', 'services': ['shop'], 'span_names': ['POST /b']}", ".x.." },
        { ", 'exclude': {'match_type': 'strict', 'services': ['shop']}", "..xx" },
        { ", 'include': {'match_type': 'strict', 'services': ['shop']}, "
          "'exclude': {'match_type': 'regexp', 'span_names': ['^POST']}",
          "x..." },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++)
        expect(spans(), cases[i][0], cases[i][1]);
}
END_TEST

START_TEST(of_log_records)
{
    static const char *const cases[][2] = {
        { ", 'include': {'match_type': 'regexp', 'log_bodies': ['fail', '^odd$']}", ".xx." },
        { ", 'include': {'match_type': 'strict', 'log_severity_texts': ['WARN']}", "...x" },
        { ", 'include': {'match_type': 'strict', 'log_severity_number': {'min': 13}}", ".x.x" },
        { ", 'include': {'match_type': 'strict', 'log_severity_number': {'min': 13, 'match_undefined': true}}", ".xxx" },
        { ", 'exclude': {'match_type': 'strict', 'log_severity_number': {'min': 10}}", "x.x." },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++)
        expect(records(), cases[i][0], cases[i][1]);
}
END_TEST

START_TEST(of_every_data_point)
{
    struct weir_harness *harness = make_harness(
        component, "{\"actions\": [{\"key\": \"hit\", \"value\": 1, \"action\": \"insert\"}]}", WEIR_METRICS);
    weir_harness_consume(harness, weir_harness_batch(WEIR_METRICS, 0, 3));
    struct weir_group *group = weir_batch_first_group(weir_harness_sent(harness, 0));
    const struct weir_metric *metric = weir_entry_metric(weir_scope_group_first(weir_group_first_scope(group)));
    ck_assert_uint_eq(metric->point_count, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_ptr_nonnull(weir_attributes_get(&metric->points[i].attributes, WEIR_STR("hit")));
    weir_harness_free(harness);
}
END_TEST

START_TEST(of_metrics_by_name)
{
    expect(weir_harness_batch(WEIR_METRICS, 0, 2), ", 'include': {'match_type': 'regexp', 'metric_names': ['nothing']}",
           ".");
    expect(weir_harness_batch(WEIR_METRICS, 0, 2), ", 'include': {'match_type': 'regexp', 'metric_names': ['.']}", "x");
    expect(weir_harness_batch(WEIR_METRICS, 0, 2),
           ", 'include': {'match_type': 'strict', 'resources': [{'key': 'service.name', 'value': 'other'}]}", "x");
}
END_TEST

START_TEST(refuses_wrong_options)
{
    static const struct {
        enum weir_signal signal;
        const char *options;
        const char *says;
    } cases[] = {
        { WEIR_TRACES, "{'include': {'match_type': 'strict', 'services': ['a']}}", "missing required field \"actions\"" },
        { WEIR_TRACES, "{" ACTIONS ", 'include': {'services': ['a']}}", "match_type" },
        { WEIR_TRACES, "{" ACTIONS ", 'include': {'match_type': 'glob', 'services': ['a']}}", "glob" },
        { WEIR_TRACES, "{" ACTIONS ", 'include': {'match_type': 'strict'}}", "at least one field" },
        { WEIR_TRACES, "{" ACTIONS ", 'include': {'match_type': 'strict', 'log_bodies': ['a']}}",
          "include: log_bodies should not be specified for traces" },
        { WEIR_LOGS, "{" ACTIONS ", 'exclude': {'match_type': 'strict', 'services': ['a']}}",
          "exclude: services should not be specified for logs" },
        { WEIR_METRICS, "{" ACTIONS ", 'include': {'match_type': 'strict', 'attributes': [{'key': 'a'}]}}",
          "attributes should not be specified for metrics" },
        { WEIR_TRACES, "{" ACTIONS ", 'include': {'match_type': 'strict', 'attributes': [{'key': ''}]}}", "empty key" },
        { WEIR_TRACES, "{" ACTIONS ", 'include': {'match_type': 'regexp', 'span_names': ['a(']}}",
          "error parsing regexp" },
        { WEIR_TRACES, "{" ACTIONS ", 'include': {'match_type': 'strict', 'span_kinds': ['SERVER']}}",
          "standard span kinds" },
        { WEIR_TRACES, "{" ACTIONS ", 'include': {'match_type': 'regexp', 'attributes': [{'key': 'a', 'value': 5}]}}",
          "only supports string values" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        char *json = quoted("", cases[i].options, "");
        struct bad_options one = { json, cases[i].says };
        assert_refused(component, cases[i].signal, &one, 1);
        free(json);
    }
}
END_TEST

int main(void)
{
    component = weir_harness_load(WEIR_PROCESSOR, "attributes");
    Suite *suite = suite_create("attributes processor");
    TCase *tests = tcase_create("attributes");
    tcase_add_test(tests, of_spans);
    tcase_add_test(tests, of_log_records);
    tcase_add_test(tests, of_every_data_point);
    tcase_add_test(tests, of_metrics_by_name);
    tcase_add_test(tests, refuses_wrong_options);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
