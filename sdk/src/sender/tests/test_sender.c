// SPDX-License-Identifier: Apache-2.0
/* The sender without batching: queue, retries, answers, shutdown. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "sdk/src/sender/tests/fake.h"
#include "tests/unit/suite.h"

#define NO_RETRY "'retry_on_failure': {'enabled': false}"
#define NO_QUEUE "'sending_queue': {'enabled': false}"

/* --- options --- */

START_TEST(refuses_wrong_options)
{
#define Q(text) "{\"sending_queue\": {" text "}}"
#define R(text) "{\"retry_on_failure\": {" text "}}"
    const struct bad_options cases[] = {
        { Q("\"num_consumers\": 0"), "`num_consumers` must be positive" },
        { Q("\"queue_size\": 0"), "`queue_size` must be positive" },
        { Q("\"sizer\": \"spans\""), "spans" },
        { Q("\"batch\": {\"flush_timeout\": \"0s\"}"), "`flush_timeout` must be positive" },
        { Q("\"batch\": {\"min_size\": -1}"), "`min_size` must be non-negative" },
        { Q("\"batch\": {\"min_size\": 10, \"max_size\": 9}"), "`max_size` must be greater or equal to `min_size`" },
        { Q("\"batch\": {\"sizer\": \"requests\"}"), "`batch` supports only `items` or `bytes` sizer" },
        { Q("\"sizer\": \"requests\", \"batch\": {}"), "`batch` supports only `items` or `bytes` sizer" },
        { Q("\"sizer\": \"items\", \"queue_size\": 100, \"batch\": {}"),
          "`min_size` must be less than or equal to `queue_size`" },
        { Q("\"batch\": {\"partition\": {\"metadata_keys\": [\"a\", \"A\"]}}"), "duplicate entry in metadata_keys" },
        { R("\"initial_interval\": \"-1s\""), "value must be greater than or equal to 0" },
        { R("\"max_elapsed_time\": \"4s\""), "'max_elapsed_time' must not be less than 'initial_interval'" },
        { R("\"max_elapsed_time\": \"29s\""), "'max_elapsed_time' must not be less than 'max_interval'" },
        { R("\"multiplier\": -0.1"), "'multiplier' must be non-negative" },
        { R("\"randomization_factor\": 1.1"), "'randomization_factor' must be within [0, 1]" },
    };
    assert_refused(&fake_component, WEIR_TRACES, cases, WEIR_ARRAY_LENGTH(cases));
}
END_TEST

START_TEST(accepts_options)
{
    static const char *const good[] = {
        "{}",
        "{'sending_queue': {'enabled': false, 'num_consumers': 0}}",
        "{'sending_queue': {'blocking': true}}",
        "{'sending_queue': {'batch': {'min_size_items': 5, 'max_size_items': 6}}}",
        "{'sending_queue': {'sizer': 'requests', 'batch': {'sizer': 'bytes'}}}",
        "{'sending_queue': {'sizer': 'requests', 'batch': null}}",
        "{'retry_on_failure': {'enabled': false, 'multiplier': -1}}",
        "{'retry_on_failure': {'max_elapsed_time': 0}}",
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(good); i++) {
        fake_start(good[i]);
        fake_stop();
    }
}
END_TEST

/* --- the queue --- */

START_TEST(answers_when_it_holds)
{
    fake_start("{}");
    size_t request = offer(7);
    assert_ok(request);
    ck_assert_uint_eq(attempt_count, 1);
    ck_assert_uint_eq(attempt_items[0], 7);
    ck_assert_uint_eq(ledger().held, 7);
    succeed(0);
    ck_assert_uint_eq(ledger().held, 0);
    ck_assert_uint_eq(ledger().delivered, 7);
    fake_stop();
}
END_TEST

static size_t consume(size_t items)
{
    return weir_harness_consume(fake, weir_harness_batch(WEIR_TRACES, 0, items));
}

/* What a client waits for is not made to wait for what is sent. */
START_TEST(sends_when_the_turn_is_over)
{
    static const char *const options[] = { "{'sending_queue': {'num_consumers': 2}}", "{" NO_QUEUE "}" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(options); i++) {
        const bool queued = i == 0;
        fake_start(options[i]);
        for (size_t n = 0; n < 3; n++)
            ck_assert_int_eq(weir_harness_answered(fake, consume(7)), queued);
        ck_assert_uint_eq(attempt_count, 0);
        ck_assert_uint_eq(ledger().held, queued ? 21 : 0);
        weir_harness_turn(fake, 0);
        ck_assert_uint_eq(attempt_count, queued ? 2 : 3);
        weir_harness_turn(fake, 0);
        ck_assert_uint_eq(attempt_count, queued ? 2 : 3);
        for (size_t n = 0; n < 3; n++)
            succeed(n);
        ck_assert_uint_eq(ledger().delivered, 21);
        fake_stop();
    }
}
END_TEST

START_TEST(room_is_counted_before_the_turn_is_over)
{
    fake_start("{'sending_queue': {'queue_size': 2}}");
    assert_ok(consume(1));
    assert_ok(consume(1));
    assert_refused_with(consume(1), WEIR_RETRYABLE, "sending queue is full");
    weir_harness_turn(fake, 0);
    succeed(0);
    succeed(1);
    fake_stop();
}
END_TEST

/* A turn that is the last: nothing waits for another one. */
START_TEST(the_end_does_not_wait_for_the_turn)
{
    fake_start("{}");
    assert_ok(consume(3));
    weir_harness_drain(fake);
    ck_assert_uint_eq(attempt_count, 1);
    succeed(0);
    ck_assert(weir_harness_drained(fake));
    fake_stop();
    fake_start("{}");
    assert_ok(consume(3));
    fake_component.retire(weir_harness_shard(fake));
    ck_assert(weir_harness_drained(fake));
    ck_assert_uint_eq(attempt_count, 0);
    weir_harness_drain(fake); /* there is no successor after all */
    ck_assert_uint_eq(attempt_count, 1);
    succeed(0);
    fake_stop();
    fake_start("{}");
    assert_ok(consume(3));
    fake_stop();
}
END_TEST

START_TEST(an_empty_batch_is_done_at_once)
{
    fake_start("{}");
    assert_ok(offer_batch(weir_batch_new(WEIR_TRACES)));
    ck_assert_uint_eq(attempt_count, 0);
    fake_stop();
}
END_TEST

START_TEST(no_more_under_way_than_consumers)
{
    fake_start("{'sending_queue': {'num_consumers': 2}}");
    for (int i = 0; i < 5; i++)
        assert_ok(offer(1 + (size_t)i));
    ck_assert_uint_eq(attempt_count, 2);
    succeed(1);
    ck_assert_uint_eq(attempt_count, 3);
    ck_assert_uint_eq(attempt_items[2], 3);
    succeed(0);
    succeed(2);
    ck_assert_uint_eq(attempt_count, 5);
    succeed(3);
    succeed(4);
    fake_stop();
}
END_TEST

START_TEST(a_full_queue_refuses)
{
    fake_start("{'sending_queue': {'num_consumers': 1, 'queue_size': 3}}");
    for (int i = 0; i < 3; i++)
        assert_ok(offer(10));
    assert_refused_with(offer(10), WEIR_RETRYABLE, "sending queue is full");
    ck_assert_double_eq(weir_harness_series(fake, "exporter_enqueue_failed_spans"), 10);
    ck_assert_double_eq(weir_harness_series(fake, "exporter_queue_size"), 3);
    succeed(0); /* until then it takes up its place */
    assert_ok(offer(10));
    assert_refused_with(offer(10), WEIR_RETRYABLE, "sending queue is full");
    for (size_t i = 1; i < 4; i++)
        succeed(i);
    ck_assert_double_eq(weir_harness_series(fake, "exporter_queue_size"), 0);
    fake_stop();
}
END_TEST

START_TEST(a_size_in_items)
{
    fake_start("{'sending_queue': {'num_consumers': 1, 'queue_size': 20, 'sizer': 'items'}}");
    assert_refused_with(offer(21), WEIR_PERMANENT, "element size too large");
    assert_ok(offer(15));
    assert_refused_with(offer(6), WEIR_RETRYABLE, "sending queue is full");
    assert_ok(offer(5));
    succeed(0);
    succeed(1);
    fake_stop();
}
END_TEST

START_TEST(a_size_in_bytes)
{
    struct weir_batch *batch = weir_harness_batch(WEIR_TRACES, 0, 3);
    char *options = weir_xasprintf("{'sending_queue': {'num_consumers': 1, 'queue_size': %zu, 'sizer': 'bytes'}}",
                                   2 * weir_batch_bytes(batch));
    weir_batch_unref(batch);
    fake_start(options);
    for (int i = 0; i < 2; i++)
        assert_ok(offer_batch(weir_harness_batch(WEIR_TRACES, 0, 3)));
    assert_refused_with(offer_batch(weir_harness_batch(WEIR_TRACES, 0, 3)), WEIR_RETRYABLE,
                        "sending queue is full");
    succeed(0);
    succeed(1);
    fake_stop();
    free(options);
}
END_TEST

START_TEST(a_full_queue_lets_clients_wait)
{
    fake_start("{'sending_queue': {'num_consumers': 1, 'queue_size': 1, 'block_on_overflow': true}}");
    weir_harness_set_promise(fake, WEIR_PROMISE_MEMORY, 10 * SECOND);
    assert_ok(offer(1));
    size_t second = offer(2), third = offer(3);
    assert_open(second);
    succeed(0);
    assert_ok(second);
    assert_open(third);
    ck_assert_uint_eq(attempt_count, 2);
    weir_harness_advance(fake, 10 * SECOND - 1);
    assert_open(third);
    weir_harness_advance(fake, 1);
    assert_refused_with(third, WEIR_RETRYABLE, "sending queue is full: request is cancelled or timed out");
    succeed(1);
    ck_assert_uint_eq(attempt_count, 2);
    fake_stop();
}
END_TEST

START_TEST(clients_that_wait_are_told_at_the_end)
{
    fake_start("{'sending_queue': {'num_consumers': 1, 'queue_size': 1, 'block_on_overflow': true}}");
    assert_ok(offer(1));
    assert_open(offer(2));
    fake_stop();
}
END_TEST

/* --- answers with the result --- */

START_TEST(waits_for_the_result)
{
    fake_start("{'sending_queue': {'wait_for_result': true}}");
    size_t good = offer(4), bad = offer(5);
    assert_open(good);
    ck_assert_uint_eq(ledger().held, 0);
    succeed(0);
    assert_ok(good);
    assert_open(bad);
    fail_with(1, WEIR_PERMANENT, "no");
    assert_refused_with(bad, WEIR_PERMANENT, "not retryable error: no");
    ck_assert_uint_eq(ledger().delivered, 4);
    ck_assert_uint_eq(ledger().dropped, 0);
    fake_stop();
}
END_TEST

START_TEST(a_pipeline_asks_for_the_result)
{
    fake_start("{}");
    weir_harness_set_promise(fake, WEIR_PROMISE_SINK, 0);
    size_t request = offer(4);
    assert_open(request);
    fail_with(0, WEIR_RETRYABLE, "not now");
    weir_harness_advance(fake, 8 * SECOND);
    ck_assert_uint_eq(attempt_count, 2);
    assert_open(request);
    succeed(1);
    assert_ok(request);
    fake_stop();
}
END_TEST

START_TEST(promises)
{
    struct {
        const char *options;
        enum weir_promise answers[3];
    } const cases[] = {
        { "{}", { WEIR_PROMISE_MEMORY, WEIR_PROMISE_MEMORY, WEIR_PROMISE_SINK } },
        { "{'sending_queue': {'wait_for_result': true}}", { WEIR_PROMISE_SINK, WEIR_PROMISE_SINK, WEIR_PROMISE_SINK } },
        { "{" NO_QUEUE "}", { WEIR_PROMISE_SINK, WEIR_PROMISE_SINK, WEIR_PROMISE_SINK } },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        fake_start(cases[i].options);
        for (int asked = 0; asked < 3; asked++)
            ck_assert_int_eq(weir_instance_promise(weir_harness_instance(fake), (enum weir_promise)asked),
                             cases[i].answers[asked]);
        fake_stop();
    }
}
END_TEST

START_TEST(nobody_waits_any_more)
{
    fake_start("{'sending_queue': {'num_consumers': 1}}");
    weir_harness_set_promise(fake, WEIR_PROMISE_SINK, SECOND);
    size_t first = offer(1), second = offer(2);
    weir_harness_advance(fake, 2 * SECOND);
    succeed(0); /* its result still counts */
    assert_ok(first);
    assert_refused_with(second, WEIR_RETRYABLE, "request is cancelled or timed out");
    ck_assert_uint_eq(attempt_count, 1);
    fake_stop();
}
END_TEST

/* --- without a queue --- */

START_TEST(the_answer_is_the_destinations)
{
    fake_start("{" NO_QUEUE ", " NO_RETRY "}");
    size_t good = offer(1), later = offer(2), never = offer(3);
    ck_assert_uint_eq(attempt_count, 3);
    assert_open(good);
    succeed(0);
    assert_ok(good);
    fail_with(1, WEIR_RETRYABLE, "not now");
    assert_refused_with(later, WEIR_RETRYABLE, "not now");
    fail_with(2, WEIR_PERMANENT, "never");
    assert_refused_with(never, WEIR_PERMANENT, "never");
    ck_assert_double_eq(weir_harness_series(fake, "exporter_send_failed_spans"), 5);
    fake_stop();
}
END_TEST

START_TEST(retries_while_the_client_waits)
{
    fake_start("{" NO_QUEUE ", 'retry_on_failure': {'randomization_factor': 0}}");
    weir_harness_set_promise(fake, WEIR_PROMISE_MEMORY, 6 * SECOND);
    size_t request = offer(1);
    fail_with(0, WEIR_RETRYABLE, "not now");
    weir_harness_advance(fake, 5 * SECOND - 1);
    ck_assert_uint_eq(attempt_count, 1);
    weir_harness_advance(fake, 1);
    ck_assert_uint_eq(attempt_count, 2);
    assert_open(request);
    fail_with(1, WEIR_RETRYABLE, "still not");
    assert_refused_with(request, WEIR_RETRYABLE, "request will be cancelled before next retry: still not");
    fake_stop();
}
END_TEST

/* --- retries --- */

START_TEST(waits_between_tries)
{
    fake_start("{}");
    double interval = 5e9;
    bool early = false, late = false;
    offer(3);
    for (size_t n = 0; n < 40; n++) {
        int64_t waited = 0;
        fail_with(n, WEIR_RETRYABLE, "not now");
        for (; attempt_count == n + 1; waited += 10 * MS)
            weir_harness_advance(fake, 10 * MS);
        ck_assert_double_ge((double)waited, interval * 0.5);
        ck_assert_double_le((double)waited, interval * 1.5 + 10e6);
        early = early || (double)waited < interval * 0.9;
        late = late || (double)waited > interval * 1.1;
        interval = interval * 1.5 < 30e9 ? interval * 1.5 : 30e9;
        if (n % 8 == 7) { /* before max_elapsed_time: from the start */
            succeed(attempt_count - 1);
            ck_assert_uint_eq(ledger().held, 0);
            attempt_count = n + 1;
            interval = 5e9;
            offer(3);
        }
    }
    ck_assert(early);
    ck_assert(late);
    succeed(attempt_count - 1);
    fake_stop();
}
END_TEST

START_TEST(the_destination_asks_for_time)
{
    fake_start("{}");
    offer(1);
    struct weir_attempt *attempt = attempts[0];
    attempts[0] = NULL;
    weir_attempt_done(attempt, &(struct weir_result){ WEIR_RETRYABLE, 0, 60 * SECOND, "throttled" });
    weir_harness_advance(fake, 60 * SECOND - 1);
    ck_assert_uint_eq(attempt_count, 1);
    weir_harness_advance(fake, 1);
    ck_assert_uint_eq(attempt_count, 2);
    succeed(1);
    fake_stop();
}
END_TEST

START_TEST(gives_up_in_the_end)
{
    fake_start("{'retry_on_failure': {'max_elapsed_time': '20s', 'max_interval': '5s', 'randomization_factor': 0}}");
    offer(6);
    for (size_t n = 0; n < 5; n++) { /* at 0, 5, 10, 15 and 20 s */
        ck_assert_uint_eq(attempt_count, n + 1);
        fail_with(n, WEIR_RETRYABLE, "not now");
        weir_harness_advance(fake, 5 * SECOND);
    }
    ck_assert_uint_eq(attempt_count, 5);
    ck_assert_uint_eq(dropped("retries_exhausted"), 6);
    ck_assert_uint_eq(ledger().held, 0);
    ck_assert_double_eq(weir_harness_series(fake, "exporter_send_failed_spans"), 6);
    fake_stop();
}
END_TEST

START_TEST(never_gives_up)
{
    fake_start("{'retry_on_failure': {'max_elapsed_time': 0, 'randomization_factor': 0}}");
    offer(6);
    for (size_t n = 0; n < 500; n++) {
        fail_with(n, WEIR_RETRYABLE, "not now");
        weir_harness_advance(fake, 30 * SECOND);
        ck_assert_uint_eq(attempt_count, n + 2);
    }
    succeed(500);
    ck_assert_uint_eq(ledger().delivered, 6);
    fake_stop();
}
END_TEST

START_TEST(a_permanent_error_is_the_end)
{
    fake_start("{}");
    offer(2);
    fail_with(0, WEIR_PERMANENT, "malformed");
    weir_harness_advance(fake, 100 * SECOND);
    ck_assert_uint_eq(attempt_count, 1);
    ck_assert_uint_eq(dropped("permanent"), 2);
    fake_stop();
}
END_TEST

START_TEST(no_retries)
{
    fake_start("{" NO_RETRY "}");
    offer(2);
    fail_with(0, WEIR_RETRYABLE, "not now");
    weir_harness_advance(fake, 100 * SECOND);
    ck_assert_uint_eq(attempt_count, 1);
    ck_assert_uint_eq(dropped("send_failed"), 2);
    fake_stop();
}
END_TEST

START_TEST(one_that_rests_keeps_its_consumer)
{
    fake_start("{'sending_queue': {'num_consumers': 1}}");
    offer(1);
    offer(2);
    fail_with(0, WEIR_RETRYABLE, "not now");
    ck_assert_uint_eq(attempt_count, 1);
    weir_harness_advance(fake, 8 * SECOND);
    ck_assert_uint_eq(attempt_items[1], 1);
    succeed(1);
    ck_assert_uint_eq(attempt_items[2], 2);
    succeed(2);
    fake_stop();
}
END_TEST

/* --- partial success, too large --- */

START_TEST(what_was_rejected_is_dropped)
{
    fake_start("{}");
    assert_ok(offer(10));
    weir_attempt_rejected(attempts[0], &(struct weir_partial_success){ 3, WEIR_STR("old") });
    succeed(0);
    ck_assert_uint_eq(ledger().delivered, 7);
    ck_assert_uint_eq(dropped("partial_success"), 3);
    assert_ok(offer(10));
    weir_attempt_rejected(attempts[1], &(struct weir_partial_success){ 30, WEIR_STR("all, and more") });
    succeed(1);
    ck_assert_uint_eq(ledger().delivered, 7);
    ck_assert_uint_eq(dropped("partial_success"), 13);
    fake_stop();
}
END_TEST

static void too_large(size_t n)
{
    struct weir_attempt *attempt = attempts[n];
    attempts[n] = NULL;
    weir_attempt_too_large(attempt, &(struct weir_result){ WEIR_PERMANENT, 0, 0, "413" });
    weir_harness_turn(fake, 0);
}

START_TEST(too_large_is_halved)
{
    fake_start("{'sending_queue': {'num_consumers': 1, 'wait_for_result': true}}");
    size_t request = offer(5);
    too_large(0);
    ck_assert_uint_eq(attempt_items[1], 2);
    succeed(1);
    ck_assert_uint_eq(attempt_items[2], 3);
    too_large(2);
    ck_assert_uint_eq(attempt_items[3], 1);
    succeed(3);
    ck_assert_uint_eq(attempt_items[4], 2);
    assert_open(request);
    succeed(4);
    assert_ok(request);
    ck_assert_uint_eq(ledger().delivered, 5);
    fake_stop();
}
END_TEST

START_TEST(a_single_item_cannot_be_halved)
{
    fake_start("{}");
    offer(2);
    too_large(0);
    succeed(1);
    too_large(2);
    ck_assert_uint_eq(attempt_count, 3);
    ck_assert_uint_eq(ledger().delivered, 1);
    ck_assert_uint_eq(dropped("permanent"), 1);
    fake_stop();
}
END_TEST

START_TEST(half_of_a_request_delivered)
{
    fake_start("{" NO_QUEUE "}");
    size_t request = offer(4);
    too_large(0);
    succeed(1);
    fail_with(2, WEIR_PERMANENT, "no");
    assert_refused_with(request, WEIR_PERMANENT, "not retryable error: no");
    ck_assert_uint_eq(ledger().delivered, 2);
    ck_assert_uint_eq(ledger().made, 2);
    fake_stop();
}
END_TEST

/* --- the end --- */

START_TEST(drain_tries_each_once)
{
    fake_start("{'sending_queue': {'num_consumers': 1}}");
    for (size_t n = 1; n <= 3; n++)
        assert_ok(offer(n));
    fail_with(0, WEIR_RETRYABLE, "not now");
    weir_harness_drain(fake);
    ck_assert_uint_eq(dropped("shutdown"), 1); /* the one that waited for its next try */
    ck_assert_uint_eq(attempt_count, 2);
    fail_with(1, WEIR_RETRYABLE, "not now");
    ck_assert_uint_eq(dropped("shutdown"), 3);
    ck_assert(!weir_harness_drained(fake));
    succeed(2);
    ck_assert(weir_harness_drained(fake));
    ck_assert_uint_eq(ledger().delivered, 3);
    ck_assert_uint_eq(attempt_count, 3);
    fake_stop();
}
END_TEST

START_TEST(drain_with_nothing_there)
{
    fake_start("{}");
    weir_harness_drain(fake);
    ck_assert(weir_harness_drained(fake));
    fake_stop();
}
END_TEST

START_TEST(drain_tells_who_waits)
{
    fake_start("{" NO_QUEUE "}");
    size_t request = offer(3);
    fail_with(0, WEIR_RETRYABLE, "not now");
    weir_harness_drain(fake);
    assert_refused_with(request, WEIR_RETRYABLE, "interrupted due to shutdown: not now");
    ck_assert(weir_harness_drained(fake));
    fake_stop();
}
END_TEST

/* In all states at once; the harness checks that the ledger closes and all are answered. */
START_TEST(stopped_without_a_drain)
{
    fake_start("{'sending_queue': {'num_consumers': 3, 'batch': {'min_size': 3}}}");
    assert_ok(offer(1));
    for (size_t n = 0; n < 5; n++)
        assert_ok(offer(3));
    fail_with(0, WEIR_RETRYABLE, "not now");
    weir_harness_set_promise(fake, WEIR_PROMISE_SINK, 0);
    offer(1);
    offer(7);
    fake_stop();
}
END_TEST

/* A successor of the harness's instance, which is stopped here as a host does on reload. */
static bool successor_drained;
static void drained(struct weir_shard *shard)
{
    (void)shard;
    successor_drained = true;
}

START_TEST(moves_to_a_successor)
{
    static const struct weir_host host = { .drained = drained };
    fake_start("{'sending_queue': {'num_consumers': 2}}");
    for (size_t n = 1; n <= 4; n++)
        assert_ok(offer(n));
    fail_with(0, WEIR_RETRYABLE, "not now"); /* 1 rests, 2 is under way, 3 and 4 are queued */
    struct weir_instance *old = weir_harness_instance(fake);
    struct weir_instance *new =
        weir_instance_new(&fake_component, "fake", weir_instance_config(old), NULL, &host, NULL);
    weir_instance_set_uses(new, WEIR_TRACES);
    ck_assert_int_eq(fake_component.create(new, NULL), 0);
    ck_assert_int_eq(fake_component.start(new, NULL), 0);
    weir_shard_close(weir_harness_shard(fake));
    attempt_count = 0;
    ck_assert_int_eq(weir_shard_open(weir_instance_shard(new, 0), NULL), 0);
    ck_assert_int_eq(fake_component.import_state(new, fake_component.export_state(old), NULL), 0);
    ck_assert_uint_eq(ledger().handed_over, 10);
    weir_harness_turn(fake, 0); /* it arrives, and is sent */
    weir_harness_turn(fake, 0);
    uint64_t items = 0;
    for (size_t n = 0; n < 4; n++) {
        ck_assert_uint_gt(attempt_count, n);
        items += attempt_items[n];
        succeed(n);
    }
    ck_assert_uint_eq(items, 10);
    struct weir_ledger after;
    weir_instance_ledger(new, WEIR_TRACES, true, &after);
    ck_assert_uint_eq(after.made, 10);
    ck_assert_uint_eq(after.delivered, 10);
    weir_shard_close(weir_instance_shard(new, 0));
    fake_component.stop(new);
    fake_component.destroy(new);
    weir_instance_free(new);
    fake_stop();
}
END_TEST

/* What is under way ends here, and who waits is answered; the rest is the successor's. */
START_TEST(retires_for_a_successor)
{
    fake_start("{'sending_queue': {'num_consumers': 2}}");
    for (size_t n = 1; n <= 4; n++)
        assert_ok(offer(n));
    fail_with(0, WEIR_RETRYABLE, "not now"); /* 1 rests, 2 is under way, 3 and 4 are queued */
    fake_component.retire(weir_harness_shard(fake));
    ck_assert(!weir_harness_drained(fake));
    ck_assert_uint_eq(attempt_count, 2);
    succeed(1);
    ck_assert(weir_harness_drained(fake));
    ck_assert_uint_eq(ledger().delivered, 2);
    weir_shard_close(weir_harness_shard(fake));
    void *state = fake_component.export_state(weir_harness_instance(fake));
    ck_assert_uint_eq(ledger().handed_over, 1 + 3 + 4);
    ck_assert_uint_eq(ledger().dropped, 0);
    ck_assert_int_eq(fake_component.import_state(weir_harness_instance(fake), state, NULL), 0);
    weir_harness_advance(fake, 0); /* back to one that is closed */
    ck_assert_uint_eq(dropped("shutdown"), 1 + 3 + 4);
    fake_stop();
}
END_TEST

/* The successor is taken out before what is under way has ended: what was left to it is sent here, once. */
START_TEST(drained_though_it_retires)
{
    fake_start("{'sending_queue': {'num_consumers': 1}}");
    for (size_t n = 1; n <= 3; n++)
        assert_ok(offer(n));
    fake_component.retire(weir_harness_shard(fake));
    ck_assert_uint_eq(attempt_count, 1);
    weir_harness_drain(fake);
    ck_assert_uint_eq(attempt_count, 1);
    fail_with(0, WEIR_RETRYABLE, "not now");
    ck_assert_uint_eq(dropped("shutdown"), 1);
    ck_assert_uint_eq(attempt_items[1], 2);
    succeed(1);
    ck_assert_uint_eq(attempt_items[2], 3);
    ck_assert(!weir_harness_drained(fake));
    succeed(2);
    ck_assert(weir_harness_drained(fake));
    ck_assert_uint_eq(ledger().delivered, 2 + 3);
    fake_stop();
}
END_TEST

/* As above, once it has reported that it is drained. */
START_TEST(drained_after_it_retired)
{
    fake_start("{'sending_queue': {'num_consumers': 1}}");
    for (size_t n = 1; n <= 3; n++)
        assert_ok(offer(n));
    fake_component.retire(weir_harness_shard(fake));
    succeed(0);
    ck_assert(weir_harness_drained(fake));
    ck_assert_uint_eq(attempt_count, 1);
    weir_harness_drain(fake);
    for (size_t n = 1; n <= 2; n++) {
        ck_assert_uint_eq(attempt_count, n + 1);
        succeed(n);
    }
    ck_assert_uint_eq(ledger().delivered, 1 + 2 + 3);
    fake_stop();
}
END_TEST

START_TEST(retires_once_who_waits_is_answered)
{
    fake_start("{'sending_queue': {'num_consumers': 1, 'wait_for_result': true}}");
    size_t first = offer(1), second = offer(2);
    fail_with(0, WEIR_RETRYABLE, "not now");
    fake_component.retire(weir_harness_shard(fake));
    weir_harness_advance(fake, 10 * SECOND);
    succeed(1);
    assert_ok(first);
    ck_assert(!weir_harness_drained(fake));
    succeed(2);
    assert_ok(second);
    ck_assert(weir_harness_drained(fake));
    fake_stop();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sender");
    TCase *tests = tcase_create("sender");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, refuses_wrong_options);
    tcase_add_test(tests, accepts_options);
    tcase_add_test(tests, answers_when_it_holds);
    tcase_add_test(tests, sends_when_the_turn_is_over);
    tcase_add_test(tests, room_is_counted_before_the_turn_is_over);
    tcase_add_test(tests, the_end_does_not_wait_for_the_turn);
    tcase_add_test(tests, an_empty_batch_is_done_at_once);
    tcase_add_test(tests, no_more_under_way_than_consumers);
    tcase_add_test(tests, a_full_queue_refuses);
    tcase_add_test(tests, a_size_in_items);
    tcase_add_test(tests, a_size_in_bytes);
    tcase_add_test(tests, a_full_queue_lets_clients_wait);
    tcase_add_test(tests, clients_that_wait_are_told_at_the_end);
    tcase_add_test(tests, waits_for_the_result);
    tcase_add_test(tests, a_pipeline_asks_for_the_result);
    tcase_add_test(tests, promises);
    tcase_add_test(tests, nobody_waits_any_more);
    tcase_add_test(tests, the_answer_is_the_destinations);
    tcase_add_test(tests, retries_while_the_client_waits);
    tcase_add_test(tests, waits_between_tries);
    tcase_add_test(tests, the_destination_asks_for_time);
    tcase_add_test(tests, gives_up_in_the_end);
    tcase_add_test(tests, never_gives_up);
    tcase_add_test(tests, a_permanent_error_is_the_end);
    tcase_add_test(tests, no_retries);
    tcase_add_test(tests, one_that_rests_keeps_its_consumer);
    tcase_add_test(tests, what_was_rejected_is_dropped);
    tcase_add_test(tests, too_large_is_halved);
    tcase_add_test(tests, a_single_item_cannot_be_halved);
    tcase_add_test(tests, half_of_a_request_delivered);
    tcase_add_test(tests, drain_tries_each_once);
    tcase_add_test(tests, drain_with_nothing_there);
    tcase_add_test(tests, drain_tells_who_waits);
    tcase_add_test(tests, stopped_without_a_drain);
    tcase_add_test(tests, moves_to_a_successor);
    tcase_add_test(tests, retires_for_a_successor);
    tcase_add_test(tests, drained_though_it_retires);
    tcase_add_test(tests, drained_after_it_retired);
    tcase_add_test(tests, retires_once_who_waits_is_answered);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
