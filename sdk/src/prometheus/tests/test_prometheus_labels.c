// SPDX-License-Identifier: Apache-2.0
/* Label sets of points, scopes and resources (contrib-receivers-exporters 4.3 and 5.4). */
#include <config.h>

#include <stdio.h>

#include <weir/prometheus.h>

#include "tests/unit/suite.h"

#define SCRAPED WEIR_PROMETHEUS_LABEL_SCRAPED
#define WRITTEN WEIR_PROMETHEUS_LABEL_WRITTEN

static struct weir_arena arena;
static struct weir_prometheus_labels labels;

static void setup(void)
{
    labels = (struct weir_prometheus_labels){ .arena = &arena };
}

static void teardown(void)
{
    weir_arena_free(&arena);
}

/* "a=1,b=2" as attributes; a value behind "#" is a number. */
static struct weir_attributes attributes(const char *list)
{
    struct weir_attributes out = { 0 };
    struct weir_str rest = weir_str_of(list);
    while (rest.length) {
        const char *comma = memchr(rest.data, ',', rest.length);
        struct weir_str pair = { rest.data, comma ? (size_t)(comma - rest.data) : rest.length };
        const char *equals = memchr(pair.data, '=', pair.length);
        struct weir_str key = { pair.data, (size_t)(equals - pair.data) };
        struct weir_str text = { equals + 1, pair.length - key.length - 1 };
        struct weir_value value = weir_value_string(text);
        int64_t number;
        if (text.length && text.data[0] == '#') {
            ck_assert(weir_str_to_i64(weir_str_make(text.data + 1, text.length - 1), &number));
            value = weir_value_int(number);
        }
        ck_assert(weir_attributes_set(&out, &arena, key, value));
        rest = weir_str_make(rest.data + pair.length + (comma != NULL), rest.length - pair.length - (comma != NULL));
    }
    return out;
}

static void expect(const char *expected, const char *expected_clash)
{
    struct weir_text text = { 0 };
    struct weir_str clash;
    ck_assert(weir_prometheus_labels_finish(&labels, &clash));
    for (size_t i = 0; i < labels.count; i++)
        weir_text_addf(&text, "%s%.*s=%.*s", i ? "," : "", WEIR_STR_ARG(labels.items[i].name),
                       WEIR_STR_ARG(labels.items[i].value));
    ck_assert_str_eq(weir_text_string(&text), expected);
    ck_assert_msg(weir_str_is(clash, expected_clash), "clash: %.*s", WEIR_STR_ARG(clash));
    weir_text_free(&text);
}

static const struct {
    enum weir_prometheus_label_rule rule;
    const char *attributes;
    const char *expected;
    const char *clash;
} of_attributes[] = {
    { WRITTEN, "", "", "" },
    { WRITTEN, "b=2,a=1", "a=1,b=2", "" },
    { WRITTEN, "http.method=GET,code=#200", "code=200,http_method=GET", "" },
    { WRITTEN, "a.b=1,a_b=2", "a_b=1;2", "a_b" },
    { WRITTEN, "a_b=2,a.b=1", "a_b=1;2", "a_b" }, /* in the order of the keys, not as they came */
    { WRITTEN, "a.b=1,a-b=2,a_b=3", "a_b=2;1;3", "a_b" },
    { WRITTEN, "a.b=same,a_b=same", "a_b=same", "a_b" },
    { WRITTEN, "a=,b=2", "b=2", "" },
    { WRITTEN, "..=1,b=2", "b=2", "" },
    { SCRAPED, "a=,b=2", "a=,b=2", "" },
    { SCRAPED, "a.b=1,a_b=2", "a_b=1;2", "a_b" },
    { SCRAPED, "a..b=1,a_b=2", "a__b=1,a_b=2", "" },
    { WEIR_PROMETHEUS_LABEL_UTF8, "a.b=1,a_b=2", "a.b=1,a_b=2", "" },
};

START_TEST(attributes_become_labels)
{
    struct weir_attributes list = attributes(of_attributes[_i].attributes);
    labels.sparse = of_attributes[_i].rule == WRITTEN;
    ck_assert(weir_prometheus_labels_add_attributes(&labels, of_attributes[_i].rule, WEIR_PROMETHEUS_ATTRIBUTE, &list,
                                                    NULL));
    expect(of_attributes[_i].expected, of_attributes[_i].clash);
}
END_TEST

static const struct {
    const char *resource;
    const char *expected;
} identities[] = {
    { "service.namespace=eu,service.name=shop,service.instance.id=i1", "instance=i1,job=eu/shop" },
    { "service.name=shop", "job=shop" },
    { "service.namespace=eu", "" },
    { "service.instance.id=i1", "instance=i1" },
    { "service.namespace=,service.name=shop", "job=shop" },
    { "service.name=shop,service.instance.id=#7,host.name=h", "instance=7,job=shop" },
    { "", "" },
};

START_TEST(resources_are_jobs_and_instances)
{
    struct weir_attributes resource = attributes(identities[_i].resource);
    ck_assert(weir_prometheus_labels_add_identity(&labels, &resource));
    expect(identities[_i].expected, "");
}
END_TEST

static const struct {
    enum weir_prometheus_label_rule rule;
    const char *name, *version, *attributes, *schema_url;
    const char *expected;
} scopes[] = {
    { SCRAPED, "lib", "1.0", "", "", "otel_scope_name=lib,otel_scope_schema_url=,otel_scope_version=1.0" },
    { SCRAPED, "", "", "", "u", "otel_scope_name=,otel_scope_schema_url=u,otel_scope_version=" },
    { SCRAPED, "lib", "", "x.y=1", "",
      "otel_scope_name=lib,otel_scope_schema_url=,otel_scope_version=,otel_scope_x_y=1" },
    { WRITTEN, "lib", "1.0", "", "u", "otel_scope_name=lib,otel_scope_version=1.0" },
    { WRITTEN, "", "", "", "u", "" },
    { WRITTEN, "lib", "", "name=n,version=v,schema_url=s,other=o", "", "otel_scope_name=lib,otel_scope_other=o" },
};

START_TEST(scopes_are_labels)
{
    struct weir_scope scope = { .name = weir_str_of(scopes[_i].name), .version = weir_str_of(scopes[_i].version) };
    scope.attributes = attributes(scopes[_i].attributes);
    labels.sparse = scopes[_i].rule == WRITTEN;
    ck_assert(weir_prometheus_labels_add_scope(&labels, scopes[_i].rule, &scope, weir_str_of(scopes[_i].schema_url)));
    expect(scopes[_i].expected, "");
}
END_TEST

START_TEST(the_higher_rank_wins)
{
    struct weir_attributes point = attributes("job=mine,le=x,cluster=c,a=1"), resource = attributes("service.name=shop");
    ck_assert(weir_prometheus_labels_add(&labels, WEIR_PROMETHEUS_OWN, WEIR_STR("le"), WEIR_STR("5")));
    ck_assert(weir_prometheus_labels_add_identity(&labels, &resource));
    ck_assert(weir_prometheus_labels_add_attributes(&labels, WRITTEN, WEIR_PROMETHEUS_ATTRIBUTE, &point, NULL));
    ck_assert(weir_prometheus_labels_add(&labels, WEIR_PROMETHEUS_EXTERNAL, WEIR_STR("cluster"), WEIR_STR("prod")));
    ck_assert(weir_prometheus_labels_add(&labels, WEIR_PROMETHEUS_EXTERNAL, WEIR_STR("zone"), WEIR_STR("z")));
    expect("a=1,cluster=c,job=shop,le=5,zone=z", "le");
}
END_TEST

/* resource_to_telemetry_conversion */
START_TEST(a_resources_value_stands_for_a_points)
{
    struct weir_attributes point = attributes("host.name=point,a=1"), resource = attributes("host.name=h1,os=l");
    ck_assert(weir_prometheus_labels_add_attributes(&labels, WRITTEN, WEIR_PROMETHEUS_ATTRIBUTE, &point, &resource));
    ck_assert(weir_prometheus_labels_add_attributes(&labels, WRITTEN, WEIR_PROMETHEUS_ATTRIBUTE, &resource, NULL));
    expect("a=1,host_name=h1,os=l", "");
}
END_TEST

START_TEST(there_may_be_many)
{
    struct weir_text expected = { 0 };
    char names[200][16];
    for (int i = 199; i >= 0; i--) {
        snprintf(names[i], sizeof(names[i]), "n%03d", i);
        ck_assert(weir_prometheus_labels_add(&labels, WEIR_PROMETHEUS_ATTRIBUTE, weir_str_of(names[i]), WEIR_STR("v")));
    }
    for (int i = 0; i < 200; i++)
        weir_text_addf(&expected, "%s%s=v", i ? "," : "", names[i]);
    expect(weir_text_string(&expected), "");
    weir_text_free(&expected);
}
END_TEST

START_TEST(three_keys_say_who)
{
    ck_assert(weir_prometheus_identifies(WEIR_STR("service.name")));
    ck_assert(weir_prometheus_identifies(WEIR_STR("service.namespace")));
    ck_assert(weir_prometheus_identifies(WEIR_STR("service.instance.id")));
    ck_assert(!weir_prometheus_identifies(WEIR_STR("service.version")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prometheus labels");
    TCase *tests = tcase_create("labels");
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, attributes_become_labels, 0, (int)WEIR_ARRAY_LENGTH(of_attributes));
    tcase_add_loop_test(tests, resources_are_jobs_and_instances, 0, (int)WEIR_ARRAY_LENGTH(identities));
    tcase_add_loop_test(tests, scopes_are_labels, 0, (int)WEIR_ARRAY_LENGTH(scopes));
    tcase_add_test(tests, the_higher_rank_wins);
    tcase_add_test(tests, a_resources_value_stands_for_a_points);
    tcase_add_test(tests, there_may_be_many);
    tcase_add_test(tests, three_keys_say_who);
    return run_suite(suite);
}
