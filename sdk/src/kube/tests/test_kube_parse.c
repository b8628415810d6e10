// SPDX-License-Identifier: Apache-2.0
/* Lists, events and errors of the Kubernetes API, as it writes them and as it must not. */
#include <config.h>

#include "sdk/src/kube/kube.h"
#include "tests/unit/suite.h"

static struct weir_arena arena;
static struct weir_error error;
static struct weir_text told;

static void setup(void)
{
    weir_text_clear(&told);
    weir_text_adds(&told, "");
}

static void teardown(void)
{
    weir_arena_free(&arena);
    weir_error_free(&error);
    weir_text_free(&told);
}

static void tell(void *user, const struct weir_kube_object *object)
{
    (void)user;
    weir_text_addf(&told, "%.*s/%.*s %.*s;", WEIR_STR_ARG(object->name_space), WEIR_STR_ARG(object->name),
                   WEIR_STR_ARG(object->json));
}

static int read_page(const char *json, struct kube_page *page)
{
    return kube_read_page(weir_str_of(json), &arena, page, tell, NULL, &error);
}

START_TEST(a_list)
{
    struct kube_page page;
    ck_assert_int_eq(read_page("{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"17\","
                               "\"continue\":\"abc\",\"remainingItemCount\":3},\"items\":[{\"metadata\":{\"name\":\"a\","
                               "\"namespace\":\"x\",\"resourceVersion\":\"5\"},\"spec\":null}, {\"metadata\":{\"name\":\"b\"}}]}",
                               &page), 0);
    ck_assert(weir_str_is(page.version, "17"));
    ck_assert(weir_str_is(page.more, "abc"));
    ck_assert_str_eq(told.data, "x/a {\"metadata\":{\"name\":\"a\",\"namespace\":\"x\",\"resourceVersion\":\"5\"},"
                                "\"spec\":null};/b {\"metadata\":{\"name\":\"b\"}};");
}
END_TEST

START_TEST(a_list_of_nothing)
{
    struct kube_page page;
    ck_assert_int_eq(read_page("{\"metadata\":{\"resourceVersion\":\"17\",\"continue\":\"\"},\"items\":null}", &page), 0);
    ck_assert_uint_eq(page.more.length, 0);
    ck_assert_uint_eq(told.length, 0);
}
END_TEST

/* Nothing is told of a list that is not good to its end. */
START_TEST(bad_lists)
{
    static const char *const cases[][2] = {
        { "", "bad list: " },
        { "[]", "bad list: expected" },
        { "{\"items\":[{\"metadata\":{\"name\":\"a\"}}]}", "bad list: the list has no resourceVersion" },
        { "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":{\"name\":\"a\"}},{}]}",
          "bad list: an object without a name" },
        { "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":{\"name\":\"a\"}},5]}", "bad list: " },
        { "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":{\"name\":\"a\"}}]", "bad list: " },
        { "{\"metadata\":{\"resourceVersion\":1},\"items\":[]}", "bad list: " },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        struct kube_page page = { .version = WEIR_STR("untouched") };
        ck_assert_int_eq(read_page(cases[i][0], &page), -1);
        ck_assert_msg(strncmp(weir_error_text(&error), cases[i][1], strlen(cases[i][1])) == 0, "%zu: %s", i,
                      weir_error_text(&error));
        ck_assert_uint_eq(told.length, 0);
        ck_assert(weir_str_is(page.version, "untouched"));
    }
}
END_TEST

START_TEST(events)
{
    static const struct {
        const char *json;
        enum kube_change change;
        const char *name, *version;
    } cases[] = {
        { "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"7\"}}}", KUBE_PUT, "a", "7" },
        { "{\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"8\"}},\"type\":\"MODIFIED\"}\r", KUBE_PUT, "a", "8" },
        { "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"9\"}}}", KUBE_GONE, "a", "9" },
        { "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"10\","
          "\"creationTimestamp\":null}}}", KUBE_BOOKMARK, "", "10" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        struct kube_event event;
        ck_assert_msg(kube_read_event(weir_str_of(cases[i].json), &arena, &event, &error) == 0, "%s", weir_error_text(&error));
        ck_assert_int_eq(event.change, cases[i].change);
        ck_assert(weir_str_is(event.object.name, cases[i].name));
        ck_assert(weir_str_is(event.version, cases[i].version));
    }
}
END_TEST

START_TEST(an_error_as_an_event)
{
    struct kube_event event;
    ck_assert_int_eq(kube_read_event(WEIR_STR("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\","
                                              "\"metadata\":{},\"status\":\"Failure\",\"message\":\"too old resource version: 1\","
                                              "\"reason\":\"Expired\",\"code\":410}}"), &arena, &event, &error), 0);
    ck_assert_int_eq(event.change, KUBE_ERROR);
    ck_assert_int_eq(event.code, 410);
    ck_assert(weir_str_is(event.message, "too old resource version: 1"));
}
END_TEST

START_TEST(bad_events)
{
    static const char *const cases[][2] = {
        { "{}", "bad event: the type \"\" is unknown" },
        { "{\"type\":\"MOVED\",\"object\":{}}", "bad event: the type \"MOVED\" is unknown" },
        { "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}", "bad event: the object has no resourceVersion" },
        { "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"1\"}}}", "bad event: the object has no name" },
        { "{\"type\":\"ADDED\",\"object\":7}", "bad event: " },
        { "{\"type\":\"ADDED\"", "bad event: " },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        struct kube_event event;
        ck_assert_int_eq(kube_read_event(weir_str_of(cases[i][0]), &arena, &event, &error), -1);
        ck_assert_msg(strncmp(weir_error_text(&error), cases[i][1], strlen(cases[i][1])) == 0, "%zu: %s", i,
                      weir_error_text(&error));
    }
}
END_TEST

START_TEST(the_message_of_a_refusal)
{
    ck_assert(weir_str_is(kube_read_message(WEIR_STR("{\"kind\":\"Status\",\"message\":\"pods is forbidden\",\"code\":403}"),
                                            &arena), "pods is forbidden"));
    ck_assert_uint_eq(kube_read_message(WEIR_STR("<html>"), &arena).length, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kube parse");
    TCase *tests = tcase_create("answers");
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_list);
    tcase_add_test(tests, a_list_of_nothing);
    tcase_add_test(tests, bad_lists);
    tcase_add_test(tests, events);
    tcase_add_test(tests, an_error_as_an_event);
    tcase_add_test(tests, bad_events);
    tcase_add_test(tests, the_message_of_a_refusal);
    return run_suite(suite);
}
