// SPDX-License-Identifier: Apache-2.0
/* The nop exporter says yes to everything, and the ledger says where it went. */
#include <config.h>

#include <weir/harness.h>

#include "tests/unit/suite.h"

START_TEST(takes_every_signal)
{
    const struct weir_component *component = weir_harness_load(WEIR_EXPORTER, "nop");
    struct weir_harness *harness = weir_harness_new(component, NULL, (enum weir_signal)_i, NULL);
    struct weir_ledger ledger;
    size_t request = weir_harness_consume(harness, weir_harness_batch((enum weir_signal)_i, 0, 7));
    ck_assert_int_eq(weir_harness_answer(harness, request)->outcome, WEIR_OK);
    weir_harness_ledger(harness, &ledger);
    ck_assert_uint_eq(ledger.delivered, 7);
    weir_harness_free(harness);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nop exporter");
    TCase *tests = tcase_create("nop");
    tcase_add_loop_test(tests, takes_every_signal, WEIR_TRACES, WEIR_PROFILES);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
