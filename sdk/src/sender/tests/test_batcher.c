// SPDX-License-Identifier: Apache-2.0
/* Batching in the sending queue. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "sdk/src/sender/tests/fake.h"
#include "tests/unit/suite.h"

START_TEST(gathers_until_min_size)
{
    fake_start("{'sending_queue': {'batch': {'min_size': 10}}}");
    assert_ok(offer(4));
    assert_ok(offer(5));
    ck_assert_uint_eq(attempt_count, 0);
    ck_assert_uint_eq(ledger().held, 9);
    assert_ok(offer(6));
    ck_assert_uint_eq(attempt_count, 1);
    ck_assert_uint_eq(attempt_items[0], 15);
    ck_assert_double_eq(weir_harness_series(fake, "exporter_queue_batch_send_size"), 1);
    ck_assert_double_eq(weir_harness_series(fake, "exporter_queue_size"), 3);
    succeed(0);
    ck_assert_double_eq(weir_harness_series(fake, "exporter_queue_size"), 0);
    ck_assert_uint_eq(ledger().delivered, 15);
    fake_stop();
}
END_TEST

START_TEST(sends_when_the_time_is_over)
{
    fake_start("{'sending_queue': {'batch': {}}}");
    offer(4);
    weir_harness_advance(fake, 100 * MS);
    offer(5);
    weir_harness_advance(fake, 100 * MS - 1);
    ck_assert_uint_eq(attempt_count, 0);
    weir_harness_advance(fake, 1);
    ck_assert_uint_eq(attempt_count, 1);
    ck_assert_uint_eq(attempt_items[0], 9);
    succeed(0);
    weir_harness_advance(fake, SECOND);
    ck_assert_uint_eq(attempt_count, 1);
    offer(1); /* a time of its own */
    weir_harness_advance(fake, 200 * MS - 1);
    ck_assert_uint_eq(attempt_count, 1);
    weir_harness_advance(fake, 1);
    ck_assert_uint_eq(attempt_count, 2);
    succeed(1);
    fake_stop();
}
END_TEST

START_TEST(cuts_at_max_size)
{
    fake_start("{'sending_queue': {'batch': {'min_size': 5, 'max_size': 10}}}");
    offer(4);
    offer(30); /* 34: 10, 10, 10, and 4 stay */
    ck_assert_uint_eq(attempt_count, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(attempt_items[i], 10);
    offer(13); /* 17: 10, and 7 are enough */
    ck_assert_uint_eq(attempt_count, 5);
    ck_assert_uint_eq(attempt_items[3], 10);
    ck_assert_uint_eq(attempt_items[4], 7);
    for (size_t i = 0; i < 5; i++)
        succeed(i);
    ck_assert_uint_eq(ledger().delivered, 47);
    fake_stop();
}
END_TEST

START_TEST(cuts_by_bytes)
{
    struct weir_batch *batch = weir_harness_batch(WEIR_TRACES, 100000, 10);
    size_t most = weir_batch_bytes(batch);
    weir_batch_unref(batch);
    char *options = weir_xasprintf(
        "{'sending_queue': {'num_consumers': 100, 'batch': {'sizer': 'bytes', 'min_size': 1, 'max_size': %zu}}}", most);
    fake_start(options);
    offer_batch(weir_harness_batch(WEIR_TRACES, 100000, 95));
    ck_assert_uint_ge(attempt_count, 10);
    for (size_t i = 0; i < attempt_count; i++) {
        ck_assert_uint_le(weir_batch_bytes(attempts[i]->batch), most);
        succeed(i);
    }
    ck_assert_uint_eq(ledger().delivered, 95);
    fake_stop();
    free(options);
}
END_TEST

START_TEST(an_item_larger_than_any_batch)
{
    fake_start("{'sending_queue': {'batch': {'sizer': 'bytes', 'min_size': 1, 'max_size': 10}}}");
    assert_ok(offer(3));
    ck_assert_uint_eq(attempt_count, 0);
    ck_assert_uint_eq(dropped("too_large"), 3);
    weir_harness_set_promise(fake, WEIR_PROMISE_SINK, 0);
    assert_refused_with(offer(1), WEIR_PERMANENT, "one span size is greater than max size, dropping items: 1");
    fake_stop();
}
END_TEST

START_TEST(each_who_waits_hears_of_its_own)
{
    fake_start("{'sending_queue': {'wait_for_result': true, 'batch': {'min_size': 10, 'max_size': 10}}}");
    size_t first = offer(4), second = offer(10), third = offer(6);
    ck_assert_uint_eq(attempt_count, 2); /* 4 + 6, 4 + 6 */
    succeed(0);
    assert_ok(first);
    assert_open(second);
    fail_with(1, WEIR_PERMANENT, "no");
    assert_refused_with(second, WEIR_PERMANENT, "not retryable error: no");
    assert_refused_with(third, WEIR_PERMANENT, "not retryable error: no");
    ck_assert_uint_eq(ledger().delivered, 10);
    ck_assert_uint_eq(ledger().made, 6);
    fake_stop();
}
END_TEST

START_TEST(who_is_in_a_hurry_is_told_first)
{
    fake_start("{'sending_queue': {'batch': {'min_size': 2}}, 'retry_on_failure': {'randomization_factor': 0}}");
    weir_harness_set_promise(fake, WEIR_PROMISE_SINK, SECOND);
    size_t hurried = offer(1);
    weir_harness_set_promise(fake, WEIR_PROMISE_SINK, 60 * SECOND);
    size_t patient = offer(1);
    fail_with(0, WEIR_RETRYABLE, "not now");
    assert_refused_with(hurried, WEIR_RETRYABLE, "request will be cancelled before next retry: not now");
    assert_open(patient);
    weir_harness_advance(fake, 5 * SECOND);
    succeed(1);
    assert_ok(patient);
    ck_assert_uint_eq(ledger().delivered, 2);
    ck_assert_uint_eq(ledger().made, 1);
    fake_stop();
}
END_TEST

START_TEST(full_batches_wait_for_a_consumer)
{
    fake_start("{'sending_queue': {'num_consumers': 1, 'queue_size': 4, 'batch': {'min_size': 2}}}");
    for (int i = 0; i < 4; i++)
        assert_ok(offer(1));
    assert_refused_with(offer(1), WEIR_RETRYABLE, "sending queue is full");
    ck_assert_uint_eq(attempt_count, 1);
    succeed(0);
    ck_assert_uint_eq(attempt_count, 2);
    succeed(1);
    ck_assert_uint_eq(ledger().delivered, 4);
    fake_stop();
}
END_TEST

START_TEST(drain_sends_what_is_gathered)
{
    fake_start("{'sending_queue': {'batch': {}}}");
    offer(5);
    weir_harness_drain(fake);
    ck_assert_uint_eq(attempt_count, 1);
    ck_assert(!weir_harness_drained(fake));
    succeed(0);
    ck_assert(weir_harness_drained(fake));
    fake_stop();
}
END_TEST

/* --- partitions --- */

static struct weir_str number(char *text, size_t size, unsigned n)
{
    snprintf(text, size, "%u", n);
    return weir_str_of(text);
}

static void offer_for(struct weir_str tenant, struct weir_str other)
{
    const struct weir_metadata metadata[] = { { WEIR_STR("x-tenant"), tenant }, { WEIR_STR("x-other"), other } };
    struct weir_batch *batch = weir_harness_batch(WEIR_TRACES, 0, 1);
    struct weir_context *context = weir_context_new("test", WEIR_STR_NONE, metadata, 2);
    weir_batch_set_context(batch, context);
    weir_context_unref(context);
    offer_batch(batch);
}

START_TEST(partitions_by_metadata)
{
    fake_start("{'sending_queue': {'batch': {'min_size': 3, 'partition': {'metadata_keys': ['X-Tenant']}}}}");
    for (unsigned n = 0; n < 6; n++)
        offer_for(n % 2 ? WEIR_STR("b") : WEIR_STR("a"), n % 3 ? WEIR_STR("y") : WEIR_STR("z"));
    ck_assert_uint_eq(attempt_count, 2);
    for (size_t i = 0; i < 2; i++) {
        size_t count = 0;
        const struct weir_metadata *kept = weir_context_metadata(attempt_contexts[i], &count);
        ck_assert_uint_eq(count, 1);
        ck_assert(weir_str_is(kept[0].key, "x-tenant"));
        ck_assert(weir_str_is(kept[0].value, i ? "b" : "a"));
        ck_assert_uint_eq(attempt_items[i], 3);
        succeed(i);
    }
    fake_stop();
}
END_TEST

START_TEST(without_keys_no_metadata_goes_on)
{
    fake_start("{'sending_queue': {'batch': {'min_size': 1}}}");
    offer_for(WEIR_STR("a"), WEIR_STR("b"));
    ck_assert_ptr_null(attempt_contexts[0]);
    succeed(0);
    fake_stop();
}
END_TEST

START_TEST(the_least_used_partition_goes)
{
    char text[16];
    fake_start("{'sending_queue': {'queue_size': 100000, 'num_consumers': 100000, 'batch': {'min_size': 2, "
               "'flush_timeout': '1h', 'partition': {'metadata_keys': ['x-tenant']}}}}");
    for (unsigned n = 0; n < 10000; n++)
        offer_for(number(text, sizeof text, n), WEIR_STR(""));
    ck_assert_uint_eq(attempt_count, 0);
    offer_for(WEIR_STR("0"), WEIR_STR("")); /* in use again, and complete */
    ck_assert_uint_eq(attempt_count, 1);
    ck_assert_uint_eq(attempt_items[0], 2);
    offer_for(WEIR_STR("new"), WEIR_STR("")); /* in place of "1" */
    ck_assert_uint_eq(attempt_count, 2);
    ck_assert_uint_eq(attempt_items[1], 1);
    succeed(0);
    succeed(1);
    fake_stop();
}
END_TEST

START_TEST(idle_partitions_are_forgotten)
{
    fake_start("{'sending_queue': {'batch': {'min_size': 2, 'partition': {'metadata_keys': ['x-tenant']}}}}");
    offer_for(WEIR_STR("a"), WEIR_STR(""));
    weir_harness_advance(fake, 200 * MS);
    succeed(0);
    weir_harness_advance(fake, 2 * SECOND); /* a sanitizer would see what came after the end */
    offer_for(WEIR_STR("a"), WEIR_STR(""));
    offer_for(WEIR_STR("a"), WEIR_STR(""));
    ck_assert_uint_eq(attempt_count, 2);
    ck_assert_uint_eq(attempt_items[1], 2);
    succeed(1);
    fake_stop();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("batching in the queue");
    TCase *tests = tcase_create("batcher");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, gathers_until_min_size);
    tcase_add_test(tests, sends_when_the_time_is_over);
    tcase_add_test(tests, cuts_at_max_size);
    tcase_add_test(tests, cuts_by_bytes);
    tcase_add_test(tests, an_item_larger_than_any_batch);
    tcase_add_test(tests, each_who_waits_hears_of_its_own);
    tcase_add_test(tests, who_is_in_a_hurry_is_told_first);
    tcase_add_test(tests, full_batches_wait_for_a_consumer);
    tcase_add_test(tests, drain_sends_what_is_gathered);
    tcase_add_test(tests, partitions_by_metadata);
    tcase_add_test(tests, without_keys_no_metadata_goes_on);
    tcase_add_test(tests, the_least_used_partition_goes);
    tcase_add_test(tests, idle_partitions_are_forgotten);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
