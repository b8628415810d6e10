// SPDX-License-Identifier: Apache-2.0
/* The JSON document of a health check. */
#include <config.h>

#include "plugins/extensions/health_check/body.h"
#include "tests/unit/suite.h"

static void assert_body(struct weir_host_state state, int64_t now, const char *expected)
{
    struct weir_text text = { .data = NULL };
    health_body(&state, now, &text);
    ck_assert_str_eq(weir_text_string(&text), expected);
    weir_text_free(&text);
}

START_TEST(test_not_ready)
{
    assert_body((struct weir_host_state){ .ready = false }, INT64_C(1767323045000000000),
                "{\"status\":\"Server not available\",\"upSince\":\"0001-01-01T00:00:00Z\",\"uptime\":\"\"}");
}
END_TEST

START_TEST(test_ready)
{
    struct weir_host_state state = { .ready = true, .ready_since = INT64_C(1767323045000000000) };
    assert_body(state, state.ready_since + INT64_C(90500000000),
                "{\"status\":\"Server available\",\"upSince\":\"2026-01-02T03:04:05Z\",\"uptime\":\"1m30.5s\"}");
}
END_TEST

START_TEST(test_fractions_without_trailing_zeros)
{
    struct weir_host_state state = { .ready = true, .ready_since = INT64_C(1767323045012000000) };
    assert_body(state, state.ready_since,
                "{\"status\":\"Server available\",\"upSince\":\"2026-01-02T03:04:05.012Z\",\"uptime\":\"0s\"}");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("health_check body");
    TCase *tests = tcase_create("body");
    tcase_add_test(tests, test_not_ready);
    tcase_add_test(tests, test_ready);
    tcase_add_test(tests, test_fractions_without_trailing_zeros);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
