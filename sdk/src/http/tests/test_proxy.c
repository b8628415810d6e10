// SPDX-License-Identifier: Apache-2.0
/*
 * Proxies of the environment: which destination goes through which.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/http/proxy.h"
#include "tests/unit/suite.h"

static const char *env_http, *env_https, *env_no;

static const char *test_getenv(const char *name)
{
    if (strcmp(name, "HTTP_PROXY") == 0)
        return env_http;
    if (strcmp(name, "https_proxy") == 0)
        return env_https;
    return strcmp(name, "NO_PROXY") == 0 ? env_no : NULL;
}

static bool proxied(const char *no_proxy, const char *host, uint16_t port)
{
    env_http = "proxy.example:3128";
    env_https = "http://secure.example:8080";
    env_no = no_proxy;
    struct weir_proxies proxies;
    ck_assert_int_eq(weir_proxies_from_environment(&proxies, test_getenv, NULL), 0);
    const struct weir_url *proxy = weir_proxies_pick(&proxies, false, host, port);
    if (proxy)
        ck_assert_str_eq(proxy->host, "proxy.example");
    bool result = proxy != NULL;
    weir_proxies_free(&proxies);
    return result;
}

START_TEST(each_scheme_has_its_own)
{
    env_http = "proxy.example:3128";
    env_https = "http://u:p@secure.example:8080";
    env_no = NULL;
    struct weir_proxies proxies;
    ck_assert_int_eq(weir_proxies_from_environment(&proxies, test_getenv, NULL), 0);
    ck_assert_uint_eq(weir_proxies_pick(&proxies, false, "x.example", 80)->port, 3128);
    ck_assert_uint_eq(weir_proxies_pick(&proxies, true, "x.example", 443)->port, 8080);
    ck_assert_str_eq(weir_proxies_pick(&proxies, true, "x.example", 443)->userinfo, "u:p");
    weir_proxies_free(&proxies);

    env_http = NULL;
    ck_assert_int_eq(weir_proxies_from_environment(&proxies, test_getenv, NULL), 0);
    ck_assert_ptr_null(weir_proxies_pick(&proxies, false, "x.example", 80));
    weir_proxies_free(&proxies);
}
END_TEST

START_TEST(no_proxy_rules)
{
    static const struct {
        const char *rules;
        const char *host;
        uint16_t port;
        bool proxied;
    } cases[] = {
        { NULL, "example.com", 80, true },
        { NULL, "localhost", 80, false },
        { NULL, "127.0.0.1", 80, false },
        { NULL, "127.9.9.9", 80, false },
        { NULL, "::1", 80, false },
        { "*", "example.com", 80, false },
        { "example.com", "example.com", 80, false },
        { "example.com", "EXAMPLE.com", 80, false },
        { "example.com", "a.example.com", 80, false },
        { "example.com", "badexample.com", 80, true },
        { ".example.com", "example.com", 80, true },
        { ".example.com", "a.example.com", 80, false },
        { "*.example.com", "a.example.com", 80, false },
        { "x, example.com:81", "example.com", 80, true },
        { "x, example.com:81", "example.com", 81, false },
        { "10.0.0.0/8", "10.1.2.3", 80, false },
        { "10.0.0.0/8", "11.1.2.3", 80, true },
        { "192.168.1.7", "192.168.1.7", 80, false },
        { "192.168.1.7:90", "192.168.1.7", 80, true },
        { "fe80::/10", "fe80::1", 80, false },
        { "2001:db8::1", "2001:db8::1", 80, false },
        { "[2001:db8::1]:80", "2001:db8::1", 80, false },
        { "[2001:db8::1]:81", "2001:db8::1", 80, true },
        { ",,", "example.com", 80, true },
        { "168.1.7", "192.168.1.7", 80, true },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++)
        ck_assert_msg(proxied(cases[i].rules, cases[i].host, cases[i].port) == cases[i].proxied,
                      "%s for %s:%u", cases[i].rules, cases[i].host, (unsigned)cases[i].port);
}
END_TEST

START_TEST(a_configured_proxy_is_for_everything)
{
    struct weir_proxies proxies;
    ck_assert_int_eq(weir_proxies_from_url(&proxies, "http://p:1", NULL), 0);
    ck_assert_ptr_nonnull(weir_proxies_pick(&proxies, true, "localhost", 443));
    weir_proxies_free(&proxies);
}
END_TEST

START_TEST(what_cannot_work_is_refused)
{
    struct weir_proxies proxies;
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_int_lt(weir_proxies_from_url(&proxies, "socks5://p:1", &error), 0);
    ck_assert_str_eq(weir_error_text(&error), "proxy_url: only proxies with http:// are supported");
    ck_assert_int_lt(weir_proxies_from_url(&proxies, "https://p:1", &error), 0);
    ck_assert_str_eq(weir_error_text(&error),
                     "proxy_url: proxies that are reached over TLS (https://) are not supported");
    env_http = "http://h:x";
    env_https = NULL;
    ck_assert_int_lt(weir_proxies_from_environment(&proxies, test_getenv, &error), 0);
    ck_assert_str_eq(weir_error_text(&error),
                     "environment variable HTTP_PROXY: invalid port \"x\" after host");
    weir_error_free(&error);
}
END_TEST

START_TEST(basic_credentials)
{
    static const char *const cases[][2] = { { "Aladdin:open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" },
                                            { "ab", "Basic YWI=" },
                                            { "abc", "Basic YWJj" },
                                            { "", "Basic " } };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        char *text = weir_basic_credentials(cases[i][0]);
        ck_assert_str_eq(text, cases[i][1]);
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proxy");
    TCase *tests = tcase_create("proxy");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, each_scheme_has_its_own);
    tcase_add_test(tests, no_proxy_rules);
    tcase_add_test(tests, a_configured_proxy_is_for_everything);
    tcase_add_test(tests, what_cannot_work_is_refused);
    tcase_add_test(tests, basic_credentials);
    return run_suite(suite);
}
