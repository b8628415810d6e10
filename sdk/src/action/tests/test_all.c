// SPDX-License-Identifier: Apache-2.0
/*
 * Actions on everything in a batch at once: the same comes out as of actions on decoded entries, whatever was done to the
 * batch before, and what came is let go.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/action/tests/random_actions.h"
#include "tests/unit/suite.h"

#define CASES 2000

static void apply(const struct weir_actions *actions, struct weir_batch *batch)
{
    ck_assert(weir_actions_apply_all(actions, batch));
    weir_batch_commit(batch);
}

static struct weir_batch *random_batch(struct oracle_random *random, enum weir_signal signal)
{
    size_t length;
    ProtobufCMessage *request = oracle_generate(random, signal, oracle_below(random, 100));
    uint8_t *bytes = oracle_pack(request, &length);
    struct weir_batch *batch = batch_of(signal, bytes, length);
    protobuf_c_message_free_unpacked(request, NULL);
    free(bytes);
    return batch;
}

static struct weir_batch *again(struct weir_batch *batch)
{
    struct weir_buffer *bytes = batch_bytes(batch);
    struct weir_batch *copy = batch_of(weir_batch_signal(batch), bytes->data, bytes->length);
    weir_buffer_unref(bytes);
    return copy;
}

static void remove_some(struct weir_batch *batch)
{
    unsigned number = 0;
    FOR_EACH_ENTRY(batch, entry) {
        if (number++ % 3 == 0)
            weir_entry_remove(entry);
    }
}

static void edit_resources(struct weir_batch *batch)
{
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group)) {
        struct weir_resource *resource = weir_group_edit_resource(group);
        ck_assert_ptr_nonnull(resource);
        resource->dropped_attributes_count++;
    }
}

/* What components before this one may have done. */
static void prepare(struct weir_batch *batch, unsigned way, struct oracle_random random)
{
    switch (way) {
    case 1:
        batch_walk(batch);
        break;
    case 2:
        batch_touch(batch, &random, 3);
        break;
    case 3:
        remove_some(batch);
        break;
    case 4:
        edit_resources(batch);
        break;
    case 5:
        ck_assert(weir_batch_append(batch, random_batch(&random, weir_batch_signal(batch))));
        remove_some(batch);
        break;
    default:
        break;
    }
    weir_batch_commit(batch);
}

/* Applies the actions to half of the batch, to the other half, and merges them again. */
static struct weir_batch *apply_to_halves(const struct weir_actions *actions, struct weir_batch *batch)
{
    size_t items = weir_batch_items(batch);
    struct weir_batch *head = items > 1 ? weir_batch_split(batch, items / 2) : NULL;
    apply(actions, batch);
    if (!head)
        return batch;
    apply(actions, head);
    ck_assert_uint_eq(weir_batch_items(head), items / 2);
    ck_assert(weir_batch_append(head, batch));
    return head;
}

START_TEST(bytes_and_structs_come_to_the_same)
{
    enum weir_signal signal = (enum weir_signal)_i;
    struct oracle_random random = { .state = 500 + (uint64_t)_i };
    size_t changed = 0;
    for (unsigned i = 0; i < CASES; i++) {
        struct weir_actions actions;
        struct keys keys;
        struct weir_batch *as_bytes = random_batch(&random, signal), *as_structs = again(as_bytes);
        struct weir_batch *walked = again(as_bytes);
        keys_find(walked, &keys);
        actions_make(&actions, &random, &keys);
        struct weir_actions unplanned = { .items = actions.items, .count = actions.count };
        prepare(as_bytes, i % 7, random);
        prepare(as_structs, i % 7, random);
        size_t items = weir_batch_items(as_bytes), bytes = weir_batch_bytes(as_bytes);
        if (i % 7 == 6) {
            as_bytes = apply_to_halves(&actions, as_bytes);
            as_structs = apply_to_halves(&unplanned, as_structs);
        } else {
            apply(&actions, as_bytes);
            apply(&unplanned, as_structs);
        }
        ck_assert_uint_eq(weir_batch_items(as_bytes), items);
        changed += weir_batch_bytes(as_bytes) != bytes;
        batch_same(as_bytes, as_structs);
        batch_walk(as_bytes); // what was written is a tree again
        weir_batch_unref(as_bytes);
        weir_batch_unref(as_structs);
        weir_batch_unref(walked);
        actions_free(&actions);
    }
    ck_assert_uint_gt(changed, CASES / 4);
}
END_TEST

/* One action on "k". */
struct one {
    struct action item;
    struct weir_actions actions;
};

static void one_begin(struct one *one, enum weir_action_kind kind)
{
    one->item = (struct action){ .kind = kind, .key = WEIR_STR("k"), .has_value = true, .value = weir_value_int(1) };
    one->actions = (struct weir_actions){ .items = &one->item, .count = 1 };
    ck_assert(action_plan(&one->actions));
}

static void one_end(struct one *one)
{
    free(one->actions.rules);
    weir_arena_free(&one->actions.arena);
}

/* `count` records with a body of this length, every `every`th with an attribute "k" that is long. */
static struct weir_batch *records(unsigned count, unsigned every, size_t length)
{
    struct weir_batch *made = weir_batch_new(WEIR_LOGS);
    char *body = weir_xcalloc(length + 1, 1);
    struct weir_attribute attribute = { WEIR_STR("k"), weir_value_string(WEIR_STR("some twenty bytes or")) };
    memset(body, 'b', length);
    struct weir_scope_group *scope =
        weir_group_add_scope(weir_batch_add_group(made, WEIR_STR("schema")), WEIR_STR_NONE);
    for (unsigned i = 0; i < count; i++) {
        struct weir_log_record *record = weir_scope_group_add_log_record(scope);
        record->body = weir_value_string(weir_str_make(body, length));
        if (every > 0 && i % every == 0)
            record->attributes = (struct weir_attributes){ .items = &attribute, .count = 1 };
    }
    weir_batch_commit(made);
    struct weir_batch *batch = again(made);
    weir_batch_unref(made);
    free(body);
    return batch;
}

static void check_records(enum weir_action_kind kind, unsigned count, unsigned every, size_t length)
{
    struct one one;
    one_begin(&one, kind);
    struct weir_actions unplanned = { .items = &one.item, .count = 1 };
    struct weir_batch *as_bytes = records(count, every, length), *as_structs = again(as_bytes);
    apply(&one.actions, as_bytes);
    apply(&unplanned, as_structs);
    // Not only the same telemetry: lengths are as short as can be, whether they grew or shrank.
    struct weir_buffer *is = batch_bytes(as_bytes), *should = batch_bytes(as_structs);
    ck_assert_uint_eq(is->length, should->length);
    batch_same(as_bytes, as_structs);
    weir_buffer_unref(is);
    weir_buffer_unref(should);
    weir_batch_unref(as_bytes);
    weir_batch_unref(as_structs);
    one_end(&one);
}

START_TEST(lengths_that_take_more_or_fewer_bytes_than_before)
{
    static const size_t borders[] = { 128, 16384, 2097152 };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(borders); i++) {
        unsigned step = i == 2 ? 7 : 1;
        for (size_t length = borders[i] - 70; length < borders[i] + 10; length += step) {
            check_records(WEIR_ACTION_INSERT, 1, 0, length);
            check_records(WEIR_ACTION_DELETE, 1, 1, length);
            check_records(WEIR_ACTION_UPSERT, 1, 1, length);
        }
    }
}
END_TEST

START_TEST(keys_here_and_there)
{
    for (unsigned every = 1; every < 40; every++) {
        check_records(WEIR_ACTION_INSERT, 100, every, 30);
        check_records(WEIR_ACTION_UPDATE, 100, every, 30);
        check_records(WEIR_ACTION_DELETE, 100, every, 30);
    }
}
END_TEST

/* The body has the key's bytes, an attribute's value has, and an attribute's key has more than them. */
START_TEST(bytes_of_a_key_that_are_no_key)
{
    struct weir_batch *made = weir_batch_new(WEIR_LOGS);
    struct weir_attribute items[] = { { WEIR_STR("kk"), weir_value_string(WEIR_STR("k")) } };
    struct weir_group *group = weir_batch_add_group(made, WEIR_STR_NONE);
    struct weir_log_record *record = weir_scope_group_add_log_record(weir_group_add_scope(group, WEIR_STR_NONE));
    record->body = weir_value_string(WEIR_STR("k"));
    record->attributes = (struct weir_attributes){ .items = items, .count = 1 };
    weir_batch_commit(made);
    struct weir_batch *batch = again(made);
    struct one one;
    one_begin(&one, WEIR_ACTION_INSERT);
    apply(&one.actions, batch);
    struct weir_entry *entry = weir_scope_group_first(weir_group_first_scope(weir_batch_first_group(batch)));
    const struct weir_log_record *now = weir_entry_log_record(entry);
    ck_assert_uint_eq(now->attributes.count, 2);
    ck_assert(weir_str_equal(now->attributes.items[1].key, WEIR_STR("k")));
    ck_assert_int_eq(now->attributes.items[1].value.integer, 1);
    weir_batch_unref(batch);
    weir_batch_unref(made);
    one_end(&one);
}
END_TEST

/* Who holds the bytes that came, after such an action on records without "k": 2 are the test and the batch. */
static uint32_t holders_after(enum weir_action_kind kind, bool edited, const uint8_t **sent, const uint8_t **came)
{
    struct one one;
    struct weir_batch *plain = records(10, 0, 30);
    struct weir_buffer *bytes = batch_bytes(plain);
    struct weir_batch *batch = weir_batch_from_bytes(WEIR_LOGS, bytes, bytes->data, bytes->length, NULL);
    struct weir_slices slices = { 0 };
    one_begin(&one, kind);
    if (edited)
        edit_resources(batch);
    apply(&one.actions, batch);
    uint32_t holders = bytes->references;
    ck_assert(weir_batch_encode(batch, &slices));
    *sent = slices.ranges[0].iov_base;
    *came = bytes->data;
    ck_assert_uint_eq(slices.count, 1);
    weir_slices_free(&slices);
    weir_batch_unref(batch);
    ck_assert_uint_eq(bytes->references, 1);
    weir_buffer_unref(bytes);
    weir_batch_unref(plain);
    one_end(&one);
    return holders;
}

START_TEST(what_came_is_let_go_where_something_changed)
{
    const uint8_t *sent, *came;
    ck_assert_uint_eq(holders_after(WEIR_ACTION_INSERT, false, &sent, &came), 1);
    ck_assert_uint_eq(holders_after(WEIR_ACTION_INSERT, true, &sent, &came), 1);
    ck_assert_uint_eq(holders_after(WEIR_ACTION_UPDATE, false, &sent, &came), 2);
    ck_assert_ptr_eq(sent, came);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("all");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    tcase_add_loop_test(tests, bytes_and_structs_come_to_the_same, WEIR_TRACES, WEIR_LOGS + 1);
    tcase_add_test(tests, lengths_that_take_more_or_fewer_bytes_than_before);
    tcase_add_test(tests, keys_here_and_there);
    tcase_add_test(tests, bytes_of_a_key_that_are_no_key);
    tcase_add_test(tests, what_came_is_let_go_where_something_changed);
    return run_suite(suite);
}
