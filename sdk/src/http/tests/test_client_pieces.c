// SPDX-License-Identifier: Apache-2.0
/* The HTTP client's answers that are handed over as they come. */
#include <config.h>

#include "sdk/src/http/tests/peer.h"
#include "tests/unit/suite.h"

#include <weir/http_client.h>

#define SECOND ((int64_t)1000000000)

static struct weir_http_client_options options;
static struct weir_http_transport *transport;
static struct weir_http_client *client;
static struct weir_http_request request;
static struct weir_url url;
static int listener, peer;
static struct weir_text got, body;
static int begun, done, status;
static bool truncated;

static void on_begun(struct weir_http_request *of)
{
    ck_assert_ptr_eq(of, &request);
    begun++;
}

/* Until "stop" has come. */
static bool on_piece(struct weir_http_request *of, struct weir_str bytes)
{
    ck_assert_ptr_eq(of, &request);
    ck_assert_int_eq(begun, 1);
    ck_assert_uint_gt(bytes.length, 0);
    weir_text_add(&got, bytes.data, bytes.length);
    return !strstr(got.data, "stop");
}

static void on_done(struct weir_http_request *of, const struct weir_http_response *response)
{
    ck_assert_ptr_eq(of, &request);
    done++;
    status = response->status;
    truncated = response->truncated;
    weir_text_add(&body, response->body.data, response->body.length);
}

/* Sends a request, which has arrived when this returns. */
static void setup(void)
{
    struct weir_text head = { 0 };
    uint16_t port;
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_SYSTEM, NULL), 0);
    listener = peer_listen(&port);
    transport = weir_http_transport_new(&options, false, NULL, NULL);
    client = weir_http_client_new(weir_worker_at(0), transport);
    char *text = weir_xasprintf("http://127.0.0.1:%u/", (unsigned)port);
    ck_assert_int_eq(weir_url_parse(text, &url, NULL), 0);
    free(text);
    request = (struct weir_http_request){ .method = "GET", .url = &url, .timeout = 10 * SECOND, .done = on_done,
                                          .piece = on_piece, .begun = on_begun };
    begun = done = 0;
    weir_http_client_send(client, &request);
    peer = peer_accept(listener);
    peer_read_until(peer, &head, "\r\n\r\n");
    weir_text_free(&head);
}

static void teardown(void)
{
    weir_http_client_free(client);
    weir_http_transport_free(transport);
    close(peer);
    close(listener);
    for (int i = 0; i < 20; i++)
        weir_worker_turn(weir_worker_at(0), 1);
    weir_workers_destroy();
    weir_url_free(&url);
    weir_text_free(&got);
    weir_text_free(&body);
}

/* It may be larger than what is gathered otherwise. */
START_TEST(an_answer_in_pieces)
{
    char *large = weir_xmalloc(WEIR_HTTP_RESPONSE_BODY_MAX + 2);
    memset(large, 'a', WEIR_HTTP_RESPONSE_BODY_MAX + 1);
    large[WEIR_HTTP_RESPONSE_BODY_MAX + 1] = '\0';
    peer_say(peer, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    PEER_WAIT(begun == 1);
    peer_say(peer, "2\r\nab\r\n");
    PEER_WAIT(got.length == 2);
    peer_say(peer, "10001\r\n");
    peer_say(peer, large);
    peer_say(peer, "\r\n0\r\n\r\n");
    PEER_WAIT(done);
    ck_assert_int_eq(status, 200);
    ck_assert_uint_eq(got.length, 2 + WEIR_HTTP_RESPONSE_BODY_MAX + 1);
    ck_assert_uint_eq(body.length, 0);
    ck_assert(!truncated);
    free(large);
}
END_TEST

START_TEST(who_takes_the_pieces_may_have_enough)
{
    peer_say(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nstop\r\n4\r\nmore\r\n");
    PEER_WAIT(done);
    ck_assert_str_eq(got.data, "stop");
    ck_assert_int_eq(status, 200);
    ck_assert(truncated);
    peer_wait_closed(peer);
}
END_TEST

/* What is said of a refusal is gathered as ever. */
START_TEST(only_a_success_comes_in_pieces)
{
    peer_say(peer, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    PEER_WAIT(done);
    ck_assert_int_eq(status, 403);
    ck_assert_str_eq(body.data, "no");
    ck_assert_int_eq(begun, 0);
}
END_TEST

START_TEST(a_cancelled_answer)
{
    peer_say(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
    PEER_WAIT(got.length == 2);
    weir_http_request_cancel(&request, "enough");
    ck_assert_int_eq(done, 1);
    ck_assert_int_eq(status, 0);
    peer_wait_closed(peer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http client pieces");
    TCase *tests = tcase_create("pieces");
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, an_answer_in_pieces);
    tcase_add_test(tests, who_takes_the_pieces_may_have_enough);
    tcase_add_test(tests, only_a_success_comes_in_pieces);
    tcase_add_test(tests, a_cancelled_answer);
    return run_suite(suite);
}
