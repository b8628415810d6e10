// SPDX-License-Identifier: Apache-2.0
/*
 * Endpoints, as configs write them.
 */
#include <config.h>

#include <weir/net.h>

#include "tests/unit/suite.h"

static void accepts(const char *text, enum weir_scheme scheme, const char *host, unsigned port,
                    const char *name)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_endpoint e = { 0 };
    ck_assert_msg(weir_endpoint_parse(weir_str_of(text), &e, &error) == 0, "%s: %s", text,
                  weir_error_text(&error));
    ck_assert_int_eq(e.scheme, scheme);
    ck_assert_int_eq(e.transport, WEIR_TCP);
    ck_assert_str_eq(e.host, host);
    ck_assert_uint_eq(e.port, port);
    ck_assert_str_eq(e.name, name);
    weir_endpoint_free(&e);
}

static void refuses(const char *text, const char *why)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_endpoint e = { 0 };
    ck_assert_int_eq(weir_endpoint_parse(weir_str_of(text), &e, &error), -1);
    ck_assert_str_eq(weir_error_text(&error), why);
    weir_error_free(&error);
}

START_TEST(clients_take_all_forms)
{
    accepts("a.example:4317", WEIR_SCHEME_NONE, "a.example", 4317, "a.example:4317");
    accepts("http://127.0.0.1:80", WEIR_SCHEME_HTTP, "127.0.0.1", 80, "127.0.0.1:80");
    accepts("https://[::1]:443", WEIR_SCHEME_HTTPS, "::1", 443, "[::1]:443");
    accepts("dns:///h:1", WEIR_SCHEME_DNS, "h", 1, "h:1");
    accepts("dns://h:1", WEIR_SCHEME_DNS, "h", 1, "h:1");
    accepts("passthrough:///h:1", WEIR_SCHEME_NONE, "h", 1, "h:1");
    accepts(":4317", WEIR_SCHEME_NONE, "localhost", 4317, "localhost:4317");
    struct weir_endpoint e = { 0 }, copy;
    ck_assert_int_eq(weir_endpoint_parse(WEIR_STR("unix:///run/x.sock"), &e, NULL), 0);
    weir_endpoint_copy(&copy, &e);
    weir_endpoint_free(&e);
    ck_assert_int_eq(copy.transport, WEIR_UNIX);
    ck_assert_str_eq(copy.path, "/run/x.sock");
    ck_assert_str_eq(copy.name, "localhost");
    ck_assert_ptr_null(copy.host);
    weir_endpoint_free(&copy);
}
END_TEST

START_TEST(clients_refuse_with_upstreams_texts)
{
    refuses("", "requires a non-empty \"endpoint\"");
    refuses("host", "address host: missing port in address");
    refuses("a:b:1", "address a:b:1: too many colons in address");
    refuses("[::1", "address [::1: missing ']' in address");
    refuses("[::1]", "address [::1]: missing port in address");
    refuses("[a:1", "address [a:1: missing ']' in address");
    refuses("host:http", "invalid port \"http\"");
    refuses("host:65536", "invalid port \"65536\"");
    refuses("https://host:1/", "invalid port \"1/\"");
    refuses("unix://", "unix socket path cannot be empty");
    refuses("dns://8.8.8.8/h:1",
            "a name server in the endpoint (dns://8.8.8.8/...) is not supported: use dns:///host:port");
    refuses("xds:///h:1",
            "unsupported scheme \"xds\": use host:port, http://, https://, dns:/// or unix:///");
}
END_TEST

START_TEST(listeners)
{
    struct weir_endpoint e = { 0 };
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_int_eq(weir_endpoint_parse_listen(WEIR_STR(":0"), WEIR_TCP6, &e, NULL), 0);
    ck_assert_str_eq(e.host, "");
    ck_assert_uint_eq(e.port, 0);
    ck_assert_int_eq(e.transport, WEIR_TCP6);
    weir_endpoint_free(&e);
    ck_assert_int_eq(weir_endpoint_parse_listen(WEIR_STR("unix:///a"), WEIR_TCP, &e, NULL), 0);
    ck_assert_str_eq(e.path, "/a");
    weir_endpoint_free(&e);
    ck_assert_int_eq(weir_endpoint_parse_listen(WEIR_STR("/a/b"), WEIR_UNIX, &e, NULL), 0);
    ck_assert_str_eq(e.path, "/a/b");
    weir_endpoint_free(&e);
    ck_assert_int_eq(weir_endpoint_parse_listen(WEIR_STR("localhost"), WEIR_TCP, &e, &error), -1);
    ck_assert_str_eq(weir_error_text(&error), "address localhost: missing port in address");
    weir_error_free(&error);
}
END_TEST

START_TEST(transports)
{
    enum weir_transport transport = WEIR_TCP;
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_int_eq(weir_transport_parse(WEIR_STR("unix"), &transport, NULL), 0);
    ck_assert_int_eq(transport, WEIR_UNIX);
    ck_assert_int_eq(weir_transport_parse(WEIR_STR("udp"), &transport, &error), -1);
    ck_assert_str_eq(weir_error_text(&error), "unsupported transport type \"udp\"");
    ck_assert_int_eq(weir_transport_parse(WEIR_STR(""), &transport, &error), -1);
    ck_assert_str_eq(weir_error_text(&error), "invalid transport type \"\"");
    weir_error_free(&error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("endpoint");
    TCase *tests = tcase_create("endpoint");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, clients_take_all_forms);
    tcase_add_test(tests, clients_refuse_with_upstreams_texts);
    tcase_add_test(tests, listeners);
    tcase_add_test(tests, transports);
    return run_suite(suite);
}
