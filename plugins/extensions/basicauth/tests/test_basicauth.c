// SPDX-License-Identifier: Apache-2.0
/* basicauth: whom it lets in, and what it sends. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sdk/src/auth/auth.h"
#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

static const struct weir_component *component;
static struct weir_harness *harness;
static struct weir_auth_verdict verdict;
static struct weir_arena arena;

static void setup(void)
{
    component = weir_harness_load(WEIR_EXTENSION, "basicauth");
}

static void make(const char *options)
{
    harness = make_harness(component, options, WEIR_TRACES);
}

/* Whether a request with this Authorization (NULL: none) may come in. */
static bool lets_in(const char *value)
{
    struct weir_instance *instance = weir_harness_instance(harness);
    const struct weir_auth_server *server = component->offer(instance, WEIR_AUTH_SERVER);
    struct weir_http_header header = { WEIR_STR("authorization"), weir_str_of(value) };
    struct weir_auth_request request = { &header, value ? 1 : 0, WEIR_STR("127.0.0.1:1") };
    weir_arena_free(&arena);
    verdict = (struct weir_auth_verdict){ .arena = &arena };
    return server->check(instance, &request, &verdict);
}

static void assert_refused_as(const char *value, const char *message)
{
    ck_assert_msg(!lets_in(value), "%s", value);
    ck_assert_str_eq(verdict.message, message);
}

START_TEST(a_server)
{
    make("{\"htpasswd\": {\"inline\": \"ali:{SHA}CEo1Ae3vaEXy8eQZjsOiuBz1xrw=\\nbo:a:b\\n\"}}");
    ck_assert_ptr_null(component->offer(weir_harness_instance(harness), WEIR_AUTH_CLIENT));
    ck_assert(lets_in("Basic YWxpOnNlc2FtZQ=="));
    ck_assert_uint_eq(verdict.attribute_count, 2);
    ck_assert(weir_str_is(verdict.attributes[0].key, "username"));
    ck_assert(weir_str_is(verdict.attributes[0].value, "ali"));
    ck_assert(weir_str_is(verdict.attributes[1].key, "raw"));
    ck_assert(weir_str_is(verdict.attributes[1].value, "YWxpOnNlc2FtZQ=="));
    ck_assert(lets_in("basic YWxpOnNlc2FtZQ=="));
    ck_assert(lets_in("Basic Ym86YTpi"));                                     // bo:a:b
    assert_refused_as(NULL, "missing or empty authorization header");
    assert_refused_as("YWxpOnNlc2FtZQ==", "invalid authorization scheme prefix");
    assert_refused_as("Bearer YWxpOnNlc2FtZQ==", "invalid authorization scheme prefix");
    assert_refused_as("Basic", "invalid authorization scheme prefix");
    assert_refused_as("Basic ", "invalid authorization format");
    assert_refused_as("Basic YWxpOnNlc2FtZQ", "invalid authorization format");
    assert_refused_as("Basic YWxpOnNlc2FtZR==", "invalid authorization format");
    assert_refused_as("Basic  YWxpOnNlc2FtZQ==", "invalid authorization format");
    assert_refused_as("Basic YWxp", "invalid authorization format");          // ali
    assert_refused_as("Basic YWxpOnNlc2FtZQA=", "invalid authorization format"); // a NUL behind
    assert_refused_as("Basic ====", "invalid authorization format");
    assert_refused_as("Basic YWxpOg==", "invalid credentials");               // ali:
    assert_refused_as("Basic OnNlc2FtZQ==", "invalid credentials");           // :sesame
    assert_refused_as("Basic YWxpOndyb25n", "invalid credentials");           // ali:wrong
    assert_refused_as("Basic Y2lkOnNlc2FtZQ==", "invalid credentials");       // cid:sesame
    ck_assert_uint_eq(verdict.attribute_count, 0);
    ck_assert(weir_harness_series(harness, "auth_requests") == 18);
    weir_harness_free(harness);
}
END_TEST

START_TEST(wrong_passwords_do_not_take_all_time)
{
    make("{\"htpasswd\": {\"inline\": "
         "\"ali:$2y$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW\"}}");
    ck_assert(lets_in("Basic YWxpOnNlc2FtZQ=="));
    assert_refused_as("Basic YWxpOndyb25n", "invalid credentials");
    assert_refused_as("Basic YWxpOm90aGVy", "too many wrong passwords, try again");
    ck_assert_int_eq(verdict.grpc_code, WEIR_GRPC_UNAVAILABLE);
    ck_assert(lets_in("Basic YWxpOnNlc2FtZQ=="));
    weir_harness_free(harness);
}
END_TEST

START_TEST(an_inline_user_wins_over_the_files)
{
    char path[] = "/tmp/test_basicauth.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, "ali:file\nbo:a:b\n", 16), 16);
    char *options = weir_xasprintf("{\"htpasswd\": {\"file\": \"%s\", \"inline\": \"ali:sesame\"}}", path);
    make(options);
    ck_assert(lets_in("Basic YWxpOnNlc2FtZQ=="));
    ck_assert(lets_in("Basic Ym86YTpi"));
    ck_assert(!lets_in("Basic YWxpOmZpbGU=")); // ali:file
    weir_harness_free(harness);
    close(fd);
    unlink(path);
    free(options);
}
END_TEST

static void assert_sends(const char *value)
{
    struct weir_instance *instance = weir_harness_instance(harness);
    const struct weir_auth_client *client = component->offer(instance, WEIR_AUTH_CLIENT);
    struct weir_auth_headers headers = { .failure = NULL };
    ck_assert_ptr_null(component->offer(instance, WEIR_AUTH_SERVER));
    ck_assert(client->needs_tls);
    ck_assert_int_eq(client->headers(instance, NULL, &headers, NULL), 0);
    ck_assert_uint_eq(headers.added.count, 1);
    ck_assert(weir_str_is(headers.added.items[0].name, "authorization"));
    ck_assert(weir_str_is(headers.added.items[0].value, value));
    weir_arena_free(&headers.added.arena);
}

START_TEST(a_client)
{
    make("{\"client_auth\": {\"username\": \"ali\", \"password\": \"sesame\"}}");
    assert_sends("Basic YWxpOnNlc2FtZQ==");
    weir_harness_free(harness);
    char path[] = "/tmp/test_basicauth.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, "a:b\n", 4), 4);
    char *options = weir_xasprintf("{\"client_auth\": {\"username\": \"bo\", \"password\": \"ignored\", "
                                   "\"password_file\": \"%s\"}}",
                                   path);
    make(options);
    assert_sends("Basic Ym86YTpi");
    weir_harness_free(harness);
    free(options);
    options = weir_xasprintf("{\"client_auth\": {\"username_file\": \"%s\"}}", path);
    struct bad_options colon = { options, "a username cannot hold a colon" };
    assert_refused(component, WEIR_TRACES, &colon, 1);
    free(options);
    close(fd);
    unlink(path);
}
END_TEST

START_TEST(bad_options)
{
    static const struct bad_options cases[] = {
        { "{}", "no credential source provided" },
        { "{\"htpasswd\": {}}", "no credential source provided" },
        { "{\"client_auth\": {}}", "no credential source provided" },
        { "{\"htpasswd\": {\"inline\": \"a:b\"}, \"client_auth\": {\"username\": \"a\"}}",
          "only one of `htpasswd` or `client_auth` can be specified" },
        { "{\"client_auth\": {\"username\": \"a:b\"}}", "a username cannot hold a colon" },
        { "{\"client_auth\": {\"username\": \"a\", \"aws_secrets_manager\": {}}}", "have them written to a file" },
        { "{\"htpasswd\": {\"inline\": \"a\"}}", "htpasswd::inline: line 1 is no user:hash" },
        { "{\"htpasswd\": {\"file\": \"/nowhere/users\"}}", "/nowhere/users" },
        { "{\"htpasswd\": {\"file\": \"/dev/null\"}}", "/dev/null" },
    };
    assert_refused(component, WEIR_TRACES, cases, WEIR_ARRAY_LENGTH(cases));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("basicauth");
    TCase *tests = tcase_create("basicauth");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, a_server);
    tcase_add_test(tests, wrong_passwords_do_not_take_all_time);
    tcase_add_test(tests, an_inline_user_wins_over_the_files);
    tcase_add_test(tests, a_client);
    tcase_add_test(tests, bad_options);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
