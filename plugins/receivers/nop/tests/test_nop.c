// SPDX-License-Identifier: Apache-2.0
/* The nop receiver starts, sends nothing, and stops. */
#include <config.h>

#include <weir/harness.h>

#include "tests/unit/suite.h"

START_TEST(sends_nothing)
{
    const struct weir_component *component = weir_harness_load(WEIR_RECEIVER, "nop");
    ck_assert_int_ne(component->stability[_i], WEIR_UNSUPPORTED);
    struct weir_harness *harness = weir_harness_new(component, NULL, (enum weir_signal)_i, NULL);
    ck_assert_ptr_nonnull(harness);
    weir_harness_advance(harness, INT64_C(3600) * 1000000000);
    ck_assert_uint_eq(weir_harness_sent_count(harness), 0);
    weir_harness_drain(harness);
    ck_assert(weir_harness_drained(harness));
    weir_harness_free(harness);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nop receiver");
    TCase *tests = tcase_create("nop");
    tcase_add_loop_test(tests, sends_nothing, WEIR_TRACES, WEIR_SIGNALS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
