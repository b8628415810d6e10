// SPDX-License-Identifier: Apache-2.0
/*
 * Actions on the bytes of entries: the same comes out as of actions on decoded ones.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "sdk/src/action/tests/random_actions.h"
#include "tests/unit/suite.h"

#define CASES 3000

static void apply(const struct weir_actions *actions, struct weir_batch *batch)
{
    FOR_EACH_ENTRY(batch, entry) {
        ck_assert(weir_actions_apply_entry(actions, batch, entry));
    }
    weir_batch_commit(batch);
}

/* A request three times over: to be changed on bytes and as structs, and to be looked into. */
struct trial {
    struct weir_batch *as_bytes, *as_structs, *walked;
    size_t length;
};

static struct trial trial_begin(struct oracle_random *random, enum weir_signal signal)
{
    struct trial trial;
    ProtobufCMessage *request = oracle_generate(random, signal, oracle_below(random, 100));
    uint8_t *bytes = oracle_pack(request, &trial.length);
    trial.as_bytes = batch_of(signal, bytes, trial.length);
    trial.as_structs = batch_of(signal, bytes, trial.length);
    trial.walked = batch_of(signal, bytes, trial.length);
    protobuf_c_message_free_unpacked(request, NULL);
    free(bytes);
    return trial;
}

/* Both must have come to the same; whether it is of another length than before. */
static bool trial_end(struct trial *trial)
{
    batch_same(trial->as_bytes, trial->as_structs);
    bool changed = weir_batch_bytes(trial->as_bytes) != trial->length;
    weir_batch_unref(trial->as_bytes);
    weir_batch_unref(trial->as_structs);
    weir_batch_unref(trial->walked);
    return changed;
}

START_TEST(bytes_and_structs_come_to_the_same)
{
    enum weir_signal signal = _i ? WEIR_LOGS : WEIR_TRACES;
    struct oracle_random random = { .state = 300 + (uint64_t)_i };
    size_t changed = 0;
    for (unsigned i = 0; i < CASES; i++) {
        struct weir_actions actions;
        struct keys keys;
        struct trial trial = trial_begin(&random, signal);
        keys_find(trial.walked, &keys);
        actions_make(&actions, &random, &keys);
        apply(&actions, trial.as_bytes);
        if (i % 2)
            apply(&actions, trial.as_bytes); // on bytes that were made here
        struct weir_actions unplanned = { .items = actions.items, .count = actions.count };
        apply(&unplanned, trial.as_structs);
        if (i % 2)
            apply(&unplanned, trial.as_structs);
        changed += trial_end(&trial);
        actions_free(&actions);
    }
    ck_assert_uint_gt(changed, CASES / 4);
}
END_TEST

static void apply_to_resources(const struct weir_actions *actions, struct weir_batch *batch)
{
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group))
        ck_assert(weir_actions_apply_resource(actions, batch, group));
    weir_batch_commit(batch);
}

START_TEST(bytes_and_structs_of_resources_come_to_the_same)
{
    enum weir_signal signal = (enum weir_signal)_i;
    struct oracle_random random = { .state = 900 + (uint64_t)_i };
    size_t changed = 0;
    for (unsigned i = 0; i < CASES; i++) {
        struct weir_actions actions;
        struct keys keys = keys_new();
        struct trial trial = trial_begin(&random, signal);
        for (struct weir_group *group = weir_batch_first_group(trial.walked); group; group = weir_group_next(group))
            keys_add(&keys, &weir_group_resource(group)->attributes);
        actions_make(&actions, &random, &keys);
        struct weir_actions unplanned = { .items = actions.items, .count = actions.count };
        for (unsigned times = 0; times <= i % 2; times++) {
            apply_to_resources(&actions, trial.as_bytes);
            apply_to_resources(&unplanned, trial.as_structs);
        }
        // Structs behind changed bytes are theirs.
        for (struct weir_group *group = weir_batch_first_group(trial.as_bytes); i % 3 == 0 && group;
             group = weir_group_next(group))
            ck_assert_ptr_nonnull(weir_group_edit_resource(group));
        changed += trial_end(&trial);
        actions_free(&actions);
    }
    ck_assert_uint_gt(changed, CASES / 4);
}
END_TEST

/* "put+added-" of a key's actions: what they come to. */
static const char *plan_of(const char *words)
{
    static char text[64];
    struct action items[8] = { { .kind = WEIR_ACTION_INSERT } };
    struct weir_actions actions = { .items = items };
    int64_t value = 0;
    for (const char *word = words; *word; word++) {
        enum weir_action_kind kind = *word == 'i'   ? WEIR_ACTION_INSERT
                                     : *word == 'u' ? WEIR_ACTION_UPDATE
                                     : *word == 's' ? WEIR_ACTION_UPSERT
                                                    : WEIR_ACTION_DELETE;
        items[actions.count++] = (struct action){ .kind = kind, .key = WEIR_STR("k"), .has_value = true,
                                                  .value = weir_value_int(++value) };
    }
    ck_assert(action_plan(&actions));
    ck_assert_uint_eq(actions.rule_count, 1);
    const struct otlp_rule *rule = actions.rules;
    // A KeyValue of "k" and a small number ends with that number.
    snprintf(text, sizeof(text), "%s put %d added %d", rule->remove ? "remove" : "keep",
             rule->put.data ? rule->put.data[rule->put.length - 1] : 0,
             rule->added.data ? rule->added.data[rule->added.length - 1] : 0);
    free(actions.rules);
    weir_arena_free(&actions.arena);
    return text;
}

START_TEST(actions_on_one_key_come_to_one_rule)
{
    ck_assert_str_eq(plan_of("i"), "keep put 0 added 1");
    ck_assert_str_eq(plan_of("u"), "keep put 1 added 0");
    ck_assert_str_eq(plan_of("s"), "keep put 1 added 1");
    ck_assert_str_eq(plan_of("d"), "remove put 0 added 0");
    ck_assert_str_eq(plan_of("ii"), "keep put 0 added 1");
    ck_assert_str_eq(plan_of("ui"), "keep put 1 added 2");
    ck_assert_str_eq(plan_of("iu"), "keep put 2 added 2");
    ck_assert_str_eq(plan_of("sd"), "remove put 0 added 0");
    ck_assert_str_eq(plan_of("di"), "remove put 0 added 2");
    ck_assert_str_eq(plan_of("dus"), "remove put 0 added 3");
}
END_TEST

/* A record with the attributes k=7, z=8, k=9, as bytes. */
static struct weir_batch *twice(void)
{
    struct weir_batch *made = weir_batch_new(WEIR_LOGS);
    struct weir_attribute items[] = { { WEIR_STR("k"), weir_value_int(7) },
                                      { WEIR_STR("z"), weir_value_int(8) },
                                      { WEIR_STR("k"), weir_value_int(9) } };
    struct weir_group *group = weir_batch_add_group(made, WEIR_STR_NONE);
    struct weir_log_record *record = weir_scope_group_add_log_record(weir_group_add_scope(group, WEIR_STR_NONE));
    record->attributes = (struct weir_attributes){ .items = items, .count = 3 };
    weir_batch_commit(made);
    struct weir_buffer *bytes = batch_bytes(made);
    struct weir_batch *batch = batch_of(WEIR_LOGS, bytes->data, bytes->length);
    weir_buffer_unref(bytes);
    weir_batch_unref(made);
    return batch;
}

static const char *twice_after(enum weir_action_kind kind)
{
    static struct weir_text text;
    struct action item = { .kind = kind, .key = WEIR_STR("k"), .has_value = true, .value = weir_value_int(1) };
    struct weir_actions actions = { .items = &item, .count = 1 };
    struct weir_batch *batch = twice();
    ck_assert(action_plan(&actions));
    apply(&actions, batch);
    weir_text_clear(&text);
    FOR_EACH_ENTRY(batch, entry) {
        const struct weir_attributes *attributes = &weir_entry_log_record(entry)->attributes;
        for (size_t i = 0; i < attributes->count; i++)
            weir_text_addf(&text, "%.*s=%d ", WEIR_STR_ARG(attributes->items[i].key),
                           (int)attributes->items[i].value.integer);
    }
    weir_batch_unref(batch);
    free(actions.rules);
    weir_arena_free(&actions.arena);
    return weir_text_string(&text);
}

START_TEST(of_several_with_one_key_the_first_is_put_and_all_are_deleted)
{
    ck_assert_str_eq(twice_after(WEIR_ACTION_INSERT), "k=7 z=8 k=9 ");
    ck_assert_str_eq(twice_after(WEIR_ACTION_UPSERT), "k=1 z=8 k=9 ");
    ck_assert_str_eq(twice_after(WEIR_ACTION_UPDATE), "k=1 z=8 k=9 ");
    ck_assert_str_eq(twice_after(WEIR_ACTION_DELETE), "z=8 ");
}
END_TEST

/* A length-delimited field of one-byte key whose length takes two bytes; text grows in front. */
static void wrap(struct weir_text *text, char key)
{
    struct weir_text inner = *text;
    *text = (struct weir_text){ NULL, 0, 0 };
    weir_text_addc(text, key);
    weir_text_addc(text, (char)(0x80 | (inner.length & 0x7f)));
    weir_text_addc(text, (char)(inner.length >> 7));
    weir_text_add(text, inner.data, inner.length);
    weir_text_free(&inner);
}

#define BYTES(literal) { literal, sizeof(literal) - 1 }
#define KEY_65 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"

START_TEST(attributes_written_unusually)
{
    static const struct weir_str forms[] = {
        BYTES("\x0a\1k\x12\2\x18\7"), BYTES("\x12\2\x18\7\x0a\1k"),          BYTES("\x0a\1x\x0a\1k\x12\2\x18\7"),
        BYTES("\x0a\1k"),              BYTES("\x0a\1k\x12\2\x18\7\x0a\1x"), BYTES("\x0a\x81\0k\x12\2\x18\7"),
        BYTES("\x12\2\x18\7"),         BYTES("\x0a\1k\x12\x82\0\x18\7"),   BYTES("\x0a\1k\x12\2\x18\7\x12\2\x18\x08"),
        BYTES("\x8a\0\1k"),            BYTES("\x0a\1k\x12\2\x18\7\x28\1"), BYTES("\x0a\1k\x12\0"),
        BYTES("\x0a\3xyz\x0a\1k"),      BYTES("\x0a\3xyz\x12\2\x18\7\x0a\1k"), BYTES("\x0a\3xyz\x12\0\x12\2\x18\7"),
        BYTES("\x0a\x41" KEY_65),      BYTES("\x0a\0\x12\2\x18\7"),         BYTES("\x0a\2kk\x12\2\x18\7"),
    };
    static const char *const fields[] = { "\x32", "\xb2\x00" };
    struct action items[] = { { .kind = WEIR_ACTION_UPSERT, .has_value = true, .value = weir_value_int(1) },
                              { .kind = WEIR_ACTION_DELETE, .key = WEIR_STR("x") } };
    static const struct weir_str keys[] = { BYTES("k"), BYTES(KEY_65), BYTES("kk") };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(forms) * 2 * WEIR_ARRAY_LENGTH(keys); i++) {
        const struct weir_str *form = &forms[i / 2 % WEIR_ARRAY_LENGTH(forms)];
        struct weir_text text = { NULL, 0, 0 };
        items[0].key = keys[i / 2 / WEIR_ARRAY_LENGTH(forms)];
        for (unsigned times = 0; times < 2; times++) {
            weir_text_add(&text, fields[i % 2], 1 + i % 2);
            weir_text_addc(&text, (char)form->length);
            weir_text_add(&text, form->data, form->length);
            weir_text_add(&text, "\x09\1\2\3\4\5\6\7\x08\x10\2\x45\1\2\3\4\x38\x81\1", 19);
        }
        wrap(&text, '\x12');
        wrap(&text, '\x12');
        wrap(&text, '\x0a');
        struct weir_actions actions = { .items = items, .count = 2 }, unplanned = actions;
        struct weir_batch *as_bytes = batch_of(WEIR_LOGS, text.data, text.length);
        struct weir_batch *as_structs = batch_of(WEIR_LOGS, text.data, text.length);
        struct weir_batch *as_a_whole = batch_of(WEIR_LOGS, text.data, text.length);
        ck_assert(action_plan(&actions));
        apply(&actions, as_bytes);
        apply(&unplanned, as_structs);
        ck_assert(weir_actions_apply_all(&actions, as_a_whole));
        batch_same(as_bytes, as_structs);
        batch_same(as_a_whole, as_structs);
        weir_batch_unref(as_a_whole);
        weir_batch_unref(as_bytes);
        weir_batch_unref(as_structs);
        weir_text_free(&text);
        free(actions.rules);
        weir_arena_free(&actions.arena);
    }
}
END_TEST

START_TEST(what_depends_on_values_has_no_rules)
{
    struct action copy = { .kind = WEIR_ACTION_INSERT, .key = WEIR_STR("a"), .from_attribute = WEIR_STR("b") };
    struct action hashed = { .kind = WEIR_ACTION_HASH, .key = WEIR_STR("a") };
    struct action *all[] = { &copy, &hashed };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(all); i++) {
        struct weir_actions actions = { .items = all[i], .count = 1 };
        ck_assert(action_plan(&actions));
        ck_assert_ptr_null(actions.rules);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan");
    TCase *tests = tcase_create("plan");
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    tcase_add_loop_test(tests, bytes_and_structs_come_to_the_same, 0, 2);
    tcase_add_loop_test(tests, bytes_and_structs_of_resources_come_to_the_same, WEIR_TRACES, WEIR_LOGS + 1);
    tcase_add_test(tests, actions_on_one_key_come_to_one_rule);
    tcase_add_test(tests, of_several_with_one_key_the_first_is_put_and_all_are_deleted);
    tcase_add_test(tests, attributes_written_unusually);
    tcase_add_test(tests, what_depends_on_values_has_no_rules);
    return run_suite(suite);
}
