// SPDX-License-Identifier: Apache-2.0
/* The batch processor as its neighbours see it: what it sends, when, and what it answers. */
#include <config.h>

#include <weir/context.h>

#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

#define MS INT64_C(1000000)

static const struct weir_component *component;

static struct weir_harness *make(const char *options, enum weir_signal signal)
{
    return make_harness(component, options, signal);
}

static size_t sent_items(struct weir_harness *harness, size_t index)
{
    return weir_batch_items(weir_harness_sent(harness, index));
}

START_TEST(sends_when_full)
{
    struct weir_harness *harness = make("{\"send_batch_size\": 10, \"timeout\": \"1s\"}", WEIR_TRACES);
    weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 0, 4));
    weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 4, 5));
    ck_assert_uint_eq(weir_harness_sent_count(harness), 0);
    weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 9, 3));
    ck_assert_uint_eq(weir_harness_sent_count(harness), 1);
    ck_assert_uint_eq(sent_items(harness, 0), 12);
    ck_assert_double_eq(weir_harness_series(harness, "processor_batch_batch_size_trigger_send"), 1);
    ck_assert_double_eq(weir_harness_series(harness, "processor_batch_timeout_trigger_send"), 0);
    weir_harness_free(harness);
}
END_TEST

START_TEST(sends_after_timeout)
{
    struct weir_harness *harness = make("{\"send_batch_size\": 10, \"timeout\": \"200ms\"}", WEIR_LOGS);
    weir_harness_consume(harness, weir_harness_batch(WEIR_LOGS, 0, 4));
    weir_harness_advance(harness, 199 * MS);
    ck_assert_uint_eq(weir_harness_sent_count(harness), 0);
    weir_harness_advance(harness, 1 * MS);
    ck_assert_uint_eq(weir_harness_sent_count(harness), 1);
    ck_assert_uint_eq(sent_items(harness, 0), 4);
    ck_assert_double_eq(weir_harness_series(harness, "processor_batch_timeout_trigger_send"), 1);
    weir_harness_advance(harness, 1000 * MS);
    ck_assert_uint_eq(weir_harness_sent_count(harness), 1);
    weir_harness_free(harness);
}
END_TEST

START_TEST(splits_above_maximum)
{
    struct weir_harness *harness =
        make("{\"send_batch_size\": 10, \"send_batch_max_size\": 10, \"timeout\": \"1s\"}", WEIR_METRICS);
    weir_harness_consume(harness, weir_harness_batch(WEIR_METRICS, 0, 37));
    ck_assert_uint_eq(weir_harness_sent_count(harness), 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(sent_items(harness, i), 10);
    weir_harness_advance(harness, 1000 * MS);
    ck_assert_uint_eq(weir_harness_sent_count(harness), 4);
    ck_assert_uint_eq(sent_items(harness, 3), 7);
    /* the points of one metric come out in order, none twice, none missing */
    int64_t expected = 0;
    for (size_t i = 0; i < 4; i++) {
        struct weir_group *group = weir_batch_first_group(weir_harness_sent(harness, i));
        const struct weir_metric *metric =
            weir_entry_metric(weir_scope_group_first(weir_group_first_scope(group)));
        for (size_t p = 0; p < metric->point_count; p++)
            ck_assert_int_eq(metric->points[p].number.as_int, expected++);
    }
    ck_assert_int_eq(expected, 37);
    weir_harness_free(harness);
}
END_TEST

START_TEST(sends_at_once_without_timeout)
{
    struct weir_harness *harness = make("{\"timeout\": \"0s\"}", WEIR_TRACES);
    weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 0, 1));
    weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 1, 1));
    ck_assert_uint_eq(weir_harness_sent_count(harness), 2);
    weir_harness_free(harness);
}
END_TEST

START_TEST(answers_when_held_and_counts_what_is_lost)
{
    struct weir_harness *harness = make("{\"send_batch_size\": 10, \"timeout\": \"1s\"}", WEIR_TRACES);
    struct weir_ledger ledger;
    weir_harness_set_result(harness, &WEIR_RESULT_RETRYABLE("no"));
    size_t request = weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 0, 4));
    ck_assert(weir_harness_answered(harness, request));
    ck_assert_int_eq(weir_harness_answer(harness, request)->outcome, WEIR_OK);
    weir_harness_ledger(harness, &ledger);
    ck_assert_uint_eq(ledger.accepted, 4);
    ck_assert_uint_eq(ledger.held, 4);
    weir_harness_advance(harness, 1000 * MS);
    weir_harness_ledger(harness, &ledger);
    ck_assert_uint_eq(ledger.held, 0);
    ck_assert_uint_eq(ledger.sent, 0);
    ck_assert_uint_eq(ledger.dropped, 4);
    ck_assert_str_eq(ledger.drops[0].reason, "send_failed");
    weir_harness_free(harness);
}
END_TEST

START_TEST(slow_destination_slows_senders)
{
    struct weir_harness *harness = make("{\"send_batch_size\": 1, \"timeout\": \"1s\"}", WEIR_TRACES);
    weir_harness_set_result(harness, NULL);
    for (uint64_t i = 0; i < 8; i++)
        ck_assert(weir_harness_answered(harness, weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, i, 1))));
    size_t waits = weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 8, 1));
    ck_assert(!weir_harness_answered(harness, waits));
    ck_assert_uint_eq(weir_harness_sent_count(harness), 8);
    weir_harness_complete(harness, 0, &WEIR_RESULT_OK);
    ck_assert(weir_harness_answered(harness, waits));
    ck_assert_int_eq(weir_harness_answer(harness, waits)->outcome, WEIR_OK);
    ck_assert_uint_eq(weir_harness_sent_count(harness), 9);
    weir_harness_free(harness);
}
END_TEST

START_TEST(refuses_who_still_waits_at_the_end)
{
    struct weir_harness *harness = make("{\"send_batch_size\": 1, \"timeout\": \"1s\"}", WEIR_TRACES);
    weir_harness_set_result(harness, NULL);
    for (uint64_t i = 0; i < 9; i++)
        weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, i, 1));
    ck_assert(!weir_harness_answered(harness, 8));
    weir_harness_free(harness); /* aborts if the ledger does not close */
}
END_TEST

START_TEST(drain_sends_everything)
{
    struct weir_harness *harness = make("{\"send_batch_size\": 100, \"timeout\": \"1h\"}", WEIR_TRACES);
    weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 0, 42));
    weir_harness_set_result(harness, NULL);
    weir_harness_drain(harness);
    ck_assert_uint_eq(weir_harness_sent_count(harness), 1);
    ck_assert(!weir_harness_drained(harness));
    weir_harness_complete(harness, 0, &WEIR_RESULT_OK);
    ck_assert(weir_harness_drained(harness));
    weir_harness_free(harness);
}
END_TEST

START_TEST(drain_of_an_empty_batcher_is_immediate)
{
    struct weir_harness *harness = make(NULL, WEIR_TRACES);
    weir_harness_drain(harness);
    ck_assert(weir_harness_drained(harness));
    weir_harness_free(harness);
}
END_TEST

/* 100,000 spans in one request, one item a batch: no recursion as deep as the data. */
START_TEST(many_splits_do_not_nest)
{
    struct weir_harness *harness =
        make("{\"send_batch_size\": 1, \"send_batch_max_size\": 1, \"timeout\": \"1s\"}", WEIR_TRACES);
    weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 0, 100000));
    ck_assert_uint_eq(weir_harness_sent_count(harness), 100000);
    weir_harness_free(harness);
}
END_TEST

static struct weir_batch *batch_from(const char *tenant, size_t items)
{
    struct weir_batch *batch = weir_harness_batch(WEIR_TRACES, 0, items);
    struct weir_metadata metadata[] = { { WEIR_STR("other"), WEIR_STR("x") },
                                        { WEIR_STR("tenant"), weir_str_of(tenant) } };
    struct weir_context *context = weir_context_new("grpc", WEIR_STR_NONE, metadata, 2);
    weir_batch_set_context(batch, context);
    weir_context_unref(context);
    return batch;
}

START_TEST(metadata_keeps_batches_apart)
{
    struct weir_harness *harness = make("{\"send_batch_size\": 100, \"timeout\": \"1s\", "
                                        "\"metadata_keys\": [\"Tenant\"], \"metadata_cardinality_limit\": 2}",
                                        WEIR_TRACES);
    weir_harness_consume(harness, batch_from("a", 1));
    weir_harness_consume(harness, batch_from("b", 2));
    weir_harness_consume(harness, batch_from("a", 4));
    size_t third = weir_harness_consume(harness, batch_from("c", 8));
    ck_assert_int_eq(weir_harness_answer(harness, third)->outcome, WEIR_PERMANENT);
    ck_assert_str_eq(weir_harness_answer(harness, third)->reason, "too many batcher metadata-value combinations");
    ck_assert_double_eq(weir_harness_series(harness, "processor_batch_metadata_cardinality"), 2);
    weir_harness_advance(harness, 1000 * MS);
    ck_assert_uint_eq(weir_harness_sent_count(harness), 2);
    ck_assert_uint_eq(sent_items(harness, 0) + sent_items(harness, 1), 7);
    for (size_t i = 0; i < 2; i++) {
        size_t count = 0;
        const struct weir_metadata *metadata =
            weir_context_metadata(weir_batch_context(weir_harness_sent(harness, i)), &count);
        ck_assert_uint_eq(count, 1);
        ck_assert(weir_str_is(metadata[0].key, "tenant"));
        ck_assert(weir_str_is(metadata[0].value, sent_items(harness, i) == 5 ? "a" : "b"));
    }
    weir_harness_free(harness);
}
END_TEST

static struct weir_ledger ledger_of(struct weir_harness *harness)
{
    struct weir_ledger ledger;
    weir_harness_ledger(harness, &ledger);
    return ledger;
}

START_TEST(asked_for_the_sink_it_answers_with_the_result)
{
    struct weir_harness *harness = make("{\"send_batch_size\": 10, \"timeout\": \"1s\"}", WEIR_TRACES);
    weir_harness_set_promise(harness, WEIR_PROMISE_SINK, 0);
    weir_harness_set_result(harness, NULL);
    size_t first = weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 0, 4));
    size_t second = weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 4, 6));
    ck_assert_uint_eq(weir_harness_sent_count(harness), 1);
    ck_assert(!weir_harness_answered(harness, first));
    ck_assert_uint_eq(ledger_of(harness).held, 0);
    weir_harness_complete(harness, 0, &WEIR_RESULT_RETRYABLE("full"));
    ck_assert_int_eq(weir_harness_answer(harness, first)->outcome, WEIR_RETRYABLE);
    ck_assert_str_eq(weir_harness_answer(harness, second)->reason, "full");
    ck_assert_uint_eq(ledger_of(harness).dropped, 0);
    ck_assert_uint_eq(ledger_of(harness).refused, 10);
    size_t third = weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 0, 10));
    weir_harness_complete(harness, 1, &WEIR_RESULT_OK);
    ck_assert_int_eq(weir_harness_answer(harness, third)->outcome, WEIR_OK);
    ck_assert_uint_eq(ledger_of(harness).accepted, 10);
    weir_harness_free(harness);
}
END_TEST

/* 6 + 7 items leave as 5, 5 and 3: the second request is in the last two. */
START_TEST(the_worst_of_a_split_request_is_its_answer)
{
    struct weir_harness *harness =
        make("{\"send_batch_size\": 5, \"send_batch_max_size\": 5, \"timeout\": \"1s\"}", WEIR_LOGS);
    weir_harness_set_promise(harness, WEIR_PROMISE_DISK, 0);
    weir_harness_set_result(harness, NULL);
    size_t first = weir_harness_consume(harness, weir_harness_batch(WEIR_LOGS, 0, 6));
    size_t second = weir_harness_consume(harness, weir_harness_batch(WEIR_LOGS, 6, 7));
    weir_harness_advance(harness, 1000 * MS);
    ck_assert_uint_eq(weir_harness_sent_count(harness), 3);
    ck_assert_uint_eq(sent_items(harness, 2), 3);
    weir_harness_complete(harness, 2, &WEIR_RESULT_OK);
    weir_harness_complete(harness, 0, &WEIR_RESULT_OK);
    ck_assert(!weir_harness_answered(harness, first) && !weir_harness_answered(harness, second));
    weir_harness_complete(harness, 1, &WEIR_RESULT_PERMANENT("never"));
    ck_assert_int_eq(weir_harness_answer(harness, first)->outcome, WEIR_PERMANENT);
    ck_assert_str_eq(weir_harness_answer(harness, second)->reason, "never");
    ck_assert_uint_eq(ledger_of(harness).sent, 8);
    ck_assert_uint_eq(ledger_of(harness).made, 8); /* will come again with the requests they belong to */
    ck_assert_uint_eq(ledger_of(harness).failed, 13);
    weir_harness_free(harness);
}
END_TEST

START_TEST(sends_early_for_a_client_in_a_hurry)
{
    struct weir_harness *harness = make("{\"send_batch_size\": 100, \"timeout\": \"10s\"}", WEIR_TRACES);
    weir_harness_set_promise(harness, WEIR_PROMISE_SINK, 0);
    weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 0, 1));
    weir_harness_set_promise(harness, WEIR_PROMISE_SINK, 1000 * MS);
    size_t hurried = weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 1, 1));
    weir_harness_advance(harness, 499 * MS);
    ck_assert_uint_eq(weir_harness_sent_count(harness), 0);
    weir_harness_advance(harness, 1 * MS);
    ck_assert_uint_eq(weir_harness_sent_count(harness), 1);
    ck_assert_uint_eq(sent_items(harness, 0), 2);
    ck_assert(weir_harness_answered(harness, hurried));
    /* the first of a new batch sets the time as well */
    weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 2, 1));
    weir_harness_advance(harness, 500 * MS);
    ck_assert_uint_eq(weir_harness_sent_count(harness), 2);
    weir_harness_free(harness);
}
END_TEST

START_TEST(who_waits_for_the_result_is_refused_at_the_end)
{
    struct weir_harness *harness =
        make("{\"send_batch_size\": 5, \"send_batch_max_size\": 5, \"timeout\": \"1s\"}", WEIR_TRACES);
    weir_harness_set_promise(harness, WEIR_PROMISE_SINK, 0);
    weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 0, 7));
    ck_assert_uint_eq(ledger_of(harness).sent, 5);
    weir_harness_free(harness); /* aborts if the request stays unanswered or the ledger does not close */
}
END_TEST

START_TEST(refuses_wrong_options)
{
    static const struct bad_options cases[] = {
        { "{\"timeout\": \"-1s\"}", "timeout must be greater or equal to 0" },
        { "{\"send_batch_size\": 10, \"send_batch_max_size\": 9}",
          "send_batch_max_size must be greater or equal to send_batch_size" },
        { "{\"metadata_keys\": [\"a\", \"A\"]}", "duplicate entry in metadata_keys: \"A\" (case-insensitive)" },
        { "{\"send_batch_sise\": 10}", "send_batch_size" },
    };
    assert_refused(component, WEIR_TRACES, cases, WEIR_ARRAY_LENGTH(cases));
}
END_TEST

int main(void)
{
    component = weir_harness_load(WEIR_PROCESSOR, "batch");
    Suite *suite = suite_create("batch processor");
    TCase *tests = tcase_create("batch");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, sends_when_full);
    tcase_add_test(tests, sends_after_timeout);
    tcase_add_test(tests, splits_above_maximum);
    tcase_add_test(tests, sends_at_once_without_timeout);
    tcase_add_test(tests, answers_when_held_and_counts_what_is_lost);
    tcase_add_test(tests, slow_destination_slows_senders);
    tcase_add_test(tests, refuses_who_still_waits_at_the_end);
    tcase_add_test(tests, drain_sends_everything);
    tcase_add_test(tests, drain_of_an_empty_batcher_is_immediate);
    tcase_add_test(tests, many_splits_do_not_nest);
    tcase_add_test(tests, metadata_keeps_batches_apart);
    tcase_add_test(tests, asked_for_the_sink_it_answers_with_the_result);
    tcase_add_test(tests, the_worst_of_a_split_request_is_its_answer);
    tcase_add_test(tests, sends_early_for_a_client_in_a_hurry);
    tcase_add_test(tests, who_waits_for_the_result_is_refused_at_the_end);
    tcase_add_test(tests, refuses_wrong_options);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
