// SPDX-License-Identifier: Apache-2.0
/*
 * Budgets and deadlines of HTTP/2 connections, byte by byte.
 */
#include <config.h>

#include <stdlib.h>

#include <nghttp2/nghttp2.h>

#include "sdk/src/http/h2_guard.h"
#include "tests/unit/suite.h"

#define SECOND INT64_C(1000000000)
#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

static struct h2_guard guard;
static int64_t now;

static void open_guard(const struct h2_guard_config *config)
{
    static const uint8_t settings[9] = { 0, 0, 0, NGHTTP2_SETTINGS };
    now = 1000 * SECOND;
    h2_guard_init(&guard, config, now);
    ck_assert_int_eq(h2_guard_scan(&guard, (const uint8_t *)PREFACE, 24, now), WEIR_CAUSES);
    ck_assert_int_eq(h2_guard_scan(&guard, settings, 9, now), WEIR_CAUSES);
    ck_assert_int_eq(h2_guard_due(&guard), INT64_MAX);
}

static void setup(void)
{
    open_guard(&(struct h2_guard_config){ .server = true, .max_streams = 100 });
}

static enum weir_cause frame(uint8_t type, uint8_t flags, uint32_t length)
{
    uint8_t *bytes = calloc(1, 9 + length);
    bytes[0] = (uint8_t)(length >> 16);
    bytes[1] = (uint8_t)(length >> 8);
    bytes[2] = (uint8_t)length;
    bytes[3] = type;
    bytes[4] = flags;
    guard.scanner.left = 0; // of one that was not let through
    enum weir_cause cause = h2_guard_scan(&guard, bytes, 9 + length, now);
    free(bytes);
    return cause;
}

/* How many of such frames are let through at once. */
static unsigned burst(uint8_t type, uint8_t flags, uint32_t length)
{
    unsigned count = 0;
    while (count < 100000 && frame(type, flags, length) == WEIR_CAUSES)
        count++;
    return count;
}

START_TEST(budgets)
{
    ck_assert_uint_eq(burst(NGHTTP2_SETTINGS, 0, 6), 99); // and the first
    ck_assert_int_eq(frame(NGHTTP2_SETTINGS, 0, 0), WEIR_CAUSE_SETTINGS);
    ck_assert_uint_eq(burst(NGHTTP2_PING, 0, 8), 200);
    ck_assert_int_eq(frame(NGHTTP2_PING, 0, 8), WEIR_CAUSE_PING);
    ck_assert_uint_eq(burst(NGHTTP2_DATA, 0, 0), 200);
    ck_assert_int_eq(frame(NGHTTP2_DATA, 0, 0), WEIR_CAUSE_EMPTY_DATA);
    ck_assert_uint_eq(burst(NGHTTP2_RST_STREAM, 0, 4), 200);
    ck_assert_int_eq(frame(NGHTTP2_RST_STREAM, 0, 4), WEIR_CAUSE_RAPID_RESET);
    ck_assert_uint_eq(burst(NGHTTP2_WINDOW_UPDATE, 0, 4), 2000);
    ck_assert_int_eq(frame(NGHTTP2_WINDOW_UPDATE, 0, 4), WEIR_CAUSE_WINDOW_UPDATE);
    ck_assert_uint_eq(burst(NGHTTP2_PRIORITY, 0, 5), 500);
    ck_assert_int_eq(frame(NGHTTP2_PRIORITY, 0, 5), WEIR_CAUSE_FRAMES);
    ck_assert_int_eq(frame(0xbe, 0, 5), WEIR_CAUSE_FRAMES);
}
END_TEST

START_TEST(budgets_come_back)
{
    ck_assert_uint_eq(burst(NGHTTP2_PING, 0, 8), 200);
    now += SECOND;
    ck_assert_uint_eq(burst(NGHTTP2_PING, 0, 8), 19); // twenty came back, the refused one took one
    now += 3600 * SECOND;
    ck_assert_uint_eq(burst(NGHTTP2_PING, 0, 8), 200);
}
END_TEST

START_TEST(who_does_something_useful_may_do_more)
{
    for (int i = 0; i < 5000; i++) {
        ck_assert_int_eq(frame(NGHTTP2_PING, 0, 8), WEIR_CAUSES);
        h2_guard_earn(&guard, H2_PINGS, 1);
    }
    h2_guard_earn(&guard, H2_PINGS, 5000); // never more than the burst
    ck_assert_uint_eq(burst(NGHTTP2_PING, 0, 8), 200);
}
END_TEST

START_TEST(data_of_padding_alone_is_empty)
{
    uint8_t bytes[9 + 8] = { 0, 0, 8, NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 0, 0, 0, 1, 7 };
    unsigned count = 0;
    while (count < 1000 && h2_guard_scan(&guard, bytes, 10, now) == WEIR_CAUSES &&
           h2_guard_scan(&guard, bytes + 10, 7, now) == WEIR_CAUSES)
        count++;
    ck_assert_uint_eq(count, 200);
    setup();
    bytes[9] = 6; // a byte of data
    for (count = 0; count < 1000; count++)
        ck_assert_int_eq(h2_guard_scan(&guard, bytes, sizeof(bytes), now), WEIR_CAUSES);
}
END_TEST

START_TEST(ends_of_streams_are_not_empty_data)
{
    ck_assert_uint_eq(burst(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 0), 100000);
    ck_assert_uint_eq(burst(NGHTTP2_DATA, 0, 1), 100000);
}
END_TEST

START_TEST(continuations)
{
    ck_assert_int_eq(frame(NGHTTP2_HEADERS, 0, 10), WEIR_CAUSES);
    ck_assert_uint_eq(burst(NGHTTP2_CONTINUATION, 0, 1), 8);
    setup();
    ck_assert_int_eq(frame(NGHTTP2_HEADERS, 0, 16384), WEIR_CAUSES);
    ck_assert_uint_eq(burst(NGHTTP2_CONTINUATION, 0, 16384), 3);
    setup();
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(frame(NGHTTP2_HEADERS, 0, 1000), WEIR_CAUSES);
        ck_assert_int_eq(frame(NGHTTP2_CONTINUATION, 0, 1000), WEIR_CAUSES);
        ck_assert_int_eq(frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1000), WEIR_CAUSES);
    }
}
END_TEST

START_TEST(headers_have_a_deadline)
{
    ck_assert_int_eq(frame(NGHTTP2_HEADERS, 0, 10), WEIR_CAUSES);
    ck_assert_int_eq(h2_guard_due(&guard), now + 60 * SECOND);
    now += 30 * SECOND;
    ck_assert_int_eq(frame(NGHTTP2_CONTINUATION, 0, 1), WEIR_CAUSES);
    ck_assert_int_eq(h2_guard_late(&guard, now + 30 * SECOND - 1), WEIR_CAUSES);
    ck_assert_int_eq(h2_guard_late(&guard, now + 30 * SECOND), WEIR_CAUSE_HEADER);
    ck_assert_int_eq(frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1), WEIR_CAUSES);
    ck_assert_int_eq(h2_guard_due(&guard), INT64_MAX);
}
END_TEST

START_TEST(a_busy_connection_is_not_late)
{
    // Every read ends within the next frame's head.
    static const uint8_t ping[34] = { 0, 0, 8, NGHTTP2_PING, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                      0, 0, 0, 0, 0, 0, 8, NGHTTP2_PING };
    ck_assert_int_eq(h2_guard_scan(&guard, ping, 3, now), WEIR_CAUSES);
    for (int i = 0; i < 10; i++) {
        now += 40 * SECOND;
        ck_assert_int_eq(h2_guard_late(&guard, now), WEIR_CAUSES);
        ck_assert_int_eq(h2_guard_scan(&guard, ping + 3, 17, now), WEIR_CAUSES);
    }
    now += 60 * SECOND;
    ck_assert_int_eq(h2_guard_late(&guard, now), WEIR_CAUSE_HEADER);
}
END_TEST

START_TEST(a_preface_that_does_not_come)
{
    h2_guard_init(&guard, &(struct h2_guard_config){ .server = true, .header_time = SECOND }, now);
    ck_assert_int_eq(h2_guard_scan(&guard, (const uint8_t *)PREFACE, 24, now), WEIR_CAUSES);
    ck_assert_int_eq(h2_guard_late(&guard, now + SECOND), WEIR_CAUSE_HEADER);
}
END_TEST

START_TEST(bodies_go_on_or_end)
{
    uint8_t head[9] = { 0, 0x40, 0, NGHTTP2_DATA };
    uint8_t byte[6000] = { 0 };
    ck_assert_int_eq(h2_guard_scan(&guard, head, 9, now), WEIR_CAUSES);
    ck_assert_int_eq(h2_guard_due(&guard), INT64_MAX);
    h2_guard_receiving(&guard, true, now);
    ck_assert_int_eq(h2_guard_due(&guard), now + 60 * SECOND);
    // A byte every ten seconds does not keep it.
    int64_t start = now;
    for (int i = 0; i < 5; i++) {
        now += 10 * SECOND;
        ck_assert_int_eq(h2_guard_scan(&guard, byte, 1, now), WEIR_CAUSES);
        ck_assert_int_eq(h2_guard_late(&guard, now), WEIR_CAUSES);
    }
    ck_assert_int_eq(h2_guard_late(&guard, start + 61 * SECOND), WEIR_CAUSE_BODY);
    // 600 bytes a second do.
    setup();
    ck_assert_int_eq(h2_guard_scan(&guard, head, 9, now), WEIR_CAUSES);
    h2_guard_receiving(&guard, true, now);
    for (int i = 0; i < 360; i++) {
        if (i % 2 == 0 && guard.scanner.left < 6000) {
            ck_assert_int_eq(h2_guard_scan(&guard, byte, guard.scanner.left, now), WEIR_CAUSES);
            ck_assert_int_eq(h2_guard_scan(&guard, head, 9, now), WEIR_CAUSES);
        }
        now += 10 * SECOND;
        ck_assert_int_eq(h2_guard_scan(&guard, byte, 6000, now), WEIR_CAUSES);
        ck_assert_int_eq(h2_guard_late(&guard, now), WEIR_CAUSES);
    }
    h2_guard_receiving(&guard, false, now);
    ck_assert_int_eq(h2_guard_due(&guard), INT64_MAX);
}
END_TEST

START_TEST(read_timeout_is_for_the_whole_body)
{
    uint8_t head[9] = { 0, 0x40, 0, NGHTTP2_DATA };
    uint8_t byte = 0;
    open_guard(&(struct h2_guard_config){ .server = true, .body_time = 5 * SECOND });
    h2_guard_receiving(&guard, true, now);
    ck_assert_int_eq(h2_guard_scan(&guard, head, 9, now), WEIR_CAUSES);
    int64_t begun = now;
    for (int i = 0; i < 4; i++) {
        now += SECOND;
        ck_assert_int_eq(h2_guard_late(&guard, now), WEIR_CAUSES);
        ck_assert_int_eq(h2_guard_scan(&guard, &byte, 1, now), WEIR_CAUSES);
    }
    now += SECOND;
    ck_assert_int_eq(h2_guard_late(&guard, now), WEIR_CAUSE_BODY);
    ck_assert(!h2_guard_body_since(&guard, begun, now));
    // Or, if that body is whole, for the next one.
    ck_assert(h2_guard_body_since(&guard, begun + 3 * SECOND, now));
    ck_assert_int_eq(h2_guard_late(&guard, now), WEIR_CAUSES);
    ck_assert_int_eq(h2_guard_late(&guard, now + 3 * SECOND), WEIR_CAUSE_BODY);
}
END_TEST

START_TEST(answers_leave_or_the_connection_ends)
{
    h2_guard_sending(&guard, true, now);
    h2_guard_sent(&guard, 100, now + 59 * SECOND);
    ck_assert_int_eq(h2_guard_late(&guard, now + 60 * SECOND), WEIR_CAUSES);
    ck_assert_int_eq(h2_guard_late(&guard, now + 61 * SECOND), WEIR_CAUSE_STARVED);
    h2_guard_sending(&guard, false, now);
    ck_assert_int_eq(h2_guard_late(&guard, now + 61 * SECOND), WEIR_CAUSES);
}
END_TEST

START_TEST(clients_have_no_deadlines)
{
    h2_guard_init(&guard, &(struct h2_guard_config){ .server = false }, now);
    h2_guard_receiving(&guard, true, now);
    ck_assert_int_eq(h2_guard_due(&guard), INT64_MAX);
    ck_assert_uint_eq(burst(NGHTTP2_RST_STREAM, 0, 4), 100000);
    ck_assert_uint_eq(burst(NGHTTP2_PING, 0, 8), 200);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("h2_guard");
    TCase *tests = tcase_create("h2_guard");
    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, budgets);
    tcase_add_test(tests, budgets_come_back);
    tcase_add_test(tests, who_does_something_useful_may_do_more);
    tcase_add_test(tests, data_of_padding_alone_is_empty);
    tcase_add_test(tests, ends_of_streams_are_not_empty_data);
    tcase_add_test(tests, continuations);
    tcase_add_test(tests, headers_have_a_deadline);
    tcase_add_test(tests, a_busy_connection_is_not_late);
    tcase_add_test(tests, a_preface_that_does_not_come);
    tcase_add_test(tests, bodies_go_on_or_end);
    tcase_add_test(tests, read_timeout_is_for_the_whole_body);
    tcase_add_test(tests, answers_leave_or_the_connection_ends);
    tcase_add_test(tests, clients_have_no_deadlines);
    return run_suite(suite);
}
