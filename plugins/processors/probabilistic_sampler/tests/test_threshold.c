// SPDX-License-Identifier: Apache-2.0
/* Thresholds, randomness and tracestate: upstream's vectors (contrib-processors section 2). */
#include <config.h>

#include <stdio.h>

#include "plugins/processors/probabilistic_sampler/threshold.h"
#include "plugins/processors/probabilistic_sampler/tracestate.h"
#include "tests/unit/suite.h"

static void expect_threshold(uint64_t threshold, const char *expected)
{
    struct weir_text text = { 0 };
    uint64_t again;
    threshold_print(threshold, &text);
    ck_assert_str_eq(weir_text_string(&text), expected);
    ck_assert(threshold_parse(weir_text_view(&text), &again));
    ck_assert_uint_eq(again, threshold);
    weir_text_free(&text);
}

START_TEST(thresholds_of_probabilities)
{
    static const struct {
        double percentage;
        int precision;
        const char *hashed, *equalizing;
    } cases[] = {
        { 0.1, 4, "ffc", "ffbe77" }, { 1, 4, "fd74", "fd70a" }, { 10, 4, "e668", "e666" },
        { 25, 4, "c", "c" },         { 50, 4, "8", "8" },       { 75, 4, "4", "4" },
        { 40, 3, NULL, "99a" },      { 100, 4, "0", "0" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        if (cases[i].hashed)
            expect_threshold(threshold_hashed((float)cases[i].percentage), cases[i].hashed);
        expect_threshold(threshold_of(cases[i].percentage / 100, cases[i].precision), cases[i].equalizing);
    }
    ck_assert_uint_eq(threshold_hashed(0), THRESHOLD_NEVER);
    ck_assert_uint_eq(threshold_hashed(0.001f), THRESHOLD_NEVER); /* less than one bucket */
    ck_assert_uint_eq(threshold_hashed(250), THRESHOLD_ALWAYS);
    ck_assert_uint_eq(threshold_of(PROBABILITY_MIN, 4), THRESHOLD_NEVER - 1);
    ck_assert_double_eq(threshold_probability(threshold_of(0.25, 4)), 0.25);
}
END_TEST

static struct weir_str bytes_of(const char *hex, char *out)
{
    for (int i = 0; i < 16; i++) {
        unsigned byte;
        ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (char)byte;
    }
    return (struct weir_str){ out, 16 };
}

START_TEST(randomness_of_trace_ids)
{
    static const struct {
        const char *trace_id;
        const char *rv;   /* seed 0 */
        unsigned seed_22; /* the bucket */
        const char *w3c;
    } cases[] = {
        { "00000000000000000000000000000001", "74f42e348fe2c2", 11568, "00000000000001" },
        { "0102030405060708090a0b0c0d0e0f10", "976837c4f25a25", 13379, "0a0b0c0d0e0f10" },
        { "4bf92f3577b34da6a3ce929d0e0e4736", "fdc80d0b42008d", 12395, "ce929d0e0e4736" },
        { "ffffffffffffffffffffffffffffffff", "aae80a44919545", 9651, "ffffffffffffff" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        char bytes[16];
        struct weir_str id = bytes_of(cases[i].trace_id, bytes);
        struct weir_text text = { 0 };
        uint64_t parsed;
        randomness_print(randomness_hashed(0, id), &text);
        ck_assert_str_eq(weir_text_string(&text), cases[i].rv);
        ck_assert(randomness_parse(weir_text_view(&text), &parsed));
        ck_assert_uint_eq(parsed, randomness_hashed(0, id));
        ck_assert_uint_eq(randomness_hashed(22, id) & 0x3fff, cases[i].seed_22);
        weir_text_clear(&text);
        randomness_print(randomness_of_trace_id((const uint8_t *)bytes), &text);
        ck_assert_str_eq(weir_text_string(&text), cases[i].w3c);
        weir_text_free(&text);
    }
}
END_TEST

START_TEST(tracestates_that_are_read)
{
    static const char *const cases[][2] = {
        { "", "" },
        { "ot=th:8", "ot=th:8" },
        { "ot=th:80000", "ot=th:8" },
        { "ot=th:0", "ot=th:0" },
        { "ot=th:c;rv:74f42e348fe2c2", "ot=rv:74f42e348fe2c2;th:c" },
        { "ot=p:8;th:c;zz:a.b-C_9;rv:74f42e348fe2c2", "ot=rv:74f42e348fe2c2;th:c;p:8;zz:a.b-C_9" },
        { "a=1,ot=th:8,b=2", "ot=th:8,a=1,b=2" },
        { " a=1 ,\tb=2 ,, ot=xx: ", "ot=xx:,a=1,b=2" },
        { "ot=th:8;p:1,a=1,ot=rv:74f42e348fe2c2", "ot=rv:74f42e348fe2c2,a=1" }, /* the last of several */
        { "tenant-1@sys=v v", "tenant-1@sys=v v" },
        { "1tenant@sys=v", "1tenant@sys=v" },
        { "a*b/c_d-e=~!", "a*b/c_d-e=~!" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        struct tracestate state;
        struct weir_text text = { 0 };
        const char *problem = tracestate_parse(weir_str_of(cases[i][0]), &state);
        ck_assert_msg(problem == NULL, "%s: %s", cases[i][0], problem);
        tracestate_print(&state, &text);
        ck_assert_str_eq(weir_text_string(&text), cases[i][1]);
        weir_text_free(&text);
    }
}
END_TEST

START_TEST(tracestates_that_are_refused)
{
    static const char *const cases[] = {
        "a",          "=1",          "a=",           "A=1",       "a=b=c",        "1a=1",
        "a@=1",       "@s=1",        "a@1s=1",       "a@sys@b=1", "a@averylongsystem=1", "a=\x7f",
        "ot=",        "ot=th",       "ot=th:",       "ot=th:8;",  "ot=;th:8",     "ot=th:8;;p:1",
        "ot=th:8G",   "ot=th:8g",    "ot=th:123456789abcdef",     "ot=rv:1234",   "ot=rv:74F42E348FE2C2",
        "ot=Th:8",    "ot=a:b c",
    };
    struct tracestate state;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++)
        ck_assert_msg(tracestate_parse(weir_str_of(cases[i]), &state) != NULL, "%s", cases[i]);
}
END_TEST

static const char *parse_repeated(const char *start, const char *piece, size_t count)
{
    struct weir_text text = { 0 };
    struct tracestate state;
    weir_text_adds(&text, start);
    for (size_t i = 0; i < count; i++)
        weir_text_adds(&text, piece);
    const char *problem = tracestate_parse(weir_text_view(&text), &state);
    weir_text_free(&text);
    return problem;
}

START_TEST(limits_of_tracestate)
{
    ck_assert_ptr_null(parse_repeated("a=1", ",b=1", 30));
    ck_assert_str_eq(parse_repeated("a=1", ",b=1", 31), "W3C tracestate has too many members");
    ck_assert_ptr_null(parse_repeated("a=", "x", 256));
    ck_assert_ptr_nonnull(parse_repeated("a=", "x", 257));
    ck_assert_ptr_null(parse_repeated("ot=p:", "1", 254));
    ck_assert_str_eq(parse_repeated("ot=p:", "1", 255), "invalid W3C tracestate");
    ck_assert_str_eq(parse_repeated("", ",", 1025), "W3C tracestate is too long");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sampling thresholds");
    TCase *tests = tcase_create("thresholds");
    tcase_add_test(tests, thresholds_of_probabilities);
    tcase_add_test(tests, randomness_of_trace_ids);
    tcase_add_test(tests, tracestates_that_are_read);
    tcase_add_test(tests, tracestates_that_are_refused);
    tcase_add_test(tests, limits_of_tracestate);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
