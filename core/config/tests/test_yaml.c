// SPDX-License-Identifier: Apache-2.0
/*
 * YAML to trees: types of scalars, anchors, merge keys, "::" in keys, what is refused.
 */
#include <config.h>

#include <stdlib.h>

#include "core/config/tests/support.h"

static const struct {
    const char *yaml;
    const char *tree;
} trees[] = {
    /* null */
    { "a:", "{a: null}" },
    { "a: ~", "{a: null}" },
    { "a: null", "{a: null}" },
    { "a: Null", "{a: null}" },
    { "a: NULL", "{a: null}" },
    { "a: nULL", "{a: \"nULL\"}" },
    { "", "null" },
    { "# only a comment\n", "null" },
    { "---\n...\n", "null" },
    /* booleans */
    { "a: true", "{a: true}" },
    { "a: True", "{a: true}" },
    { "a: TRUE", "{a: true}" },
    { "a: false", "{a: false}" },
    { "a: tRue", "{a: \"tRue\"}" },
    { "a: yes", "{a: \"yes\"}" },
    { "a: no", "{a: \"no\"}" },
    { "a: on", "{a: \"on\"}" },
    { "a: off", "{a: \"off\"}" },
    { "a: y", "{a: \"y\"}" },
    /* integers */
    { "a: 0", "{a: 0}" },
    { "a: 123", "{a: 123}" },
    { "a: -5", "{a: -5}" },
    { "a: +5", "{a: 5}" },
    { "a: 0123", "{a: 83}" },
    { "a: 0o17", "{a: 15}" },
    { "a: 0xdeadbeef", "{a: 3735928559}" },
    { "a: -0x10", "{a: -16}" },
    { "a: 0b101", "{a: 5}" },
    { "a: 1_000_000", "{a: 1000000}" },
    { "a: 9223372036854775807", "{a: 9223372036854775807}" },
    { "a: -9223372036854775808", "{a: -9223372036854775808}" },
    { "a: 9223372036854775808", "{a: 9.22337e+18}" },
    { "a: 0x", "{a: \"0x\"}" },
    { "a: 0xg", "{a: \"0xg\"}" },
    { "a: 089", "{a: 89.0000}" },
    { "a: 1:30", "{a: \"1:30\"}" },
    { "a: 12a", "{a: \"12a\"}" },
    { "a: +", "{a: \"+\"}" },
    /* floats */
    { "a: 1.5", "{a: 1.50000}" },
    { "a: -.5", "{a: -0.500000}" },
    { "a: .5", "{a: 0.500000}" },
    { "a: 1.", "{a: 1.00000}" },
    { "a: 1e3", "{a: 1000.00}" },
    { "a: 1.5E-3", "{a: 0.00150000}" },
    { "a: .inf", "{a: inf}" },
    { "a: -.Inf", "{a: -inf}" },
    { "a: .NaN", "{a: nan}" },
    { "a: inf", "{a: \"inf\"}" },
    { "a: nan", "{a: \"nan\"}" },
    { "a: 1.2.3", "{a: \"1.2.3\"}" },
    { "a: 1e", "{a: \"1e\"}" },
    { "a: .", "{a: \".\"}" },
    { "a: 0.0.0.0:4317", "{a: \"0.0.0.0:4317\"}" },
    /* timestamps */
    { "a: 2024-05-01", "{a: time(2024-05-01)}" },
    { "a: 2024-5-1", "{a: time(2024-5-1)}" },
    { "a: 2024-05-01T10:20:30Z", "{a: time(2024-05-01T10:20:30Z)}" },
    { "a: 2024-05-01t10:20:30.5+02:00", "{a: time(2024-05-01t10:20:30.5+02:00)}" },
    { "a: 2024-05-01 10:20:30", "{a: time(2024-05-01 10:20:30)}" },
    { "a: 2024-02-29", "{a: time(2024-02-29)}" },
    { "a: 2023-02-29", "{a: \"2023-02-29\"}" },
    { "a: 2024-13-01", "{a: \"2024-13-01\"}" },
    { "a: 2024-05", "{a: \"2024-05\"}" },
    { "a: \"2024-05-01\"", "{a: \"2024-05-01\"}" },
    /* strings */
    { "a: \"123\"", "{a: \"123\"}" },
    { "a: 'true'", "{a: \"true\"}" },
    { "a: ''", "{a: \"\"}" },
    { "a: |\n  x\n  y\n", "{a: \"x\ny\n\"}" },
    { "a: >-\n  x\n  y\n", "{a: \"x y\"}" },
    { "a: \"\\u00e9\"", "{a: \"\xc3\xa9\"}" },
    { "a: <<", "{a: \"<<\"}" },
    /* tags */
    { "a: !!str 123", "{a: \"123\"}" },
    { "a: !!int \"5\"", "{a: 5}" },
    { "a: !!float 1", "{a: 1.00000}" },
    { "a: ! 5", "{a: \"5\"}" },
    { "a: !mine 5", "{a: \"5\"}" },
    /* structure */
    { "[1, [2, 3], {a: b}]", "[1, [2, 3], {a: \"b\"}]" },
    { "a: []\nb: {}\n", "{a: [], b: {}}" },
    { "1: x\ntrue: y\n~: z\n", "{1: \"x\", true: \"y\", ~: \"z\"}" },
    { "a: 1\n---\na: 2\n", "{a: 1}" },
    { "a: 1\n---\n[not, read\n", "{a: 1}" },
    /* anchors and merge keys */
    { "a: &x 1\nb: *x\n", "{a: 1, b: 1}" },
    { "a: &x {p: 1}\nb: *x\n", "{a: {p: 1}, b: {p: 1}}" },
    { "a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n", "{a: {p: 1, q: 2}, b: {q: 3, p: 1}}" },
    { "a: &x {p: 1}\nb: {q: 3, <<: *x}\n", "{a: {p: 1}, b: {q: 3, p: 1}}" },
    { "x: &x {p: 1}\ny: &y {p: 2, q: 2}\nb: {<<: [*x, *y]}\n",
      "{x: {p: 1}, y: {p: 2, q: 2}, b: {p: 1, q: 2}}" },
    { "b: {<<: {p: 1}, r: 2}\n", "{b: {r: 2, p: 1}}" },
    { "b: {\"<<\": 1}\n", "{b: {<<: 1}}" },
    { "k: &k name\n*k : 5\n", "{k: \"name\", name: 5}" },
    { "a: &x 1\nb: &x 2\nc: *x\n", "{a: 1, b: 2, c: 2}" },
    /* "::" in keys */
    { "a::b: 1", "{a: {b: 1}}" },
    { "a::b::c: 1", "{a: {b: {c: 1}}}" },
    { "a::b: 1\na: {c: 2}\n", "{a: {b: 1, c: 2}}" },
    { "a: {c: 2}\na::b: 1\n", "{a: {c: 2, b: 1}}" },
    { "x:\n  a::b: 1\n", "{x: {a: {b: 1}}}" },
    { "x: [{a::b: 1}]", "{x: [{a: {b: 1}}]}" },
    { "::a: 1", "{::a: 1}" },
    { "a: b::c", "{a: \"b::c\"}" },
};

START_TEST(reads)
{
    struct weir_arena arena = { 0 };
    struct weir_problems problems = { 0 };
    struct weir_text text = { 0 };
    const struct weir_node *root = support_read(trees[_i].yaml, &arena, &problems);
    support_problems(&problems, "");
    support_show(root, &text);
    ck_assert_str_eq(weir_text_string(&text), trees[_i].tree);
    weir_text_free(&text);
    weir_arena_free(&arena);
}
END_TEST

static const struct {
    const char *yaml;
    const char *problems;
} refused[] = {
    { "a: 1\nb: 2\na: 3\n", "t.yaml:3:1: mapping key \"a\" already defined at line 1\n" },
    { "x:\n  b: 1\n  b: 1\ny: 1\ny: 2\n", "t.yaml:3:3: mapping key \"b\" already defined at line 2\n"
                                          "t.yaml:5:1: mapping key \"y\" already defined at line 4\n" },
    { "a::b: 1\na: {b: 2}\n", "t.yaml:2:5: mapping key \"b\" already defined at line 1\n" },
    { "a::b: 1\na: 2\n", "t.yaml:2:1: mapping key \"a\" already defined at line 1\n" },
    { "a: *x\n", "t.yaml:1:4: yaml: unknown anchor 'x' referenced\n" },
    { "a: &x [*x]\n", "t.yaml:1:8: yaml: anchor 'x' value contains itself\n" },
    { "[a, b]: 1\n", "t.yaml:1:1: yaml: a key must be a text, not a list or a map\n" },
    { "a: {<<: 5}\n", "t.yaml:1:9: yaml: map merge requires map or sequence of maps as the value\n" },
    { "a: {<<: [5]}\n", "t.yaml:1:10: yaml: map merge requires map or sequence of maps as the value\n" },
    { "a: !!int x\n", "t.yaml:1:4: yaml: cannot decode `x` as a tag:yaml.org,2002:int\n" },
    { "a: !!binary aGk=\n", "t.yaml:1:4: yaml: the tag !!binary is not supported\n" },
    { "a: \"x\\0y\"\n", "t.yaml:1:4: yaml: a value must not hold the character NUL\n" },
    { "a: b: c\n", "t.yaml:1:5: yaml: mapping values are not allowed in this context\n" },
    { "a: [1\nb: 2\n",
      "t.yaml:2:2: yaml: line 2: did not find expected ',' or ']' (while parsing a flow sequence "
      "that starts at line 1)\n" },
    { "a:\n\t- b\n",
      "t.yaml:2:1: yaml: line 2: found character that cannot start any token (while scanning for the "
      "next token that starts at line 2): a tab, where YAML takes only spaces\n" },
    { "a: @b\n",
      "t.yaml:1:4: yaml: line 1: found character that cannot start any token (while scanning for the "
      "next token that starts at line 1)\n" },
    { "\xe5\x8c\x97\xe4\xba\xac: *y\n", "t.yaml:1:5: yaml: unknown anchor 'y' referenced\n" },
};

START_TEST(refuses)
{
    struct weir_arena arena = { 0 };
    struct weir_problems problems = { 0 };
    (void)support_read(refused[_i].yaml, &arena, &problems);
    support_problems(&problems, refused[_i].problems);
    weir_arena_free(&arena);
}
END_TEST

START_TEST(refuses_bad_utf8)
{
    struct weir_arena arena = { 0 };
    struct weir_problems problems = { 0 };
    ck_assert_ptr_null(support_read("a: \xff\xfe\n", &arena, &problems));
    ck_assert_uint_eq(problems.errors, 1);
    weir_problems_free(&problems);
    weir_arena_free(&arena);
}
END_TEST

static char *repeat(const char *before, const char *middle, const char *after, size_t count)
{
    struct weir_text text = { 0 };
    for (size_t i = 0; i < count; i++)
        weir_text_adds(&text, before);
    weir_text_adds(&text, middle);
    for (size_t i = 0; i < count; i++)
        weir_text_adds(&text, after);
    return weir_text_steal(&text);
}

static void check_depth(const char *before, const char *after, size_t count, bool good)
{
    struct weir_arena arena = { 0 };
    struct weir_problems problems = { 0 };
    char *yaml = repeat(before, "1", after, count);
    const struct weir_node *root = support_read(yaml, &arena, &problems);
    ck_assert_int_eq(root != NULL, good);
    ck_assert_uint_eq(problems.errors, good ? 0 : 1);
    if (!good)
        ck_assert_ptr_nonnull(strstr(problems.items[0].message, "nested deeper than 100 levels"));
    free(yaml);
    weir_problems_free(&problems);
    weir_arena_free(&arena);
}

START_TEST(caps_depth)
{
    check_depth("[", "]", TREE_DEPTH_MAX, true);
    check_depth("[", "]", TREE_DEPTH_MAX + 1, false);
    check_depth("[", "]", 100000, false);
    check_depth("{a: ", "}", TREE_DEPTH_MAX, true);
    check_depth("{a: ", "}", TREE_DEPTH_MAX + 1, false);
    check_depth("{a::b::c: ", "}", 33, true);
    check_depth("{a::b::c: ", "}", 34, false);
}
END_TEST

START_TEST(caps_parts_of_a_key)
{
    struct weir_arena arena = { 0 };
    struct weir_problems problems = { 0 };
    char *yaml = repeat("a::", "b: 1\n", "", 32);
    (void)support_read(yaml, &arena, &problems);
    support_problems(&problems, "t.yaml:1:1: key with more than 32 parts\n");
    free(yaml);
    weir_arena_free(&arena);
}
END_TEST

START_TEST(stops_a_billion_laughs)
{
    struct weir_arena arena = { 0 };
    struct weir_problems problems = { 0 };
    struct weir_text yaml = { 0 };
    weir_text_adds(&yaml, "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for (int i = 1; i < 12; i++) {
        weir_text_addf(&yaml, "a%d: &a%d [", i, i);
        for (int j = 0; j < 9; j++)
            weir_text_addf(&yaml, "%s*a%d", j ? ", " : "", i - 1);
        weir_text_adds(&yaml, "]\n");
    }
    ck_assert_ptr_null(support_read(weir_text_string(&yaml), &arena, &problems));
    ck_assert_uint_eq(problems.errors, 1);
    ck_assert_str_eq(problems.items[0].message, "yaml: document contains excessive aliasing");
    ck_assert_uint_lt(arena.held, 64u << 20);
    weir_text_free(&yaml);
    weir_problems_free(&problems);
    weir_arena_free(&arena);
}
END_TEST

START_TEST(nodes_know_their_places)
{
    struct weir_arena arena = { 0 };
    struct weir_problems problems = { 0 };
    const struct weir_node *root = support_read("a:\n  - x\n  - b: 1\n    c:   [2]\n", &arena, &problems);
    const struct weir_node *list = weir_node_get(root, "a");
    const struct weir_node *second = list->first->next;
    const struct weir_node *c = weir_node_get(second, "c");
    ck_assert_str_eq(list->place.source, "t.yaml");
    ck_assert_uint_eq(list->place.line, 2);
    ck_assert_uint_eq(list->place.column, 3);
    ck_assert_uint_eq(second->place.line, 3);
    ck_assert_uint_eq(second->place.column, 5);
    ck_assert_uint_eq(c->key_place.line, 4);
    ck_assert_uint_eq(c->key_place.column, 5);
    ck_assert_uint_eq(c->place.column, 10);
    ck_assert_uint_eq(c->first->place.column, 11);
    weir_problems_free(&problems);
    weir_arena_free(&arena);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("yaml");
    tcase_add_loop_test(tests, reads, 0, WEIR_ARRAY_LENGTH(trees));
    tcase_add_loop_test(tests, refuses, 0, WEIR_ARRAY_LENGTH(refused));
    tcase_add_test(tests, refuses_bad_utf8);
    tcase_add_test(tests, caps_depth);
    tcase_add_test(tests, caps_parts_of_a_key);
    tcase_add_test(tests, stops_a_billion_laughs);
    tcase_add_test(tests, nodes_know_their_places);
    Suite *suite = suite_create("yaml");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
