// SPDX-License-Identifier: Apache-2.0
/* Keys and values of tracestate. */
#include <config.h>

#include <check.h>
#include <string.h>

#include <weir/tracestate.h>

#include "tests/unit/suite.h"

/* `head`, then as many letters as make it `length` long. */
static struct weir_str long_text(const char *head, size_t length)
{
    static char text[512];
    memset(text, 'a', sizeof text);
    memcpy(text, head, strlen(head));
    return weir_str_make(text, length);
}

START_TEST(keys)
{
    static const char *const good[] = { "a", "rojo", "a0_-*/", "0t@v", "tenant@system" };
    static const char *const bad[] = { "", "0a", "A", "a b", "a.b", "@v", "t@", "t@0v", "a@b@c", "T@v", "\xc3\xa4" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(good); i++)
        ck_assert_msg(weir_tracestate_is_key(weir_str_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(bad); i++)
        ck_assert_msg(!weir_tracestate_is_key(weir_str_of(bad[i])), "%s", bad[i]);
    ck_assert(weir_tracestate_is_key(long_text("", 256)));
    ck_assert(!weir_tracestate_is_key(long_text("", 257)));
    ck_assert(weir_tracestate_is_key(long_text("t@", 2 + 14)));
    ck_assert(!weir_tracestate_is_key(long_text("t@", 2 + 15)));
}
END_TEST

START_TEST(values)
{
    static const char *const good[] = { "a", " a", "~!@:;", "00f067aa0ba902b7" };
    static const char *const bad[] = { "", " ", "a ", "a=b", "a,b", "a\tb", "\x7f", "\xc3\xa4" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(good); i++)
        ck_assert_msg(weir_tracestate_is_value(weir_str_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(bad); i++)
        ck_assert_msg(!weir_tracestate_is_value(weir_str_of(bad[i])), "%s", bad[i]);
    ck_assert(weir_tracestate_is_value(long_text("", 256)));
    ck_assert(!weir_tracestate_is_value(long_text("", 257)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tracestate");
    TCase *tests = tcase_create("tracestate");
    tcase_add_test(tests, keys);
    tcase_add_test(tests, values);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
