// SPDX-License-Identifier: Apache-2.0
/* The probabilistic sampler: which spans and records come out, and what they carry (contrib-processors section 2). */
#include <config.h>

#include <stdlib.h>

#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

static const struct weir_component *component;

/* Of the reference's vectors: buckets 8898, 6693, 141 and 5445 with seed 0, their last 56 bits are 00..01, 0a0b.., ce92..
 * and ff... */
static const char *const trace_ids[] = {
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1",
    "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10",
    "\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36",
    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
};

/* One span for each trace id, all with the tracestate and, if there is one, the priority. */
static struct weir_batch *spans(const char *state, const struct weir_value *priority)
{
    struct weir_batch *batch = weir_batch_new(WEIR_TRACES);
    struct weir_group *group = weir_batch_add_group(batch, WEIR_STR(""));
    struct weir_scope_group *scope = weir_group_add_scope(group, WEIR_STR(""));
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(trace_ids); i++) {
        struct weir_span *span = weir_scope_group_add_span(scope);
        span->trace_id = (struct weir_str){ trace_ids[i], 16 };
        span->trace_state = weir_str_of(state);
        span->flags = (uint32_t)i;
        if (priority)
            ck_assert(weir_attributes_set(&span->attributes, weir_batch_arena(batch), WEIR_STR("sampling.priority"),
                                          *priority));
    }
    weir_batch_commit(batch);
    return batch;
}

/* "1 ot=...|3 ...": number and tracestate of each span that came out. */
static char *print_spans(struct weir_harness *harness)
{
    struct weir_text text = { 0 };
    for (size_t i = 0; i < weir_harness_sent_count(harness); i++) {
        struct weir_group *group = weir_batch_first_group(weir_harness_sent(harness, i));
        for (struct weir_entry *entry = weir_scope_group_first(weir_group_first_scope(group)); entry;
             entry = weir_entry_next(entry)) {
            const struct weir_span *span = weir_entry_span(entry);
            weir_text_addf(&text, "%s%u %.*s", text.length ? "|" : "", span->flags, WEIR_STR_ARG(span->trace_state));
        }
    }
    return weir_text_steal(&text);
}

static void expect_spans(const char *options, struct weir_batch *batch, const char *expected)
{
    struct weir_harness *harness = make_harness(component, options, WEIR_TRACES);
    struct weir_ledger ledger;
    weir_harness_consume(harness, batch);
    char *out = print_spans(harness);
    ck_assert_msg(strcmp(out, expected) == 0, "%s:\n%s\nexpected\n%s", options, out, expected);
    weir_harness_ledger(harness, &ledger);
    ck_assert_uint_eq(ledger.accepted, 4);
    ck_assert_uint_eq(ledger.sent + ledger.dropped, 4);
    free(out);
    weir_harness_free(harness);
}

START_TEST(by_hash)
{
    /* 50 %: buckets below 8192 */
    expect_spans("{\"sampling_percentage\": 50}", spans("", NULL),
                 "1 ot=rv:976837c4f25a25;th:8|2 ot=rv:fdc80d0b42008d;th:8|3 ot=rv:aae80a44919545;th:8");
    expect_spans("{\"sampling_percentage\": 10}", spans("a=1", NULL), "2 ot=rv:fdc80d0b42008d;th:e668,a=1");
    expect_spans("{\"sampling_percentage\": 100}", spans("", NULL),
                 "0 ot=rv:74f42e348fe2c2;th:0|1 ot=rv:976837c4f25a25;th:0|2 ot=rv:fdc80d0b42008d;th:0|"
                 "3 ot=rv:aae80a44919545;th:0");
    expect_spans("{}", spans("", NULL), "");
    /* seed 22: buckets 11568, 13379, 12395, 9651 */
    expect_spans("{\"sampling_percentage\": 60, \"hash_seed\": 22}", spans("b=2", NULL),
                 "3 ot=rv:693000ed3b65b3;th:6668,b=2");
}
END_TEST

/* What another sampler has decided is not decided again. */
START_TEST(by_hash_after_another)
{
    expect_spans("{\"sampling_percentage\": 100}", spans("ot=th:8", NULL), "");
    expect_spans("{\"sampling_percentage\": 100}", spans("ot=rv:fdc80d0b42008d", NULL), "");
    expect_spans("{\"sampling_percentage\": 1, \"fail_closed\": false}", spans("ot=th:8", NULL),
                 "0 ot=th:8|1 ot=th:8|2 ot=th:8|3 ot=th:8");
    expect_spans("{\"sampling_percentage\": 100}", spans("broken", NULL), "");
    expect_spans("{\"sampling_percentage\": 1, \"fail_closed\": false}", spans("broken", NULL),
                 "0 broken|1 broken|2 broken|3 broken");
}
END_TEST

START_TEST(equalizing)
{
    expect_spans("{\"sampling_percentage\": 50, \"mode\": \"equalizing\"}", spans("", NULL), "2 ot=th:8|3 ot=th:8");
    /* who has been thinned out more already stays as it is */
    expect_spans("{\"sampling_percentage\": 50, \"mode\": \"equalizing\"}", spans("ot=rv:e0000000000000;th:c", NULL),
                 "0 ot=rv:e0000000000000;th:c|1 ot=rv:e0000000000000;th:c|2 ot=rv:e0000000000000;th:c|"
                 "3 ot=rv:e0000000000000;th:c");
    expect_spans("{\"sampling_percentage\": 10, \"mode\": \"equalizing\"}", spans("ot=rv:e0000000000000;th:8", NULL), "");
    /* th above rv is a lie */
    expect_spans("{\"sampling_percentage\": 100, \"mode\": \"equalizing\"}", spans("ot=rv:20000000000000;th:8", NULL),
                 "");
    expect_spans("{\"sampling_percentage\": 50, \"mode\": \"equalizing\", \"fail_closed\": false}",
                 spans("ot=rv:20000000000000;th:8", NULL),
                 "0 ot=rv:20000000000000;th:0|1 ot=rv:20000000000000;th:0|2 ot=rv:20000000000000;th:0|"
                 "3 ot=rv:20000000000000;th:0");
}
END_TEST

START_TEST(proportional)
{
    expect_spans("{\"sampling_percentage\": 50, \"mode\": \"proportional\"}", spans("", NULL), "2 ot=th:8|3 ot=th:8");
    /* a half of a half */
    expect_spans("{\"sampling_percentage\": 50, \"mode\": \"proportional\"}", spans("ot=rv:e0000000000000;th:8", NULL),
                 "0 ot=rv:e0000000000000;th:c|1 ot=rv:e0000000000000;th:c|2 ot=rv:e0000000000000;th:c|"
                 "3 ot=rv:e0000000000000;th:c");
    expect_spans("{\"sampling_percentage\": 50, \"mode\": \"proportional\"}", spans("ot=rv:a0000000000000;th:8", NULL),
                 "");
}
END_TEST

START_TEST(priorities_overrule)
{
    struct weir_value keep = weir_value_int(1), drop = weir_value_string(WEIR_STR("0")), none = weir_value_int(-1);
    struct weir_value text = weir_value_string(WEIR_STR("high"));
    expect_spans("{}", spans("a=1", &keep), "0 a=1|1 a=1|2 a=1|3 a=1");
    expect_spans("{\"sampling_percentage\": 100}", spans("", &drop), "");
    expect_spans("{\"sampling_percentage\": 10}", spans("", &none), "2 ot=rv:fdc80d0b42008d;th:e668");
    expect_spans("{\"sampling_percentage\": 10}", spans("", &text), "2 ot=rv:fdc80d0b42008d;th:e668");
    expect_spans("{\"sampling_percentage\": 10}", spans("", &keep),
                 "0 ot=rv:74f42e348fe2c2;th:0|1 ot=rv:976837c4f25a25;th:0|2 ot=rv:fdc80d0b42008d;th:0|"
                 "3 ot=rv:aae80a44919545;th:0");
}
END_TEST

/* Records: 0 has trace id 2 of above, 1 none; both the attributes. */
static struct weir_batch *records(const char *key, struct weir_value value)
{
    struct weir_batch *batch = weir_batch_new(WEIR_LOGS);
    struct weir_group *group = weir_batch_add_group(batch, WEIR_STR(""));
    struct weir_scope_group *scope = weir_group_add_scope(group, WEIR_STR(""));
    for (size_t i = 0; i < 2; i++) {
        struct weir_log_record *record = weir_scope_group_add_log_record(scope);
        record->flags = (uint32_t)i;
        if (i == 0)
            record->trace_id = (struct weir_str){ trace_ids[2], 16 };
        if (key)
            ck_assert(weir_attributes_set(&record->attributes, weir_batch_arena(batch), weir_str_of(key), value));
    }
    weir_batch_commit(batch);
    return batch;
}

static void expect_records(const char *options, struct weir_batch *batch, const char *expected)
{
    struct weir_harness *harness = make_harness(component, options, WEIR_LOGS);
    struct weir_text text = { 0 };
    weir_harness_consume(harness, batch);
    for (size_t i = 0; i < weir_harness_sent_count(harness); i++) {
        struct weir_group *group = weir_batch_first_group(weir_harness_sent(harness, i));
        for (struct weir_entry *entry = weir_scope_group_first(weir_group_first_scope(group)); entry;
             entry = weir_entry_next(entry)) {
            const struct weir_log_record *record = weir_entry_log_record(entry);
            weir_text_addf(&text, "%s%u", text.length ? "|" : "", record->flags);
            for (size_t a = 0; a < record->attributes.count; a++) {
                weir_text_addf(&text, " %.*s=", WEIR_STR_ARG(record->attributes.items[a].key));
                weir_value_print(&record->attributes.items[a].value, &text);
            }
        }
    }
    ck_assert_msg(strcmp(weir_text_string(&text), expected) == 0, "%s:\n%s\nexpected\n%s", options,
                  weir_text_string(&text), expected);
    weir_text_free(&text);
    weir_harness_free(harness);
}

START_TEST(of_records)
{
    struct weir_value id = weir_value_string(WEIR_STR("abc"));
    expect_records("{\"sampling_percentage\": 10}", records(NULL, id),
                   "0 sampling.randomness=fdc80d0b42008d sampling.threshold=e668");
    expect_records("{\"sampling_percentage\": 100, \"from_attribute\": \"id\"}", records("id", id),
                   "0 id=abc sampling.randomness=fdc80d0b42008d sampling.threshold=0|"
                   "1 id=abc sampling.randomness=4b10026e9bad3b sampling.threshold=0");
    expect_records("{\"sampling_percentage\": 100, \"fail_closed\": false}", records(NULL, id),
                   "0 sampling.randomness=fdc80d0b42008d sampling.threshold=0|1 sampling.threshold=0");
    expect_records("{\"sampling_percentage\": 50, \"mode\": \"proportional\"}",
                   records("sampling.randomness", weir_value_string(WEIR_STR("f0000000000000"))),
                   "0 sampling.randomness=f0000000000000 sampling.threshold=8|"
                   "1 sampling.randomness=f0000000000000 sampling.threshold=8");
    expect_records("{\"sampling_percentage\": 100, \"mode\": \"proportional\"}",
                   records("sampling.threshold", weir_value_string(WEIR_STR("xyz"))), "");
    expect_records("{\"sampling_percentage\": 1, \"sampling_priority\": \"p\"}", records("p", weir_value_int(100)),
                   "0 p=100 sampling.randomness=fdc80d0b42008d sampling.threshold=0|1 p=100 sampling.threshold=0");
}
END_TEST

/* A refused rest comes again: its batch is counted once. */
START_TEST(counts_what_it_dropped_when_the_rest_is_accepted)
{
    struct weir_harness *harness = make_harness(component, "{\"sampling_percentage\": 10}", WEIR_TRACES);
    struct weir_ledger ledger;
    weir_harness_set_result(harness, &WEIR_RESULT_RETRYABLE("no"));
    size_t request = weir_harness_consume(harness, spans("", NULL));
    ck_assert_int_eq(weir_harness_answer(harness, request)->outcome, WEIR_RETRYABLE);
    weir_harness_ledger(harness, &ledger);
    ck_assert_uint_eq(ledger.dropped, 0);
    weir_harness_set_result(harness, &WEIR_RESULT_OK);
    weir_harness_consume(harness, spans("", NULL));
    weir_harness_ledger(harness, &ledger);
    ck_assert_uint_eq(ledger.dropped, 3);
    ck_assert_uint_eq(ledger.sent, 1);
    ck_assert_str_eq(ledger.drops[0].reason, "sampled");
    ck_assert_double_eq(weir_harness_series(harness, "processor_probabilistic_sampler_count_traces_sampled"), 8);
    weir_harness_free(harness);
}
END_TEST

START_TEST(refuses_wrong_options)
{
    static const struct bad_options cases[] = {
        { "{\"sampling_percentage\": -1}", "sampling rate is negative: -1.000000%" },
        { "{\"sampling_percentage\": 1e-20}", "sampling rate is too small: 1e-20%" },
        { "{\"mode\": \"random\"}", "random" },
        { "{\"attribute_source\": \"span\"}", "span" },
        { "{\"sampling_precision\": 0}", "sampling_precision" },
        { "{\"sampling_precision\": 15}", "sampling_precision" },
        { "{\"hash_seed\": -1}", "hash_seed" },
    };
    assert_refused(component, WEIR_TRACES, cases, WEIR_ARRAY_LENGTH(cases));
}
END_TEST

int main(void)
{
    component = weir_harness_load(WEIR_PROCESSOR, "probabilistic_sampler");
    Suite *suite = suite_create("probabilistic sampler");
    TCase *tests = tcase_create("sampler");
    tcase_add_test(tests, by_hash);
    tcase_add_test(tests, by_hash_after_another);
    tcase_add_test(tests, equalizing);
    tcase_add_test(tests, proportional);
    tcase_add_test(tests, priorities_overrule);
    tcase_add_test(tests, of_records);
    tcase_add_test(tests, counts_what_it_dropped_when_the_rest_is_accepted);
    tcase_add_test(tests, refuses_wrong_options);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
