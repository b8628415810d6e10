// SPDX-License-Identifier: Apache-2.0
/*
 * Changing batches: what is edited, removed and added is what is sent, and nobody else sees it.
 */
#include <config.h>

#include <stdio.h>

#include "sdk/src/otlp/tests/batches.h"
#include "tests/unit/suite.h"

/* `scopes` scope groups of `spans` spans each, named s0, s1, ... */
static struct weir_batch *spans(unsigned scopes, unsigned count)
{
    struct weir_batch *made = weir_batch_new(WEIR_TRACES);
    struct weir_arena *arena = weir_batch_arena(made);
    struct weir_group *group = weir_batch_add_group(made, WEIR_STR("https://schema"));
    struct weir_resource *resource = weir_group_edit_resource(group);
    ck_assert(weir_attributes_set(&resource->attributes, arena, WEIR_STR("host"), weir_value_int(7)));
    for (unsigned s = 0, name = 0; s < scopes; s++) {
        struct weir_scope_group *scope = weir_group_add_scope(group, WEIR_STR_NONE);
        for (unsigned i = 0; i < count; i++) {
            char text[16];
            int length = snprintf(text, sizeof(text), "s%u", name++);
            weir_scope_group_add_span(scope)->name =
                weir_arena_copy(arena, weir_str_make(text, (size_t)length));
        }
    }
    weir_batch_commit(made);
    ck_assert_uint_eq(weir_batch_items(made), scopes * count);
    struct weir_buffer *bytes = batch_bytes(made);
    struct weir_batch *batch = batch_of(WEIR_TRACES, bytes->data, bytes->length);
    weir_buffer_unref(bytes);
    weir_batch_unref(made);
    return batch;
}

/* The names of all spans, with a space behind each. */
static const char *names(struct weir_batch *batch)
{
    static struct weir_text text;
    struct weir_buffer *bytes = batch_bytes(batch);
    struct weir_batch *sent = batch_of(WEIR_TRACES, bytes->data, bytes->length);
    weir_text_clear(&text);
    for (struct weir_group *g = weir_batch_first_group(sent); g; g = weir_group_next(g))
        for (struct weir_scope_group *s = weir_group_first_scope(g); s; s = weir_scope_group_next(s))
            for (struct weir_entry *e = weir_scope_group_first(s); e; e = weir_entry_next(e)) {
                weir_text_add(&text, weir_entry_span(e)->name.data, weir_entry_span(e)->name.length);
                weir_text_addc(&text, ' ');
            }
    weir_batch_unref(sent);
    weir_buffer_unref(bytes);
    return weir_text_string(&text);
}

static struct weir_scope_group *first_scope(struct weir_batch *batch)
{
    return weir_group_first_scope(weir_batch_first_group(batch));
}

START_TEST(removed_nodes_are_neither_counted_nor_sent)
{
    struct weir_batch *batch = spans(3, 3);
    struct weir_scope_group *scope = first_scope(batch);
    struct weir_entry *entry = weir_scope_group_first(scope);
    struct weir_entry *next = weir_entry_next(entry);
    weir_entry_remove(entry);
    weir_scope_group_remove(weir_scope_group_next(scope));
    ck_assert_ptr_eq(weir_scope_group_first(scope), next);
    weir_batch_commit(batch);
    ck_assert_uint_eq(weir_batch_items(batch), 5);
    ck_assert_str_eq(names(batch), "s1 s2 s6 s7 s8 ");
    weir_group_remove(weir_batch_first_group(batch));
    weir_batch_commit(batch);
    ck_assert_ptr_null(weir_batch_first_group(batch));
    ck_assert_uint_eq(weir_batch_items(batch), 0);
    ck_assert_uint_eq(weir_batch_bytes(batch), 0);
    weir_batch_unref(batch);
}
END_TEST

START_TEST(edits_go_with_the_pieces_of_a_split)
{
    struct weir_batch *batch = weir_batch_new(WEIR_TRACES);
    for (unsigned i = 0; i < 2; i++) {
        struct weir_batch *more = spans(2, 2);
        struct weir_span *span = weir_entry_edit_span(weir_scope_group_first(first_scope(more)));
        span->name = weir_arena_copy(weir_batch_arena(more), WEIR_STR("edited"));
        weir_entry_remove(weir_entry_next(weir_scope_group_first(first_scope(more))));
        weir_batch_commit(more);
        ck_assert(weir_batch_append(batch, more));
    }
    ck_assert_uint_eq(weir_batch_items(batch), 6);
    struct weir_batch *head = weir_batch_split(batch, 4);
    ck_assert_str_eq(names(head), "edited s2 s3 edited ");
    ck_assert_str_eq(names(batch), "s2 s3 ");
    struct weir_batch *first = weir_batch_split(head, 1);
    ck_assert_str_eq(names(first), "edited ");
    weir_entry_edit_span(weir_scope_group_first(first_scope(batch)))->name = WEIR_STR("late");
    weir_batch_unref(head);
    weir_batch_unref(first);
    ck_assert_str_eq(names(batch), "late s3 ");
    const struct weir_resource *resource = weir_group_resource(weir_batch_first_group(batch));
    ck_assert_int_eq(weir_attributes_get(&resource->attributes, WEIR_STR("host"))->integer, 7);
    ck_assert(weir_str_is(weir_group_schema_url(weir_batch_first_group(batch)), "https://schema"));
    weir_batch_unref(batch);
}
END_TEST

START_TEST(copies_do_not_see_each_other)
{
    struct weir_batch *batch = spans(1, 2);
    weir_entry_edit_span(weir_scope_group_first(first_scope(batch)))->name = WEIR_STR("before");
    weir_batch_commit(batch);
    struct weir_batch *copy = weir_batch_exclusive(weir_batch_ref(batch));
    ck_assert_ptr_ne(copy, batch);
    weir_entry_edit_span(weir_scope_group_first(first_scope(copy)))->name = WEIR_STR("copy");
    weir_entry_remove(weir_entry_next(weir_scope_group_first(first_scope(copy))));
    weir_batch_commit(copy);
    ck_assert_str_eq(names(batch), "before s1 ");
    ck_assert_str_eq(names(copy), "copy ");
    weir_batch_unref(batch);
    ck_assert_str_eq(names(copy), "copy ");
    weir_batch_unref(copy);
}
END_TEST

START_TEST(untouched_nodes_keep_unknown_fields_and_edited_ones_lose_them)
{
    /* Two spans, named a and b, each with a field 100. */
    static const char bytes[] = "\x0a\x12\x12\x10"
                                "\x12\x06\x2a\x01"
                                "a\xa0\x06\x01"
                                "\x12\x06\x2a\x01"
                                "b\xa0\x06\x01";
    static const char edited[] = "\x0a\x0f\x12\x0d"
                                 "\x12\x03\x2a\x01"
                                 "a"
                                 "\x12\x06\x2a\x01"
                                 "b\xa0\x06\x01";
    struct weir_batch *batch = batch_of(WEIR_TRACES, bytes, sizeof(bytes) - 1);
    ck_assert_ptr_nonnull(weir_entry_edit_span(weir_scope_group_first(first_scope(batch))));
    weir_batch_commit(batch);
    struct weir_buffer *sent = batch_bytes(batch);
    ck_assert_uint_eq(sent->length, sizeof(edited) - 1);
    ck_assert_mem_eq(sent->data, edited, sent->length);
    weir_buffer_unref(sent);
    weir_batch_unref(batch);
}
END_TEST

START_TEST(points_that_are_dropped_are_not_counted)
{
    struct weir_batch *batch = weir_batch_new(WEIR_METRICS);
    struct weir_scope_group *scope =
        weir_group_add_scope(weir_batch_add_group(batch, WEIR_STR_NONE), WEIR_STR_NONE);
    struct weir_metric *metric = weir_scope_group_add_metric(scope);
    metric->type = WEIR_METRIC_GAUGE;
    metric->points = weir_arena_calloc(weir_batch_arena(batch), 3, sizeof(*metric->points));
    metric->point_count = 3;
    for (int i = 0; i < 3; i++)
        metric->points[i].number = (struct weir_number){ .type = WEIR_NUMBER_INT, .as_int = i };
    weir_batch_commit(batch);
    ck_assert_uint_eq(weir_batch_items(batch), 3);
    struct weir_batch *head = weir_batch_split(batch, 1);
    struct weir_entry *entry = weir_scope_group_first(first_scope(batch));
    ck_assert_uint_eq(weir_entry_items(entry), 2);
    ck_assert_int_eq(weir_entry_metric(entry)->points[0].number.as_int, 1);
    weir_entry_edit_metric(entry)->point_count = 1;
    weir_batch_commit(batch);
    ck_assert_uint_eq(weir_batch_items(batch), 1);
    batch_walk(batch);
    batch_walk(head);
    weir_batch_unref(head);
    weir_batch_unref(batch);
}
END_TEST

START_TEST(messages_that_come_twice_are_merged)
{
    /* A group with two resources {a: 1} and {dropped 2}; a span with two statuses, {message m} and {code 2},
     * and an attribute with the values "x" and then 5. */
    static const char good[] =
        "\x0a\x2a\x0a\x09\x0a\x07\x0a\x01\x61\x12\x02\x18\x01\x0a\x02\x10\x02\x12\x19\x12\x17\x7a"
        "\x03\x12\x01\x6d\x7a\x02\x18\x02\x4a\x0c\x0a\x01\x6b\x12\x03\x0a\x01\x78\x12\x02\x18\x05";
    struct weir_batch *batch = batch_of(WEIR_TRACES, good, sizeof(good) - 1);
    const struct weir_resource *resource = weir_group_resource(weir_batch_first_group(batch));
    ck_assert_uint_eq(resource->attributes.count, 1);
    ck_assert_uint_eq(resource->dropped_attributes_count, 2);
    const struct weir_span *span = weir_entry_span(weir_scope_group_first(first_scope(batch)));
    ck_assert(weir_str_is(span->status_message, "m"));
    ck_assert_int_eq(span->status_code, WEIR_STATUS_ERROR);
    ck_assert_int_eq(span->attributes.items[0].value.type, WEIR_VALUE_INT);
    ck_assert_int_eq(span->attributes.items[0].value.integer, 5);
    weir_batch_unref(batch);
}
END_TEST

static const char *printed(struct weir_value value)
{
    static struct weir_text text;
    weir_text_clear(&text);
    weir_value_print(&value, &text);
    return weir_text_string(&text);
}

START_TEST(values_are_printed_as_upstream_does)
{
    struct weir_value bytes = { .type = WEIR_VALUE_BYTES, .string = WEIR_STR("ab\xff\xfe") };
    ck_assert_str_eq(printed((struct weir_value){ .type = WEIR_VALUE_EMPTY }), "");
    ck_assert_str_eq(printed(weir_value_string(WEIR_STR("a \"b\""))), "a \"b\"");
    ck_assert_str_eq(printed(weir_value_int(-5)), "-5");
    ck_assert_str_eq(printed(weir_value_bool(true)), "true");
    ck_assert_str_eq(printed(weir_value_double(0.1)), "0.1");
    ck_assert_str_eq(printed(weir_value_double(__builtin_nan(""))), "NaN");
    ck_assert_str_eq(printed(weir_value_double(-__builtin_inf())), "-Infinity");
    ck_assert_str_eq(printed(bytes), "YWL//g==");
    struct weir_value items[] = { weir_value_double(__builtin_inf()),
                                  weir_value_string(WEIR_STR("q\"")),
                                  bytes,
                                  { .type = WEIR_VALUE_EMPTY } };
    struct weir_value array = { .type = WEIR_VALUE_ARRAY, .array = { items, 4 } };
    ck_assert_str_eq(printed(array), "[\"Infinity\",\"q\\\"\",\"YWL//g==\",null]");
    struct weir_attribute pairs[] = { { WEIR_STR("b"), array },
                                      { WEIR_STR("a"), weir_value_int(1) },
                                      { WEIR_STR("a"), weir_value_int(2) } };
    struct weir_value map = { .type = WEIR_VALUE_MAP, .map = { pairs, 3, 3 } };
    ck_assert_str_eq(printed(map), "{\"a\":2,\"b\":[\"Infinity\",\"q\\\"\",\"YWL//g==\",null]}");
}
END_TEST

START_TEST(attributes_are_set_found_and_removed)
{
    struct weir_arena arena = { 0 };
    struct weir_attributes list = { NULL, 0, 0 };
    for (int i = 0; i < 20; i++) {
        char key = (char)('a' + i);
        struct weir_str name = weir_arena_copy(&arena, weir_str_make(&key, 1));
        ck_assert(weir_attributes_set(&list, &arena, name, weir_value_int(i)));
    }
    ck_assert(weir_attributes_set(&list, &arena, WEIR_STR("c"), weir_value_int(99)));
    ck_assert_uint_eq(list.count, 20);
    ck_assert_int_eq(weir_attributes_get(&list, WEIR_STR("c"))->integer, 99);
    ck_assert(weir_attributes_remove(&list, WEIR_STR("a")));
    ck_assert(!weir_attributes_remove(&list, WEIR_STR("a")));
    ck_assert_ptr_null(weir_attributes_get(&list, WEIR_STR("a")));
    ck_assert_uint_eq(list.count, 19);
    weir_arena_free(&arena);
}
END_TEST

/* 200,000 points in one metric, and as many empty records in one scope group, cut into pieces of 10. */
START_TEST(cutting_into_many_pieces_is_linear)
{
    enum { COUNT = 200000 };
    enum weir_signal signal = _i == 0 ? WEIR_METRICS : WEIR_LOGS;
    struct weir_batch *made = weir_batch_new(signal);
    struct weir_scope_group *scope =
        weir_group_add_scope(weir_batch_add_group(made, WEIR_STR_NONE), WEIR_STR_NONE);
    if (signal == WEIR_METRICS) {
        struct weir_metric *metric = weir_scope_group_add_metric(scope);
        metric->type = WEIR_METRIC_GAUGE;
        metric->point_count = COUNT;
        metric->points = weir_arena_calloc(weir_batch_arena(made), COUNT, sizeof(*metric->points));
    } else {
        for (int i = 0; i < COUNT; i++)
            ck_assert_ptr_nonnull(weir_scope_group_add_log_record(scope));
    }
    weir_batch_commit(made);
    struct weir_buffer *bytes = batch_bytes(made);
    struct weir_batch *batch = batch_of(signal, bytes->data, bytes->length);
    size_t pieces = 0;
    while (weir_batch_items(batch) > 10) {
        struct weir_batch *head = weir_batch_split(batch, 10);
        ck_assert_ptr_nonnull(head);
        weir_batch_unref(head);
        pieces++;
    }
    ck_assert_uint_eq(pieces, COUNT / 10 - 1);
    weir_batch_unref(batch);
    weir_buffer_unref(bytes);
    weir_batch_unref(made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edit");
    TCase *tests = tcase_create("edit");
    tcase_set_timeout(tests, 20);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, removed_nodes_are_neither_counted_nor_sent);
    tcase_add_test(tests, edits_go_with_the_pieces_of_a_split);
    tcase_add_test(tests, copies_do_not_see_each_other);
    tcase_add_test(tests, untouched_nodes_keep_unknown_fields_and_edited_ones_lose_them);
    tcase_add_test(tests, points_that_are_dropped_are_not_counted);
    tcase_add_test(tests, messages_that_come_twice_are_merged);
    tcase_add_test(tests, values_are_printed_as_upstream_does);
    tcase_add_test(tests, attributes_are_set_found_and_removed);
    tcase_add_loop_test(tests, cutting_into_many_pieces_is_linear, 0, 2);
    return run_suite(suite);
}
