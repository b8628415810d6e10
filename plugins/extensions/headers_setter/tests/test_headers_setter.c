// SPDX-License-Identifier: Apache-2.0
/* headers_setter: actions and where values come from. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sdk/src/auth/auth.h"
#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

static const struct weir_component *component;
static struct weir_harness *harness;
static struct weir_auth_headers headers;
static struct weir_http_header configured[4];

static void setup(void)
{
    component = weir_harness_load(WEIR_EXTENSION, "headers_setter");
}

/* A setter with these rows of `headers`, and a request with the header "there: old". */
static void make(const char *rows)
{
    char *options = weir_xasprintf("{\"headers\": [%s]}", rows);
    harness = make_harness(component, options, WEIR_TRACES);
    free(options);
    configured[0] = (struct weir_http_header){ WEIR_STR("there"), WEIR_STR("old") };
    headers = (struct weir_auth_headers){ .configured = { .items = configured, .count = 1 } };
}

static int set(const struct weir_context *context, struct weir_error *error)
{
    struct weir_instance *instance = weir_harness_instance(harness);
    const struct weir_auth_client *client = component->offer(instance, WEIR_AUTH_CLIENT);
    ck_assert(!client->needs_tls);
    ck_assert_ptr_null(component->offer(instance, WEIR_AUTH_SERVER));
    return client->headers(instance, context, &headers, error);
}

static const char *value_of(const char *name)
{
    const struct headers *lists[] = { &headers.added, &headers.configured };
    for (size_t list = 0; list < 2; list++)
        for (size_t i = 0; i < lists[list]->count; i++)
            if (weir_str_is(lists[list]->items[i].name, name))
                return lists[list]->items[i].value.data;
    return NULL;
}

static void done(void)
{
    weir_arena_free(&headers.added.arena);
    free(headers.failure);
    weir_harness_free(harness);
}

START_TEST(actions)
{
    make("{\"action\": \"insert\", \"key\": \"There\", \"value\": \"1\"},"
         "{\"action\": \"insert\", \"key\": \"New\", \"value\": \"2\"},"
         "{\"action\": \"insert\", \"key\": \"new\", \"value\": \"3\"}");
    ck_assert_int_eq(set(NULL, NULL), 0);
    ck_assert_str_eq(value_of("there"), "old");
    ck_assert_str_eq(value_of("new"), "2");
    done();
    make("{\"action\": \"update\", \"key\": \"There\", \"value\": \"1\"},"
         "{\"action\": \"update\", \"key\": \"New\", \"value\": \"2\"}");
    ck_assert_int_eq(set(NULL, NULL), 0);
    ck_assert_str_eq(value_of("there"), "1");
    ck_assert_uint_eq(headers.configured.count, 0);
    ck_assert_ptr_null(value_of("new"));
    done();
    make("{\"action\": \"upsert\", \"key\": \"There\", \"value\": \"1\"}, {\"key\": \"New\", \"value\": \"2\"}");
    ck_assert_int_eq(set(NULL, NULL), 0);
    ck_assert_str_eq(value_of("there"), "1");
    ck_assert_str_eq(value_of("new"), "2");
    done();
    make("{\"action\": \"delete\", \"key\": \"THERE\"}");
    ck_assert_int_eq(set(NULL, NULL), 0);
    ck_assert_ptr_null(value_of("there"));
    done();
}
END_TEST

START_TEST(from_the_context)
{
    static const struct weir_metadata metadata[] = { { { "tenant", 6 }, { "acme", 4 } },
                                                     { { "two", 3 }, { "1", 1 } },
                                                     { { "two", 3 }, { "2", 1 } },
                                                     { { "bad", 3 }, { "a\r\nb", 4 } } };
    static const struct weir_metadata attributes[] = { { { "username", 8 }, { "ali", 3 } } };
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_context *context =
        weir_context_new_authenticated(NULL, WEIR_STR(""), metadata, 4, attributes, 1);
    make("{\"action\": \"upsert\", \"key\": \"a\", \"from_context\": \"Tenant\", \"default_value\": \"d\"},"
         "{\"action\": \"upsert\", \"key\": \"b\", \"from_context\": \"none\", \"default_value\": \"d\"},"
         "{\"action\": \"upsert\", \"key\": \"c\", \"from_context\": \"none\"},"
         "{\"action\": \"upsert\", \"key\": \"d\", \"from_attribute\": \"username\"},"
         "{\"action\": \"upsert\", \"key\": \"e\", \"from_attribute\": \"tenant\", \"default_value\": \"f\"}");
    ck_assert_int_eq(set(context, &error), 0);
    ck_assert_str_eq(value_of("a"), "acme");
    ck_assert_str_eq(value_of("b"), "d");
    ck_assert_str_eq(value_of("c"), "");
    ck_assert_str_eq(value_of("d"), "ali");
    ck_assert_str_eq(value_of("e"), "f");
    ck_assert_int_eq(set(NULL, &error), 0);
    ck_assert_str_eq(value_of("a"), "d");
    done();

    make("{\"action\": \"upsert\", \"key\": \"a\", \"from_context\": \"two\"}");
    ck_assert_int_eq(set(context, &error), -1);
    ck_assert_str_eq(weir_error_text(&error), "failed to determine the source: 2 source keys found in the context, "
                                              "can't determine which one to use");
    weir_error_free(&error);
    done();

    make("{\"action\": \"upsert\", \"key\": \"a\", \"from_context\": \"bad\"}");
    ck_assert_int_eq(set(context, &error), 0);
    ck_assert_str_eq(headers.failure, "invalid header field value for \"a\"");
    ck_assert_ptr_null(value_of("a"));
    done();
    weir_context_unref(context);
}
END_TEST

START_TEST(from_a_file)
{
    char path[] = "/tmp/test_headers_setter.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    char *row = weir_xasprintf("{\"action\": \"upsert\", \"key\": \"a\", \"value_file\": \"%s\"}", path);
    char *options = weir_xasprintf("{\"headers\": [%s]}", row);
    struct bad_options empty = { options, "no value" };
    assert_refused(component, WEIR_TRACES, &empty, 1);
    ck_assert_int_eq(write(fd, " value \n", 8), 8);
    make(row);
    ck_assert_int_eq(set(NULL, NULL), 0);
    ck_assert_str_eq(value_of("a"), "value");
    done();
    ck_assert_int_eq(write(fd, "more\n", 5), 5);
    empty.says = "more than one line";
    assert_refused(component, WEIR_TRACES, &empty, 1);
    close(fd);
    unlink(path);
    free(row);
    free(options);
}
END_TEST

START_TEST(bad_options)
{
    static const struct bad_options cases[] = {
        { "{}", "missing headers configuration" },
        { "{\"headers\": [{\"value\": \"1\"}]}", "missing header name" },
        { "{\"headers\": [{\"key\": \"a\"}]}", "missing header source" },
        { "{\"headers\": [{\"key\": \"a\", \"value\": \"1\", \"from_context\": \"b\"}]}", "invalid header source" },
        { "{\"headers\": [{\"key\": \"a\", \"action\": \"set\", \"value\": \"1\"}]}", "set" },
        { "{\"headers\": [{\"key\": \"a\", \"value\": \"1\"}], \"additional_auth\": \"other\"}", "\"other\" not found" },
    };
    assert_refused(component, WEIR_TRACES, cases, WEIR_ARRAY_LENGTH(cases));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("headers_setter");
    TCase *tests = tcase_create("headers_setter");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, actions);
    tcase_add_test(tests, from_the_context);
    tcase_add_test(tests, from_a_file);
    tcase_add_test(tests, bad_options);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
