// SPDX-License-Identifier: Apache-2.0
/* The memory limiter: its limits, its decisions on made-up readings, and what a pipeline sees of it. */
#include <config.h>

#include <stdlib.h>

#include <weir/memory.h>

#include "plugins/processors/memory_limiter/limiter.h"
#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

#define MIB (UINT64_C(1) << 20)
#define SECOND INT64_C(1000000000)

static uint64_t trimmed_to;
static unsigned trims;

static uint64_t fake_trim(void)
{
    trims++;
    return trimmed_to;
}

START_TEST(limits_follow_the_config)
{
    static const struct {
        struct limiter_config config;
        uint64_t total, hard, soft;
    } cases[] = {
        { { .limit_mib = 100 }, 0, 100 * MIB, 80 * MIB },
        { { .limit_mib = 100, .spike_limit_mib = 30 }, 0, 100 * MIB, 70 * MIB },
        { { .limit_percentage = 75 }, 1000, 750, 600 },
        { { .limit_percentage = 75, .spike_limit_percentage = 20 }, 1000, 750, 550 },
        { { .limit_mib = 1, .limit_percentage = 75 }, 1000, MIB, MIB - MIB / 5 },
        { { .limit_percentage = 50 }, UINT64_MAX, UINT64_MAX / 100 * 50 + 7, 0 },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        struct limits limits = limiter_limits(&cases[i].config, cases[i].total);
        ck_assert_uint_eq(limits.hard, cases[i].hard);
        if (cases[i].soft)
            ck_assert_uint_eq(limits.soft, cases[i].soft);
    }
}
END_TEST

START_TEST(refuses_and_resumes)
{
    struct limiter_config config = { .check_interval = { SECOND }, .limit_mib = 100, .spike_limit_mib = 20 };
    struct limiter limiter;
    limiter_init(&limiter, &config, 0);
    struct limiter_reading reading = { .allocated = 80 * MIB - 1, .now = SECOND };
    ck_assert_int_eq(limiter_check(&limiter, reading, fake_trim), LIMITER_SAME);
    ck_assert(limiter_admits(&limiter, 0, 0));
    reading.allocated = trimmed_to = 80 * MIB;
    ck_assert_int_eq(limiter_check(&limiter, reading, fake_trim), LIMITER_REFUSES);
    ck_assert(!limiter_admits(&limiter, 0, 0));
    ck_assert_int_eq(limiter_check(&limiter, reading, fake_trim), LIMITER_SAME);
    reading.allocated = 79 * MIB;
    ck_assert_int_eq(limiter_check(&limiter, reading, fake_trim), LIMITER_RESUMES);
}
END_TEST

START_TEST(giving_memory_back_may_spare_the_refusal)
{
    struct limiter_config config = { .check_interval = { SECOND }, .limit_mib = 100 };
    struct limiter limiter;
    limiter_init(&limiter, &config, 0);
    trimmed_to = 10 * MIB;
    struct limiter_reading reading = { .allocated = 200 * MIB, .now = SECOND };
    ck_assert_int_eq(limiter_check(&limiter, reading, fake_trim), LIMITER_SAME);
    ck_assert_uint_eq(trims, 1);
    ck_assert(limiter_admits(&limiter, 0, 0));
}
END_TEST

START_TEST(vain_attempts_grow_apart)
{
    struct limiter_config config = {
        .check_interval = { SECOND },
        .limit_mib = 100,
        .max_gc_interval_when_soft_limited = { 8 * SECOND },
        .max_gc_interval_when_hard_limited = { 8 * SECOND },
    };
    struct limiter limiter;
    limiter_init(&limiter, &config, 0);
    trimmed_to = 200 * MIB;
    for (int64_t second = 0; second < 60; second++)
        limiter_check(&limiter, (struct limiter_reading){ 200 * MIB, 0, second * SECOND }, fake_trim);
    /* 0, 1, 3, 7, 15, 23, ... 55 */
    ck_assert_uint_eq(trims, 10);
}
END_TEST

START_TEST(bytes_admitted_since_the_check_count)
{
    struct limiter_config config = { .check_interval = { SECOND }, .limit_mib = 100, .spike_limit_mib = 20 };
    struct limiter limiter;
    limiter_init(&limiter, &config, 0);
    limiter_check(&limiter, (struct limiter_reading){ 50 * MIB, 5 * MIB, 0 }, fake_trim);
    ck_assert(limiter_admits(&limiter, 10 * MIB, 5 * MIB));
    ck_assert(limiter_admits(&limiter, 10 * MIB, 24 * MIB));
    ck_assert(!limiter_admits(&limiter, 11 * MIB, 24 * MIB));
    ck_assert(limiter_admits(&limiter, 29 * MIB, 0)); /* less reserved than at the check: no credit */
    ck_assert(!limiter_admits(&limiter, 30 * MIB, 0));
    ck_assert(!limiter_admits(&limiter, UINT64_MAX, 5 * MIB));
}
END_TEST

#ifndef WITH_SANITIZER
START_TEST(pipeline_sees_refusal_and_return)
{
    const struct weir_component *component = weir_harness_load(WEIR_PROCESSOR, "memory_limiter");
    struct weir_harness *harness = make_harness(
        component, "{\"check_interval\": \"1s\", \"limit_mib\": 64, \"spike_limit_mib\": 10}", WEIR_TRACES);
    size_t passes = weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 0, 3));
    ck_assert_int_eq(weir_harness_answer(harness, passes)->outcome, WEIR_OK);

    char *volatile ballast = malloc(128 * MIB); /* volatile: an unused block would be optimised away */
    memset(ballast, 1, 128 * MIB);
    weir_harness_advance(harness, SECOND);
    size_t refused = weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 3, 5));
    ck_assert_int_eq(weir_harness_answer(harness, refused)->outcome, WEIR_RETRYABLE);
    ck_assert_str_eq(weir_harness_answer(harness, refused)->reason, "data refused due to high memory usage");
    struct weir_result refusal;
    ck_assert(!component->admit(weir_harness_shard(harness), WEIR_TRACES, 1, &refusal));
    ck_assert_int_eq(refusal.outcome, WEIR_RETRYABLE);

    free(ballast);
    weir_harness_advance(harness, SECOND);
    size_t again = weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 3, 5));
    ck_assert_int_eq(weir_harness_answer(harness, again)->outcome, WEIR_OK);
    ck_assert_uint_eq(weir_harness_sent_count(harness), 2);
    ck_assert_double_eq(weir_harness_series(harness, "processor_memory_limiter_accepted_spans"), 8);
    ck_assert_double_eq(weir_harness_series(harness, "processor_memory_limiter_refused_spans"), 5);
    weir_harness_free(harness);
}
END_TEST
#endif

START_TEST(refuses_wrong_options)
{
    const struct weir_component *component = weir_harness_load(WEIR_PROCESSOR, "memory_limiter");
    static const struct bad_options cases[] = {
        { "{\"limit_mib\": 1}", "'check_interval' must be greater than zero" },
        { "{\"check_interval\": \"1s\"}", "'limit_mib' or 'limit_percentage' must be greater than zero" },
        { "{\"check_interval\": \"1s\", \"limit_mib\": 5, \"spike_limit_mib\": 5}",
          "'spike_limit_mib' must be smaller than 'limit_mib'" },
        { "{\"check_interval\": \"1s\", \"limit_percentage\": 50, \"spike_limit_percentage\": 50}",
          "'spike_limit_percentage' must be smaller than 'limit_percentage'" },
        { "{\"check_interval\": \"1s\", \"limit_percentage\": 101}", "limit_percentage" },
    };
    assert_refused(component, WEIR_TRACES, cases, WEIR_ARRAY_LENGTH(cases));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory_limiter processor");
    TCase *tests = tcase_create("memory_limiter");
    tcase_add_test(tests, limits_follow_the_config);
    tcase_add_test(tests, refuses_and_resumes);
    tcase_add_test(tests, giving_memory_back_may_spare_the_refusal);
    tcase_add_test(tests, vain_attempts_grow_apart);
    tcase_add_test(tests, bytes_admitted_since_the_check_count);
#ifndef WITH_SANITIZER // whose allocator does not tell mallinfo2 what is in use
    tcase_add_test(tests, pipeline_sees_refusal_and_return);
#endif
    tcase_add_test(tests, refuses_wrong_options);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
