// SPDX-License-Identifier: Apache-2.0
/*
 * The HTTP client against a peer that says what the test wants: requests as they look on the wire, answers
 * whole and broken, kept connections, redirects, proxies, limits.
 */
#include <config.h>

#include "sdk/src/http/client.h"
#include "sdk/src/http/tests/peer.h"
#include "tests/unit/authenticator.h"
#include "tests/unit/suite.h"

#include <weir/http_client.h>

#define SECOND ((int64_t)1000000000)

struct exchange {
    struct weir_http_request request;
    struct weir_url url;
    int done;
    int status;
    char *error, *body, *header;
    size_t length;
    bool truncated;
    bool unauthenticated;
};

static struct weir_http_client_options options;
static struct weir_http_transport *transport;
static struct weir_http_client *client;
static int listener;
static uint16_t port;

static void on_done(struct weir_http_request *request, const struct weir_http_response *response)
{
    struct exchange *exchange = WEIR_CONTAINER_OF(request, struct exchange, request);
    exchange->done++;
    exchange->status = response->status;
    exchange->error = response->error ? weir_xstrdup(response->error) : NULL;
    exchange->body = weir_str_dup(response->body);
    exchange->length = response->body.length;
    exchange->header = weir_str_dup(weir_http_response_header(response, "X-Test"));
    exchange->truncated = response->truncated;
    exchange->unauthenticated = response->unauthenticated;
}

static void start_client(void)
{
    struct weir_error error = WEIR_ERROR_INIT;
    transport = weir_http_transport_new(&options, false, door_user, &error);
    ck_assert_msg(transport != NULL, "%s", weir_error_text(&error));
    client = weir_http_client_new(weir_worker_at(0), transport);
}

static void setup(void)
{
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_SYSTEM, NULL), 0);
    door_make();
    unsetenv("HTTP_PROXY");
    unsetenv("http_proxy");
    options =
        (struct weir_http_client_options){ .max_idle_conns = 100, .idle_conn_timeout = { 90 * SECOND } };
    listener = peer_listen(&port);
}

static void teardown(void)
{
    weir_http_client_free(client);
    weir_http_transport_free(transport);
    close(listener);
    for (int i = 0; i < 20; i++)
        weir_worker_turn(weir_worker_at(0), 1);
    door_free();
    weir_workers_destroy();
}

static void send_to(struct exchange *exchange, uint16_t to, const char *path, const char *body)
{
    char *text = weir_xasprintf("http://127.0.0.1:%u%s", (unsigned)to, path);
    *exchange = (struct exchange){ .request = { .method = "POST", .timeout = 10 * SECOND, .done = on_done } };
    ck_assert_int_eq(weir_url_parse(text, &exchange->url, NULL), 0);
    free(text);
    exchange->request.url = &exchange->url;
    if (*body)
        ck_assert(weir_slices_add(&exchange->request.body, NULL, body, strlen(body)));
    weir_http_client_send(client, &exchange->request);
}

static void send_one(struct exchange *exchange, const char *path, const char *body)
{
    send_to(exchange, port, path, body);
}

static void end(struct exchange *exchange)
{
    ck_assert_int_eq(exchange->done, 1);
    weir_slices_free(&exchange->request.body);
    weir_url_free(&exchange->url);
    free(exchange->error);
    free(exchange->body);
    free(exchange->header);
}

static void expect_error(struct exchange *exchange, const char *why)
{
    PEER_WAIT(exchange->done);
    ck_assert_int_eq(exchange->status, 0);
    char *text = weir_xasprintf("failed to make an HTTP request: Post \"%s\": %s", exchange->url.text, why);
    ck_assert_str_eq(exchange->error, text);
    free(text);
    end(exchange);
}

START_TEST(a_request_and_its_answer)
{
    struct exchange exchange;
    struct weir_text got = { 0 };
    struct weir_http_header type = { WEIR_STR("Content-Type"), WEIR_STR("application/x-protobuf") };
    struct weir_pair pair = { (char *)"X-Key", (char *)"value" };
    options.headers.pairs = (struct weir_pairs){ &pair, 1 };
    start_client();
    send_one(&exchange, "/v1/traces?a=b", "hello");
    exchange.request.headers = &type;
    exchange.request.header_count = 1;
    int fd = peer_accept(listener);
    peer_read_until(fd, &got, "hello");
    char *expected =
        weir_xasprintf("POST /v1/traces?a=b HTTP/1.1\r\nhost: 127.0.0.1:%u\r\n"
                       "x-key: value\r\ncontent-type: application/x-protobuf\r\nuser-agent: %s\r\n"
                       "content-length: 5\r\n\r\n"
                       "hello",
                       (unsigned)port, weir_user_agent());
    ck_assert_str_eq(got.data, expected);
    peer_say(fd,
             "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nx-tEsT:  yes \r\nContent-Length: 2\r\n\r\nok");
    PEER_WAIT(exchange.done);
    ck_assert_int_eq(exchange.status, 200);
    ck_assert_str_eq(exchange.body, "ok");
    ck_assert_str_eq(exchange.header, "yes");
    ck_assert_uint_eq(weir_http_client_pending(client), 0);
    end(&exchange);
    free(expected);
    weir_text_free(&got);
    close(fd);
}
END_TEST

START_TEST(answers_in_every_framing)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: "
        "x\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nabcde", /* to the end of the connection */
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
    };
    start_client();
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(answers); i++) {
        struct exchange exchange;
        struct weir_text got = { 0 };
        send_one(&exchange, "/", "x");
        int fd = peer_accept(listener);
        peer_read_until(fd, &got, "\r\n\r\nx");
        for (const char *at = answers[i]; *at; at++) { /* byte by byte */
            peer_write(fd, at, 1);
            weir_worker_turn(weir_worker_at(0), 0);
        }
        close(fd);
        PEER_WAIT(exchange.done);
        ck_assert_msg(exchange.status == 200 && strcmp(exchange.body, "abcde") == 0, "answer %zu: %s", i,
                      exchange.error ? exchange.error : exchange.body);
        end(&exchange);
        weir_text_free(&got);
        for (int turn = 0; turn < 5; turn++) /* lets the client notice the end */
            weir_worker_turn(weir_worker_at(0), 1);
    }
}
END_TEST

START_TEST(connections_are_kept)
{
    struct exchange exchange;
    struct weir_text got = { 0 };
    start_client();
    send_one(&exchange, "/", "one");
    int fd = peer_accept(listener);
    for (int i = 0; i < 3; i++) {
        peer_read_until(fd, &got, "one");
        weir_text_clear(&got);
        peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        PEER_WAIT(exchange.done);
        end(&exchange);
        if (i < 2)
            send_one(&exchange, "/", "one");
    }
    ck_assert_int_lt(peer_try_accept(listener), 0);
    weir_text_free(&got);
    close(fd);
}
END_TEST

START_TEST(connections_with_more_than_an_answer_are_not_kept)
{
    struct exchange exchange;
    struct weir_text got = { 0 };
    start_client();
    send_one(&exchange, "/", "one");
    int fd = peer_accept(listener);
    peer_read_until(fd, &got, "one");
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n");
    PEER_WAIT(exchange.done);
    ck_assert_int_eq(exchange.status, 200);
    end(&exchange);
    peer_wait_closed(fd);
    weir_text_free(&got);
    close(fd);
}
END_TEST

START_TEST(no_keep_alives)
{
    struct exchange exchange;
    struct weir_text got = { 0 };
    options.disable_keep_alives = true;
    start_client();
    send_one(&exchange, "/", "");
    int fd = peer_accept(listener);
    peer_read_until(fd, &got, "connection: close\r\n");
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    PEER_WAIT(exchange.done);
    end(&exchange);
    peer_wait_closed(fd);
    weir_text_free(&got);
    close(fd);
}
END_TEST

static void use_four_connections(struct exchange *exchanges, const int *fds)
{
    struct weir_text got = { 0 };
    for (int i = 0; i < 4; i++) {
        peer_read_until(fds[i], &got, "\r\n\r\nx");
        weir_text_clear(&got);
        peer_say(fds[i], "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
    for (int i = 0; i < 4; i++) {
        PEER_WAIT(exchanges[i].done);
        end(&exchanges[i]);
    }
    weir_text_free(&got);
}

START_TEST(idle_connections_have_limits)
{
    struct exchange exchanges[4];
    int fds[4];
    start_client();
    for (int i = 0; i < 4; i++)
        send_one(&exchanges[i], "/", "x");
    for (int i = 0; i < 4; i++)
        fds[i] = peer_accept(listener);
    use_four_connections(exchanges, fds);
    /* All four serve the next burst. */
    for (int i = 0; i < 4; i++)
        send_one(&exchanges[i], "/", "x");
    use_four_connections(exchanges, fds);
    ck_assert_int_lt(peer_try_accept(listener), 0);
    /* After a second two of the four are kept (max_idle_conns_per_host 0 means 2). */
    int closed = 0;
    struct weir_text rest = { 0 };
    time_t give_up = time(NULL) + 5;
    while (closed < 2 && time(NULL) < give_up) {
        weir_worker_turn(weir_worker_at(0), 1);
        closed = 0;
        for (int i = 0; i < 4; i++)
            closed += !peer_read(fds[i], &rest);
    }
    ck_assert_int_eq(closed, 2);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    weir_text_free(&rest);
}
END_TEST

START_TEST(connections_to_a_host_have_a_limit)
{
    struct exchange exchanges[3];
    options.max_conns_per_host = 1;
    start_client();
    for (int i = 0; i < 3; i++)
        send_one(&exchanges[i], "/", "x");
    int fd = peer_accept(listener);
    for (int i = 0; i < 3; i++) {
        struct weir_text got = { 0 };
        peer_read_until(fd, &got, "\r\n\r\nx");
        weir_text_free(&got);
        peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        PEER_WAIT(exchanges[i].done);
        end(&exchanges[i]);
    }
    ck_assert_int_lt(peer_try_accept(listener), 0);
    close(fd);
}
END_TEST

START_TEST(a_kept_connection_that_was_lost_costs_nothing)
{
    struct exchange exchange;
    struct weir_text got = { 0 };
    start_client();
    send_one(&exchange, "/", "one");
    int fd = peer_accept(listener);
    peer_read_until(fd, &got, "one");
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    PEER_WAIT(exchange.done);
    end(&exchange);
    send_one(&exchange, "/", "two"); /* on the kept connection, which ends at the same time */
    peer_read_until(fd, &got, "two");
    close(fd);
    fd = peer_accept(listener);
    weir_text_clear(&got);
    peer_read_until(fd, &got, "two");
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    PEER_WAIT(exchange.done);
    ck_assert_int_eq(exchange.status, 200);
    end(&exchange);
    weir_text_free(&got);
    close(fd);
}
END_TEST

#define TEN(text) text text text text text text text text text text

/* What a peer may do wrong, and what is said of it. */
START_TEST(broken_answers)
{
    static const struct {
        const char *answer;
        const char *error;
    } cases[] = {
        { "", "EOF" },
        { "HTTP/1.1 200 OK\r\nContent-Le", "EOF" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "EOF" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          "malformed HTTP response: invalid character in chunk size header" },
        { "\x15\x03\x01\x00\x02\x02", "malformed HTTP response: invalid constant string" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
          "malformed HTTP response: unexpected content-length header" },
        { TEN(TEN("HTTP/1.1 100 Continue\r\n\r\n")) "HTTP/1.1 100 Continue\r\n\r\n",
          "malformed HTTP response: too many 1xx informational responses" },
        { "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
          "malformed HTTP response: unexpected status of the response" },
    };
    start_client();
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        struct exchange exchange;
        struct weir_text got = { 0 };
        send_one(&exchange, "/", "x");
        int fd = peer_accept(listener);
        peer_read_until(fd, &got, "\r\n\r\nx");
        peer_say(fd, cases[i].answer);
        shutdown(fd, SHUT_WR);
        expect_error(&exchange, cases[i].error);
        weir_text_free(&got);
        close(fd);
    }
}
END_TEST

START_TEST(headers_have_a_cap)
{
    struct exchange exchange;
    start_client();
    send_one(&exchange, "/", "");
    int fd = peer_accept(listener);
    peer_say(fd, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 2000 && !exchange.done; i++)
        peer_say(fd, "a-header-line: with something in it\r\n");
    expect_error(&exchange, "malformed HTTP response: server response headers exceeded 65536 bytes");
    close(fd);
}
END_TEST

START_TEST(an_endless_body_is_cut)
{
    struct exchange exchange;
    static char piece[10000];
    memset(piece, 'x', sizeof piece);
    start_client();
    send_one(&exchange, "/", "");
    int fd = peer_accept(listener);
    peer_say(fd, "HTTP/1.1 500 Oops\r\nContent-Length: 100000000\r\n\r\n");
    for (int i = 0; i < 100 && !exchange.done; i++) {
        peer_write(fd, piece, sizeof piece);
        weir_worker_turn(weir_worker_at(0), 0);
    }
    PEER_WAIT(exchange.done);
    ck_assert_int_eq(exchange.status, 500);
    ck_assert_uint_eq(exchange.length, WEIR_HTTP_RESPONSE_BODY_MAX);
    ck_assert(exchange.truncated);
    end(&exchange);
    close(fd);
}
END_TEST

START_TEST(time_is_limited)
{
    struct exchange exchange;
    start_client();
    send_one(&exchange, "/", "x");
    weir_http_request_cancel(&exchange.request, "never mind");
    expect_error(&exchange, "never mind");

    *(&exchange) =
        (struct exchange){ .request = { .method = "POST", .timeout = SECOND / 20, .done = on_done } };
    char *text = weir_xasprintf("http://127.0.0.1:%u", (unsigned)port);
    ck_assert_int_eq(weir_url_parse(text, &exchange.url, NULL), 0);
    free(text);
    exchange.request.url = &exchange.url;
    weir_http_client_send(client, &exchange.request);
    expect_error(&exchange, "context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
}
END_TEST

START_TEST(nobody_listens)
{
    struct exchange exchange;
    uint16_t unused;
    int fd = peer_listen(&unused);
    close(fd);
    start_client();
    send_to(&exchange, unused, "/", "x");
    char *why = weir_xasprintf("dial tcp 127.0.0.1:%u: connect: connection refused", (unsigned)unused);
    expect_error(&exchange, why);
    free(why);
}
END_TEST

START_TEST(attempts_at_what_is_down_are_paced)
{
    struct exchange exchange, others[5];
    uint16_t unused;
    int fd = peer_listen(&unused);
    close(fd);
    start_client();
    send_to(&exchange, unused, "/", "x");
    PEER_WAIT(exchange.done);
    end(&exchange);
    int64_t begun = weir_worker_now(weir_worker_at(0));
    for (int i = 0; i < 5; i++)
        send_to(&others[i], unused, "/", "x");
    ck_assert_uint_eq(client->origins->opening_count, 0);
    PEER_WAIT(client->origins->opening_count > 0 || others[0].done);
    ck_assert_int_ge(weir_worker_now(weir_worker_at(0)) - begun, SECOND * 9 / 10);
    ck_assert_uint_le(client->origins->opening_count, 1);
    for (int i = 0; i < 5; i++) {
        PEER_WAIT(others[i].done);
        ck_assert_int_eq(others[i].status, 0);
        end(&others[i]);
    }
    // Another worker's attempt would come a second later.
    int64_t wait = weir_pace_take(transport->pace, weir_worker_now(weir_worker_at(0)));
    ck_assert(wait > SECOND / 2 && wait <= SECOND);
    wait = weir_pace_take(transport->pace, weir_worker_now(weir_worker_at(0)));
    ck_assert(wait > SECOND * 3 / 2 && wait <= 2 * SECOND);
}
END_TEST

/* A server that takes connections only to close them: one is tried, a second later, and the others wait. */
START_TEST(attempts_at_what_hangs_up_are_paced)
{
    struct exchange exchange, others[3];
    struct weir_text got = { 0 };
    start_client();
    send_one(&exchange, "/", "one");
    int fd = peer_accept(listener);
    peer_read_until(fd, &got, "one");
    close(fd);
    expect_error(&exchange, "EOF");
    int64_t begun = weir_worker_now(weir_worker_at(0));
    for (int i = 0; i < 3; i++)
        send_one(&others[i], "/", "two");
    ck_assert_uint_eq(client->origins->link_count, 0);
    fd = peer_accept(listener);
    ck_assert_int_ge(weir_worker_now(weir_worker_at(0)) - begun, SECOND * 9 / 10);
    weir_text_clear(&got);
    peer_read_until(fd, &got, "two");
    ck_assert_uint_eq(client->origins->link_count, 1);
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    PEER_WAIT(others[0].done);
    ck_assert_int_eq(others[0].status, 200);
    end(&others[0]);
    PEER_WAIT(client->origins->link_count == 2); // one goes on with the second, the third gets a new one
    for (int i = 1; i < 3; i++) {
        weir_http_request_cancel(&others[i].request, "enough");
        expect_error(&others[i], "enough");
    }
    weir_text_free(&got);
    close(fd);
}
END_TEST

START_TEST(old_connections_get_a_successor)
{
    struct exchange exchange;
    struct weir_text got = { 0 };
    start_client();
    send_one(&exchange, "/", "one");
    int fd = peer_accept(listener);
    peer_read_until(fd, &got, "one");
    client->origins->links->retire_at = 0; // as if ten minutes had passed
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    PEER_WAIT(exchange.done);
    end(&exchange);
    send_one(&exchange, "/", "two");
    int second = peer_accept(listener);
    peer_wait_closed(fd);
    peer_read_until(second, &got, "two");
    peer_say(second, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    PEER_WAIT(exchange.done);
    ck_assert_int_eq(exchange.status, 200);
    end(&exchange);
    weir_text_free(&got);
    close(fd);
    close(second);
}
END_TEST

static char door[] = "door";

START_TEST(an_authenticator_has_the_last_word_on_headers)
{
    struct exchange exchange;
    struct weir_text got = { 0 };
    struct weir_http_header own = { WEIR_STR("authorization"), WEIR_STR("own") };
    struct weir_pair pairs[] = { { (char *)"Authorization", (char *)"configured" }, { (char *)"X-Key", (char *)"1" } };
    static const struct weir_metadata ali[] = { { { "username", 8 }, { "ali", 3 } } };
    struct weir_context *context =
        weir_context_new_authenticated(NULL, WEIR_STR(""), NULL, 0, ali, 1);
    options.headers.pairs = (struct weir_pairs){ pairs, 2 };
    options.auth_on = true;
    options.auth.authenticator.id = door;
    start_client();
    exchange = (struct exchange){ .request = { .method = "POST", .done = on_done, .context = context } };
    exchange.request.headers = &own;
    exchange.request.header_count = 1;
    char *text = weir_xasprintf("http://127.0.0.1:%u/a", (unsigned)port);
    ck_assert_int_eq(weir_url_parse(text, &exchange.url, NULL), 0);
    free(text);
    exchange.request.url = &exchange.url;
    weir_http_client_send(client, &exchange.request);
    int fd = peer_accept(listener);
    peer_read_until(fd, &got, "\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(got.data, "\r\nx-key: 1\r\nauthorization: sesame\r\nx-user: ali\r\nuser-agent:"));
    ck_assert_ptr_null(strstr(got.data, "configured"));
    ck_assert_ptr_null(strstr(got.data, "own"));

    // Another host gets nothing of that, whatever its name.
    text = weir_xasprintf("HTTP/1.1 307 Moved\r\nLocation: http://localhost:%u/b\r\nContent-Length: 0\r\n\r\n",
                          (unsigned)port);
    peer_say(fd, text);
    free(text);
    int second = peer_accept(listener);
    weir_text_clear(&got);
    peer_read_until(second, &got, "\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(got.data, "x-key: 1\r\n"));
    ck_assert_ptr_null(strstr(got.data, "sesame"));
    ck_assert_ptr_null(strstr(got.data, "x-user"));
    peer_say(second, "HTTP/1.1 204 No Content\r\n\r\n");
    PEER_WAIT(exchange.done);
    end(&exchange);
    weir_context_unref(context);
    weir_text_free(&got);
    close(fd);
    close(second);
}
END_TEST

START_TEST(without_credentials_nothing_is_sent)
{
    struct exchange exchange;
    options.auth_on = true;
    options.auth.authenticator.id = door;
    start_client();
    door_is_locked = true;
    send_one(&exchange, "/", "x");
    PEER_WAIT(exchange.done);
    ck_assert(exchange.unauthenticated);
    expect_error(&exchange, "the door is locked");
}
END_TEST

START_TEST(redirects_that_repeat_the_request)
{
    struct exchange exchange;
    struct weir_text got = { 0 };
    start_client();
    send_one(&exchange, "/a/b", "body");
    int fd = peer_accept(listener);
    peer_read_until(fd, &got, "body");
    peer_say(fd, "HTTP/1.1 308 Moved\r\nLocation: ../c?d\r\nContent-Length: 0\r\n\r\n");
    weir_text_clear(&got);
    peer_read_until(fd, &got, "body");
    ck_assert_ptr_nonnull(strstr(got.data, "POST /c?d HTTP/1.1\r\n"));
    peer_say(fd, "HTTP/1.1 204 No Content\r\n\r\n");
    PEER_WAIT(exchange.done);
    ck_assert_int_eq(exchange.status, 204);
    end(&exchange);
    weir_text_free(&got);
    close(fd);
}
END_TEST

START_TEST(redirects_that_do_not)
{
    static const char *const answers[] = {
        "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 307 Temporary\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 307 Temporary\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
    };
    start_client();
    int fd = -1;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(answers); i++) {
        struct exchange exchange;
        struct weir_text got = { 0 };
        send_one(&exchange, "/", "body");
        if (fd < 0)
            fd = peer_accept(listener);
        peer_read_until(fd, &got, "body");
        peer_say(fd, answers[i]);
        PEER_WAIT(exchange.done);
        ck_assert_int_eq(exchange.status, i == 0 ? 302 : 307);
        end(&exchange);
        weir_text_free(&got);
    }
    close(fd);
}
END_TEST

START_TEST(redirects_end)
{
    struct exchange exchange;
    struct weir_text got = { 0 };
    start_client();
    send_one(&exchange, "/", "body");
    int fd = peer_accept(listener);
    for (int i = 0; i <= 10; i++) {
        weir_text_clear(&got);
        peer_read_until(fd, &got, "body");
        peer_say(fd, "HTTP/1.1 307 Again\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
    }
    PEER_WAIT(exchange.done);
    ck_assert_ptr_nonnull(strstr(exchange.error, ": stopped after 10 redirects"));
    end(&exchange);
    weir_text_free(&got);
    close(fd);
}
END_TEST

START_TEST(through_a_proxy)
{
    struct exchange exchange;
    struct weir_text got = { 0 };
    char *proxy = weir_xasprintf("http://me:secret@127.0.0.1:%u", (unsigned)port);
    options.proxy_url = proxy;
    start_client();
    send_to(&exchange, 1, "/x", "body"); /* port 1: only the proxy listens */
    int fd = peer_accept(listener);
    peer_read_until(fd, &got, "body");
    ck_assert_ptr_eq(strstr(got.data, "POST http://127.0.0.1:1/x HTTP/1.1\r\nhost: 127.0.0.1:1\r\n"),
                     got.data);
    ck_assert_ptr_nonnull(strstr(got.data, "\r\nproxy-authorization: Basic bWU6c2VjcmV0\r\n"));
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    PEER_WAIT(exchange.done);
    ck_assert_int_eq(exchange.status, 200);
    end(&exchange);
    weir_text_free(&got);
    free(proxy);
    close(fd);
}
END_TEST

static void free_client(struct weir_http_request *request, const struct weir_http_response *response)
{
    on_done(request, response);
    weir_http_client_free(client);
    client = NULL;
}

START_TEST(done_may_free_everything)
{
    struct exchange first, second;
    start_client();
    send_one(&first, "/", "x");
    send_one(&second, "/", "x");
    first.request.done = free_client;
    int fd = peer_accept(listener), other = peer_accept(listener);
    struct weir_text got = { 0 };
    peer_read_until(fd, &got, "\r\n\r\nx");
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    peer_say(other, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    PEER_WAIT(first.done && second.done);
    end(&first);
    end(&second);
    weir_text_free(&got);
    close(fd);
    close(other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http client");
    TCase *tests = tcase_create("http client");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, a_request_and_its_answer);
    tcase_add_test(tests, answers_in_every_framing);
    tcase_add_test(tests, connections_are_kept);
    tcase_add_test(tests, connections_with_more_than_an_answer_are_not_kept);
    tcase_add_test(tests, no_keep_alives);
    tcase_add_test(tests, idle_connections_have_limits);
    tcase_add_test(tests, connections_to_a_host_have_a_limit);
    tcase_add_test(tests, a_kept_connection_that_was_lost_costs_nothing);
    tcase_add_test(tests, broken_answers);
    tcase_add_test(tests, headers_have_a_cap);
    tcase_add_test(tests, an_endless_body_is_cut);
    tcase_add_test(tests, time_is_limited);
    tcase_add_test(tests, nobody_listens);
    tcase_add_test(tests, attempts_at_what_is_down_are_paced);
    tcase_add_test(tests, attempts_at_what_hangs_up_are_paced);
    tcase_add_test(tests, old_connections_get_a_successor);
    tcase_add_test(tests, an_authenticator_has_the_last_word_on_headers);
    tcase_add_test(tests, without_credentials_nothing_is_sent);
    tcase_add_test(tests, redirects_that_repeat_the_request);
    tcase_add_test(tests, redirects_that_do_not);
    tcase_add_test(tests, redirects_end);
    tcase_add_test(tests, through_a_proxy);
    tcase_add_test(tests, done_may_free_everything);
    return run_suite(suite);
}
