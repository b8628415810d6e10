// SPDX-License-Identifier: Apache-2.0
/*
 * The growing string.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/str.h>

#include "tests/unit/suite.h"

START_TEST(starts_empty)
{
    struct weir_text text = { 0 };
    ck_assert_str_eq(weir_text_string(&text), "");
    weir_text_clear(&text);
    weir_text_free(&text);
}
END_TEST

START_TEST(adds_in_order)
{
    struct weir_text text = { 0 };
    weir_text_adds(&text, "a");
    weir_text_addc(&text, 'b');
    weir_text_add(&text, "c\0d", 3);
    weir_text_add(&text, NULL, 0);
    weir_text_addf(&text, "%s-%d", "e", 5);
    ck_assert_uint_eq(text.length, 8);
    ck_assert_mem_eq(text.data, "abc\0de-5", 9);
    weir_text_clear(&text);
    ck_assert_str_eq(weir_text_string(&text), "");
    weir_text_free(&text);
}
END_TEST

START_TEST(grows_around_every_length)
{
    struct weir_text text = { 0 };
    for (int length = 0; length < 300; length++) {
        weir_text_free(&text);
        weir_text_addf(&text, "%*s", length, "");
        ck_assert_uint_eq(text.length, (size_t)length);
        ck_assert_uint_eq(strlen(weir_text_string(&text)), (size_t)length);
        ck_assert_uint_gt(text.capacity, text.length);
    }
    weir_text_clear(&text);
    for (int i = 0; i < 100000; i++)
        weir_text_addc(&text, 'x');
    ck_assert_uint_eq(strlen(text.data), 100000);
    weir_text_free(&text);
}
END_TEST

START_TEST(steal_hands_over_and_empties)
{
    struct weir_text text = { 0 };
    char *content = weir_text_steal(&text);
    ck_assert_str_eq(content, "");
    free(content);
    weir_text_adds(&text, "mine");
    content = weir_text_steal(&text);
    ck_assert_str_eq(content, "mine");
    ck_assert_ptr_null(text.data);
    ck_assert_uint_eq(text.length, 0);
    free(content);
}
END_TEST

START_TEST(json_escapes)
{
    struct weir_text text = { 0 };
    weir_text_add_json(&text, weir_str_make("\"\\/\b\f\n\r\t\x01\x1f\x7f\0z", 13));
    ck_assert_str_eq(weir_text_string(&text),
                     "\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000z");
    weir_text_clear(&text);
    weir_text_add_json(&text, WEIR_STR("\xc3\xa4 \xf0\x9f\x98\x80"));
    ck_assert_str_eq(weir_text_string(&text), "\xc3\xa4 \xf0\x9f\x98\x80");
    weir_text_clear(&text);
    weir_text_add_json(&text, WEIR_STR("a\xff" "b\xc3"));
    ck_assert_str_eq(weir_text_string(&text), "a\xef\xbf\xbd" "b\xef\xbf\xbd");
    weir_text_clear(&text);
    weir_text_add_json(&text, WEIR_STR_NONE);
    ck_assert_uint_eq(text.length, 0);
    weir_text_free(&text);
}
END_TEST

START_TEST(formatted_copy)
{
    char *text = weir_xasprintf("%s/%d", "a", 7);
    ck_assert_str_eq(text, "a/7");
    free(text);
    text = weir_xstrndup("abc", 2);
    ck_assert_str_eq(text, "ab");
    free(text);
}
END_TEST

START_TEST(an_absurd_size_ends_the_process)
{
    // Volatile, so that the compiler does not see the size and warn.
    volatile size_t size = SIZE_MAX / 2;
    void *memory = weir_xmalloc(size);
    free(memory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, starts_empty);
    tcase_add_test(tests, adds_in_order);
    tcase_add_test(tests, grows_around_every_length);
    tcase_add_test(tests, steal_hands_over_and_empties);
    tcase_add_test(tests, json_escapes);
    tcase_add_test(tests, formatted_copy);
#ifndef WITH_SANITIZER
    // Sanitizers have their own way to refuse such a size.
    tcase_add_test_raise_signal(tests, an_absurd_size_ends_the_process, 6);
#else
    (void)an_absurd_size_ends_the_process;
#endif
    return run_suite(suite);
}
