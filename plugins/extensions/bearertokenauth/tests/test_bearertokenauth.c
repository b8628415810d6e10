// SPDX-License-Identifier: Apache-2.0
/* bearertokenauth: whom it lets in, what it sends, and files that change. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <weir/sys/worker.h>

#include "sdk/src/auth/auth.h"
#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

#define SECOND INT64_C(1000000000)

static const struct weir_component *component;
static struct weir_harness *harness;

static void setup(void)
{
    component = weir_harness_load(WEIR_EXTENSION, "bearertokenauth");
}

static void make(const char *options)
{
    harness = make_harness(component, options, WEIR_TRACES);
}

static bool allowed(const struct weir_http_header *headers, size_t count)
{
    struct weir_instance *instance = weir_harness_instance(harness);
    const struct weir_auth_server *server = component->offer(instance, WEIR_AUTH_SERVER);
    struct weir_arena arena = { 0 };
    struct weir_auth_verdict verdict = { .arena = &arena };
    struct weir_auth_request request = { headers, count, WEIR_STR("127.0.0.1:1") };
    bool verdict_ok = server->check(instance, &request, &verdict);
    ck_assert(verdict_ok || verdict.message);
    weir_arena_free(&arena);
    return verdict_ok;
}

static bool lets_in(const char *name, const char *value)
{
    struct weir_http_header header = { weir_str_of(name), weir_str_of(value) };
    return allowed(&header, 1);
}

/* What a client sends under `name` (lower case). */
static void assert_sends(const char *name, const char *value)
{
    struct weir_instance *instance = weir_harness_instance(harness);
    const struct weir_auth_client *client = component->offer(instance, WEIR_AUTH_CLIENT);
    struct weir_auth_headers headers = { .failure = NULL };
    ck_assert(client->needs_tls);
    ck_assert_int_eq(client->headers(instance, NULL, &headers, NULL), 0);
    ck_assert_uint_eq(headers.added.count, 1);
    ck_assert(weir_str_is(headers.added.items[0].name, name));
    ck_assert(weir_str_is(headers.added.items[0].value, value));
    weir_arena_free(&headers.added.arena);
}

START_TEST(a_token)
{
    make("{\"token\": \"s3cret\"}");
    ck_assert(lets_in("authorization", "Bearer s3cret"));
    ck_assert(!lets_in("authorization", "bearer s3cret"));
    ck_assert(!lets_in("authorization", "Bearer s3cret "));
    ck_assert(!lets_in("authorization", "Bearer s3cre"));
    ck_assert(!lets_in("authorization", "Bearer s3cretBearer s3cret"));
    ck_assert(!lets_in("authorization", "Bearer "));
    ck_assert(!lets_in("authorization", "s3cret"));
    ck_assert(!lets_in("authorization", ""));
    ck_assert(!lets_in("x-authorization", "Bearer s3cret"));
    struct weir_http_header twice[] = { { WEIR_STR("authorization"), WEIR_STR("Bearer s3cret") },
                                        { WEIR_STR("authorization"), WEIR_STR("Bearer s3cret") } };
    ck_assert(!allowed(twice, 2));
    ck_assert(!allowed(NULL, 0));
    ck_assert(weir_harness_series(harness, "auth_requests") == 11);
    assert_sends("authorization", "Bearer s3cret");
    weir_harness_free(harness);
}
END_TEST

START_TEST(tokens_scheme_and_header)
{
    make("{\"tokens\": [\"one\", \"two\"], \"scheme\": \"Token\", \"header\": \"X-Api-Key\"}");
    ck_assert(lets_in("x-api-key", "Token one"));
    ck_assert(lets_in("x-api-key", "Token two"));
    ck_assert(!lets_in("x-api-key", "Token three"));
    ck_assert(!lets_in("authorization", "Token one"));
    assert_sends("x-api-key", "Token one");
    weir_harness_free(harness);
    make("{\"token\": \"one\", \"scheme\": \"\"}");
    ck_assert(lets_in("authorization", "one"));
    ck_assert(!lets_in("authorization", " one"));
    assert_sends("authorization", "one");
    weir_harness_free(harness);
}
END_TEST

START_TEST(bad_options)
{
    static const struct bad_options cases[] = {
        { "{}", "no bearer token provided" },
        { "{\"token\": \"\"}", "no bearer token provided" },
        { "{\"token\": \"a\", \"tokens\": [\"b\"]}", "either tokens or token should be provided, not both" },
        { "{\"tokens\": [\"a\", \"\"]}", "an empty token lets everybody in" },
        { "{\"token\": \"a\", \"header\": \"\"}", "a header needs a name" },
        { "{\"filename\": \"/nowhere/token\"}", "/nowhere/token" },
    };
    assert_refused(component, WEIR_TRACES, cases, WEIR_ARRAY_LENGTH(cases));
}
END_TEST

static char path[] = "/tmp/test_bearertokenauth.XXXXXX";

static void put(const char *content)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(content, file);
    ck_assert_int_eq(fclose(file), 0);
}

static bool has_status(enum weir_status status)
{
    return weir_instance_status(weir_harness_instance(harness), NULL) == status;
}

/* Time passes, the file is looked at again and again. */
#define pass_until(condition)                                                 \
    do {                                                                      \
        time_t give_up = time(NULL) + 20;                                     \
        while (!(condition)) {                                                \
            ck_assert_msg(time(NULL) < give_up, "in vain: " #condition);      \
            weir_harness_advance(harness, SECOND);                            \
            weir_worker_turn(weir_worker_current(), 10);                      \
        }                                                                     \
    } while (0)

START_TEST(a_file_that_changes)
{
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    char *options = weir_xasprintf("{\"filename\": \"%s\", \"token\": \"ignored\"}", path);
    struct bad_options empty = { options, "no token" };
    assert_refused(component, WEIR_TRACES, &empty, 1);

    put("old\r\n\n  other  \n");
    make(options);
    weir_instance_report(weir_harness_instance(harness), WEIR_STATUS_RUNNING, NULL);
    ck_assert(lets_in("authorization", "Bearer old"));
    ck_assert(lets_in("authorization", "Bearer other"));
    ck_assert(!lets_in("authorization", "Bearer ignored"));
    ck_assert(!lets_in("authorization", "Bearer "));
    assert_sends("authorization", "Bearer old");

    put("new");
    pass_until(lets_in("authorization", "Bearer new"));
    ck_assert(!lets_in("authorization", "Bearer old"));
    assert_sends("authorization", "Bearer new");

    static const char *const bad[] = { "", " \n\n", "half of\n", "new\n\001" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(bad); i++) {
        put(bad[i]);
        pass_until(has_status(WEIR_STATUS_RECOVERABLE_ERROR));
        char *reason = NULL;
        ck_assert(lets_in("authorization", "Bearer new"));
        weir_instance_status(weir_harness_instance(harness), &reason);
        ck_assert_ptr_nonnull(strstr(reason, "what it held before stays in use"));
        ck_assert_ptr_null(strstr(reason, "half"));
        free(reason);
        put("new");
        pass_until(has_status(WEIR_STATUS_RUNNING));
    }
    ck_assert_int_eq(unlink(path), 0);
    for (int looks = 0; looks < 5; looks++) {
        weir_harness_advance(harness, SECOND);
        weir_worker_turn(weir_worker_current(), 20);
    }
    ck_assert(lets_in("authorization", "Bearer new"));
    put("newer");
    pass_until(lets_in("authorization", "Bearer newer"));
    pass_until(has_status(WEIR_STATUS_RUNNING));
    weir_harness_free(harness);
    ck_assert_int_eq(unlink(path), 0);
    free(options);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bearertokenauth");
    TCase *tests = tcase_create("bearertokenauth");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_token);
    tcase_add_test(tests, tokens_scheme_and_header);
    tcase_add_test(tests, bad_options);
    tcase_add_test(tests, a_file_that_changes);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
