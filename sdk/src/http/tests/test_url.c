// SPDX-License-Identifier: Apache-2.0
/*
 * URLs taken apart and resolved.
 */
#include <config.h>

#include <weir/url.h>

#include "tests/unit/suite.h"

static void expect(const char *text, const char *shown, const char *host, unsigned port,
                   const char *authority, const char *target)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_url url;
    ck_assert_msg(weir_url_parse(text, &url, &error) == 0, "%s: %s", text, weir_error_text(&error));
    ck_assert_str_eq(url.text, shown);
    ck_assert_str_eq(url.host, host);
    ck_assert_uint_eq(url.port, port);
    ck_assert_str_eq(url.authority, authority);
    ck_assert_str_eq(url.target, target);
    weir_url_free(&url);
}

START_TEST(taken_apart)
{
    expect("http://localhost:4318", "http://localhost:4318", "localhost", 4318, "localhost:4318", "/");
    expect("HTTPS://Gw.example/v1/traces?a=b#c", "https://Gw.example/v1/traces?a=b", "Gw.example", 443,
           "Gw.example", "/v1/traces?a=b");
    expect("http://[::1]:80/x", "http://[::1]/x", "::1", 80, "[::1]", "/x");
    expect("http://h?q", "http://h/?q", "h", 80, "h", "/?q");
    expect("http://h:/", "http://h/", "h", 80, "h", "/");
    expect("http://h/\xc3\xa9", "http://h/%C3%A9", "h", 80, "h", "/%C3%A9");
}
END_TEST

START_TEST(user_and_password_are_not_shown)
{
    struct weir_url url;
    ck_assert_int_eq(weir_url_parse("https://me%40x:p:w@h/y", &url, NULL), 0);
    ck_assert_str_eq(url.userinfo, "me@x:p:w");
    ck_assert_str_eq(url.text, "https://h/y");
    weir_url_free(&url);
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        { "", "the URL must start with http:// or https://" },
        { "localhost:4318", "the URL must start with http:// or https://" },
        { "ftp://h/", "the URL must start with http:// or https://" },
        { "http://", "no host in the URL" },
        { "http://:80/", "no host in the URL" },
        { "http://h:0/", "invalid port \"0\" after host" },
        { "http://h:65536/", "invalid port \"65536\" after host" },
        { "http://h:8a/", "invalid port \"8a\" after host" },
        { "http://[::1/", "missing ']' in host" },
        { "http://[::1]x/", "invalid port \"\" after host" },
        { "http://a b/", "the URL holds white space or a control character" },
        { "http://h/\r\nX: y", "the URL holds white space or a control character" },
        { "http://a\"b/", "invalid character in host name" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        struct weir_error error = WEIR_ERROR_INIT;
        struct weir_url url;
        ck_assert_msg(weir_url_parse(cases[i].text, &url, &error) < 0, "%s", cases[i].text);
        ck_assert_str_eq(weir_error_text(&error), cases[i].error);
        weir_error_free(&error);
    }
}
END_TEST

/* RFC 3986 section 5.4, as far as it concerns http. */
START_TEST(resolved)
{
    static const struct {
        const char *reference;
        const char *result;
    } cases[] = {
        { "g", "http://a:1/b/c/g" },      { "./g", "http://a:1/b/c/g" },
        { "/g", "http://a:1/g" },         { "//g", "http://g" },
        { "?y", "http://a:1/b/c/d;p?y" }, { "g?y", "http://a:1/b/c/g?y" },
        { "", "http://a:1/b/c/d;p?q" },   { ".", "http://a:1/b/c/" },
        { "..", "http://a:1/b/" },        { "../g", "http://a:1/b/g" },
        { "../../../g", "http://a:1/g" }, { "/./g", "http://a:1/g" },
        { "/../g", "http://a:1/g" },      { "g/../h", "http://a:1/b/c/h" },
        { "https://x/y", "https://x/y" }, { "g?y/../x", "http://a:1/b/c/g?y/../x" },
    };
    struct weir_url base;
    ck_assert_int_eq(weir_url_parse("http://a:1/b/c/d;p?q", &base, NULL), 0);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        struct weir_url url;
        ck_assert_int_eq(weir_url_resolve(&base, weir_str_of(cases[i].reference), &url, NULL), 0);
        ck_assert_str_eq(url.text, cases[i].result);
        weir_url_free(&url);
    }
    struct weir_url url;
    ck_assert_int_lt(weir_url_resolve(&base, WEIR_STR("mailto:x"), &url, NULL), 0);
    ck_assert_int_lt(weir_url_resolve(&base, WEIR_STR("x\0y"), &url, NULL), 0);
    weir_url_free(&base);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("url");
    TCase *tests = tcase_create("url");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, taken_apart);
    tcase_add_test(tests, user_and_password_are_not_shown);
    tcase_add_test(tests, refused);
    tcase_add_test(tests, resolved);
    return run_suite(suite);
}
