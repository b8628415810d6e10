// SPDX-License-Identifier: Apache-2.0
/* The resource processor: what resources look like behind it. */
#include <config.h>

#include <weir/harness.h>

#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

static const struct weir_component *component;

static const struct weir_resource *sent_resource(struct weir_harness *harness)
{
    ck_assert_uint_eq(weir_harness_sent_count(harness), 1);
    return weir_group_resource(weir_batch_first_group(weir_harness_sent(harness, 0)));
}

static void expect(const struct weir_resource *resource, const char *key, const char *value)
{
    const struct weir_value *found = weir_attributes_get(&resource->attributes, weir_str_of(key));
    struct weir_text text = { 0 };
    if (found)
        weir_value_print(found, &text);
    ck_assert_str_eq(found ? weir_text_string(&text) : "(none)", value);
    weir_text_free(&text);
}

START_TEST(changes_every_signal)
{
    enum weir_signal signal = (enum weir_signal)_i;
    struct weir_harness *harness =
        make_harness(component,
                     "{\"attributes\": [{\"key\": \"a\", \"value\": 7, \"action\": \"insert\"},"
                     "{\"key\": \"service.name\", \"value\": \"other\", \"action\": \"insert\"},"
                     "{\"key\": \"b\", \"from_attribute\": \"service.name\", \"action\": \"UPSERT\"}]}",
                     signal);
    weir_harness_consume(harness, weir_harness_batch(signal, 0, 3));
    const struct weir_resource *resource = sent_resource(harness);
    ck_assert_uint_eq(resource->attributes.count, 3);
    expect(resource, "a", "7");
    expect(resource, "service.name", "test");
    expect(resource, "b", "test");
    ck_assert_uint_eq(weir_batch_items(weir_harness_sent(harness, 0)), 3);
    weir_harness_free(harness);
}
END_TEST

/* Nothing that an action could change: the bytes are those that came. */
START_TEST(passes_untouched_resources_on)
{
    struct weir_harness *harness = make_harness(
        component, "{\"attributes\": [{\"key\": \"service.name\", \"value\": 1, \"action\": \"insert\"},"
                   "{\"key\": \"gone\", \"action\": \"delete\"}, {\"key\": \"x\", \"value\": 1, \"action\": \"update\"}]}",
        WEIR_TRACES);
    struct weir_batch *batch = weir_harness_batch(WEIR_TRACES, 0, 5);
    size_t bytes = weir_batch_bytes(batch);
    weir_harness_consume(harness, batch);
    ck_assert_uint_eq(weir_batch_bytes(weir_harness_sent(harness, 0)), bytes);
    ck_assert_uint_eq(sent_resource(harness)->attributes.count, 1);
    weir_harness_free(harness);
}
END_TEST

START_TEST(refuses_wrong_options)
{
    static const struct bad_options cases[] = {
        { "{}", "missing required field \"attributes\"" },
        { "{\"attributes\": [{\"key\": \"a\", \"action\": \"insert\"}]}",
          "Either field \"value\", \"from_attribute\" or \"from_context\" setting must be specified" },
        { "{\"attributes\": [{\"key\": \"a\", \"action\": \"inset\", \"value\": 1}]}", "insert" },
        { "{\"actions\": []}", "actions" },
    };
    assert_refused(component, WEIR_TRACES, cases, WEIR_ARRAY_LENGTH(cases));
}
END_TEST

int main(void)
{
    component = weir_harness_load(WEIR_PROCESSOR, "resource");
    Suite *suite = suite_create("resource processor");
    TCase *tests = tcase_create("resource");
    tcase_add_loop_test(tests, changes_every_signal, WEIR_TRACES, WEIR_LOGS + 1);
    tcase_add_test(tests, passes_untouched_resources_on);
    tcase_add_test(tests, refuses_wrong_options);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
