// SPDX-License-Identifier: Apache-2.0
/* The truncate processor as its neighbours see it. */
#include <config.h>

#include <check.h>
#include <stdlib.h>

#include <weir/harness.h>

static const struct weir_component *component;

static struct weir_harness *make(const char *options, enum weir_signal signal)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_harness *harness = weir_harness_new(component, options, signal, &error);
    ck_assert_msg(harness != NULL, "%s", weir_error_text(&error));
    return harness;
}

#define SPAN(attribute)                                                                                          \
    "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"name\":\"a name\",\"attributes\":" \
    "[{\"key\":\"k\",\"value\":{\"stringValue\":\"" attribute "\"}}],\"status\":{}}]}]}]}"
#define RECORD(body) \
    "{\"resourceLogs\":[{\"resource\":{},\"scopeLogs\":[{\"scope\":{},\"logRecords\":[{\"body\":{\"stringValue\":\"" body "\"}}]}]}]}"

START_TEST(cuts_attributes)
{
    struct weir_harness *harness = make("max_bytes: 5", WEIR_TRACES);
    size_t request = weir_harness_consume_json(harness, SPAN("123456"));
    ck_assert_str_eq(weir_harness_sent_json(harness, 0), SPAN("12345"));
    ck_assert_int_eq(weir_harness_answer(harness, request)->outcome, WEIR_OK);
    weir_harness_consume_json(harness, SPAN("12345"));
    ck_assert_str_eq(weir_harness_sent_json(harness, 1), SPAN("12345"));
    ck_assert_double_eq(weir_harness_series(harness, "processor_truncate_values_cut"), 1);
    weir_harness_free(harness);
}
END_TEST

START_TEST(leaves_characters_whole)
{
    struct weir_harness *harness = make("max_bytes: 5", WEIR_LOGS);
    weir_harness_consume_json(harness, RECORD("abc\u20ac\u20ac")); /* a euro sign takes 3 bytes */
    ck_assert_str_eq(weir_harness_sent_json(harness, 0), RECORD("abc"));
    weir_harness_free(harness);
}
END_TEST

START_TEST(bodies_may_be_left_alone)
{
    struct weir_harness *harness = make("{max_bytes: 3, log_bodies: false}", WEIR_LOGS);
    weir_harness_consume_json(harness, RECORD("123456"));
    ck_assert_str_eq(weir_harness_sent_json(harness, 0), RECORD("123456"));
    weir_harness_free(harness);
}
END_TEST

/* What those behind us answer is what our client hears. */
START_TEST(refusals_come_back)
{
    struct weir_harness *harness = make(NULL, WEIR_LOGS);
    weir_harness_set_result(harness, &WEIR_RESULT_RETRYABLE("full"));
    size_t request = weir_harness_consume(harness, weir_harness_batch(WEIR_LOGS, 0, 10));
    ck_assert_int_eq(weir_harness_answer(harness, request)->outcome, WEIR_RETRYABLE);
    ck_assert_str_eq(weir_harness_answer(harness, request)->reason, "full");
    weir_harness_free(harness);
}
END_TEST

START_TEST(bad_options)
{
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_ptr_null(weir_harness_new(component, "max_bytes: 0", WEIR_LOGS, &error));
    ck_assert_ptr_nonnull(strstr(weir_error_text(&error), "truncate::max_bytes"));
    weir_error_free(&error);
}
END_TEST

int main(void)
{
    component = weir_harness_load_file(".libs/truncate.so");
    Suite *suite = suite_create("truncate");
    TCase *tests = tcase_create("truncate");
    tcase_add_test(tests, cuts_attributes);
    tcase_add_test(tests, leaves_characters_whole);
    tcase_add_test(tests, bodies_may_be_left_alone);
    tcase_add_test(tests, refusals_come_back);
    tcase_add_test(tests, bad_options);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
