// SPDX-License-Identifier: Apache-2.0
/*
 * Durations in Go's syntax: what is read, what is refused, how they print.
 */
#include <config.h>

#include <weir/option.h>

#include "tests/unit/suite.h"

#define SECOND INT64_C(1000000000)

static const struct {
    const char *text;
    int64_t ns;
} good[] = {
    { "0", 0 },
    { "-0", 0 },
    { "5s", 5 * SECOND },
    { "-5s", -5 * SECOND },
    { "+5s", 5 * SECOND },
    { "5.6s", 5600000000 },
    { "5.s", 5 * SECOND },
    { ".5s", 500000000 },
    { "100.00100s", 100001000000 },
    { "10ns", 10 },
    { "11us", 11000 },
    { "12\xc2\xb5s", 12000 },
    { "12\xce\xbcs", 12000 },
    { "13ms", 13000000 },
    { "16h", 16 * 3600 * SECOND },
    { "1h15m30.5s", 4530500000000 },
    { "10.5s4m", 250500000000 },
    { "-2m3.4s", -123400000000 },
    { "0.3333333333333333333h", 1200 * SECOND },
    { "9223372036854775807ns", INT64_MAX },
    { "-9223372036854775808ns", INT64_MIN },
    { "9223372036s854ms775us807ns", INT64_MAX },
};

START_TEST(reads)
{
    struct weir_duration out = { 77 };
    ck_assert_msg(weir_duration_parse(weir_str_of(good[_i].text), &out), "%s", good[_i].text);
    ck_assert_int_eq(out.ns, good[_i].ns);
}
END_TEST

static const char *const bad[] = {
    "",
    "3",
    "-",
    "s",
    ".",
    "-.",
    ".s",
    "+.s",
    "1d",
    "5 s",
    " 5s",
    "5s ",
    "1x",
    "5S",
    "1e3s",
    "0x10s",
    "--5s",
    "5s-3s",
    "1.2.3s",
    "3000000h",
    "5sm",
    "5s3",
    "9223372036854775808ns",
    "-9223372036854775809ns",
    "9223372036854775807ns1ns",
    "9223372036854775808ns9223372036854775808ns",
};

START_TEST(refuses)
{
    struct weir_duration out = { 77 };
    ck_assert_msg(!weir_duration_parse(weir_str_of(bad[_i]), &out), "%s", bad[_i]);
    ck_assert_int_eq(out.ns, 77);
}
END_TEST

static const struct {
    int64_t ns;
    const char *text;
} printed[] = {
    { 0, "0s" },
    { 1, "1ns" },
    { 1100, "1.1\xc2\xb5s" },
    { 2200000, "2.2ms" },
    { 200000000, "200ms" },
    { 3300000000, "3.3s" },
    { 90 * SECOND, "1m30s" },
    { 18367001000000, "5h6m7.001s" },
    { 480000000001, "8m0.000000001s" },
    { 3600 * SECOND, "1h0m0s" },
    { -1500000000, "-1.5s" },
    { INT64_MAX, "2562047h47m16.854775807s" },
    { INT64_MIN, "-2562047h47m16.854775808s" },
};

START_TEST(prints)
{
    struct weir_text text = { 0 };
    weir_duration_print((struct weir_duration){ printed[_i].ns }, &text);
    ck_assert_str_eq(weir_text_string(&text), printed[_i].text);
    weir_text_free(&text);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("duration");
    tcase_add_loop_test(tests, reads, 0, WEIR_ARRAY_LENGTH(good));
    tcase_add_loop_test(tests, refuses, 0, WEIR_ARRAY_LENGTH(bad));
    tcase_add_loop_test(tests, prints, 0, WEIR_ARRAY_LENGTH(printed));
    Suite *suite = suite_create("duration");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
