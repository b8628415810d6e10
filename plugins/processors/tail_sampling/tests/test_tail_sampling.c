// SPDX-License-Identifier: Apache-2.0
/* When traces are decided, what becomes of late spans, room, answers and the end (contrib-processors 1.2, 1.5 to 1.8). */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "plugins/processors/tail_sampling/tests/run.h"
#include "tests/unit/suite.h"

#define ERRORS "'policies': [{'name': 'e', 'type': 'status_code', 'status_code': {'status_codes': ['ERROR']}}]"
#define ALL "'policies': [{'name': 'a', 'type': 'always_sample'}]"

/* With a decision_wait of N seconds a trace is decided on the tick N + 1 after its first span. */
START_TEST(decides_at_the_tick_after_the_wait)
{
    static const struct {
        const char *wait;
        int ticks;
    } cases[] = {
        { "0s", 2 }, { "300ms", 2 }, { "1s", 2 }, { "1999ms", 2 }, { "2s", 3 }, { "5s", 6 }, { "10s", 11 },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        char *options = weir_xasprintf("{'decision_wait': '%s', " ALL "}", cases[i].wait);
        tail_start(options);
        seconds(3);
        weir_harness_advance(tail, SECOND / 2);
        offer("1");
        weir_harness_advance(tail, SECOND / 2); /* the first tick */
        seconds(cases[i].ticks - 2);
        assert_sent("");
        offer("1");
        seconds(1);
        assert_sent("1");
        ck_assert_uint_eq(weir_batch_items(weir_harness_sent(tail, 0)), 2);
        tail_stop();
        free(options);
    }
}
END_TEST

START_TEST(a_root_hastens_the_decision)
{
    static const struct {
        const char *wait, *after;
        const char *early, *later; /* what comes before the ticks, and after the second of them */
        int ticks;
    } cases[] = {
        { "9s", "0s", "1", NULL, 10 },
        { "9s", "300ms", "1", NULL, 1 },
        { "9s", "1s", "1", NULL, 2 },
        { "9s", "3s", "1", NULL, 4 },
        { "9s", "3s", "1 child", NULL, 10 },
        { "9s", "3s", "1 child; 1", NULL, 4 },
        { "9s", "3s", "1 child", "1", 6 },
        { "9s", "300ms", "1 child", "1", 3 },
        { "9s", "3s", "1", "1", 4 },
        { "3s", "9s", "1", NULL, 4 },
        { "3s", "3s", "1", NULL, 4 },
        { "3s", "2s", "1 child", "1", 4 },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        char *options = weir_xasprintf("{'decision_wait': '%s', 'decision_wait_after_root_received': '%s', " ALL "}",
                                       cases[i].wait, cases[i].after);
        int ticks = cases[i].ticks;
        tail_start(options);
        offer(cases[i].early);
        if (cases[i].later) {
            seconds(2);
            offer(cases[i].later);
            ticks -= 2;
        }
        seconds(ticks - 1);
        assert_sent("");
        seconds(1);
        assert_sent("1");
        tail_stop();
        free(options);
    }
}
END_TEST

/* One ResourceSpans for each that came, scopes apart, spans in order. */
START_TEST(a_trace_goes_on_as_it_came)
{
    tail_start("{'decision_wait': '1s', " ALL "}");
    offer("1 n:a; 2 n:x; 1 n:b; scope:two 1 n:c; 2 n:y | 1 n:d / 1 n:e");
    seconds(2);
    assert_names(0, "a b / c | d | e | x / y");
    struct weir_group *group = weir_batch_first_group(weir_harness_sent(tail, 0));
    struct weir_scope_group *scope = weir_scope_group_next(weir_group_first_scope(group));
    ck_assert(weir_str_is(weir_scope_group_scope(scope)->name, "two"));
    tail_stop();
}
END_TEST

START_TEST(resources_and_scopes_stay_with_their_spans)
{
    tail_start("{'decision_wait': '1s', " ALL "}");
    offer("1 rstr:host=a n:one | 1 rstr:host=b n:two / 1 rstr:host=a n:three");
    seconds(2);
    assert_names(0, "one | two | three");
    static const char *const hosts[] = { "a", "b", "a" };
    struct weir_group *group = weir_batch_first_group(weir_harness_sent(tail, 0));
    for (int i = 0; i < 3; i++, group = weir_group_next(group)) {
        const struct weir_value *host = weir_attributes_get(&weir_group_resource(group)->attributes, WEIR_STR("host"));
        ck_assert(weir_str_is(host->string, hosts[i]));
    }
    tail_stop();
}
END_TEST

/* Without caches the table knows what was decided. */
START_TEST(late_spans_follow_the_decision)
{
    tail_start("{'decision_wait': '1s', " ERRORS "}");
    offer("1 s:ERROR; 2");
    seconds(2);
    assert_sent("1");
    seconds(3);
    offer("1 n:late; 2 s:ERROR");
    assert_sent("1");
    assert_names(1, "late");
    seconds(3);
    assert_sent("");
    ck_assert_double_eq(series("sampling_late_span_age"), 2);
    ck_assert_double_eq(series("early_releases_from_cache_decision"), 0);
    ck_assert_double_eq(series("new_trace_id_received"), 2);
    ck_assert_uint_eq(dropped("not_sampled"), 2);
    tail_stop();
}
END_TEST

START_TEST(late_spans_of_dropped_traces_are_dropped)
{
    tail_start("{'decision_wait': '1s', 'policies': [{'name': 'a', 'type': 'always_sample'}, {'name': 'd', 'type': 'drop', "
               "'drop': {'drop_sub_policy': [{'name': 'f', 'type': 'trace_flags'}]}}]}");
    offer("1 f:1; 2");
    seconds(2);
    assert_sent("2");
    offer("1; 2");
    assert_sent("2");
    ck_assert_uint_eq(dropped("policy_drop"), 2);
    ck_assert_double_eq(series("global_count_traces_sampled"), 2);
    tail_stop();
}
END_TEST

#define CACHES "'decision_cache': {'sampled_cache_size': 2, 'non_sampled_cache_size': 2}, "

START_TEST(caches_remember_decisions)
{
    tail_start("{'decision_wait': '1s', 'num_traces': 1, " CACHES ERRORS "}");
    offer("1 s:ERROR");
    seconds(2);
    assert_sent("1");
    ck_assert_double_eq(series("sampling_traces_on_memory"), 0);
    ck_assert_double_eq(series("sampling_trace_removal_age"), 1);
    offer("2");
    seconds(2);
    offer("1 n:late; 2 s:ERROR");
    assert_sent("1");
    ck_assert_double_eq(series("early_releases_from_cache_decision"), 2);
    ck_assert_double_eq(series("sampling_late_span_age"), 0);
    ck_assert_double_eq(series("new_trace_id_received"), 2);
    tail_stop();
}
END_TEST

/* The least recently used goes; a look-up counts as use. */
START_TEST(caches_forget_the_least_used)
{
    tail_start("{'decision_wait': '1s', " CACHES ERRORS "}");
    offer("1 s:ERROR; 2 s:ERROR");
    seconds(2);
    assert_sent("1,2");
    offer("1");
    assert_sent("1");
    offer("3 s:ERROR");
    seconds(2);
    assert_sent("3");
    offer("1; 3"); /* both are known */
    assert_sent("1,3");
    offer("2"); /* is new */
    assert_sent("");
    seconds(2);
    assert_sent("");
    ck_assert_double_eq(series("new_trace_id_received"), 4);
    tail_stop();
}
END_TEST

/* They know traces by the lower halves of their ids. */
START_TEST(caches_look_at_half_of_the_id)
{
    tail_start("{'decision_wait': '1s', " CACHES ERRORS "}");
    offer("id:000000000000000000000000000000ee s:ERROR");
    seconds(2);
    assert_sent("238");
    offer("id:ffffffffffffffff00000000000000ee");
    assert_sent("238");
    offer("id:00000000000000000100000000000000");
    assert_sent("");
    tail_stop();
}
END_TEST

START_TEST(one_cache_leaves_the_other_decision_in_the_table)
{
    tail_start("{'decision_wait': '1s', 'decision_cache': {'sampled_cache_size': 2}, " ERRORS "}");
    offer("1 s:ERROR; 2");
    seconds(2);
    assert_sent("1");
    ck_assert_double_eq(series("sampling_traces_on_memory"), 1);
    offer("1; 2 s:ERROR");
    assert_sent("1");
    seconds(2);
    assert_sent("");
    ck_assert_double_eq(series("early_releases_from_cache_decision"), 1);
    tail_stop();
}
END_TEST

START_TEST(the_oldest_goes_when_there_is_no_room)
{
    tail_start("{'decision_wait': '1s', 'num_traces': 2, " ALL "}");
    offer("1; 2; 1; 3; 4 / 1");
    ck_assert_double_eq(series("sampling_trace_dropped_too_early"), 3);
    ck_assert_uint_eq(dropped("evicted"), 4);
    ck_assert_uint_eq(held(), 2);
    seconds(2);
    assert_sent("4,1");
    /* decided ones count, and go first where they are the oldest */
    offer("5");
    seconds(2);
    assert_sent("5");
    ck_assert_double_eq(series("sampling_trace_dropped_too_early"), 3);
    offer("4");
    assert_sent("");
    tail_stop();
}
END_TEST

START_TEST(a_blocked_request_waits_for_room)
{
    tail_start("{'decision_wait': '1s', 'num_traces': 2, 'block_on_overflow': true, " ALL "}");
    offer("1");
    seconds(1);
    size_t full = offer("2; 3; 3; 2");
    size_t behind = offer("1");
    ck_assert(!weir_harness_answered(tail, full));
    ck_assert(!weir_harness_answered(tail, behind));
    seconds(1); /* 1 is decided, and makes room */
    assert_sent("1");
    ck_assert(weir_harness_answered(tail, full));
    ck_assert(!weir_harness_answered(tail, behind));
    ck_assert_uint_eq(held(), 4);
    seconds(1);
    assert_sent("2");
    ck_assert(weir_harness_answered(tail, behind));
    seconds(2);
    assert_sent("3,1");
    ck_assert_double_eq(series("sampling_trace_dropped_too_early"), 0);
    tail_stop();
}
END_TEST

START_TEST(the_end_refuses_a_blocked_request)
{
    tail_start("{'decision_wait': '1s', 'num_traces': 1, 'block_on_overflow': true, " ALL "}");
    offer("1");
    size_t full = offer("2; 3");
    size_t behind = offer("1");
    ck_assert(!weir_harness_answered(tail, full));
    ck_assert(!weir_harness_answered(tail, behind));
    tail_stop(); /* fails unless both are answered then, and the ledger closes */
}
END_TEST

/* A trace with its resource, scope and span is 44 bytes here, a second span is 30 more. */
START_TEST(a_trace_that_is_too_large_is_dropped_at_once)
{
    tail_start("{'decision_wait': '2s', 'maximum_trace_size_bytes': 90, 'decision_cache': {'non_sampled_cache_size': 9}, " ALL "}");
    offer("1; 1; 2; 2; 2");
    ck_assert_double_eq(series("traces_dropped_too_large"), 1);
    ck_assert_uint_eq(dropped("too_large"), 3);
    offer("2");
    ck_assert_uint_eq(dropped("not_sampled"), 1);
    seconds(1);
    offer("1"); /* 74 + 44 */
    ck_assert_double_eq(series("traces_dropped_too_large"), 2);
    seconds(3);
    assert_sent("");
    ck_assert_uint_eq(held(), 0);
    tail_stop();
}
END_TEST

START_TEST(a_trace_of_just_the_size_is_kept)
{
    tail_start("{'decision_wait': '1s', 'maximum_trace_size_bytes': 88, " ALL "}");
    offer("1 / 1; 2; 2; 2");
    seconds(2);
    assert_sent("1");
    offer("2"); /* known from the table, without a cache */
    assert_sent("");
    tail_stop();
}
END_TEST

/* Each trace takes some 200 bytes here; the giant can't push the others out. */
START_TEST(bytes_are_bounded_too)
{
    tail_start("{'decision_wait': '1s', 'maximum_pending_bytes': 4000, " ALL "}");
    offer("1; 2; 3");
    for (int i = 0; i < 40; i++)
        offer("9");
    ck_assert_double_eq(series("traces_dropped_too_large"), 1);
    seconds(2);
    assert_sent("1,2,3");
    char text[64];
    for (int i = 11; i < 111; i++) {
        snprintf(text, sizeof text, "%d", i);
        offer(text);
    }
    ck_assert_uint_lt(held(), 30);
    ck_assert_uint_gt(held(), 10);
    ck_assert_uint_eq(dropped("evicted"), 100 - held());
    seconds(2);
    tail_stop();
}
END_TEST

START_TEST(draining_decides_what_is_there)
{
    tail_start("{'decision_wait': '30s', " ERRORS "}");
    offer("1 s:ERROR; 2; 3 s:ERROR");
    weir_harness_set_result(tail, NULL);
    weir_harness_drain(tail);
    assert_sent("1,3");
    ck_assert(!weir_harness_drained(tail));
    weir_harness_complete(tail, 0, &WEIR_RESULT_OK);
    ck_assert(weir_harness_drained(tail));
    ck_assert_uint_eq(dropped("not_sampled"), 1);
    ck_assert_uint_eq(held(), 0);
    tail_stop();
}
END_TEST

START_TEST(draining_drops_if_told_so)
{
    tail_start("{'decision_wait': '30s', 'drop_pending_traces_on_shutdown': true, " ALL "}");
    offer("1; 2");
    weir_harness_drain(tail);
    ck_assert(weir_harness_drained(tail));
    assert_sent("");
    ck_assert_uint_eq(dropped("shutdown"), 2);
    tail_stop();
}
END_TEST

START_TEST(what_comes_while_draining_is_decided_at_once)
{
    tail_start("{'decision_wait': '30s', " ALL "}");
    weir_harness_set_result(tail, NULL);
    offer("1");
    weir_harness_drain(tail);
    size_t request = offer("2");
    assert_sent("1,2");
    ck_assert(!weir_harness_answered(tail, request));
    weir_harness_complete(tail, 0, &WEIR_RESULT_OK);
    ck_assert(!weir_harness_drained(tail));
    weir_harness_complete(tail, 1, &WEIR_RESULT_OK);
    ck_assert(weir_harness_answered(tail, request));
    ck_assert(weir_harness_drained(tail));
    tail_stop();
}
END_TEST

START_TEST(many_traces_are_decided_in_turns)
{
    struct weir_ledger ledger;
    tail_start("{'decision_wait': '1s', " ALL "}");
    for (int i = 0; i < 100; i++) {
        struct weir_batch *batch = weir_harness_batch(WEIR_TRACES, (uint64_t)i * 100, 100);
        weir_harness_consume(tail, batch);
    }
    seconds(3);
    weir_harness_ledger(tail, &ledger);
    ck_assert_uint_eq(ledger.sent, 10000);
    ck_assert_uint_eq(ledger.held, 0);
    tail_stop();
}
END_TEST

/* Answered as soon as it is held; what is lost later is counted. */
START_TEST(losses_after_the_answer_are_counted)
{
    tail_start("{'decision_wait': '1s', " ERRORS "}");
    weir_harness_set_result(tail, &WEIR_RESULT_RETRYABLE("no"));
    size_t request = offer("1 s:ERROR; 1; 2");
    ck_assert_int_eq(weir_harness_answer(tail, request)->outcome, WEIR_OK);
    ck_assert_uint_eq(held(), 3);
    seconds(2);
    ck_assert_uint_eq(dropped("send_failed"), 2);
    ck_assert_uint_eq(dropped("not_sampled"), 1);
    ck_assert_uint_eq(held(), 0);
    tail_stop();
}
END_TEST

START_TEST(who_asks_for_more_waits_for_the_decision)
{
    tail_start("{'decision_wait': '1s', " ERRORS "}");
    weir_harness_set_promise(tail, WEIR_PROMISE_SINK, 0);
    size_t unsampled = offer("2"), mixed = offer("1 s:ERROR; 3");
    ck_assert(!weir_harness_answered(tail, unsampled));
    ck_assert_uint_eq(held(), 0);
    weir_harness_set_result(tail, NULL);
    seconds(2);
    ck_assert(weir_harness_answered(tail, unsampled));
    ck_assert_int_eq(weir_harness_answer(tail, unsampled)->outcome, WEIR_OK);
    ck_assert(!weir_harness_answered(tail, mixed));
    weir_harness_complete(tail, 0, &WEIR_RESULT_OK);
    ck_assert_int_eq(weir_harness_answer(tail, mixed)->outcome, WEIR_OK);
    size_t late = offer("1");
    ck_assert(!weir_harness_answered(tail, late));
    weir_harness_complete(tail, 1, &WEIR_RESULT_OK);
    ck_assert(weir_harness_answered(tail, late));
    tail_stop();
}
END_TEST

START_TEST(who_asks_for_more_hears_of_failures)
{
    tail_start("{'decision_wait': '1s', " ERRORS "}");
    weir_harness_set_promise(tail, WEIR_PROMISE_DISK, 0);
    weir_harness_set_result(tail, &WEIR_RESULT_RETRYABLE("come later"));
    size_t request = offer("1 s:ERROR; 2");
    seconds(2);
    ck_assert_int_eq(weir_harness_answer(tail, request)->outcome, WEIR_RETRYABLE);
    ck_assert_str_eq(weir_harness_answer(tail, request)->reason, "come later");
    ck_assert_uint_eq(dropped("send_failed"), 0);
    tail_stop();
}
END_TEST

START_TEST(who_asks_for_more_hears_of_evictions)
{
    tail_start("{'decision_wait': '1s', 'num_traces': 1, " ALL "}");
    size_t memory = offer("1");
    weir_harness_set_promise(tail, WEIR_PROMISE_SINK, 0);
    size_t first = offer("1"), second = offer("2");
    ck_assert(weir_harness_answered(tail, memory));
    ck_assert_int_eq(weir_harness_answer(tail, first)->outcome, WEIR_RETRYABLE);
    ck_assert(!weir_harness_answered(tail, second));
    ck_assert_uint_eq(dropped("evicted"), 1); /* the span that had been answered for */
    seconds(2);
    assert_sent("2");
    tail_stop();
}
END_TEST

START_TEST(who_still_waits_at_the_end_is_refused)
{
    tail_start("{'decision_wait': '30s', " ALL "}");
    offer("1; 2");
    weir_harness_set_promise(tail, WEIR_PROMISE_SINK, 0);
    offer("1; 3");
    ck_assert_uint_eq(held(), 2);
    tail_stop(); /* fails unless all are answered then, and the ledger closes */
}
END_TEST

#define INGEST "'sampling_strategy': 'span-ingest', "
#define DROP_FLAGGED \
    ", {'name': 'd', 'type': 'drop', 'drop': {'drop_sub_policy': [{'name': 'f', 'type': 'trace_flags'}]}}]"

START_TEST(span_ingest_decides_on_arrival)
{
    tail_start("{'decision_wait': '1s', " INGEST ERRORS "}");
    offer("1 n:a; 2 / 1 n:b; 2");
    assert_sent("");
    offer("1 n:c s:ERROR");
    assert_sent("1");
    assert_names(0, "a | b | c");
    offer("1 n:late");
    assert_sent("1");
    seconds(2);
    assert_sent("");
    ck_assert_uint_eq(dropped("not_sampled"), 2);
    tail_stop();
}
END_TEST

/* Each part alone: neither takes 100 ms, nor has two spans. */
START_TEST(span_ingest_looks_at_parts)
{
    tail_start("{'decision_wait': '1s', " INGEST "'policies': [{'name': 'l', 'type': 'latency', 'latency': {'threshold_ms': "
               "100}}, {'name': 'c', 'type': 'span_count', 'span_count': {'min_spans': 2}}]}");
    offer("1 d:0-60 / 1 d:50-110");
    assert_sent("");
    offer("2 d:0-100 / 3; 3");
    assert_sent("2,3");
    seconds(2);
    assert_sent("");
    tail_stop();
}
END_TEST

/* While a policy may still drop it, none can sample it; and at its time it is not sampled. */
START_TEST(span_ingest_drops_for_good)
{
    char *options = weir_xasprintf("{'decision_wait': '1s', " INGEST "%.*s" DROP_FLAGGED "}", (int)strlen(ALL) - 1, ALL);
    tail_start(options);
    free(options);
    offer("1; 2 / 1 f:1");
    assert_sent("");
    ck_assert_uint_eq(dropped("policy_drop"), 2);
    offer("1");
    ck_assert_uint_eq(dropped("policy_drop"), 3);
    seconds(2);
    assert_sent("");
    ck_assert_uint_eq(dropped("not_sampled"), 1);
    tail_stop();
}
END_TEST

START_TEST(refuses_wrong_options)
{
    static const struct bad_options cases[] = {
        { "{'sampling_strategy': 'best'}", "trace-complete" },
        { "{'sampling_strategy': 'best'}", "span-ingest" },
        { "{'tail_storage': 'x'}", "no extension" },
        { "{'storage': 'file_storage', 'drop_pending_traces_on_shutdown': true}", "set one of them" },
        { "{'num_traces': 0}", "num_traces" },
        { "{'num_traces': -1}", "num_traces" },
        { "{'decision_wait': '-1s'}", "decision_wait" },
        { "{'maximum_trace_size': 5}", "maximum_trace_size_bytes" },
        { "{'decision_cache': {'sampled_cache_size': -1}}", "sampled_cache_size" },
        { "{" INGEST "'policies': [{'name': 'r', 'type': 'rate_limiting'}]}", "policy \"r\"" },
        { "{" INGEST "'policies': [{'name': 'r', 'type': 'bytes_limiting'}]}", "policy \"r\"" },
        { "{" INGEST "'policies': [{'name': 'l', 'type': 'latency', 'latency': {'upper_threshold_ms': 5}}]}", "policy \"l\"" },
        { "{" INGEST "'policies': [{'name': 'c', 'type': 'span_count', 'span_count': {'max_spans': 5}}]}", "policy \"c\"" },
        { "{" INGEST "'policies': [{'name': 'n', 'type': 'not', 'not': {'not_sub_policy': {'name': 'r', 'type': "
          "'rate_limiting'}}}]}", "policy \"n\"" },
        { "{" INGEST "'policies': [{'name': 'n', 'type': 'and', 'and': {'and_sub_policy': [{'name': 'r', 'type': "
          "'rate_limiting'}]}}]}", "policy \"n\"" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        char *refusal = tail_refusal(cases[i].options);
        ck_assert_msg(strstr(refusal, cases[i].says) != NULL, "%s: \"%s\" has no \"%s\"", cases[i].options, refusal,
                      cases[i].says);
        free(refusal);
    }
}
END_TEST

START_TEST(an_empty_request_is_answered)
{
    tail_start("{" ALL "}");
    size_t request = weir_harness_consume(tail, weir_batch_new(WEIR_TRACES));
    ck_assert_int_eq(weir_harness_answer(tail, request)->outcome, WEIR_OK);
    tail_stop();
}
END_TEST

int main(void)
{
    tail_component = weir_harness_load(WEIR_PROCESSOR, "tail_sampling");
    Suite *suite = suite_create("tail_sampling");
    TCase *tests = tcase_create("tail_sampling");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, decides_at_the_tick_after_the_wait);
    tcase_add_test(tests, a_root_hastens_the_decision);
    tcase_add_test(tests, a_trace_goes_on_as_it_came);
    tcase_add_test(tests, resources_and_scopes_stay_with_their_spans);
    tcase_add_test(tests, late_spans_follow_the_decision);
    tcase_add_test(tests, late_spans_of_dropped_traces_are_dropped);
    tcase_add_test(tests, caches_remember_decisions);
    tcase_add_test(tests, caches_forget_the_least_used);
    tcase_add_test(tests, caches_look_at_half_of_the_id);
    tcase_add_test(tests, one_cache_leaves_the_other_decision_in_the_table);
    tcase_add_test(tests, the_oldest_goes_when_there_is_no_room);
    tcase_add_test(tests, a_blocked_request_waits_for_room);
    tcase_add_test(tests, the_end_refuses_a_blocked_request);
    tcase_add_test(tests, a_trace_that_is_too_large_is_dropped_at_once);
    tcase_add_test(tests, a_trace_of_just_the_size_is_kept);
    tcase_add_test(tests, bytes_are_bounded_too);
    tcase_add_test(tests, draining_decides_what_is_there);
    tcase_add_test(tests, draining_drops_if_told_so);
    tcase_add_test(tests, what_comes_while_draining_is_decided_at_once);
    tcase_add_test(tests, many_traces_are_decided_in_turns);
    tcase_add_test(tests, losses_after_the_answer_are_counted);
    tcase_add_test(tests, who_asks_for_more_waits_for_the_decision);
    tcase_add_test(tests, who_asks_for_more_hears_of_failures);
    tcase_add_test(tests, who_asks_for_more_hears_of_evictions);
    tcase_add_test(tests, who_still_waits_at_the_end_is_refused);
    tcase_add_test(tests, span_ingest_decides_on_arrival);
    tcase_add_test(tests, span_ingest_looks_at_parts);
    tcase_add_test(tests, span_ingest_drops_for_good);
    tcase_add_test(tests, refuses_wrong_options);
    tcase_add_test(tests, an_empty_request_is_answered);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
