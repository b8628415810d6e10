// SPDX-License-Identifier: Apache-2.0
/* An exporter against a peer that takes requests and never answers them. */
#include <config.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/sys/worker.h>

#include "tests/unit/exporter_ends.h"
#include "tests/unit/plugin.h"

#define SECOND INT64_C(1000000000)

static const struct weir_component *component;
static const char *options_format;
static struct weir_harness *harness;
static int listener, peer;

static void setup(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(listener, 8), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    peer = -1;
    struct weir_text options = { 0 };
    const char *port = strstr(options_format, "%u");
    weir_text_add(&options, options_format, (size_t)(port - options_format));
    weir_text_addf(&options, "%u%s", (unsigned)ntohs(address.sin_port), port + 2);
    harness = make_harness(component, weir_text_string(&options), WEIR_TRACES);
    weir_text_free(&options);
}

/* weir_harness_free ends the process if a request was not answered, as does a second answer. */
static void teardown(void)
{
    weir_harness_free(harness);
    if (peer >= 0)
        close(peer);
    if (listener >= 0)
        close(listener);
}

static void turn(void)
{
    weir_worker_turn(weir_worker_at(0), 5);
    weir_harness_advance(harness, 0); /* what was put off to the next turn */
}

/* Sends a batch and waits until all of it has come to the peer. */
static size_t send_to_peer(void)
{
    struct weir_text got = { 0 };
    char bytes[4096];
    size_t request = weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 0, 3));
    bool here = false;
    for (int i = 0; i < 1000 && !here; i++) {
        turn();
        if (peer < 0)
            peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        ssize_t length = peer < 0 ? 0 : recv(peer, bytes, sizeof bytes, 0);
        if (length > 0)
            weir_text_add(&got, bytes, (size_t)length);
        here = got.length > 0 && memmem(got.data, got.length, "item-2", 6) != NULL;
    }
    ck_assert_msg(here, "the request did not come");
    ck_assert(!weir_harness_answered(harness, request));
    weir_text_free(&got);
    return request;
}

static void assert_retryable(size_t request)
{
    for (int i = 0; i < 1000 && !weir_harness_answered(harness, request); i++)
        turn();
    ck_assert(weir_harness_answered(harness, request));
    ck_assert_int_eq(weir_harness_answer(harness, request)->outcome, WEIR_RETRYABLE);
}

START_TEST(nobody_listens)
{
    close(listener);
    listener = -1;
    assert_retryable(weir_harness_consume(harness, weir_harness_batch(WEIR_TRACES, 0, 3)));
}
END_TEST

START_TEST(peer_is_silent)
{
    size_t request = send_to_peer();
    weir_harness_advance(harness, 5 * SECOND - 1);
    ck_assert(!weir_harness_answered(harness, request));
    weir_harness_advance(harness, 1);
    assert_retryable(request);
}
END_TEST

START_TEST(connection_is_lost)
{
    size_t request = send_to_peer();
    close(peer);
    peer = -1;
    assert_retryable(request);
}
END_TEST

START_TEST(drain_waits_for_the_answer)
{
    size_t request = send_to_peer();
    weir_harness_drain(harness);
    turn();
    ck_assert(!weir_harness_drained(harness));
    close(peer);
    peer = -1;
    assert_retryable(request);
    ck_assert(weir_harness_drained(harness));
}
END_TEST

START_TEST(drain_with_nothing_under_way)
{
    weir_harness_drain(harness);
    ck_assert(weir_harness_drained(harness));
}
END_TEST

START_TEST(stopped_within_a_request)
{
    (void)send_to_peer();
}
END_TEST

void exporter_ends_add(TCase *tests, const struct weir_component *tested, const char *options)
{
    component = tested;
    options_format = options;
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, nobody_listens);
    tcase_add_test(tests, peer_is_silent);
    tcase_add_test(tests, connection_is_lost);
    tcase_add_test(tests, drain_waits_for_the_answer);
    tcase_add_test(tests, drain_with_nothing_under_way);
    tcase_add_test(tests, stopped_within_a_request);
}
