// SPDX-License-Identifier: Apache-2.0
/* What is read of EndpointSlices. */
#include <config.h>

#include "plugins/exporters/load_balancing/slices.h"
#include "tests/unit/suite.h"

static struct slices slices;
static struct weir_error error;

static void setup(void)
{
    slices.first = NULL;
}

static void teardown(void)
{
    slices_free(&slices);
    weir_error_free(&error);
}

static int put(const char *name, const char *json, bool hostnames)
{
    return slices_put(&slices, weir_str_of(name), weir_str_of(json), hostnames, &error);
}

/* All hosts, as "slice:host slice:host", the newest slice first. */
static void expect(const char *expected)
{
    struct weir_text text = { .data = NULL };
    for (struct slice *slice = slices.first; slice; slice = slice->next)
        for (size_t i = 0; i < slice->count; i++)
            weir_text_addf(&text, "%s%s:%s", text.length ? " " : "", slice->name, slice->hosts[i]);
    ck_assert_str_eq(weir_text_string(&text), expected);
    weir_text_free(&text);
}

#define SLICE(endpoints) "{\"kind\":\"EndpointSlice\",\"addressType\":\"IPv4\",\"endpoints\":" endpoints ",\"ports\":null}"

START_TEST(endpoints)
{
    static const struct {
        const char *json;
        bool hostnames;
        const char *expected;
    } cases[] = {
        { SLICE("[]"), false, "" },
        { SLICE("null"), false, "" },
        { "{}", false, "" },
        { SLICE("[{\"addresses\":[\"10.0.0.1\"]},{\"addresses\":[\"10.0.0.2\"]}]"), false, "a:10.0.0.2 a:10.0.0.1" },
        { SLICE("[{\"addresses\":[\"fd00::1\",\"fd00::2\"]}]"), false, "a:fd00::1 a:fd00::2" },
        { SLICE("[{\"addresses\":null,\"targetRef\":{\"kind\":\"Pod\"}}]"), false, "" },
        { SLICE("[{\"addresses\":[\"1.1.1.1\"],\"conditions\":{\"ready\":true,\"serving\":false}}]"), false, "a:1.1.1.1" },
        { SLICE("[{\"conditions\":{\"ready\":false,\"terminating\":true},\"addresses\":[\"1.1.1.1\"]}]"), false, "" },
        { SLICE("[{\"addresses\":[\"1.1.1.1\"],\"conditions\":{\"ready\":false}}]"), false, "" },
        { SLICE("[{\"addresses\":[\"1.1.1.1\"],\"conditions\":{\"ready\":null}}]"), false, "a:1.1.1.1" },
        { SLICE("[{\"addresses\":[\"1.1.1.1\"],\"conditions\":null}]"), false, "a:1.1.1.1" },
        { SLICE("[{\"addresses\":[\"1.1.1.1\"],\"hostname\":\"pod-0\"}]"), true, "a:pod-0" },
        { SLICE("[{\"addresses\":[\"1.1.1.1\"],\"conditions\":{\"ready\":false}}]"), true, "" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        ck_assert_msg(put("a", cases[i].json, cases[i].hostnames) == 0, "%zu: %s", i, weir_error_text(&error));
        expect(cases[i].expected);
    }
}
END_TEST

/* What is no good changes nothing. */
START_TEST(bad_slices)
{
    static const char *const cases[][2] = {
        { "", "EndpointSlice a: " },
        { "[]", "EndpointSlice a: " },
        { SLICE("{}"), "EndpointSlice a: " },
        { SLICE("[1]"), "EndpointSlice a: " },
        { SLICE("[{\"addresses\":[5]}]"), "EndpointSlice a: " },
        { SLICE("[{\"addresses\":[\"2.2.2.2\"],\"conditions\":{\"ready\":\"no\"}}]"), "EndpointSlice a: " },
        { SLICE("[{\"addresses\":[\"2.2.2.2\"]}]") "x", "EndpointSlice a: " },
    };
    ck_assert_int_eq(put("a", SLICE("[{\"addresses\":[\"1.1.1.1\"]}]"), false), 0);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        ck_assert_int_eq(put("a", cases[i][0], false), -1);
        ck_assert_msg(strncmp(weir_error_text(&error), cases[i][1], strlen(cases[i][1])) == 0, "%s", weir_error_text(&error));
        expect("a:1.1.1.1");
    }
    ck_assert_int_eq(put("a", SLICE("[{\"addresses\":[\"1.1.1.1\"]}]"), true), -1);
    ck_assert_str_eq(weir_error_text(&error), "EndpointSlice a: an endpoint has no hostname");
    expect("a:1.1.1.1");
}
END_TEST

START_TEST(a_list_removes_what_it_does_not_name)
{
    ck_assert_int_eq(put("a", SLICE("[{\"addresses\":[\"1.1.1.1\"]}]"), false), 0);
    ck_assert_int_eq(put("b", SLICE("[{\"addresses\":[\"2.2.2.2\"]}]"), false), 0);
    ck_assert_int_eq(put("c", SLICE("[{\"addresses\":[\"3.3.3.3\"]}]"), false), 0);
    slices_remove(&slices, WEIR_STR("b"));
    slices_remove(&slices, WEIR_STR("unknown"));
    expect("c:3.3.3.3 a:1.1.1.1");
    slices_begin(&slices);
    ck_assert_int_eq(put("c", "bad", false), -1); /* it is there, whatever it is */
    ck_assert_int_eq(put("d", SLICE("[{\"addresses\":[\"4.4.4.4\"]}]"), false), 0);
    expect("d:4.4.4.4 c:3.3.3.3 a:1.1.1.1");
    slices_end(&slices);
    expect("d:4.4.4.4 c:3.3.3.3");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("load_balancing slices");
    TCase *tests = tcase_create("slices");
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, endpoints);
    tcase_add_test(tests, bad_slices);
    tcase_add_test(tests, a_list_removes_what_it_does_not_name);
    return run_suite(suite);
}
