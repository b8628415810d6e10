// SPDX-License-Identifier: Apache-2.0
/* Traces and decisions that a new instance takes over. */
#include <config.h>

#include <stdlib.h>

#include "plugins/processors/tail_sampling/options.h"
#include "plugins/processors/tail_sampling/tests/run.h"
#include "tests/unit/suite.h"

static struct weir_instance *successor;
static struct weir_batch *passed[64];
static size_t passed_count, passed_seen;

static void take(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    (void)shard;
    ck_assert_uint_lt(passed_count, WEIR_ARRAY_LENGTH(passed));
    passed[passed_count++] = batch;
    weir_ack_ok(ack);
}

static const struct weir_component sink = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "sink",
    .consume = take,
};
static const struct weir_component source = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_RECEIVER,
    .type = "source",
};
static struct weir_instance *sink_instance, *source_instance;

static void nothing(struct weir_shard *shard)
{
    (void)shard;
}
static const struct weir_host host = { .drained = nothing, .idle = nothing };

static struct weir_instance *open_instance(const struct weir_component *component, const void *config)
{
    struct weir_instance *instance = weir_instance_new(component, "tail_sampling", config, NULL, &host, NULL);
    weir_instance_set_uses(instance, WEIR_TRACES);
    return instance;
}

/* The new instance beside the old one, which goes on. */
static void start_successor(const struct tail_config *config)
{
    successor = open_instance(tail_component, config);
    sink_instance = open_instance(&sink, NULL);
    source_instance = open_instance(&source, NULL);
    weir_instance_connect(source_instance, WEIR_TRACES, "traces", WEIR_PROMISE_MEMORY, successor);
    weir_instance_connect(successor, WEIR_TRACES, "traces", WEIR_PROMISE_MEMORY, sink_instance);
    ck_assert_int_eq(tail_component->create(successor, NULL), 0);
    weir_shard_open(weir_instance_shard(source_instance, 0), NULL);
    weir_shard_open(weir_instance_shard(sink_instance, 0), NULL);
    ck_assert_int_eq(weir_shard_open(weir_instance_shard(successor, 0), NULL), 0);
}

static void offer_successor(const char *text)
{
    struct weir_batch *batch;
    while ((batch = spans_next(&text)))
        weir_shard_send(weir_instance_shard(source_instance, 0), batch, NULL);
}

/* The old one goes. */
static void hand_over(void)
{
    struct weir_instance *old = weir_harness_instance(tail);
    weir_shard_close(weir_harness_shard(tail));
    ck_assert_int_eq(tail_component->import_state(successor, tail_component->export_state(old), NULL), 0);
    weir_harness_advance(tail, 0);
}

static void assert_passed(const char *traces)
{
    char found[256];
    spans_traces(passed + passed_seen, passed_count - passed_seen, found);
    passed_seen = passed_count;
    ck_assert_str_eq(found, traces);
}

static struct weir_ledger successor_ledger(void)
{
    struct weir_ledger ledger;
    weir_instance_ledger(successor, WEIR_TRACES, true, &ledger);
    ck_assert_int_eq(weir_ledger_remainder(&ledger), (int64_t)ledger.held);
    return ledger;
}

static void end(void)
{
    successor_ledger();
    weir_shard_close(weir_instance_shard(successor, 0));
    tail_component->stop(successor);
    ck_assert_uint_eq(successor_ledger().held, 0);
    tail_component->destroy(successor);
    weir_shard_close(weir_instance_shard(source_instance, 0));
    weir_shard_close(weir_instance_shard(sink_instance, 0));
    weir_instance_free(source_instance);
    weir_instance_free(successor);
    weir_instance_free(sink_instance);
    while (passed_count > 0)
        weir_batch_unref(passed[--passed_count]);
    passed_seen = 0;
    tail_stop();
}

static struct tail_config *config_of(void)
{
    return (struct tail_config *)(uintptr_t)weir_instance_config(weir_harness_instance(tail));
}

#define ERRORS "'policies': [{'name': 'e', 'type': 'status_code', 'status_code': {'status_codes': ['ERROR']}}]"
#define ALL "'policies': [{'name': 'a', 'type': 'always_sample'}]"

START_TEST(pending_traces_keep_their_time)
{
    struct weir_ledger ledger;
    tail_start("{'decision_wait': '3s', " ALL "}");
    offer("1 n:a; 1 n:b");
    seconds(2);
    offer("2");
    start_successor(config_of());
    hand_over();
    weir_harness_ledger(tail, &ledger);
    ck_assert_uint_eq(ledger.handed_over, 3);
    ck_assert_uint_eq(ledger.held, 0);
    ck_assert_uint_eq(successor_ledger().made, 3);
    ck_assert_uint_eq(successor_ledger().held, 3);
    seconds(1);
    assert_passed("");
    seconds(1);
    assert_passed("1");
    seconds(2);
    assert_passed("2");
    end();
}
END_TEST

START_TEST(parts_on_both_sides_become_one)
{
    tail_start("{'decision_wait': '3s', " ERRORS "}");
    offer("1 n:first s:ERROR; 2");
    seconds(1);
    start_successor(config_of());
    offer_successor("1 n:second; 2; 3 s:ERROR");
    hand_over();
    ck_assert_uint_eq(successor_ledger().held, 5);
    seconds(3);
    char names[256];
    ck_assert_uint_eq(passed_count, 1);
    spans_names(passed[0], names);
    ck_assert_str_eq(names, "first | second");
    assert_passed("1");
    seconds(1);
    assert_passed("3");
    end();
}
END_TEST

START_TEST(decisions_go_along)
{
    tail_start("{'decision_wait': '1s', " ERRORS "}");
    offer("1 s:ERROR; 2");
    seconds(2);
    assert_sent("1");
    start_successor(config_of());
    offer_successor("3"); /* in between */
    hand_over();
    offer_successor("1; 2 s:ERROR");
    assert_passed("1");
    seconds(3);
    assert_passed("");
    end();
}
END_TEST

/* Spans that came to the new instance before it knew of the old one's decision. */
START_TEST(a_decision_decides_what_came_before_it)
{
    tail_start("{'decision_wait': '1s', " ERRORS "}");
    offer("1 s:ERROR; 2");
    seconds(2);
    start_successor(config_of());
    offer_successor("1; 2 s:ERROR");
    assert_passed("");
    hand_over();
    assert_passed("1");
    seconds(3);
    assert_passed("");
    end();
}
END_TEST

START_TEST(caches_go_along)
{
    tail_start("{'decision_wait': '1s', 'decision_cache': {'sampled_cache_size': 10, 'non_sampled_cache_size': 10}, " ERRORS "}");
    offer("1 s:ERROR; 2");
    seconds(2);
    start_successor(config_of());
    hand_over();
    offer_successor("1; 2 s:ERROR");
    assert_passed("1");
    seconds(3);
    assert_passed("");
    end();
}
END_TEST

/* What was seen with the old policies is looked at with the new ones. */
START_TEST(new_policies_look_again)
{
    static char code[] = "OK", *ok[] = { code };
    tail_start("{'decision_wait': '1s', 'policies': [{'name': 'e', 'type': 'status_code', 'status_code': {'status_codes': "
               "['ERROR']}}, {'name': 'l', 'type': 'latency', 'latency': {'threshold_ms': 50}}]}");
    struct tail_config config = *config_of();
    struct policy_options policies[2];
    memcpy(policies, config.policies.items, sizeof policies);
    policies[0].leaf.status_code.status_codes.items = ok;
    policies[1].leaf.latency.threshold_ms = 200;
    config.policies.items = policies;
    offer("1 s:ERROR; 2 s:OK; 3 d:0-100; 4 d:0-100 / 4 d:50-250");
    start_successor(&config);
    hand_over();
    seconds(2);
    assert_passed("2,4");
    end();
}
END_TEST

START_TEST(what_does_not_fit_is_counted)
{
    tail_start("{'decision_wait': '3s', 'num_traces': 10, " ALL "}");
    struct tail_config config = *config_of();
    config.num_traces = 2;
    offer("1; 2; 2; 3; 4");
    start_successor(&config);
    hand_over();
    ck_assert_uint_eq(successor_ledger().made, 5);
    ck_assert_uint_eq(successor_ledger().dropped, 3);
    seconds(4);
    assert_passed("3,4");
    end();
}
END_TEST

/* A client that waits for more than memory is told to come back; nothing of it goes along. */
START_TEST(claimed_spans_do_not_go_along)
{
    struct weir_ledger ledger;
    tail_start("{'decision_wait': '1s', " ALL "}");
    offer("1 n:kept");
    weir_harness_set_promise(tail, WEIR_PROMISE_SINK, 0);
    size_t request = offer("1 n:claimed; 2");
    start_successor(config_of());
    hand_over();
    ck_assert_int_eq(weir_harness_answer(tail, request)->outcome, WEIR_RETRYABLE);
    weir_harness_ledger(tail, &ledger);
    ck_assert_uint_eq(ledger.handed_over, 1);
    seconds(2);
    char names[256];
    ck_assert_uint_eq(passed_count, 1);
    spans_names(passed[0], names);
    ck_assert_str_eq(names, "kept");
    end();
}
END_TEST

START_TEST(nobody_takes_over)
{
    struct weir_ledger ledger;
    tail_start("{'decision_wait': '3s', " ALL "}");
    offer("1; 2");
    start_successor(config_of());
    weir_shard_close(weir_instance_shard(successor, 0));
    hand_over();
    weir_harness_ledger(tail, &ledger);
    ck_assert_uint_eq(ledger.handed_over, 2);
    ck_assert_uint_eq(successor_ledger().made, 2);
    ck_assert_uint_eq(successor_ledger().dropped, 2);
    end();
}
END_TEST

int main(void)
{
    tail_component = weir_harness_load(WEIR_PROCESSOR, "tail_sampling");
    Suite *suite = suite_create("tail_sampling reload");
    TCase *tests = tcase_create("reload");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, pending_traces_keep_their_time);
    tcase_add_test(tests, parts_on_both_sides_become_one);
    tcase_add_test(tests, decisions_go_along);
    tcase_add_test(tests, a_decision_decides_what_came_before_it);
    tcase_add_test(tests, caches_go_along);
    tcase_add_test(tests, new_policies_look_again);
    tcase_add_test(tests, what_does_not_fit_is_counted);
    tcase_add_test(tests, claimed_spans_do_not_go_along);
    tcase_add_test(tests, nobody_takes_over);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
