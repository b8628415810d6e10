// SPDX-License-Identifier: Apache-2.0
/* Expressions mean what they mean in Go. */
#include <config.h>

#include <pthread.h>
#include <stdlib.h>

#include <weir/regex.h>

#include "tests/unit/suite.h"

static struct weir_regex *compile(const char *pattern)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_regex *regex = weir_regex_new(weir_str_of(pattern), &error);
    ck_assert_msg(regex != NULL, "%s", weir_error_text(&error));
    return regex;
}

static const struct {
    const char *pattern;
    const char *text;
    bool matches;
} cases[] = {
    { "foo", "a foo b", true },
    { "^foo$", "foo", true },
    { "^foo$", "foo\n", false }, /* Perl's $ would match before the newline */
    { "(?m)^foo$", "a\nfoo\nb", true },
    { "(?i)FOO", "foo", true },
    { "a.c", "a\nc", false },
    { "(?s)a.c", "a\nc", true },
    { "^\\d+$", "123", true },
    { "^\\d+$", "\xd9\xa1\xd9\xa2", false }, /* Arabic digits: classes are ASCII */
    { "^\\pL+$", "\xc3\xa9t\xc3\xa9", true },
    { "^..$", "\xc3\xa9t", true }, /* a dot is a character, not a byte */
    { "b+", "\xff\xfe b", true },  /* text that is no UTF-8 */
    { "", "anything", true },
    { "[[:alpha:]]+", "12ab", true },
    { "(?P<first>a)|(?P<second>b)", "b", true },
    { "\\Qa.b\\E", "a.b", true },
    { "\\Qa.b\\E", "axb", false },
};

START_TEST(means_what_go_means)
{
    struct weir_regex *regex = compile(cases[_i].pattern);
    ck_assert_msg(weir_regex_matches(regex, weir_str_of(cases[_i].text)) == cases[_i].matches, "%s on %s",
                  cases[_i].pattern, cases[_i].text);
    weir_regex_free(regex);
}
END_TEST

START_TEST(gives_groups)
{
    struct weir_regex *regex = compile("^/api/(?P<version>v\\d)/(?P<rest>.*?)(\\?(?P<query>.*))?$");
    struct weir_str groups[4];
    ck_assert_uint_eq(weir_regex_group_count(regex), 4);
    ck_assert_str_eq(weir_regex_group_name(regex, 0), "version");
    ck_assert_str_eq(weir_regex_group_name(regex, 2), "");
    ck_assert(weir_regex_search(regex, WEIR_STR("/api/v1/x/y"), groups));
    ck_assert(weir_str_is(groups[0], "v1"));
    ck_assert(weir_str_is(groups[1], "x/y"));
    ck_assert(weir_str_is(groups[3], ""));
    ck_assert(weir_regex_search(regex, WEIR_STR("/api/v2/?q=1"), groups));
    ck_assert(weir_str_is(groups[1], ""));
    ck_assert(weir_str_is(groups[3], "q=1"));
    ck_assert(!weir_regex_search(regex, WEIR_STR("/other"), groups));
    weir_regex_free(regex);
}
END_TEST

START_TEST(names_what_is_wrong)
{
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_ptr_null(weir_regex_new(WEIR_STR("a(b"), &error));
    ck_assert_str_eq(weir_error_text(&error), "error parsing regexp: missing closing parenthesis at offset 3: `a(b`");
    weir_error_free(&error);
}
END_TEST

/* Without limits this takes longer than anybody waits. */
START_TEST(no_text_takes_long)
{
    struct weir_regex *regex = compile("^(a|aa)+$");
    char text[4096];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 'b';
    ck_assert(!weir_regex_matches(regex, (struct weir_str){ text, sizeof text }));
    weir_regex_free(regex);
}
END_TEST

static void *match_often(void *argument)
{
    size_t *count = weir_xcalloc(1, sizeof *count);
    for (int i = 0; i < 1000; i++)
        *count += weir_regex_matches(argument, WEIR_STR("x=17"));
    return count;
}

START_TEST(any_thread_may_match)
{
    struct weir_regex *regex = compile("x=(\\d+)");
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, match_often, regex), 0);
    for (size_t i = 0; i < 4; i++) {
        void *count;
        pthread_join(threads[i], &count);
        ck_assert_uint_eq(*(size_t *)count, 1000);
        free(count);
    }
    weir_regex_free(regex);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("regex");
    TCase *tests = tcase_create("regex");
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, means_what_go_means, 0, (int)WEIR_ARRAY_LENGTH(cases));
    tcase_add_test(tests, gives_groups);
    tcase_add_test(tests, names_what_is_wrong);
    tcase_add_test(tests, no_text_takes_long);
    tcase_add_test(tests, any_thread_may_match);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
