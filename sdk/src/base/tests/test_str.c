// SPDX-License-Identifier: Apache-2.0
/*
 * Views of bytes, numbers, UTF-8.
 */
#include <config.h>

#include <float.h>
#include <stdlib.h>

#include <weir/str.h>

#include "sdk/src/base/encoding.h"
#include "tests/unit/suite.h"

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

START_TEST(names_of_signals)
{
    ck_assert_str_eq(weir_signal_name(WEIR_TRACES), "traces");
    ck_assert_str_eq(weir_signal_name(WEIR_PROFILES), "profiles");
    ck_assert_str_eq(weir_signal_items(WEIR_METRICS), "metric_points");
    ck_assert_str_eq(weir_signal_items(WEIR_LOGS), "log_records");
}
END_TEST

START_TEST(checked_arithmetic)
{
    size_t out = 7;
    ck_assert(weir_size_add(1, 2, &out));
    ck_assert_uint_eq(out, 3);
    ck_assert(!weir_size_add(SIZE_MAX, 1, &out));
    ck_assert(!weir_size_mul(SIZE_MAX / 2 + 1, 2, &out));
    ck_assert_uint_eq(out, 3);
}
END_TEST

START_TEST(compare_orders_bytes_then_length)
{
    ck_assert_int_eq(sign(weir_str_compare(WEIR_STR("a"), WEIR_STR("b"))), -1);
    ck_assert_int_eq(sign(weir_str_compare(WEIR_STR("ab"), WEIR_STR("a"))), 1);
    ck_assert_int_eq(sign(weir_str_compare(WEIR_STR("\xff"), WEIR_STR("a"))), 1);
    ck_assert_int_eq(weir_str_compare(WEIR_STR_NONE, WEIR_STR("")), 0);
    ck_assert_int_eq(sign(weir_str_compare(WEIR_STR_NONE, WEIR_STR("a"))), -1);
}
END_TEST

START_TEST(equal_nocase_folds_ascii_only)
{
    ck_assert(weir_str_equal_nocase(WEIR_STR("Content-Type"), WEIR_STR("content-tYPE")));
    ck_assert(!weir_str_equal_nocase(WEIR_STR("a["), WEIR_STR("a{")));
    ck_assert(!weir_str_equal_nocase(WEIR_STR("ab"), WEIR_STR("a")));
    ck_assert(!weir_str_equal_nocase(WEIR_STR("\xc3\x84"), WEIR_STR("\xc3\xa4")));
}
END_TEST

START_TEST(trim_takes_white_space_at_both_ends)
{
    ck_assert(weir_str_is(weir_str_trim(WEIR_STR(" \t\r\n a b \v\f")), "a b"));
    ck_assert_uint_eq(weir_str_trim(WEIR_STR(" \n ")).length, 0);
    ck_assert_uint_eq(weir_str_trim(WEIR_STR_NONE).length, 0);
}
END_TEST

START_TEST(dup_keeps_nul_bytes)
{
    char *copy = weir_str_dup(weir_str_make("a\0b", 3));
    ck_assert_mem_eq(copy, "a\0b\0", 4);
    free(copy);
    copy = weir_str_dup(WEIR_STR_NONE);
    ck_assert_str_eq(copy, "");
    free(copy);
}
END_TEST

START_TEST(unsigned_numbers)
{
    uint64_t value = 42;
    ck_assert(weir_str_to_u64(WEIR_STR("0"), &value));
    ck_assert_uint_eq(value, 0);
    ck_assert(weir_str_to_u64(WEIR_STR("18446744073709551615"), &value));
    ck_assert_uint_eq(value, UINT64_MAX);
    static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x1", "1.0", "1e3",
                                       "18446744073709551616", "99999999999999999999" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(bad); i++)
        ck_assert_msg(!weir_str_to_u64(weir_str_of(bad[i]), &value), "'%s' was taken", bad[i]);
    ck_assert_uint_eq(value, UINT64_MAX);
}
END_TEST

/* Numbers of every length, and any other character in any place of them. */
START_TEST(digits_in_every_place)
{
    static const char digits[] = "1234567890987654321";
    for (size_t length = 1; length < sizeof(digits); length++) {
        uint64_t value = 0, expected = 0;
        char text[sizeof(digits)];
        memcpy(text, digits, sizeof(digits));
        for (size_t i = 0; i < length; i++)
            expected = expected * 10 + (uint64_t)(digits[i] - '0');
        ck_assert(weir_str_to_u64(weir_str_make(text, length), &value));
        ck_assert_uint_eq(value, expected);
        for (size_t place = 0; place < length; place++) {
            for (int c = 0; c < 256; c++) {
                text[place] = (char)c;
                ck_assert_msg(weir_str_to_u64(weir_str_make(text, length), &value) == (c >= '0' && c <= '9'),
                              "character %d at %zu of %zu", c, place, length);
            }
            text[place] = digits[place];
        }
    }
}
END_TEST

START_TEST(hexadecimal_digits_in_every_place)
{
    for (size_t length = 2; length <= 36; length += 2) {
        char text[36];
        uint8_t bytes[18], expected[18];
        for (size_t i = 0; i < length; i++)
            text[i] = "09afAF5c"[i * 3 % 8];
        for (size_t i = 0; i < length; i += 2)
            expected[i / 2] = (uint8_t)(hex_value(text[i]) << 4 | hex_value(text[i + 1]));
        ck_assert(hex_decode(weir_str_make(text, length), bytes));
        ck_assert_mem_eq(bytes, expected, length / 2);
        for (size_t place = 0; place < length; place++) {
            char before = text[place];
            for (int c = 0; c < 256; c++) {
                text[place] = (char)c;
                ck_assert_msg(hex_decode(weir_str_make(text, length), bytes) == (strchr("0123456789abcdefABCDEF", c) && c),
                              "character %d at %zu of %zu", c, place, length);
            }
            text[place] = before;
        }
        ck_assert(!hex_decode(weir_str_make(text, length - 1), bytes));
    }
}
END_TEST

START_TEST(signed_numbers)
{
    int64_t value = 42;
    ck_assert(weir_str_to_i64(WEIR_STR("-9223372036854775808"), &value));
    ck_assert(value == INT64_MIN);
    ck_assert(weir_str_to_i64(WEIR_STR("9223372036854775807"), &value));
    ck_assert(value == INT64_MAX);
    ck_assert(weir_str_to_i64(WEIR_STR("+5"), &value));
    ck_assert(value == 5);
    static const char *const bad[] = { "", "-", "+", "--1", "+-1", "9223372036854775808",
                                       "-9223372036854775809", "1a" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(bad); i++)
        ck_assert_msg(!weir_str_to_i64(weir_str_of(bad[i]), &value), "'%s' was taken", bad[i]);
    ck_assert(value == 5);
}
END_TEST

START_TEST(floating_numbers)
{
    double value = 0;
    static const struct {
        const char *text;
        double value;
    } good[] = {
        { "0", 0 },      { "-1.5", -1.5 }, { ".25", .25 },    { "1.", 1 },
        { "1e3", 1000 }, { "+2E-2", .02 }, { "5e-324", 5e-324 },
        { "1e-999", 0 }, { "1.7976931348623157e308", DBL_MAX },
        { "0.1000000000000000055511151231257827021181583404541015625000000000000000000", .1 },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(good); i++) {
        ck_assert_msg(weir_str_to_double(weir_str_of(good[i].text), &value), "%s", good[i].text);
        ck_assert_msg(value == good[i].value, "%s gave %.17g", good[i].text, value);
    }
    value = 3;
    static const char *const bad[] = { "", ".", "-", "1e", "1e+", "inf", "nan", "0x1p3", "1,5",
                                       " 1", "1 ", "1e999", "-1e999", "1.2.3" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(bad); i++)
        ck_assert_msg(!weir_str_to_double(weir_str_of(bad[i]), &value), "'%s' was taken", bad[i]);
    ck_assert(value == 3);
}
END_TEST

START_TEST(a_view_ends_where_it_says)
{
    uint64_t number;
    double floating;
    ck_assert(weir_str_to_u64(weir_str_make("123", 2), &number));
    ck_assert_uint_eq(number, 12);
    ck_assert(weir_str_to_double(weir_str_make("1.59", 3), &floating));
    ck_assert(floating == 1.5);
}
END_TEST

START_TEST(well_formed_utf8)
{
    static const char *const good[] = {
        "", "plain", "12345678", "123456789\xc3\xa4", "\x7f", "\xc2\x80", "\xdf\xbf",
        "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(good); i++)
        ck_assert_msg(weir_utf8_valid(good[i], strlen(good[i])), "row %zu", i);
    ck_assert(weir_utf8_valid("\0", 1));
}
END_TEST

START_TEST(ill_formed_utf8)
{
    static const char *const bad[] = {
        "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x80\x80", "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x82", "\xe2(\xa1", "\xe2\x82(", "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xf0\x9f\x98",
        "12345678\x80", "1234567\xc3", "abcdefghijkl\xed\xa0\x80", "\xf0\x90\x80(",
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(bad); i++)
        ck_assert_msg(!weir_utf8_valid(bad[i], strlen(bad[i])), "row %zu", i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("str");
    TCase *tests = tcase_create("str");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, names_of_signals);
    tcase_add_test(tests, checked_arithmetic);
    tcase_add_test(tests, compare_orders_bytes_then_length);
    tcase_add_test(tests, equal_nocase_folds_ascii_only);
    tcase_add_test(tests, trim_takes_white_space_at_both_ends);
    tcase_add_test(tests, dup_keeps_nul_bytes);
    tcase_add_test(tests, unsigned_numbers);
    tcase_add_test(tests, digits_in_every_place);
    tcase_add_test(tests, hexadecimal_digits_in_every_place);
    tcase_add_test(tests, signed_numbers);
    tcase_add_test(tests, floating_numbers);
    tcase_add_test(tests, a_view_ends_where_it_says);
    tcase_add_test(tests, well_formed_utf8);
    tcase_add_test(tests, ill_formed_utf8);
    return run_suite(suite);
}
