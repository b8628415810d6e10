// SPDX-License-Identifier: Apache-2.0
/* The forward connector passes batches and answers through. */
#include <config.h>

#include <weir/harness.h>

#include "tests/unit/suite.h"

START_TEST(passes_batches_and_answers)
{
    const struct weir_component *component = weir_harness_load(WEIR_CONNECTOR, "forward");
    struct weir_harness *harness = weir_harness_new(component, NULL, (enum weir_signal)_i, NULL);
    size_t first = weir_harness_consume(harness, weir_harness_batch((enum weir_signal)_i, 0, 3));
    ck_assert_int_eq(weir_harness_answer(harness, first)->outcome, WEIR_OK);
    ck_assert_uint_eq(weir_harness_sent_count(harness), 1);
    ck_assert_uint_eq(weir_batch_items(weir_harness_sent(harness, 0)), 3);
    weir_harness_set_result(harness, &WEIR_RESULT_PERMANENT("bad data"));
    size_t second = weir_harness_consume(harness, weir_harness_batch((enum weir_signal)_i, 3, 4));
    ck_assert_int_eq(weir_harness_answer(harness, second)->outcome, WEIR_PERMANENT);
    ck_assert_str_eq(weir_harness_answer(harness, second)->reason, "bad data");
    weir_harness_free(harness);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("forward connector");
    TCase *tests = tcase_create("forward");
    tcase_add_loop_test(tests, passes_batches_and_answers, WEIR_TRACES, WEIR_PROFILES);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
