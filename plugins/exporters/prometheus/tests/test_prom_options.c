// SPDX-License-Identifier: Apache-2.0
/* What the prometheus exporter's configuration must and must not say. */
#include <config.h>

#include <weir/otlp_json.h>

#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

static const struct bad_options bad[] = {
    { "{}", "expecting a non-blank address to run the Prometheus metrics handler" },
    { "{\"endpoint\": \"\"}", "expecting a non-blank address to run the Prometheus metrics handler" },
    { "{\"endpoint\": \"127.0.0.1\"}", "missing port in address" },
    { "{\"endpoint\": \"127.0.0.1:0\", \"translation_strategy\": \"other\"}", "translation_strategy" },
    { "{\"endpoint\": \"127.0.0.1:0\", \"metric_expiration\": \"-1s\"}", "metric_expiration" },
    { "{\"endpoint\": \"127.0.0.1:0\", \"const_labels\": {\"--\": \"a\"}}", "\"--\" has no letter or digit" },
    { "{\"endpoint\": \"127.0.0.1:0\", \"timeout\": \"5s\"}", "timeout" },
};

START_TEST(bad_options_are_refused)
{
    assert_refused(weir_harness_load(WEIR_EXPORTER, "prometheus"), WEIR_METRICS, bad, WEIR_ARRAY_LENGTH(bad));
}
END_TEST

static const char *const good[] = {
    "{\"endpoint\": \"127.0.0.1:0\"}",
    "{\"endpoint\": \"127.0.0.1:0\", \"translation_strategy\": \"\", \"add_metric_suffixes\": false}",
    "{\"endpoint\": \"127.0.0.1:0\", \"translation_strategy\": \"NoTranslation\", \"namespace\": \"a b\"}",
    "{\"endpoint\": \"127.0.0.1:0\", \"const_labels\": {\"label1\": \"value1\", \"another label\": \"spaced value\"}}",
    "{\"endpoint\": \"127.0.0.1:0\", \"send_timestamps\": true, \"metric_expiration\": \"180m\","
    " \"enable_open_metrics\": true, \"resource_to_telemetry_conversion\": {\"enabled\": true},"
    " \"without_scope_info\": true, \"sending_queue\": {\"queue_size\": 10}}",
};

START_TEST(good_options_are_taken)
{
    weir_harness_free(make_harness(weir_harness_load(WEIR_EXPORTER, "prometheus"), good[_i], WEIR_METRICS));
}
END_TEST

static const struct {
    const char *options;
    const char *metric;
    enum weir_outcome outcome;
    unsigned delivered, dropped;
} answers[] = {
    { "{\"endpoint\": \"127.0.0.1:0\"}", "\"gauge\": {\"dataPoints\": [{\"asInt\": 1}, {\"asInt\": 2}]}", WEIR_OK, 2, 0 },
    { "{\"endpoint\": \"127.0.0.1:0\"}", "\"sum\": {\"aggregationTemporality\": 1, \"dataPoints\": [{\"asInt\": 1}]}",
      WEIR_OK, 0, 1 },
    { "{\"endpoint\": \"127.0.0.1:0\", \"sending_queue\": {}}", "\"gauge\": {\"dataPoints\": [{\"asInt\": 1}]}", WEIR_OK, 1,
      0 },
};

START_TEST(batches_are_answered_and_counted)
{
    struct weir_harness *harness = make_harness(weir_harness_load(WEIR_EXPORTER, "prometheus"), answers[_i].options,
                                                WEIR_METRICS);
    struct weir_text json = { 0 };
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_ledger ledger;
    weir_text_addf(&json, "{\"resourceMetrics\": [{\"scopeMetrics\": [{\"metrics\": [{\"name\": \"a\", %s}]}]}]}",
                   answers[_i].metric);
    struct weir_batch *batch = weir_batch_from_json(WEIR_METRICS, json.data, json.length, &error);
    ck_assert_msg(batch != NULL, "%s", weir_error_text(&error));
    size_t number = weir_harness_consume(harness, batch);
    weir_harness_turn(harness, 0);
    weir_harness_drain(harness);
    ck_assert(weir_harness_answered(harness, number));
    ck_assert_int_eq(weir_harness_answer(harness, number)->outcome, answers[_i].outcome);
    weir_harness_ledger(harness, &ledger);
    ck_assert_uint_eq(ledger.delivered, answers[_i].delivered);
    ck_assert_uint_eq(ledger.dropped, answers[_i].dropped);
    weir_text_free(&json);
    weir_harness_free(harness);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prometheus options");
    TCase *tests = tcase_create("options");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, bad_options_are_refused);
    tcase_add_loop_test(tests, good_options_are_taken, 0, (int)WEIR_ARRAY_LENGTH(good));
    tcase_add_loop_test(tests, batches_are_answered_and_counted, 0, (int)WEIR_ARRAY_LENGTH(answers));
    return run_suite(suite);
}
