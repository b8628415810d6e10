// SPDX-License-Identifier: Apache-2.0
/*
 * The JSON reader and writer.
 */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <weir/json.h>

#include "tests/unit/suite.h"

static struct weir_arena arena;
static struct weir_json json;

static void start(const char *text)
{
    weir_json_start(&json, text, strlen(text), &arena, WEIR_JSON_DEPTH);
}

static void setup(void)
{
    arena = (struct weir_arena){ 0 };
}

static void teardown(void)
{
    weir_arena_free(&arena);
}

/* True if the bytes are one good JSON value. The bytes are copied to their exact size, so that sanitizers see a step
 * too far. */
static bool accepts(const char *text, size_t length)
{
    char *copy = malloc(length ? length : 1);
    memcpy(copy, text, length);
    weir_json_start(&json, copy, length, &arena, WEIR_JSON_DEPTH);
    bool skipped = weir_json_skip(&json);
    bool good = weir_json_finish(&json);
    ck_assert(!good || skipped);
    free(copy);
    return good;
}

static const char *const good_texts[] = {
    "0", "-0", "1", "-1", "10", "0.0", "-0.5", "1e1", "1E+1", "1e-1", "0e0", "123456789012345678901234567890",
    "true", "false", "null", "\"\"", "\"a\"", "[]", "{}", "[1]", "[1,2]", "[[]]", "[{}]", "{\"a\":1}",
    "{\"a\":1,\"b\":[true,false,null]}", " \t\r\n[ 1 , 2 ] \n", "{ \"a\" : { } , \"a\" : 1 }", "{\"\":0}",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9\\uD83D\\uDE00\"", "\"\\ud800\"", "\"\x7f\"", "\"\xc3\xa9\"",
    "\"\xe2\x82\xac\xf0\x9f\x98\x80\"", "\"\xf4\x8f\xbf\xbf\"", "[1.5e300,-2]", "\"1234567\\\"\"", "\"12345678\"",
    "\"123456789abcdefgh\"",
};

static const char *const bad_texts[] = {
    "", " ", "\n", "nul", "tru", "True", "nulll", "truefalse", "NaN", "Infinity", "-", "+1", "01", "-01", "1.",
    ".5", "1.e1", "1e", "1e+", "0x1", "1 2", "1a", "1.5.5", "1e1e1", "--1", "'a'", "\"", "\"a", "\"\\\"", "\"\\",
    "\"\\x\"", "\"\\u\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u123", "\"\\U0041\"", "\"\n\"", "\"\t\"", "\"a\x01z\"",
    "\"\x1f\"", "\"123456\x1f\"", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "[\"a\":1]", "{", "}",
    "{\"a\"", "{\"a\":", "{\"a\":}", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{a:1}", "{1:1}", "{\"a\" 1}",
    "{\"a\",1}", "{\"a\":1]", "{\"a\":1 \"b\":2}", "[]]", "{}}", "[1]x", "// c\n1", "1 // c", "/**/1", ("\xef\xbb\xbf" "1"),
    "\"\x80\"", "\"\xc3\"", "\"\xc3(\"", "\"\xc0\x80\"", "\"\xc1\xbf\"", "\"\xe0\x80\xaf\"", "\"\xed\xa0\x80\"",
    "\"\xf0\x80\x80\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xf8\x88\x80\x80\x80\"", "\"\xff\"", "\"\xe2\x82\"",
    "\"abcdefg\xe2\x82\"", "[\"a\" \"b\"]", "{\"a\":1}{}", "\v1", "\f1", "[1,\x00a0 2]", "{\"\xff\":1}",
};

START_TEST(grammar_is_rfc_8259)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(good_texts); i++)
        ck_assert_msg(accepts(good_texts[i], strlen(good_texts[i])), "refused %s: %s", good_texts[i], json.problem);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(bad_texts); i++)
        ck_assert_msg(!accepts(bad_texts[i], strlen(bad_texts[i])), "accepted %s", bad_texts[i]);
    ck_assert(!accepts("\"\0\"", 3));
    ck_assert(!accepts("1\0", 2));
    ck_assert(!accepts("\0", 1));
}
END_TEST

/* Every cut of a good document is bad, and is refused without a read past its end. */
START_TEST(every_prefix_is_refused)
{
    static const char text[] = "{\"a\":[1.5e3,\"x\\u00e9\\n\xe2\x82\xac\",true,null],\"b\":{\"c\":-1}}";
    ck_assert(accepts(text, sizeof(text) - 1));
    for (size_t length = 0; length < sizeof(text) - 1; length++)
        ck_assert_msg(!accepts(text, length), "accepted %zu bytes", length);
}
END_TEST

START_TEST(walks_objects_and_arrays)
{
    struct weir_str key, text;
    int64_t number;
    struct weir_text seen = { 0 };
    start(" { \"a\" : [ 1 , 2,3 ] , \"b\" : { \"c\" : { } , \"d\" : \"x\" } , \"e\" : [ ] , \"f\":7 } ");
    ck_assert_int_eq(weir_json_type(&json), WEIR_JSON_OBJECT);
    ck_assert(weir_json_object(&json));
    while (weir_json_member(&json, &key)) {
        weir_text_add(&seen, key.data, key.length);
        if (weir_str_is(key, "a")) {
            int64_t sum = 0;
            ck_assert(weir_json_array(&json));
            while (weir_json_element(&json)) {
                ck_assert(weir_json_i64(&json, &number));
                sum = sum * 10 + number;
            }
            ck_assert_int_eq(sum, 123);
        } else if (weir_str_is(key, "b")) {
            ck_assert(weir_json_raw(&json, &text));
            ck_assert(weir_str_is(text, "{ \"c\" : { } , \"d\" : \"x\" }"));
        } else if (weir_str_is(key, "e")) {
            ck_assert(weir_json_array(&json));
            ck_assert(!weir_json_element(&json));
        } else {
            ck_assert(weir_json_i64(&json, &number));
            ck_assert_int_eq(number, 7);
        }
    }
    ck_assert(weir_json_finish(&json));
    ck_assert_str_eq(weir_text_string(&seen), "abef");
    weir_text_free(&seen);
}
END_TEST

START_TEST(tells_types)
{
    static const struct {
        const char *text;
        enum weir_json_type type;
    } rows[] = {
        { " null", WEIR_JSON_NULL }, { "true", WEIR_JSON_BOOL },  { "false", WEIR_JSON_BOOL }, { "-1", WEIR_JSON_NUMBER },
        { "7", WEIR_JSON_NUMBER },   { "\"\"", WEIR_JSON_STRING }, { "\n[", WEIR_JSON_ARRAY },  { "{", WEIR_JSON_OBJECT },
        { "", WEIR_JSON_BAD },       { "}", WEIR_JSON_BAD },      { "x", WEIR_JSON_BAD },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        start(rows[i].text);
        ck_assert_int_eq(weir_json_type(&json), rows[i].type);
    }
}
END_TEST

START_TEST(strings_are_unescaped)
{
    static const struct {
        const char *text;
        struct weir_str value;
    } rows[] = {
        { "\"\"", { "", 0 } },
        { "\"plain\"", { "plain", 5 } },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", { "\"\\/\b\f\n\r\t", 8 } },
        { "\"a\\u0041b\"", { "aAb", 3 } },
        { "\"\\u0000\"", { "\0", 1 } },
        { "\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"", { "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", 11 } },
        { "\"\\uD83D\\uDE00\"", { "\xf0\x9f\x98\x80", 4 } },
        { "\"\\udbff\\udfff\"", { "\xf4\x8f\xbf\xbf", 4 } },
        { "\"\\ud800\"", { "\xef\xbf\xbd", 3 } },
        { "\"\\udc00\"", { "\xef\xbf\xbd", 3 } },
        { "\"\\ud800x\"", { "\xef\xbf\xbdx", 4 } },
        { "\"\\ud800\\n\"", { "\xef\xbf\xbd\n", 4 } },
        { "\"\\ud800\\u0041\"", { "\xef\xbf\xbd" "A", 4 } },
        { "\"\\ud800\\ud800\\udc00\"", { "\xef\xbf\xbd\xf0\x90\x80\x80", 7 } },
        { "\"\\udc00\\ud800\"", { "\xef\xbf\xbd\xef\xbf\xbd", 6 } },
        { "\"\xe2\x82\xac\\n\"", { "\xe2\x82\xac\n", 4 } },
        { "\"0123456789012345\\\\\"", { "0123456789012345\\", 17 } },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        struct weir_str value;
        start(rows[i].text);
        ck_assert(weir_json_string(&json, &value));
        ck_assert_msg(weir_str_equal(value, rows[i].value), "%s", rows[i].text);
        ck_assert(weir_json_finish(&json));
    }
}
END_TEST

START_TEST(plain_strings_are_views)
{
    static const char text[] = "[\"a longer plain text, no escape\"]";
    struct weir_str value;
    start(text);
    ck_assert(weir_json_array(&json) && weir_json_element(&json) && weir_json_string(&json, &value));
    ck_assert_ptr_eq(value.data, text + 2);
    ck_assert_uint_eq(arena.held, 0);
}
END_TEST

START_TEST(keys_may_be_escaped)
{
    struct weir_str key;
    start("{\"n\\u0061me\":1}");
    ck_assert(weir_json_object(&json) && weir_json_member(&json, &key));
    ck_assert(weir_str_is(key, "name"));
}
END_TEST

START_TEST(integers)
{
    static const struct {
        const char *text;
        bool fits_signed, fits_unsigned;
        int64_t number;
        uint64_t unsigned_number;
    } rows[] = {
        { "0", true, true, 0, 0 },
        { "-1", true, false, -1, 0 },
        { "9223372036854775807", true, true, INT64_MAX, INT64_MAX },
        { "9223372036854775808", false, true, 0, (uint64_t)INT64_MAX + 1 },
        { "-9223372036854775808", true, false, INT64_MIN, 0 },
        { "-9223372036854775809", false, false, 0, 0 },
        { "18446744073709551615", false, true, 0, UINT64_MAX },
        { "18446744073709551616", false, false, 0, 0 },
        { "1.0", false, false, 0, 0 },
        { "1e3", false, false, 0, 0 },
        { "\"1\"", false, false, 0, 0 },
        { "true", false, false, 0, 0 },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        int64_t number = 99;
        uint64_t unsigned_number = 99;
        start(rows[i].text);
        ck_assert_int_eq(weir_json_i64(&json, &number), rows[i].fits_signed);
        ck_assert_int_eq(number, rows[i].fits_signed ? rows[i].number : 99);
        start(rows[i].text);
        ck_assert_int_eq(weir_json_u64(&json, &unsigned_number), rows[i].fits_unsigned);
        ck_assert_uint_eq(unsigned_number, rows[i].fits_unsigned ? rows[i].unsigned_number : 99);
    }
}
END_TEST

START_TEST(doubles_are_read_exactly)
{
    static const char *const texts[] = {
        "0", "-0.0", "1", "-1.5", "0.1", "0.3", "123.456", "1e22", "1e23", "9007199254740993", "5e-324", "2.5e-324",
        "2.2250738585072011e-308", "1.7976931348623157e308", "3.141592653589793", "1e-7", "12345678901234567890",
        "0.000000000000000000000000000000000000000000001", "100000000000000000000000e-22", "1e-400", "0e999999999999",
        "8.5", "4503599627370496.5", "1000000000000000000000000000000000000000000000000000000000000000000000000e-70",
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(texts); i++) {
        double value, expected = strtod(texts[i], NULL);
        start(texts[i]);
        ck_assert_msg(weir_json_double(&json, &value), "%s", texts[i]);
        ck_assert_msg(memcmp(&value, &expected, sizeof(value)) == 0, "%s", texts[i]);
    }
    double value = 7;
    start("1e309");
    ck_assert(!weir_json_double(&json, &value));
    start("-1e999999999999999999999");
    ck_assert(!weir_json_double(&json, &value));
    ck_assert(value == 7);
    ck_assert(!weir_json_parse_double(WEIR_STR(""), &value));
    ck_assert(!weir_json_parse_double(WEIR_STR("1 "), &value));
    ck_assert(!weir_json_parse_double(WEIR_STR("inf"), &value));
    ck_assert(!weir_json_parse_double(WEIR_STR("0x1p3"), &value));
}
END_TEST

/* Up to 18 digits with the point anywhere among or before them; ties between two doubles, which are rare, too. */
START_TEST(decimals_are_read_exactly)
{
    uint64_t seed = 2463534242u;
    for (int i = 0; i < 60000; i++) {
        char text[64];
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        unsigned long long digits = seed % 1000000000000000000u;
        if (i % 3 == 0) {
            for (unsigned n = (unsigned)(seed >> 40) % 18; n > 0; n--)
                digits /= 10;
        } else if (i % 3 == 1) {
            // Half way between two doubles of 2^53 to 2^54, and next to it.
            digits = (1ull << 53) + seed % (1ull << 53);
            digits = (digits | 1) + (unsigned)i % 5 - 2;
        }
        snprintf(text, sizeof(text), "%s%llue-%u", i % 2 ? "-" : "", digits, (unsigned)(seed >> 50) % 30);
        if (i % 4 == 3)
            snprintf(text, sizeof(text), "0.%s%llu", "00000000000" + seed % 12, digits);
        double value, expected = strtod(text, NULL);
        ck_assert(weir_json_parse_double(weir_str_make(text, strlen(text)), &value));
        ck_assert_msg(memcmp(&value, &expected, sizeof(value)) == 0, "%s: %.17g", text, value);
    }
}
END_TEST

START_TEST(literals)
{
    bool truth = false;
    start("true");
    ck_assert(weir_json_bool(&json, &truth) && truth);
    start("false");
    ck_assert(weir_json_bool(&json, &truth) && !truth);
    start("null");
    ck_assert(!weir_json_bool(&json, &truth));
    start(" null ");
    ck_assert(weir_json_null(&json) && weir_json_finish(&json));
    start("1");
    ck_assert(!weir_json_null(&json) && !weir_json_failed(&json));
}
END_TEST

START_TEST(problems_stay_and_say_where)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_str key;
    start("{\"a\":tru,\"b\":1}");
    ck_assert(weir_json_object(&json) && weir_json_member(&json, &key));
    ck_assert(!weir_json_skip(&json));
    ck_assert(!weir_json_member(&json, &key));
    ck_assert(!weir_json_skip(&json));
    ck_assert_int_eq(weir_json_type(&json), WEIR_JSON_BAD);
    ck_assert(!weir_json_finish(&json));
    ck_assert_int_eq(weir_json_error(&json, &error), -1);
    ck_assert_str_eq(weir_error_text(&error), "expected a value at byte 5");
    weir_error_free(&error);

    static const struct {
        const char *text, *problem;
    } rows[] = {
        { "", "unexpected end of JSON at byte 0" },
        { "[1,", "unexpected end of JSON at byte 3" },
        { "[1 x", "expected ',' or ']' at byte 3" },
        { "{\"a\":1;", "expected ',' or '}' at byte 6" },
        { "{5", "expected a key at byte 1" },
        { "{\"a\"=1}", "expected ':' at byte 4" },
        { "1.x", "bad number at byte 0" },
        { "[01]", "bad number at byte 1" },
        { "\"ab\\q\"", "bad escape in string at byte 3" },
        { "\"ab\x02\"", "control character in string at byte 3" },
        { "\"ab\xff\"", "bad UTF-8 in string at byte 3" },
        { "[] []", "unexpected text after the value at byte 3" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        start(rows[i].text);
        (void)weir_json_skip(&json);
        ck_assert(!weir_json_finish(&json));
        weir_json_error(&json, &error);
        ck_assert_str_eq(weir_error_text(&error), rows[i].problem);
    }
    weir_error_free(&error);
}
END_TEST

START_TEST(own_problems_come_first_or_not_at_all)
{
    struct weir_error error = WEIR_ERROR_INIT;
    start("[1]");
    ck_assert(weir_json_array(&json));
    ck_assert(!weir_json_fail(&json, "no lists here"));
    ck_assert(!weir_json_fail(&json, "later"));
    weir_json_error(&json, &error);
    ck_assert_str_eq(weir_error_text(&error), "no lists here at byte 1");
    weir_error_free(&error);
}
END_TEST

START_TEST(depth_is_capped)
{
    char text[2 * WEIR_JSON_DEPTH + 3] = "";
    memset(text, '[', WEIR_JSON_DEPTH);
    memset(text + WEIR_JSON_DEPTH, ']', WEIR_JSON_DEPTH);
    ck_assert(accepts(text, 2 * WEIR_JSON_DEPTH));
    memset(text, '[', WEIR_JSON_DEPTH + 1);
    memset(text + WEIR_JSON_DEPTH + 1, ']', WEIR_JSON_DEPTH + 1);
    ck_assert(!accepts(text, 2 * WEIR_JSON_DEPTH + 2));
    ck_assert_str_eq(json.problem, "arrays and objects nested too deeply");
    ck_assert_uint_eq(json.offset, WEIR_JSON_DEPTH);
}
END_TEST

START_TEST(a_million_brackets_are_refused)
{
    size_t length = 1000000;
    char *text = malloc(length);
    memset(text, '[', length);
    weir_json_start(&json, text, length, &arena, 1000000);
    ck_assert(!weir_json_skip(&json));
    ck_assert_uint_eq(json.offset, WEIR_JSON_MAX_DEPTH);
    for (size_t i = 0; i + 5 <= length; i += 5)
        memcpy(text + i, "{\"a\":", 5);
    ck_assert(!accepts(text, length));
    ck_assert_uint_eq(json.offset, 5 * WEIR_JSON_DEPTH);
    free(text);
}
END_TEST

START_TEST(a_huge_string_is_refused)
{
    size_t length = 100000000;
    char *text = malloc(length);
    memset(text, 'x', length);
    text[0] = text[length - 1] = '"';
    weir_json_start(&json, text, length, &arena, WEIR_JSON_DEPTH);
    ck_assert(!weir_json_skip(&json));
    ck_assert_str_eq(json.problem, "string is too long");
    text[1] = '\\';
    text[2] = 'n';
    weir_json_start(&json, text, length, &arena, WEIR_JSON_DEPTH);
    ck_assert(!weir_json_skip(&json));
    ck_assert_uint_eq(arena.held, 0);
    free(text);
}
END_TEST

static struct weir_json_writer writer;

static void begin_writing(void)
{
    writer = (struct weir_json_writer){ .out = weir_buffer_new(1) };
}

/* Compares what was written and ends. */
static void wrote(const char *expected)
{
    ck_assert(!writer.failed);
    struct weir_str text = weir_str_make((const char *)writer.out->data, writer.out->length);
    ck_assert_msg(weir_str_is(text, expected), "got %.*s, expected %s", WEIR_STR_ARG(text), expected);
    weir_buffer_unref(writer.out);
}

START_TEST(writes_structure)
{
    begin_writing();
    weir_json_open_object(&writer);
    weir_json_key(&writer, WEIR_STR("a"));
    weir_json_open_array(&writer);
    weir_json_put_u64(&writer, UINT64_MAX);
    weir_json_put_i64(&writer, INT64_MIN);
    weir_json_put_u64(&writer, 0);
    weir_json_put_i64(&writer, 7);
    weir_json_put_u64(&writer, 1234567890123456789u);
    weir_json_put_bool(&writer, true);
    weir_json_put_null(&writer);
    weir_json_open_array(&writer);
    weir_json_close_array(&writer);
    weir_json_open_object(&writer);
    weir_json_close_object(&writer);
    weir_json_close_array(&writer);
    weir_json_key(&writer, WEIR_STR("b\n"));
    weir_json_put_bool(&writer, false);
    weir_json_key(&writer, WEIR_STR("c"));
    weir_json_put_raw(&writer, WEIR_STR("[1]"));
    weir_json_close_object(&writer);
    wrote("{\"a\":[18446744073709551615,-9223372036854775808,0,7,1234567890123456789,true,null,[],{}],"
          "\"b\\n\":false,\"c\":[1]}");
}
END_TEST

START_TEST(writes_strings)
{
    static const struct {
        struct weir_str value;
        const char *text;
    } rows[] = {
        { { NULL, 0 }, "\"\"" },
        { { "plain text of some length", 25 }, "\"plain text of some length\"" },
        { { "\"\\/\b\f\n\r\t\x01\x1f\x7f", 11 }, "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0001\\u001f\x7f\"" },
        { { "\0", 1 }, "\"\\u0000\"" },
        { { "\xe2\x82\xac<&>", 6 }, "\"\xe2\x82\xac<&>\"" },
        { { "\xff" "a\xe2\x82", 4 }, "\"\xef\xbf\xbd" "a\xef\xbf\xbd\xef\xbf\xbd\"" },
        { { "\n\n\n\n\n\n\n\n\n\n\n\n", 12 }, "\"\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\"" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        begin_writing();
        weir_json_put_string(&writer, rows[i].value);
        wrote(rows[i].text);
    }
}
END_TEST

START_TEST(writes_doubles_as_go_does)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        { 0, "0" }, { -0.0, "-0" }, { 1, "1" }, { -1.5, "-1.5" }, { 0.1, "0.1" }, { 100, "100" }, { 1e15, "1000000000000000" },
        { 1e20, "100000000000000000000" }, { 1e21, "1e+21" }, { 1.5e21, "1.5e+21" }, { 123456.789, "123456.789" },
        { 1e-6, "0.000001" }, { 1e-7, "1e-07" }, { 1.25e-10, "1.25e-10" }, { 5e-324, "5e-324" }, { 0.001, "0.001" },
        { 1.7976931348623157e308, "1.7976931348623157e+308" }, { 3.141592653589793, "3.141592653589793" },
        { 0.30000000000000004, "0.30000000000000004" }, { 2.0 / 3, "0.6666666666666666" }, { 1e100, "1e+100" },
        { 9007199254740992, "9007199254740992" }, { 4503599627370495.5, "4503599627370495.5" }, { 99.5, "99.5" },
        { 1234567890123456.7, "1234567890123456.8" }, { NAN, "\"NaN\"" }, { INFINITY, "\"Infinity\"" },
        { -INFINITY, "\"-Infinity\"" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(rows); i++) {
        begin_writing();
        weir_json_put_double(&writer, rows[i].value);
        wrote(rows[i].text);
    }
}
END_TEST

/* Digits of a JSON number, without zeros at its ends. */
static size_t significant(const char *text, size_t length)
{
    size_t first = length, last = 0, count = 0;
    for (size_t i = 0; i < length && text[i] != 'e'; i++)
        if (text[i] >= '1' && text[i] <= '9') {
            first = first < i ? first : i;
            last = i;
        }
    for (size_t i = first; i <= last && i < length; i++)
        count += text[i] >= '0' && text[i] <= '9';
    return count;
}

START_TEST(doubles_round_trip_at_their_shortest)
{
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        double value, back;
        memcpy(&value, &seed, sizeof(value));
        if (i % 2)
            value = (double)(seed >> 40) / 1000;
        if (!isfinite(value))
            continue;
        char text[WEIR_JSON_DOUBLE_ROOM], reference[40];
        size_t length = weir_json_format_double(text, value);
        ck_assert(weir_json_parse_double(weir_str_make(text, length), &back));
        ck_assert_msg(back == value, "%.17g became %.*s", value, (int)length, text);
        int digits = 1;
        do
            snprintf(reference, sizeof(reference), "%.*e", digits++ - 1, value);
        while (strtod(reference, NULL) != value);
        ck_assert_uint_le(significant(text, length), (size_t)digits - 1);
    }
}
END_TEST

/* The digits of a number's text, without zeros at either end. */
static void digits_of(const char *text, size_t length, char *out)
{
    size_t count = 0;
    for (size_t i = 0; i < length && text[i] != 'e'; i++)
        if (text[i] >= '0' && text[i] <= '9' && (count > 0 || text[i] != '0'))
            out[count++] = text[i];
    while (count > 0 && out[count - 1] == '0')
        count--;
    out[count] = '\0';
}

/* 2^-56 to 2^55: any mantissa, short ones, which end half way, and those next to powers of two. */
START_TEST(doubles_have_the_digits_that_printf_finds)
{
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < 30000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        uint64_t bits = (UINT64_C(1023) - 56 + (seed >> 32) % 112) << 52;
        uint64_t mantissa = seed * 0x2545f4914f6cdd1du >> 12;
        bits += i % 3 == 0 ? mantissa : i % 3 == 1 ? mantissa >> seed % 52 << seed % 52 : seed % 7 - 3;
        double value;
        memcpy(&value, &bits, sizeof(value));
        char text[WEIR_JSON_DOUBLE_ROOM], got[40], reference[40], expected[40];
        int precision = 15;
        do
            snprintf(reference, sizeof(reference), "%.*e", precision++ - 1, value);
        while (strtod(reference, NULL) != value);
        digits_of(reference, strlen(reference), expected);
        digits_of(text, weir_json_format_double(text, value), got);
        ck_assert_msg(strcmp(got, expected) == 0, "%a: %s, not %s", value, got, expected);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("json");
    TCase *t = tcase_create("json");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, grammar_is_rfc_8259);
    tcase_add_test(t, every_prefix_is_refused);
    tcase_add_test(t, walks_objects_and_arrays);
    tcase_add_test(t, tells_types);
    tcase_add_test(t, strings_are_unescaped);
    tcase_add_test(t, plain_strings_are_views);
    tcase_add_test(t, keys_may_be_escaped);
    tcase_add_test(t, integers);
    tcase_add_test(t, doubles_are_read_exactly);
    tcase_add_test(t, decimals_are_read_exactly);
    tcase_add_test(t, literals);
    tcase_add_test(t, problems_stay_and_say_where);
    tcase_add_test(t, own_problems_come_first_or_not_at_all);
    tcase_add_test(t, depth_is_capped);
    tcase_add_test(t, a_million_brackets_are_refused);
    tcase_add_test(t, a_huge_string_is_refused);
    tcase_add_test(t, writes_structure);
    tcase_add_test(t, writes_strings);
    tcase_add_test(t, writes_doubles_as_go_does);
    tcase_add_test(t, doubles_round_trip_at_their_shortest);
    tcase_add_test(t, doubles_have_the_digits_that_printf_finds);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return run_suite(suite());
}
