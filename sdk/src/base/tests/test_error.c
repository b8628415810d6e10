// SPDX-License-Identifier: Apache-2.0
/*
 * Error texts.
 */
#include <config.h>

#include <errno.h>

#include <weir/error.h>

#include "tests/unit/suite.h"

START_TEST(set_replaces)
{
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert(!weir_error_is_set(&error));
    ck_assert_str_eq(weir_error_text(&error), "");
    ck_assert_int_eq(weir_error_set(&error, "port %d", 1), -1);
    ck_assert_int_eq(weir_error_set(&error, "port %d", 2), -1);
    ck_assert_str_eq(weir_error_text(&error), "port 2");
    ck_assert(weir_error_is_set(&error));
    weir_error_free(&error);
    ck_assert(!weir_error_is_set(&error));
}
END_TEST

START_TEST(set_may_quote_the_old_text)
{
    struct weir_error error = WEIR_ERROR_INIT;
    weir_error_set(&error, "inner");
    weir_error_set(&error, "outer (%s)", weir_error_text(&error));
    ck_assert_str_eq(weir_error_text(&error), "outer (inner)");
    weir_error_free(&error);
}
END_TEST

START_TEST(prefix_goes_before)
{
    struct weir_error error = WEIR_ERROR_INIT;
    weir_error_set(&error, "refused");
    ck_assert_int_eq(weir_error_prefix(&error, "connect to %s", "a:1"), -1);
    ck_assert_str_eq(weir_error_text(&error), "connect to a:1: refused");
    weir_error_free(&error);
    weir_error_prefix(&error, "alone");
    ck_assert_str_eq(weir_error_text(&error), "alone");
    weir_error_free(&error);
}
END_TEST

START_TEST(errno_is_explained)
{
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_int_eq(weir_error_errno(&error, ENOENT, "open %s", "/x"), -1);
    ck_assert_str_eq(weir_error_text(&error), "open /x: No such file or directory");
    weir_error_free(&error);
}
END_TEST

START_TEST(nobody_has_to_listen)
{
    ck_assert_int_eq(weir_error_set(NULL, "x"), -1);
    ck_assert_int_eq(weir_error_prefix(NULL, "x"), -1);
    ck_assert_int_eq(weir_error_errno(NULL, EIO, "x"), -1);
    ck_assert(!weir_error_is_set(NULL));
    ck_assert_str_eq(weir_error_text(NULL), "");
    weir_error_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("error");
    TCase *tests = tcase_create("error");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, set_replaces);
    tcase_add_test(tests, set_may_quote_the_old_text);
    tcase_add_test(tests, prefix_goes_before);
    tcase_add_test(tests, errno_is_explained);
    tcase_add_test(tests, nobody_has_to_listen);
    return run_suite(suite);
}
