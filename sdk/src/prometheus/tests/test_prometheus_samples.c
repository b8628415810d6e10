// SPDX-License-Identifier: Apache-2.0
/* Samples and native histograms of data points (contrib-receivers-exporters 4.4 and 5.4). */
#include <config.h>

#include <math.h>

#include <weir/prometheus.h>

#include "tests/unit/suite.h"

static void print(void *user, const struct weir_prometheus_sample *sample)
{
    struct weir_text *text = user;
    double stale = weir_prometheus_stale();
    weir_text_addf(text, "%s%s", text->length ? "|" : "", sample->suffix);
    if (sample->label)
        weir_text_addf(text, "{%s=%.*s}", sample->label, WEIR_STR_ARG(sample->label_value));
    weir_text_addc(text, ' ');
    if (memcmp(&sample->value, &stale, sizeof(stale)) == 0)
        weir_text_adds(text, "stale");
    else
        weir_prometheus_number(sample->value, false, text);
    if (sample->bucket != WEIR_PROMETHEUS_NO_BUCKET)
        weir_text_addf(text, " #%zu", sample->bucket);
}

static void expect(enum weir_metric_type type, const struct weir_data_point *point, const char *expected)
{
    struct weir_metric metric = { .type = type };
    struct weir_text text = { 0 };
    weir_prometheus_expand(&metric, point, print, &text);
    ck_assert_str_eq(weir_text_string(&text), expected);
    weir_text_free(&text);
}

START_TEST(numbers)
{
    struct weir_data_point point = { .number = { .type = WEIR_NUMBER_INT, .as_int = -3 } };
    expect(WEIR_METRIC_GAUGE, &point, " -3");
    expect(WEIR_METRIC_SUM, &point, " -3");
    point.number = (struct weir_number){ .type = WEIR_NUMBER_DOUBLE, .as_double = 0.25 };
    expect(WEIR_METRIC_SUM, &point, " 0.25");
    point.number = (struct weir_number){ 0 };
    expect(WEIR_METRIC_GAUGE, &point, " 0");
    point.flags = WEIR_POINT_NO_RECORDED_VALUE;
    expect(WEIR_METRIC_GAUGE, &point, " stale");
    expect(WEIR_METRIC_EMPTY, &point, "");
}
END_TEST

START_TEST(histograms)
{
    uint64_t counts[] = { 1, 2, 4 };
    double bounds[] = { 0.5, 10 };
    struct weir_data_point point = { .count = 7, .sum = { true, 17.5 }, .positive = { .counts = counts, .count = 3 },
                                     .explicit_bounds = bounds, .explicit_bound_count = 2 };
    expect(WEIR_METRIC_HISTOGRAM, &point,
           "_bucket{le=0.5} 1 #0|_bucket{le=10} 3 #1|_bucket{le=+Inf} 7 #2|_sum 17.5|_count 7");
    point.sum.present = false;
    expect(WEIR_METRIC_HISTOGRAM, &point,
           "_bucket{le=0.5} 1 #0|_bucket{le=10} 3 #1|_bucket{le=+Inf} 7 #2|_count 7");
    point.flags = WEIR_POINT_NO_RECORDED_VALUE;
    expect(WEIR_METRIC_HISTOGRAM, &point,
           "_bucket{le=0.5} stale #0|_bucket{le=10} stale #1|_bucket{le=+Inf} stale #2|_count stale");
    /* no buckets, and fewer counts than bounds */
    expect(WEIR_METRIC_HISTOGRAM, &(struct weir_data_point){ .count = 2, .sum = { true, 3 } },
           "_bucket{le=+Inf} 2 #0|_sum 3|_count 2");
    point = (struct weir_data_point){ .count = 1, .positive = { .counts = counts, .count = 1 },
                                      .explicit_bounds = bounds, .explicit_bound_count = 2 };
    expect(WEIR_METRIC_HISTOGRAM, &point, "_bucket{le=0.5} 1 #0|_bucket{le=10} 1 #1|_bucket{le=+Inf} 1 #2|_count 1");
}
END_TEST

START_TEST(summaries)
{
    struct weir_quantile quantiles[] = { { 0.5, 10 }, { 0.99, 250 } };
    struct weir_data_point point = { .count = 3, .sum = { true, 12 }, .quantiles = quantiles, .quantile_count = 2 };
    expect(WEIR_METRIC_SUMMARY, &point, "{quantile=0.5} 10|{quantile=0.99} 250|_sum 12|_count 3");
    point.flags = WEIR_POINT_NO_RECORDED_VALUE;
    expect(WEIR_METRIC_SUMMARY, &point, "{quantile=0.5} stale|{quantile=0.99} stale|_sum stale|_count stale");
}
END_TEST

static const struct {
    double value;
    bool plain;
    const char *expected;
} texts[] = {
    { 0, false, "0" },
    { 1, true, "1" },
    { 0.1, true, "0.1" },
    { 1e21, true, "1000000000000000000000" },
    { 1.5e22, true, "15000000000000000000000" },
    { -1.5e22, true, "-15000000000000000000000" },
    { 1.25e-7, true, "0.000000125" },
    { -2e-9, true, "-0.000000002" },
    { 5e-324, false, "5e-324" },
    { 123456.75, true, "123456.75" },
    { HUGE_VAL, true, "+Inf" },
    { -HUGE_VAL, false, "-Inf" },
    { NAN, false, "NaN" },
};

START_TEST(numbers_as_text)
{
    struct weir_text text = { 0 };
    weir_prometheus_number(texts[_i].value, texts[_i].plain, &text);
    ck_assert_str_eq(weir_text_string(&text), texts[_i].expected);
    weir_text_free(&text);
}
END_TEST

START_TEST(exemplars_go_to_their_bucket)
{
    double bounds[] = { 1, 5, 10 };
    struct weir_data_point point = { .explicit_bounds = bounds, .explicit_bound_count = 3 };
    ck_assert_uint_eq(weir_prometheus_bucket_of(&point, 0), 0);
    ck_assert_uint_eq(weir_prometheus_bucket_of(&point, 1), 0);
    ck_assert_uint_eq(weir_prometheus_bucket_of(&point, 1.1), 1);
    ck_assert_uint_eq(weir_prometheus_bucket_of(&point, 10), 2);
    ck_assert_uint_eq(weir_prometheus_bucket_of(&point, 11), 3);
}
END_TEST

/* Spans as "offset:length", then the deltas. */
static void print_runs(const struct weir_prometheus_runs *runs, struct weir_text *text)
{
    for (size_t i = 0; i < runs->span_count; i++)
        weir_text_addf(text, "%s%d:%u", i ? " " : "", runs->spans[i].offset, runs->spans[i].length);
    weir_text_addc(text, '/');
    for (size_t i = 0; i < runs->delta_count; i++)
        weir_text_addf(text, "%s%lld", i ? " " : "", (long long)runs->deltas[i]);
}

static const struct {
    int scale, offset;
    size_t count;
    uint64_t counts[8];
    const char *expected;
} natives[] = {
    { 0, 0, 3, { 4, 2, 3 }, "0 1:3/4 -2 1" },
    { 0, -2, 2, { 1, 1 }, "0 -1:2/1 0" },
    { 1, 0, 0, { 0 }, "1 /" },
    { 1, 0, 3, { 0, 0, 0 }, "1 /" },
    { 0, 0, 4, { 1, 0, 0, 2 }, "0 1:4/1 -1 0 2" },         /* a gap of two is written out */
    { 0, 0, 5, { 1, 0, 0, 0, 2 }, "0 1:1 3:1/1 1" },       /* one of three is not */
    { 0, 3, 4, { 0, 0, 5, 0 }, "0 6:1/5" },                /* nothing of the edges */
    { 9, 0, 4, { 1, 2, 3, 4 }, "8 1:2/3 4" },              /* two become one */
    { 9, 1, 4, { 1, 2, 3, 4 }, "8 1:3/1 4 -1" },
    { 10, 0, 5, { 1, 1, 1, 1, 1 }, "8 1:2/4 -3" },
    { 9, -3, 4, { 1, 2, 3, 4 }, "8 -1:3/1 4 -1" },
    { -4, 0, 1, { 9 }, "-4 1:1/9" },
    { 2147483647, 5, 3, { 1, 1, 1 }, "8 1:1/3" },
};

START_TEST(native_histograms)
{
    uint64_t counts[8];
    struct weir_arena arena = { 0 };
    struct weir_text text = { 0 };
    struct weir_prometheus_native native;
    memcpy(counts, natives[_i].counts, sizeof(counts));
    struct weir_data_point point = { .scale = natives[_i].scale, .zero_count = 6, .count = 50, .sum = { true, 2.5 } };
    struct weir_buckets buckets = { .offset = natives[_i].offset, .counts = counts, .count = natives[_i].count };
    for (int negative = 0; negative < 2; negative++) {
        point.positive = negative ? (struct weir_buckets){ 0 } : buckets;
        point.negative = negative ? buckets : (struct weir_buckets){ 0 };
        ck_assert_int_eq(weir_prometheus_native_of(&point, &arena, &native, NULL), 0);
        weir_text_clear(&text);
        weir_text_addf(&text, "%d ", native.schema);
        print_runs(negative ? &native.negative : &native.positive, &text);
        ck_assert_str_eq(weir_text_string(&text), natives[_i].expected);
        ck_assert_uint_eq((negative ? native.positive : native.negative).span_count, 0);
    }
    ck_assert_uint_eq(native.zero_count, 6);
    ck_assert_uint_eq(native.count, 50);
    ck_assert(native.sum == 2.5 && native.zero_threshold == 1e-128);
    weir_text_free(&text);
    weir_arena_free(&arena);
}
END_TEST

START_TEST(some_cannot_be_native)
{
    uint64_t large[] = { UINT64_MAX / 2, UINT64_MAX / 2, 5 };
    struct weir_arena arena = { 0 };
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_prometheus_native native;
    struct weir_data_point point = { .scale = -5 };
    ck_assert_int_eq(weir_prometheus_native_of(&point, &arena, &native, &error), -1);
    ck_assert_str_eq(weir_error_text(&error),
                     "cannot convert exponential to native histogram: scale must be >= -4, was -5");
    point = (struct weir_data_point){ .scale = 20, .positive = { .counts = large, .count = 3 } };
    ck_assert_int_eq(weir_prometheus_native_of(&point, &arena, &native, &error), -1);
    ck_assert_str_eq(weir_error_text(&error), "counts of buckets are too large");
    point = (struct weir_data_point){ .scale = 0, .positive = { .offset = INT32_MAX, .counts = large, .count = 1 } };
    ck_assert_int_eq(weir_prometheus_native_of(&point, &arena, &native, &error), -1);
    ck_assert_str_eq(weir_error_text(&error), "offset of buckets is too large");
    weir_error_free(&error);
    weir_arena_free(&arena);
}
END_TEST

START_TEST(a_native_series_can_end)
{
    struct weir_prometheus_native native;
    double stale = weir_prometheus_stale();
    struct weir_data_point point = { .flags = WEIR_POINT_NO_RECORDED_VALUE, .count = 4, .zero_threshold = 0.5 };
    ck_assert_int_eq(weir_prometheus_native_of(&point, NULL, &native, NULL), 0);
    ck_assert(memcmp(&native.sum, &stale, sizeof(stale)) == 0);
    ck_assert_uint_eq(native.count, 0);
    ck_assert(native.zero_threshold == 0.5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prometheus samples");
    TCase *tests = tcase_create("samples");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, numbers);
    tcase_add_test(tests, histograms);
    tcase_add_test(tests, summaries);
    tcase_add_loop_test(tests, numbers_as_text, 0, (int)WEIR_ARRAY_LENGTH(texts));
    tcase_add_test(tests, exemplars_go_to_their_bucket);
    tcase_add_loop_test(tests, native_histograms, 0, (int)WEIR_ARRAY_LENGTH(natives));
    tcase_add_test(tests, some_cannot_be_native);
    tcase_add_test(tests, a_native_series_can_end);
    return run_suite(suite);
}
