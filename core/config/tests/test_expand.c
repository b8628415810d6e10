// SPDX-License-Identifier: Apache-2.0
/*
 * Expansion of ${...}: escapes, nesting, types, and that what comes in is never scanned again.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "core/config/tests/support.h"

static void set_environment(void)
{
    static const char *const variables[][2] = {
        { "V", "val" },           { "NAME", "V" },
        { "EMPTY", "" },          { "NUMBER", "0123" },
        { "QUOTED", "\"0123\"" }, { "LIST", "[a, b]" },
        { "MAP", "{a: 1}" },      { "BOOL", "true" },
        { "TRICK", "${env:V}" },  { "DOLLARS", "a$$b" },
        { "BRACE", "x}y${V}" },   { "BROKEN", "[a" },
        { "TWO", "a: 1\nb: 2" },  { "COMMENT", "5 # ${env:BAD NAME}" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(variables); i++)
        ck_assert_int_eq(setenv(variables[i][0], variables[i][1], 1), 0);
    unsetenv("NO");
}

static const struct {
    const char *value;
    const char *result;
    const char *raw; /* NULL: not looked at */
} expansions[] = {
    /* the escape table */
    { "$$V", "\"$V\"", NULL },
    { "$$$$V", "\"$$V\"", NULL },
    { "$$${V}", "\"$val\"", NULL },
    { "a$${V}b", "\"a${V}b\"", NULL },
    { "$${env:${V}}", "\"${env:val}\"", NULL },
    { "x$$", "\"x$\"", NULL },
    { "$V", "\"$V\"", NULL },
    { "${env:NO:-d}", "\"d\"", NULL },
    /* simple and nested */
    { "${V}", "\"val\"", "val" },
    { "${env:V}", "\"val\"", "val" },
    { "a ${env:V} b ${V}", "\"a val b val\"", NULL },
    { "${env:${NAME}}", "\"val\"", NULL },
    { "${env:NO:-${env:V}}", "\"val\"", NULL },
    { "${env:V:-${env:NO:-x}}", "\"val\"", NULL },
    { "${env:NO:-${env:NO:-x}}", "\"x\"", NULL },
    { "${env:NO:-a:-b}", "\"a:-b\"", NULL },
    { "${env:NO:-}", "\"\"", "" },
    { "${env:EMPTY:-d}", "null", "" },
    { "${EMPTY}", "null", "" },
    { "x${EMPTY}y", "\"xy\"", NULL },
    { "${yaml:{a: [1, 2.5]}}", "\"{a: [1, 2.5]}\"", NULL },
    { "${yaml:[1, 2.5]}", "[1, 2.50000]", "[1, 2.5]" },
    { "${yaml:a::b: 1}", "{a: {b: 1}}", NULL },
    /* unbalanced text stays */
    { "}${V}", "\"}val\"", NULL },
    { "${V", "\"${V\"", NULL },
    { "${a ${V}", "\"${a val\"", NULL },
    { "{V}", "\"{V}\"", NULL },
    /* what upstream does with repeats and behind an escaped candidate */
    { "$${V} ${V}", "\"${V} ${V}\"", NULL },
    { "${V} $${V}", "\"val $val\"", NULL },
    /* types, and the raw text behind them */
    { "${NUMBER}", "83", "0123" },
    { "${QUOTED}", "\"0123\"", "\"0123\"" },
    { "${LIST}", "[\"a\", \"b\"]", "[a, b]" },
    { "${MAP}", "{a: 1}", "{a: 1}" },
    { "${BOOL}", "true", "true" },
    { "${TWO}", "{a: 1, b: 2}", "a: 1\nb: 2" },
    { "${BROKEN}", "\"[a\"", "[a" },
    { "${COMMENT}", "5", "5 # ${env:BAD NAME}" },
    { "n=${NUMBER} l=${LIST}", "\"n=0123 l=[a, b]\"", NULL },
    /* never scanned again */
    { "${TRICK}", "\"${env:V}\"", "${env:V}" },
    { "x ${TRICK}", "\"x ${env:V}\"", NULL },
    { "${DOLLARS}", "\"a$$b\"", "a$$b" },
    { "x${DOLLARS}$$", "\"xa$$b$\"", NULL },
    { "${env:NO:-${TRICK}}", "\"${env:V}\"", NULL },
    { "${env:NO:-${BRACE}} ${V}", "\"x}y${V} val\"", NULL },
    { "$${yaml:${TRICK}}", "\"${yaml:${env:V}}\"", NULL },
};

START_TEST(expands)
{
    struct weir_arena arena = { 0 };
    struct weir_problems problems = { 0 };
    struct weir_text shown = { 0 };
    char *yaml = weir_xasprintf("k: '%s'\n", expansions[_i].value);
    set_environment();
    const struct weir_node *root = support_read(yaml, &arena, &problems);
    support_problems(&problems, "");
    const struct weir_node *node = weir_node_get(root, "k");
    support_show(node, &shown);
    ck_assert_str_eq(weir_text_string(&shown), expansions[_i].result);
    if (expansions[_i].raw)
        ck_assert_str_eq(node->raw.data, expansions[_i].raw);
    ck_assert_uint_eq(node->place.column, 4);
    free(yaml);
    weir_text_free(&shown);
    weir_arena_free(&arena);
}
END_TEST

static const struct {
    const char *value;
    const char *problem;
} failures[] = {
    { "${env:a b}",
      "environment variable \"a b\" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$" },
    { "${1}", "environment variable \"1\" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$" },
    { "${}", "environment variable \"\" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$" },
    { "${env:$V}", "the uri \"env:$V\" contains unsupported characters ('$')" },
    { "${foo:x}", "scheme \"foo\" is not supported for uri \"foo:x\"" },
    { "${VAR:-x}", "scheme \"VAR\" is not supported for uri \"VAR:-x\"; a default is written as "
                   "${env:NAME:-default}" },
    { "${A:-x}", "invalid uri: \"A:-x\"; a default is written as ${env:NAME:-default}" },
    { "${file:/no/such/file}", "unable to read the file file:/no/such/file: No such file or directory" },
    { "${http://h/x}", "failed to load resource from uri \"http://h/x\": this program has no HTTP client" },
};

START_TEST(reports)
{
    struct weir_arena arena = { 0 };
    struct weir_problems problems = { 0 };
    char *yaml = weir_xasprintf("a:\n  - b: 1\n  - k: '%s'\n", failures[_i].value);
    char *expected = weir_xasprintf("t.yaml:3:8: a[1]::k: %s\n", failures[_i].problem);
    (void)support_read(yaml, &arena, &problems);
    support_problems(&problems, expected);
    free(expected);
    free(yaml);
    weir_arena_free(&arena);
}
END_TEST

START_TEST(warns_of_an_unset_variable)
{
    struct weir_arena arena = { 0 };
    struct weir_problems problems = { 0 };
    set_environment();
    const struct weir_node *root = support_read("k: ${env:NO}\n", &arena, &problems);
    ck_assert_int_eq(weir_node_get(root, "k")->type, WEIR_NODE_NULL);
    support_problems(&problems, "t.yaml:1:4: warning: k: Configuration references unset environment variable "
                                "\"NO\"\n");
    weir_arena_free(&arena);
}
END_TEST

START_TEST(keys_are_not_expanded)
{
    struct weir_arena arena = { 0 };
    struct weir_problems problems = { 0 };
    struct weir_text shown = { 0 };
    set_environment();
    support_show(support_read("'${V}': 1\n", &arena, &problems), &shown);
    ck_assert_str_eq(weir_text_string(&shown), "{${V}: 1}");
    support_problems(&problems, "");
    weir_text_free(&shown);
    weir_arena_free(&arena);
}
END_TEST

START_TEST(stops_after_a_thousand)
{
    struct weir_arena arena = { 0 };
    struct weir_problems problems = { 0 };
    struct weir_text yaml = { 0 };
    weir_text_adds(&yaml, "k: \"");
    for (int i = 0; i < 1002; i++)
        weir_text_addf(&yaml, "${env:X%d:-y}", i);
    weir_text_adds(&yaml, "\"\n");
    (void)support_read(weir_text_string(&yaml), &arena, &problems);
    support_problems(&problems, "t.yaml:1:4: k: too many recursive expansions\n");
    weir_text_free(&yaml);
    weir_arena_free(&arena);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("expand");
    tcase_add_loop_test(tests, expands, 0, WEIR_ARRAY_LENGTH(expansions));
    tcase_add_loop_test(tests, reports, 0, WEIR_ARRAY_LENGTH(failures));
    tcase_add_test(tests, warns_of_an_unset_variable);
    tcase_add_test(tests, keys_are_not_expanded);
    tcase_add_test(tests, stops_after_a_thousand);
    Suite *suite = suite_create("expand");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
