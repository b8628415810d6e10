// SPDX-License-Identifier: Apache-2.0
/* How results become statuses, and URLs paths. */
#include <config.h>

#include <stdlib.h>

#include "plugins/receivers/otlp/receiver.h"
#include "tests/unit/suite.h"

static void assert_answer(struct weir_result result, int code, int http_status, int64_t retry_delay)
{
    struct otlp_answer answer = otlp_answer_of(&result);
    ck_assert_int_eq(answer.code, code);
    ck_assert_int_eq(answer.http_status, http_status);
    ck_assert_int_eq(answer.retry_delay, retry_delay);
    ck_assert_str_eq(answer.message, "why");
}

START_TEST(test_results_without_a_code)
{
    assert_answer(WEIR_RESULT_RETRYABLE("why"), WEIR_GRPC_UNAVAILABLE, 503, WEIR_NO_RETRY_DELAY);
    assert_answer(WEIR_RESULT_PERMANENT("why"), WEIR_GRPC_INTERNAL, 500, WEIR_NO_RETRY_DELAY);
}
END_TEST

START_TEST(test_codes_of_destinations)
{
    static const int http[17] = { 503, 503, 500, 400, 503, 500, 500, 403, 429,
                                  500, 503, 503, 404, 500, 503, 503, 401 };
    for (int code = 1; code <= 16; code++)
        assert_answer((struct weir_result){ WEIR_RETRYABLE, code, 7, "why" }, code, http[code], 7);
}
END_TEST

START_TEST(test_codes_of_http_errors)
{
    static const int pairs[][2] = { { 400, 3 },  { 401, 16 }, { 403, 7 },  { 404, 12 }, { 429, 8 },
                                    { 502, 14 }, { 503, 14 }, { 504, 14 }, { 409, 2 },  { 500, 2 } };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(pairs); i++)
        ck_assert_int_eq(weir_status_code_of_http(pairs[i][0]), pairs[i][1]);
}
END_TEST

START_TEST(test_url_paths)
{
    static const char *const pairs[][2] = {
        { "/v1/traces", "/v1/traces" },
        { "custom", "/custom" },
        { "", "/" },
        { "/a?b=c", "/a" },
        { "http://host:1/p/q#f", "/p/q" },
        { "http://host", "/" },
        { "/a%20b", "/a%20b" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(pairs); i++) {
        char *path = otlp_url_path(pairs[i][0]);
        ck_assert_str_eq(path, pairs[i][1]);
        free(path);
    }
    ck_assert_ptr_null(otlp_url_path("/a%2"));
    ck_assert_ptr_null(otlp_url_path("/a%zz"));
    ck_assert_ptr_null(otlp_url_path("/a\nb"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("otlp receiver");
    TCase *tests = tcase_create("answers");
    tcase_add_test(tests, test_results_without_a_code);
    tcase_add_test(tests, test_codes_of_destinations);
    tcase_add_test(tests, test_codes_of_http_errors);
    tcase_add_test(tests, test_url_paths);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
