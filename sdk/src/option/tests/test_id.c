// SPDX-License-Identifier: Apache-2.0
/*
 * Component ids, and the nearest name to a misspelt one.
 */
#include <config.h>

#include <weir/id.h>
#include <weir/node.h>

#include "tests/unit/suite.h"

#define A62 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *text;
    const char *type;
    const char *name;
    const char *printed;
} good[] = {
    { "otlp", "otlp", "", "otlp" },
    { "otlp/eu/west", "otlp", "eu/west", "otlp/eu/west" },
    { " otlp / eu ", "otlp", "eu", "otlp/eu" },
    { "k8s_Events2/a.b-c_d", "k8s_Events2", "a.b-c_d", "k8s_Events2/a.b-c_d" },
    { "otlp/\xe5\x8c\x97\xe4\xba\xac", "otlp", "\xe5\x8c\x97\xe4\xba\xac", "otlp/\xe5\x8c\x97\xe4\xba\xac" },
    { "a" A62, "a" A62, "", "a" A62 },
};

START_TEST(splits)
{
    struct weir_arena arena = { 0 };
    struct weir_id id;
    ck_assert_int_eq(weir_id_parse(weir_str_of(good[_i].text), &arena, &id, NULL), 0);
    ck_assert_str_eq(id.type, good[_i].type);
    ck_assert_str_eq(id.name, good[_i].name);
    ck_assert_str_eq(id.text, good[_i].printed);
    weir_arena_free(&arena);
}
END_TEST

static const struct {
    const char *text;
    const char *error;
} bad[] = {
    { "", "id must not be empty" },
    { "   ", "id must not be empty" },
    { "/eu", "in \"/eu\" id: the part before / should not be empty" },
    { "otlp/ ", "in \"otlp/ \" id: the part after / should not be empty" },
    { "2otlp", "in \"2otlp\" id: invalid character(s) in type \"2otlp\"" },
    { "otlp-grpc", "in \"otlp-grpc\" id: invalid character(s) in type \"otlp-grpc\"" },
    { "otlp.x/a", "in \"otlp.x/a\" id: invalid character(s) in type \"otlp.x\"" },
    { "aa" A62, "in \"aa" A62 "\" id: invalid character(s) in type \"aa" A62 "\"" },
    { "otlp/a b", "in \"otlp/a b\" id: invalid character(s) in name \"a b\"" },
    { "otlp/a+b", "in \"otlp/a+b\" id: invalid character(s) in name \"a+b\"" },
    { "otlp/\xe2\x82\xac", "in \"otlp/\xe2\x82\xac\" id: invalid character(s) in name \"\xe2\x82\xac\"" },
    { "otlp/\xf0\x9f\x98\x80",
      "in \"otlp/\xf0\x9f\x98\x80\" id: invalid character(s) in name \"\xf0\x9f\x98\x80\"" },
    { "otlp/\xff", "in \"otlp/\xff\" id: invalid character(s) in name \"\xff\"" },
};

START_TEST(refuses)
{
    struct weir_arena arena = { 0 };
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_id id = { "untouched", NULL, NULL };
    ck_assert_int_eq(weir_id_parse(weir_str_of(bad[_i].text), &arena, &id, &error), -1);
    ck_assert_str_eq(weir_error_text(&error), bad[_i].error);
    ck_assert_str_eq(id.type, "untouched");
    weir_error_free(&error);
    weir_arena_free(&arena);
}
END_TEST

START_TEST(name_may_have_1024_bytes)
{
    char text[5 + 1025];
    struct weir_arena arena = { 0 };
    struct weir_id id;
    memcpy(text, "otlp/", 5);
    memset(text + 5, 'x', 1025);
    ck_assert_int_eq(weir_id_parse(weir_str_make(text, 5 + 1024), &arena, &id, NULL), 0);
    ck_assert_int_eq(weir_id_parse(weir_str_make(text, 5 + 1025), &arena, &id, NULL), -1);
    weir_arena_free(&arena);
}
END_TEST

static const char *next_name(void *cursor)
{
    const char *const **next = cursor;
    return **next ? *(*next)++ : NULL;
}

static const struct {
    const char *name;
    const char *nearest;
} meant[] = {
    { "endpont", "endpoint" },
    { "enpdoint", "endpoint" },
    { "Endpoint", "endpoint" },
    { "send-batch-size", "send_batch_size" },
    { "tsl", "tls" },
    { "tl", "tls" },
    { "zebra", NULL },
    { "x", NULL },
    { "", NULL },
    { "send_batch_maxsize", "send_batch_max_size" },
};

START_TEST(finds_what_was_meant)
{
    static const char *const names[] = { "endpoint", "tls", "send_batch_size", "send_batch_max_size", NULL };
    const char *const *cursor = names;
    const char *found = weir_nearest_name(meant[_i].name, next_name, &cursor);
    ck_assert_pstr_eq(found, meant[_i].nearest);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("id");
    tcase_add_loop_test(tests, splits, 0, WEIR_ARRAY_LENGTH(good));
    tcase_add_loop_test(tests, refuses, 0, WEIR_ARRAY_LENGTH(bad));
    tcase_add_test(tests, name_may_have_1024_bytes);
    tcase_add_loop_test(tests, finds_what_was_meant, 0, WEIR_ARRAY_LENGTH(meant));
    Suite *suite = suite_create("id");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
