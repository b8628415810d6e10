// SPDX-License-Identifier: Apache-2.0
/* The exposition's text, byte for byte. */
#include <config.h>

#include <math.h>
#include <stdlib.h>

#include "core/service/exposition.h"
#include "tests/unit/suite.h"

static const double bounds[] = { 0.1, 10, 1048576 };
static const struct weir_instrument spans = { "spans", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{span}", "Spans.", NULL, 0 };
static const struct weir_instrument uptime = { "uptime", WEIR_COUNTER, WEIR_LEVEL_BASIC, "s", "Uptime.", NULL, 0 };
static const struct weir_instrument memory = { "heap_bytes", WEIR_GAUGE, WEIR_LEVEL_BASIC, "By", "Heap.", NULL, 0 };
static const struct weir_instrument errors = { "errors_total", WEIR_COUNTER, WEIR_LEVEL_BASIC, "", "Errors.", NULL, 0 };
static const struct weir_instrument size = { "size", WEIR_HISTOGRAM, WEIR_LEVEL_BASIC, "By", "Sizes.", bounds, 3 };

static struct exposition *start(bool suffixes, const char *constant)
{
    struct exposition_style style = { suffixes, constant };
    return exposition_new(&style);
}

static void expect(struct exposition *exposition, const char *expected)
{
    struct weir_text text = { 0 };
    exposition_print(exposition, &text);
    ck_assert_str_eq(weir_text_string(&text), expected);
    weir_text_free(&text);
    exposition_free(exposition);
}

START_TEST(sorted_and_summed)
{
    struct exposition *e = start(false, "");
    exposition_add(e, &uptime, "", 1.5);
    exposition_add(e, &spans, "receiver=\"a\"", 2);
    exposition_add(e, &spans, "receiver=\"b\"", 0);
    exposition_add(e, &spans, "receiver=\"a\"", 3);
    expect(e, "# HELP spans Spans.\n# TYPE spans counter\nspans{receiver=\"a\"} 5\nspans{receiver=\"b\"} 0\n"
              "# HELP uptime Uptime.\n# TYPE uptime counter\nuptime 1.5\n");
}
END_TEST

START_TEST(suffixes)
{
    struct exposition *e = start(true, "team=\"x\"");
    exposition_add(e, &spans, "a=\"b\"", 1);
    exposition_add(e, &uptime, "", 2);
    exposition_add(e, &memory, "", 3);
    exposition_add(e, &errors, "", 4);
    expect(e, "# HELP errors_total Errors.\n# TYPE errors_total counter\nerrors_total{team=\"x\"} 4\n"
              "# HELP heap_bytes Heap.\n# TYPE heap_bytes gauge\nheap_bytes{team=\"x\"} 3\n"
              "# HELP spans_total Spans.\n# TYPE spans_total counter\nspans_total{a=\"b\",team=\"x\"} 1\n"
              "# HELP uptime_seconds_total Uptime.\n# TYPE uptime_seconds_total counter\n"
              "uptime_seconds_total{team=\"x\"} 2\n");
}
END_TEST

START_TEST(histogram)
{
    struct exposition *e = start(false, "");
    exposition_observe(e, &size, "p=\"b\"", (const uint64_t[]){ 1, 0, 2, 1 }, 4, 5000000);
    exposition_observe(e, &size, "p=\"b\"", (const uint64_t[]){ 0, 1, 0, 0 }, 1, 9.5);
    expect(e, "# HELP size Sizes.\n# TYPE size histogram\n"
              "size_bucket{p=\"b\",le=\"0.1\"} 1\nsize_bucket{p=\"b\",le=\"10\"} 2\n"
              "size_bucket{p=\"b\",le=\"1.048576e+06\"} 4\nsize_bucket{p=\"b\",le=\"+Inf\"} 5\n"
              "size_sum{p=\"b\"} 5.0000095e+06\nsize_count{p=\"b\"} 5\n");
}
END_TEST

START_TEST(numbers)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        { 0, "0" },         { -1, "-1" },       { 0.25, "0.25" },           { 1.0 / 3, "0.3333333333333333" },
        { 100000, "100000" }, { 123456, "123456" }, { 1000000, "1e+06" },   { 1234567, "1.234567e+06" },
        { 0.0001, "0.0001" }, { 0.00001, "1e-05" }, { INFINITY, "+Inf" },   { -INFINITY, "-Inf" },
        { NAN, "NaN" },     { 9007199254740992, "9.007199254740992e+15" },
    };
    struct exposition *e = start(false, "");
    char *expected = weir_xasprintf("# HELP uptime Uptime.\n# TYPE uptime counter\nuptime %s\n", cases[_i].text);
    exposition_add(e, &uptime, "", cases[_i].value);
    expect(e, expected);
    free(expected);
}
END_TEST

START_TEST(labels)
{
    struct weir_text text = { 0 };
    exposition_label(&text, "service.name", "a \"b\" \\ c\nd");
    exposition_label(&text, "9lives", "");
    exposition_label(&text, "gr\xc3\xb6\xc3\x9f" "e:{x}", "\xc3\xb6");
    ck_assert_str_eq(weir_text_string(&text),
                     "service_name=\"a \\\"b\\\" \\\\ c\\nd\",_9lives=\"\",gr__e__x_=\"\xc3\xb6\"");
    weir_text_free(&text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exposition");
    TCase *exact = tcase_create("text");
    tcase_add_test(exact, sorted_and_summed);
    tcase_add_test(exact, suffixes);
    tcase_add_test(exact, histogram);
    tcase_add_loop_test(exact, numbers, 0, 14);
    tcase_add_test(exact, labels);
    suite_add_tcase(suite, exact);
    return run_suite(suite);
}
