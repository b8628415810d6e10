// SPDX-License-Identifier: Apache-2.0
/*
 * Codes, texts and times of gRPC as they travel in headers.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/base/encoding.h"
#include "sdk/src/grpc/client.h"
#include "tests/unit/suite.h"

START_TEST(names)
{
    ck_assert_str_eq(weir_grpc_code_name(0), "OK");
    ck_assert_str_eq(weir_grpc_code_name(1), "Canceled");
    ck_assert_str_eq(weir_grpc_code_name(4), "DeadlineExceeded");
    ck_assert_str_eq(weir_grpc_code_name(16), "Unauthenticated");
    ck_assert_str_eq(weir_grpc_code_name(17), "Code(17)");
    ck_assert_str_eq(weir_grpc_code_name(-1), "Code(-1)");
}
END_TEST

START_TEST(codes_of_http)
{
    static const int cases[][2] = { { 400, WEIR_GRPC_INTERNAL },          { 401, WEIR_GRPC_UNAUTHENTICATED },
                                    { 403, WEIR_GRPC_PERMISSION_DENIED }, { 404, WEIR_GRPC_UNIMPLEMENTED },
                                    { 429, WEIR_GRPC_UNAVAILABLE },       { 502, WEIR_GRPC_UNAVAILABLE },
                                    { 503, WEIR_GRPC_UNAVAILABLE },       { 504, WEIR_GRPC_UNAVAILABLE },
                                    { 500, WEIR_GRPC_UNKNOWN },           { 302, WEIR_GRPC_UNKNOWN } };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++)
        ck_assert_int_eq(weir_grpc_code_of_http((unsigned)cases[i][0]), cases[i][1]);
}
END_TEST

START_TEST(codes_of_resets)
{
    ck_assert_int_eq(weir_grpc_code_of_h2(NGHTTP2_NO_ERROR), WEIR_GRPC_INTERNAL);
    ck_assert_int_eq(weir_grpc_code_of_h2(NGHTTP2_REFUSED_STREAM), WEIR_GRPC_UNAVAILABLE);
    ck_assert_int_eq(weir_grpc_code_of_h2(NGHTTP2_CANCEL), WEIR_GRPC_CANCELLED);
    ck_assert_int_eq(weir_grpc_code_of_h2(NGHTTP2_ENHANCE_YOUR_CALM), WEIR_GRPC_RESOURCE_EXHAUSTED);
    ck_assert_int_eq(weir_grpc_code_of_h2(NGHTTP2_INADEQUATE_SECURITY), WEIR_GRPC_PERMISSION_DENIED);
}
END_TEST

START_TEST(messages)
{
    static const char *const cases[][2] = {
        { "plain text", "plain text" },
        { "a%20b%0Ac", "a b\nc" },
        { "%E2%82%ac", "\xe2\x82\xac" },
        { "100%", "100%" },
        { "%4", "%4" },
        { "%zz", "%zz" },
        { "a%00b", "ab" },
        { "", "" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        char *text = percent_decode(weir_str_of(cases[i][0]));
        ck_assert_str_eq(text, cases[i][1]);
        free(text);
    }
}
END_TEST

START_TEST(base64)
{
    static const char *const cases[][2] = {
        { "", "" }, { "a", "YQ" }, { "ab", "YWI" }, { "abc", "YWJj" }, { "abcd", "YWJjZA" }
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        struct weir_buffer *back = weir_grpc_base64_decode(weir_str_of(cases[i][1]));
        ck_assert(weir_str_is(weir_str_make((char *)back->data, back->length), cases[i][0]));
        weir_buffer_unref(back);
    }
    struct weir_buffer *padded = weir_grpc_base64_decode(WEIR_STR("_-8="));
    ck_assert_uint_eq(padded->length, 2);
    ck_assert_uint_eq(padded->data[0], 0xff);
    weir_buffer_unref(padded);
    ck_assert_ptr_null(weir_grpc_base64_decode(WEIR_STR("a b")));
}
END_TEST

START_TEST(timeouts)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        { 1, "1n" },
        { 99999999, "99999999n" },
        { 100000000, "100000u" },
        { 100000001, "100001u" }, /* rounded up */
        { 5000000000, "5000000u" },
        { 3600000000000, "3600000m" },
        { INT64_MAX, "2562048H" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        char text[24];
        weir_grpc_timeout_print(cases[i].ns, text);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("grpc client status");
    TCase *tests = tcase_create("status");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, names);
    tcase_add_test(tests, codes_of_http);
    tcase_add_test(tests, codes_of_resets);
    tcase_add_test(tests, messages);
    tcase_add_test(tests, base64);
    tcase_add_test(tests, timeouts);
    return run_suite(suite);
}
