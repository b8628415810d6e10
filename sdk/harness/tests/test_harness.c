// SPDX-License-Identifier: Apache-2.0
/* The harness against components that are made to go wrong, and one that hands over what it holds. */
#include <config.h>

#include <signal.h>
#include <stdlib.h>

#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

/* Keeps batches until it has as many as the option says; `fault` makes it go wrong. */
struct keeper_config {
    int64_t size;
};
static enum { NONE, ANSWERS_TWICE, NEVER_ANSWERS, LOSES_ITEMS, ANSWERS_LATER } fault;

struct keeper {
    struct weir_batch *batches[16];
    size_t count;
};

static const struct weir_option options[] = {
    WEIR_OPTION(struct keeper_config, size, "size", .preset = "2", .min = 1, .doc = "Batches to keep."),
    WEIR_OPTION_END,
};
static const struct weir_option_table table = { options, sizeof(struct keeper_config), NULL };

static const struct weir_instrument metrics[] = {
    { "keeper_batches", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{batch}", "Batches.", NULL, 0 },
    { .name = NULL },
};

static struct weir_series *by_signal[2];

static int create(struct weir_instance *instance, struct weir_error *error)
{
    const struct keeper_config *config = weir_instance_config(instance);
    static const struct weir_label labels[] = { { "signal", "logs" }, { "signal", "other" } };
    if (config->size == 13)
        return weir_error_set(error, "13 is no good number");
    for (int i = 0; i < 2; i++)
        by_signal[i] = weir_meter_series(instance, 0, &labels[i], 1);
    weir_instance_set_data(instance, weir_xcalloc(1, sizeof(struct keeper)));
    return 0;
}

static void send_all(struct weir_shard *shard, struct keeper *keeper)
{
    size_t count = keeper->count;
    keeper->count = 0;
    for (size_t i = 0; i < count; i++)
        if (fault == LOSES_ITEMS)
            weir_batch_unref(keeper->batches[i]);
        else
            weir_shard_send(shard, keeper->batches[i], NULL);
}

/* An answer that takes its time on another thread. */
struct late {
    struct weir_job job;
    struct weir_ack *ack;
};

static void dawdle(struct weir_job *job)
{
    (void)job;
}

static void answer_late(struct weir_job *job)
{
    struct late *late = WEIR_CONTAINER_OF(job, struct late, job);
    weir_ack_ok(late->ack);
    free(late);
}

static void answer_from_elsewhere(struct weir_shard *shard, struct weir_ack *ack)
{
    struct late *late = weir_xcalloc(1, sizeof *late);
    late->job.work = dawdle;
    late->job.done = answer_late;
    late->ack = ack;
    weir_worker_offload(weir_shard_worker(shard), &late->job);
}

static void consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    struct weir_instance *instance = weir_shard_instance(shard);
    const struct keeper_config *config = weir_instance_config(instance);
    struct keeper *keeper = weir_instance_data(instance);
    weir_series_add(by_signal[weir_batch_signal(batch) != WEIR_LOGS], 1);
    weir_log(weir_instance_logger(instance), WEIR_DEBUG, "Kept");
    keeper->batches[keeper->count++] = batch;
    if (fault == ANSWERS_LATER)
        answer_from_elsewhere(shard, ack);
    else if (fault != NEVER_ANSWERS)
        weir_ack_ok(ack);
    if (fault == ANSWERS_TWICE)
        weir_ack_ok(ack);
    if (keeper->count >= (size_t)config->size)
        send_all(shard, keeper);
}

static uint64_t held(struct weir_shard *shard, enum weir_signal signal)
{
    const struct keeper *keeper = weir_instance_data(weir_shard_instance(shard));
    uint64_t items = 0;
    for (size_t i = 0; i < keeper->count; i++)
        items += weir_batch_signal(keeper->batches[i]) == signal ? weir_batch_items(keeper->batches[i]) : 0;
    return items;
}

static void drain(struct weir_shard *shard)
{
    send_all(shard, weir_instance_data(weir_shard_instance(shard)));
    weir_shard_drained(shard);
}

static void worker_stop(struct weir_shard *shard)
{
    if (weir_instance_data(weir_shard_instance(shard)))
        weir_log(weir_instance_logger(weir_shard_instance(shard)), WEIR_INFO, "Stopped");
}

static void *export_state(struct weir_instance *instance)
{
    struct keeper *keeper = weir_instance_data(instance);
    for (size_t i = 0; i < keeper->count; i++)
        weir_shard_hand_over(weir_instance_shard(instance, 0), weir_batch_signal(keeper->batches[i]),
                             weir_batch_items(keeper->batches[i]));
    weir_instance_set_data(instance, weir_xcalloc(1, sizeof *keeper));
    return keeper;
}

static int import_state(struct weir_instance *instance, void *state, struct weir_error *error)
{
    struct keeper *keeper = weir_instance_data(instance), *old = state;
    (void)error;
    for (size_t i = 0; i < old->count; i++) {
        keeper->batches[keeper->count++] = old->batches[i];
        weir_shard_make(weir_instance_shard(instance, 0), weir_batch_signal(old->batches[i]),
                        weir_batch_items(old->batches[i]));
    }
    free(old);
    return 0;
}

static void destroy(struct weir_instance *instance)
{
    struct keeper *keeper = weir_instance_data(instance);
    for (size_t i = 0; keeper && i < keeper->count; i++)
        weir_batch_unref(keeper->batches[i]);
    free(keeper);
}

static const struct weir_component component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_PROCESSOR,
    .type = "keeper",
    .traits = WEIR_HOLDS,
    .options = &table,
    .metrics = metrics,
    .create = create,
    .consume = consume,
    .held = held,
    .drain = drain,
    .worker_stop = worker_stop,
    .export_state = export_state,
    .import_state = import_state,
    .destroy = destroy,
};

START_TEST(options_are_yaml)
{
    struct weir_harness *harness = make_harness(&component, "# a comment\nsize: 3 # batches\n", WEIR_LOGS);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(weir_harness_sent_count(harness), 0);
        weir_harness_consume(harness, weir_harness_batch(WEIR_LOGS, 0, 1));
    }
    ck_assert_uint_eq(weir_harness_sent_count(harness), 3);
    weir_harness_free(harness);
}
END_TEST

START_TEST(options_are_refused)
{
    static const struct bad_options cases[] = {
        { "size: 0", "test:1:7: keeper::size" },
        { "\n  size: x", "test:2:9: keeper::size" },
        { "size: [1", "test:" },
        { "size: 13", "13 is no good number" },
    };
    assert_refused(&component, WEIR_LOGS, cases, WEIR_ARRAY_LENGTH(cases));
}
END_TEST

START_TEST(sees_logs_and_metrics)
{
    struct weir_harness *harness = make_harness(&component, NULL, WEIR_LOGS);
    ck_assert_str_eq(weir_harness_log(), "");
    weir_harness_consume_json(harness, "{\"resourceLogs\": [{\"scopeLogs\": [{\"logRecords\": [{\"severityNumber\": 9}]}]}]}");
    weir_harness_consume(harness, weir_harness_batch(WEIR_LOGS, 7, 1));
    ck_assert_ptr_nonnull(strstr(weir_harness_log(), "\tdebug\tKept\n"));
    ck_assert_double_eq(weir_harness_series(harness, "keeper_batches"), 2);
    ck_assert_double_eq(weir_harness_series_with(harness, "keeper_batches", "signal", "logs"), 2);
    ck_assert_double_eq(weir_harness_series_with(harness, "keeper_batches", "signal", "other"), 0);
    ck_assert_str_eq(weir_harness_sent_json(harness, 0),
                     "{\"resourceLogs\":[{\"resource\":{},\"scopeLogs\":[{\"scope\":{},\"logRecords\":[{"
                     "\"severityNumber\":9,\"body\":{}}]}]}]}");
    ck_assert_ptr_nonnull(strstr(weir_harness_sent_json(harness, 1), "\"body\":{\"stringValue\":\"item-7\"}"));
    weir_harness_free(harness);
    ck_assert_ptr_nonnull(strstr(weir_harness_log(), "\tinfo\tStopped\n"));
    harness = make_harness(&component, NULL, WEIR_LOGS);
    ck_assert_double_eq(weir_harness_series(harness, "keeper_batches"), 0);
    weir_harness_free(harness);
}
END_TEST

START_TEST(reload_hands_over)
{
    struct weir_ledger ledger;
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_harness *harness = make_harness(&component, "size: 3", WEIR_LOGS);
    weir_harness_consume(harness, weir_harness_batch(WEIR_LOGS, 0, 5));
    weir_harness_consume(harness, weir_harness_batch(WEIR_LOGS, 5, 5));
    ck_assert_int_eq(weir_harness_reload(harness, "size: 13", &error), -1);
    ck_assert_str_eq(weir_error_text(&error), "13 is no good number");
    ck_assert_int_eq(weir_harness_reload(harness, "size: [", &error), -1);
    weir_error_free(&error);
    ck_assert_int_eq(weir_harness_reload(harness, "size: 4", &error), 0);
    weir_harness_ledger(harness, &ledger);
    ck_assert_uint_eq(ledger.handed_over, 10);
    ck_assert_uint_eq(ledger.held, 10);
    weir_harness_consume(harness, weir_harness_batch(WEIR_LOGS, 10, 5));
    ck_assert_uint_eq(weir_harness_sent_count(harness), 0);
    ck_assert_uint_eq(weir_harness_consume(harness, weir_harness_batch(WEIR_LOGS, 15, 5)), 3);
    ck_assert_uint_eq(weir_harness_sent_count(harness), 4);
    weir_harness_ledger(harness, &ledger);
    ck_assert_uint_eq(ledger.accepted, 20);
    ck_assert_uint_eq(ledger.sent, 20);
    weir_harness_free(harness);
}
END_TEST

START_TEST(waits_for_what_is_elsewhere)
{
    struct weir_harness *harness = make_harness(&component, "size: 1", WEIR_LOGS);
    fault = ANSWERS_LATER;
    size_t request = weir_harness_consume(harness, weir_harness_batch(WEIR_LOGS, 0, 5));
    ck_assert(!weir_harness_answered(harness, request));
    ck_assert(weir_harness_wait(harness, request, 30000));
    ck_assert_int_eq(weir_harness_answer(harness, request)->outcome, WEIR_OK);
    weir_harness_free(harness);
    fault = NONE;
}
END_TEST

START_TEST(drains)
{
    struct weir_harness *harness = make_harness(&component, NULL, WEIR_TRACES);
    weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 0, 5));
    ck_assert(!weir_harness_drained(harness));
    weir_harness_drain(harness);
    ck_assert(weir_harness_drained(harness));
    ck_assert_uint_eq(weir_harness_sent_count(harness), 1);
    weir_harness_free(harness);
}
END_TEST

/* Each ends the process. */
START_TEST(faults_are_found)
{
    struct weir_harness *harness = make_harness(&component, "size: 1", WEIR_LOGS);
    fault = _i + 1;
    weir_harness_consume(harness, weir_harness_batch(WEIR_LOGS, 0, 5));
    weir_harness_free(harness);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("harness");
    TCase *tests = tcase_create("harness"), *faults = tcase_create("faults");
    tcase_add_test(tests, options_are_yaml);
    tcase_add_test(tests, options_are_refused);
    tcase_add_test(tests, sees_logs_and_metrics);
    tcase_add_test(tests, reload_hands_over);
    tcase_add_test(tests, waits_for_what_is_elsewhere);
    tcase_add_test(tests, drains);
    suite_add_tcase(suite, tests);
    const char *fork = getenv("CK_FORK");
    if (!fork || strcmp(fork, "no") != 0)
        tcase_add_loop_test_raise_signal(faults, faults_are_found, SIGABRT, 0, LOSES_ITEMS);
    suite_add_tcase(suite, faults);
    return run_suite(suite);
}
