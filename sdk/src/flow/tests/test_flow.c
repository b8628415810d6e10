// SPDX-License-Identifier: Apache-2.0
/* Sending, counting, admission and meters, between instances that the test makes itself. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/harness.h>
#include <weir/memory.h>
#include <weir/sys/worker.h>

#include "tests/unit/suite.h"

static struct weir_result next_result;
static struct weir_ack *kept;
static size_t consumed;

static void take(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    (void)shard;
    consumed++;
    weir_batch_unref(batch);
    weir_ack_complete(ack, &next_result);
}

static void keep(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    (void)shard;
    weir_batch_unref(batch);
    kept = ack;
}

static void pass(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    weir_shard_send(shard, batch, ack);
}

static size_t asked_bytes;
static bool admits = true;

static bool admit(struct weir_shard *shard, enum weir_signal signal, size_t bytes, struct weir_result *refusal)
{
    (void)shard;
    (void)signal;
    asked_bytes = bytes;
    if (!admits)
        *refusal = WEIR_RESULT_RETRYABLE("full");
    return admits;
}

enum { CALLS, LATENCY, WATCHED };
static const double bounds[] = { 1, 10 };
static const struct weir_instrument metrics[] = {
    [CALLS] = { "calls", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{call}", "Calls.", NULL, 0 },
    [LATENCY] = { "latency", WEIR_HISTOGRAM, WEIR_LEVEL_BASIC, "s", "Latency.", bounds, 2 },
    [WATCHED] = { "watched", WEIR_GAUGE, WEIR_LEVEL_BASIC, "", "Watched.", NULL, 0 },
    { .name = NULL },
};

static const struct weir_component receiver = { WEIR_COMPONENT_GUARD, .kind = WEIR_RECEIVER, .type = "r" };
static const struct weir_component processor = {
    WEIR_COMPONENT_GUARD, .kind = WEIR_PROCESSOR, .type = "p", .consume = pass, .admit = admit, .metrics = metrics,
};
static const struct weir_component exporter = { WEIR_COMPONENT_GUARD, .kind = WEIR_EXPORTER, .type = "e",
                                                .consume = take };
static const struct weir_component keeper = { WEIR_COMPONENT_GUARD, .kind = WEIR_EXPORTER, .type = "k",
                                              .consume = keep };

static unsigned rests;

static void count_rest(struct weir_instance *instance)
{
    (void)instance;
    rests++;
}

static const struct weir_host host = { .drained = NULL, .rested = count_rest };
static struct weir_instance *from, *middle, *to, *slow;

static struct weir_instance *make(const struct weir_component *component, const char *id)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_instance *instance = weir_instance_new(component, id, NULL, NULL, &host, NULL);
    ck_assert_int_eq(weir_shard_open(weir_instance_shard(instance, 0), &error), 0);
    return instance;
}

/* r -> p -> e for traces, r -> e for logs. */
static void set_up(void)
{
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_MANUAL, &error), 0);
    from = make(&receiver, "r");
    middle = make(&processor, "p");
    to = make(&exporter, "e");
    slow = make(&keeper, "k");
    weir_instance_connect(from, WEIR_TRACES, "traces", WEIR_PROMISE_MEMORY, middle);
    weir_instance_connect(middle, WEIR_TRACES, "traces", WEIR_PROMISE_MEMORY, to);
    weir_instance_connect(from, WEIR_LOGS, "logs", WEIR_PROMISE_MEMORY, to);
    weir_instance_connect(from, WEIR_METRICS, "metrics", WEIR_PROMISE_MEMORY, slow);
    next_result = WEIR_RESULT_OK;
}

static void tear_down(void)
{
    weir_instance_free(from);
    weir_instance_free(middle);
    weir_instance_free(to);
    weir_instance_free(slow);
    weir_workers_destroy();
}

static struct weir_shard *shard(struct weir_instance *instance)
{
    return weir_instance_shard(instance, 0);
}

static int outcome;

static void note_outcome(struct weir_ack *ack, const struct weir_result *result)
{
    (void)ack;
    outcome = (int)result->outcome;
}

static struct weir_ack ack = { .done = note_outcome };

static void send(enum weir_signal signal, size_t items, const char *transport)
{
    struct weir_batch *batch = weir_harness_batch(signal, 0, items);
    struct weir_context *context = weir_context_new(transport, WEIR_STR(""), NULL, 0);
    weir_batch_set_context(batch, context);
    weir_context_unref(context);
    outcome = -1;
    weir_shard_send(shard(from), batch, &ack);
}

static struct weir_ledger ledger_of(struct weir_instance *instance, enum weir_signal signal)
{
    struct weir_ledger ledger;
    weir_instance_ledger(instance, signal, true, &ledger);
    ck_assert_int_eq(weir_ledger_remainder(&ledger), (int64_t)ledger.held);
    return ledger;
}

START_TEST(counts_at_both_ends)
{
    send(WEIR_TRACES, 5, "grpc");
    ck_assert_int_eq(outcome, WEIR_OK);
    next_result = WEIR_RESULT_RETRYABLE("later");
    send(WEIR_TRACES, 3, "grpc");
    ck_assert_int_eq(outcome, WEIR_RETRYABLE);
    next_result = WEIR_RESULT_PERMANENT("never");
    send(WEIR_TRACES, 2, "http");
    ck_assert_int_eq(outcome, WEIR_PERMANENT);
    struct weir_ledger ledger = ledger_of(from, WEIR_TRACES);
    ck_assert_uint_eq(ledger.offered, 10);
    ck_assert_uint_eq(ledger.accepted, 5);
    ck_assert_uint_eq(ledger.refused, 3);
    ck_assert_uint_eq(ledger.failed, 2);
    ck_assert_uint_eq(ledger.in_flight, 0);
    ledger = ledger_of(middle, WEIR_TRACES);
    ck_assert_uint_eq(ledger.sent, 5);
    ck_assert_uint_eq(ledger.send_failed, 5);
    ledger = ledger_of(to, WEIR_TRACES);
    ck_assert_uint_eq(ledger.delivered, 5);
    ck_assert_uint_eq(ledger.accepted_bytes + ledger.refused_bytes + ledger.failed_bytes, ledger.offered_bytes);
    ck_assert_uint_gt(ledger.accepted_bytes, 0);
}
END_TEST

START_TEST(unanswered)
{
    send(WEIR_METRICS, 4, "grpc");
    ck_assert_int_eq(outcome, -1);
    ck_assert_uint_eq(ledger_of(slow, WEIR_METRICS).in_flight, 4);
    ck_assert_uint_eq(ledger_of(from, WEIR_METRICS).in_flight, 4);
    weir_ack_ok(kept);
    ck_assert_int_eq(outcome, WEIR_OK);
    ck_assert_uint_eq(ledger_of(from, WEIR_METRICS).in_flight, 0);
}
END_TEST

START_TEST(by_transport)
{
    const char *transport;
    uint64_t accepted, refused;
    send(WEIR_TRACES, 5, "grpc");
    send(WEIR_TRACES, 1, "http");
    next_result = WEIR_RESULT_PERMANENT("never");
    send(WEIR_TRACES, 2, "http");
    ck_assert(weir_instance_transport(from, WEIR_TRACES, 0, &transport, &accepted, &refused));
    ck_assert_str_eq(transport, "grpc");
    ck_assert_uint_eq(accepted, 5);
    ck_assert_uint_eq(refused, 0);
    ck_assert(weir_instance_transport(from, WEIR_TRACES, 1, &transport, &accepted, &refused));
    ck_assert_str_eq(transport, "http");
    ck_assert_uint_eq(accepted, 1);
    ck_assert_uint_eq(refused, 2);
    ck_assert(!weir_instance_transport(from, WEIR_TRACES, 2, &transport, &accepted, &refused));
}
END_TEST

START_TEST(nobody_takes_it)
{
    weir_shard_send(shard(middle), weir_harness_batch(WEIR_LOGS, 0, 6), &ack);
    ck_assert_int_eq(outcome, WEIR_OK);
    struct weir_ledger ledger;
    weir_instance_ledger(middle, WEIR_LOGS, true, &ledger);
    ck_assert_uint_eq(ledger.dropped, 6);
    ck_assert_str_eq(ledger.drops[0].reason, "no_pipeline");
}
END_TEST

/* No number is lost when there are more reasons than slots. */
START_TEST(many_reasons)
{
    static char names[40][8];
    struct weir_ledger ledger;
    for (unsigned i = 0; i < WEIR_ARRAY_LENGTH(names); i++) {
        snprintf(names[i], sizeof names[i], "r%u", i);
        weir_shard_drop(shard(middle), WEIR_LOGS, 2, names[i]);
    }
    weir_shard_drop(shard(middle), WEIR_LOGS, 3, "r0");
    weir_instance_ledger(middle, WEIR_LOGS, true, &ledger);
    ck_assert_uint_eq(ledger.dropped, 83);
    ck_assert_str_eq(ledger.drops[0].reason, "r0");
    ck_assert_uint_eq(ledger.drops[0].items, 5);
    ck_assert_str_eq(ledger.drops[WEIR_LEDGER_REASONS - 1].reason, "other");
    ck_assert_uint_eq(ledger.drops[WEIR_LEDGER_REASONS - 1].items, 50);
}
END_TEST

START_TEST(refusals_count_requests)
{
    weir_shard_refuse(shard(from), WEIR_LOGS, 100, "too_large");
    weir_shard_refuse(shard(from), WEIR_LOGS, 50, "too_large");
    struct weir_ledger ledger = ledger_of(from, WEIR_LOGS);
    ck_assert_str_eq(ledger.refusals[0].reason, "too_large");
    ck_assert_uint_eq(ledger.refusals[0].items, 2);
    ck_assert_uint_eq(ledger.refusals[0].bytes, 150);
}
END_TEST

START_TEST(admission)
{
    struct weir_result refusal = WEIR_RESULT_OK;
    size_t before = weir_memory_reserved();
    ck_assert(weir_shard_admit(shard(from), WEIR_TRACES, 1000, &refusal));
    ck_assert_uint_eq(asked_bytes, 1000);
    ck_assert_uint_eq(weir_memory_reserved(), before + 1000);
    weir_memory_release(1000);
    admits = false;
    ck_assert(!weir_shard_admit(shard(from), WEIR_TRACES, 2000, &refusal));
    ck_assert_str_eq(refusal.reason, "full");
    ck_assert_uint_eq(weir_memory_reserved(), before);
    /* nothing on the way of logs objects */
    ck_assert(weir_shard_admit(shard(from), WEIR_LOGS, 10, &refusal));
    weir_memory_release(10);
    admits = true;
}
END_TEST

START_TEST(admission_behind_a_connector)
{
    static const struct weir_component connector = { WEIR_COMPONENT_GUARD, .kind = WEIR_CONNECTOR, .type = "c",
                                                     .consume = pass };
    struct weir_instance *between = make(&connector, "c");
    struct weir_result refusal = WEIR_RESULT_OK;
    weir_instance_connect(from, WEIR_PROFILES, "in", WEIR_PROMISE_MEMORY, between);
    weir_instance_connect(between, WEIR_PROFILES, "out", WEIR_PROMISE_MEMORY, middle);
    admits = false;
    ck_assert(!weir_shard_admit(shard(from), WEIR_PROFILES, 1000, &refusal));
    ck_assert_str_eq(refusal.reason, "full");
    admits = true;
    weir_instance_free(between);
}
END_TEST

START_TEST(closed_shard_refuses)
{
    weir_shard_close(shard(to));
    consumed = 0;
    send(WEIR_LOGS, 1, "grpc");
    ck_assert_int_eq(outcome, WEIR_RETRYABLE);
    ck_assert_uint_eq(consumed, 0);
    ck_assert_uint_eq(ledger_of(to, WEIR_LOGS).refused, 1);
}
END_TEST

static double read_seven(void *argument)
{
    (void)argument;
    return 7;
}

struct seen {
    double calls, latency_sum, watched;
    uint64_t observations, buckets[3];
    size_t series;
};

static void see(const struct weir_series_view *view, void *argument)
{
    struct seen *seen = argument;
    if (view->kind != WEIR_PROCESSOR || strcmp(view->id, "p") != 0)
        return;
    seen->series++;
    if (strcmp(view->instrument->name, "calls") == 0)
        seen->calls += view->value;
    else if (strcmp(view->instrument->name, "watched") == 0)
        seen->watched += view->value;
    else {
        seen->latency_sum += view->value;
        seen->observations += view->observations;
        memcpy(seen->buckets, view->buckets, sizeof seen->buckets);
    }
}

START_TEST(meters)
{
    struct seen seen = { 0 };
    struct weir_label get[] = { { "method", "GET" } }, put[] = { { "method", "PUT" } };
    struct weir_series *gets = weir_meter_series(middle, CALLS, get, 1);
    struct weir_series *latency = weir_meter_series(middle, LATENCY, NULL, 0);
    ck_assert_ptr_eq(weir_meter_series(middle, CALLS, get, 1), gets);
    ck_assert_ptr_ne(weir_meter_series(middle, CALLS, put, 1), gets);
    weir_series_add(gets, 2);
    weir_series_add(gets, 3);
    weir_series_observe(latency, 1); /* a bound belongs to its bucket */
    weir_series_observe(latency, 1.5);
    weir_series_observe(latency, 11);
    weir_meter_observe(middle, WATCHED, NULL, 0, read_seven, NULL);
    weir_meter_visit(see, &seen);
    ck_assert_uint_eq(seen.series, 4);
    ck_assert(seen.calls == 5 && seen.latency_sum == 13.5 && seen.watched == 7);
    ck_assert_uint_eq(seen.observations, 3);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(seen.buckets[i], 1);
    /* nobody reads for an instance that is gone */
    weir_meter_forget(middle);
    seen = (struct seen){ 0 };
    weir_meter_visit(see, &seen);
    ck_assert(seen.watched == 0);
}
END_TEST

/* A series that is given back by all who got it is gone; who gets it again begins at 0. */
START_TEST(a_series_of_a_peer_goes_with_it)
{
    struct seen seen = { 0 };
    struct weir_label get[] = { { "method", "GET" } };
    struct weir_series *first = weir_meter_series(middle, CALLS, get, 1);
    struct weir_series *second = weir_meter_series(middle, CALLS, get, 1);
    const struct weir_component *component = weir_instance_component(middle);
    const char *id = weir_instance_id(middle), *name = component->metrics[CALLS].name;
    weir_series_add(first, 2);
    weir_meter_release(first);
    weir_series_add(second, 3);
    weir_meter_visit(see, &seen);
    ck_assert(seen.calls == 5);
    ck_assert(weir_meter_has(component->kind, id, name));
    weir_meter_release(second);
    weir_meter_release(NULL);
    ck_assert(!weir_meter_has(component->kind, id, name));
    weir_series_add(weir_meter_series(middle, CALLS, get, 1), 1);
    seen = (struct seen){ 0 };
    weir_meter_visit(see, &seen);
    ck_assert(seen.calls == 1);
}
END_TEST

START_TEST(status_keeps_the_newest)
{
    char *reason = NULL;
    ck_assert_int_eq(weir_instance_status(to, NULL), WEIR_STATUS_STARTING);
    weir_instance_report(to, WEIR_STATUS_RECOVERABLE_ERROR, "no answer");
    weir_instance_report(to, WEIR_STATUS_PERMANENT_ERROR, "gone");
    ck_assert_int_eq(weir_instance_status(to, &reason), WEIR_STATUS_PERMANENT_ERROR);
    ck_assert_str_eq(reason, "gone");
    free(reason);
    weir_instance_report(to, WEIR_STATUS_RUNNING, NULL);
    ck_assert_int_eq(weir_instance_status(to, &reason), WEIR_STATUS_RUNNING);
    ck_assert_ptr_null(reason);
}
END_TEST

START_TEST(faults_outlast_other_reports)
{
    static const char one, other;
    char *reason = NULL;
    weir_instance_fault(to, &one, "certificate has expired");
    ck_assert_int_eq(weir_instance_status(to, NULL), WEIR_STATUS_STARTING);
    weir_instance_report(to, WEIR_STATUS_RUNNING, NULL);
    weir_instance_fault(to, &other, "token cannot be read");
    weir_instance_fault(to, &one, "certificate has expired for long");
    weir_instance_fault(to, &other, NULL);
    weir_instance_report(to, WEIR_STATUS_RUNNING, NULL);
    ck_assert_int_eq(weir_instance_status(to, &reason), WEIR_STATUS_RECOVERABLE_ERROR);
    ck_assert_str_eq(reason, "certificate has expired for long");
    free(reason);
    weir_instance_report(to, WEIR_STATUS_PERMANENT_ERROR, "gone");
    ck_assert_int_eq(weir_instance_status(to, NULL), WEIR_STATUS_PERMANENT_ERROR);
    weir_instance_report(to, WEIR_STATUS_RUNNING, NULL);
    weir_instance_fault(to, &one, NULL);
    ck_assert_int_eq(weir_instance_status(to, &reason), WEIR_STATUS_RUNNING);
    ck_assert_ptr_null(reason);
    weir_instance_fault(to, &one, "freed with the instance");
}
END_TEST

START_TEST(host_hears_of_the_last_that_comes_back)
{
    struct weir_worker *own = weir_worker_at(0);
    weir_instance_busy(to, true);
    weir_instance_busy(to, true);
    weir_instance_busy(to, false);
    weir_worker_turn(own, 0);
    ck_assert(weir_instance_is_busy(to) && rests == 0);
    weir_instance_busy(to, false);
    weir_instance_busy(to, true); /* before the host has heard */
    weir_worker_turn(own, 0);
    ck_assert(weir_instance_is_busy(to) && rests == 0);
    weir_instance_busy(to, false);
    weir_worker_turn(own, 0);
    ck_assert(!weir_instance_is_busy(to) && rests == 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        counts_at_both_ends, unanswered,          by_transport, nobody_takes_it,         many_reasons,
        admission,           closed_shard_refuses, meters,      status_keeps_the_newest, refusals_count_requests,
        admission_behind_a_connector, faults_outlast_other_reports, host_hears_of_the_last_that_comes_back,
        a_series_of_a_peer_goes_with_it,
    };
    Suite *suite = suite_create("flow");
    TCase *flow = tcase_create("flow");
    tcase_add_checked_fixture(flow, set_up, tear_down);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(tests); i++)
        tcase_add_test(flow, tests[i]);
    suite_add_tcase(suite, flow);
    return run_suite(suite);
}
