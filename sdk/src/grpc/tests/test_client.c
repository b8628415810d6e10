// SPDX-License-Identifier: Apache-2.0
/*
 * The gRPC client against a server whose every answer the test decides: headers, messages, trailers, resets,
 * GOAWAY, and peers that speak no HTTP/2 at all.
 */
#include <config.h>

#include <stdio.h>

#include "sdk/src/http/tests/peer.h"

#include <weir/grpc_client.h>
#include <weir/http_client.h>
#include <weir/otlp_response.h>

#include "sdk/src/grpc/client.h"
#include "sdk/src/http/h2_session.h"
#include "sdk/src/net/conn.h"
#include "tests/unit/authenticator.h"
#include "tests/unit/suite.h"

#define SECOND ((int64_t)1000000000)

/* --- the server --- */

struct script {
    const char *status, *content_type, *encoding;
    const char *body;
    size_t body_length;
    const char *grpc_status, *grpc_message, *details;
    bool headers_only; /* the status stands in the headers */
    bool no_trailers;
    uint32_t reset; /* instead of an answer */
    bool silent;    /* no answer at all */
    bool goaway;    /* behind the answer */
};

static struct script script;
static struct weir_listener *listener;
static struct weir_acceptor *acceptor;
static bool acceptor_closed;
static struct h2_session *sessions[8];
static size_t session_count, requests;
static struct weir_text request_headers, request_body;

static struct weir_http_header field(const char *name, const char *value)
{
    return (struct weir_http_header){ weir_str_of(name), weir_str_of(value) };
}

static void answer(struct h2_stream *stream)
{
    struct weir_http_header headers[6], trailers[3];
    size_t count = 0, trailer_count = 0;
    requests++;
    if (script.silent)
        return;
    if (script.reset) {
        h2_stream_reset(stream, script.reset);
        return;
    }
    headers[count++] = field(":status", script.status ? script.status : "200");
    headers[count++] = field("content-type", script.content_type ? script.content_type : "application/grpc");
    if (script.encoding)
        headers[count++] = field("grpc-encoding", script.encoding);
    if (!script.no_trailers) {
        trailers[trailer_count++] = field("grpc-status", script.grpc_status ? script.grpc_status : "0");
        if (script.grpc_message)
            trailers[trailer_count++] = field("grpc-message", script.grpc_message);
        if (script.details)
            trailers[trailer_count++] = field("grpc-status-details-bin", script.details);
    }
    for (size_t i = 0; script.headers_only && i < trailer_count; i++)
        headers[count++] = trailers[i];
    struct weir_slices body = { 0 };
    if (script.body)
        ck_assert(weir_slices_add(&body, NULL, script.body, script.body_length));
    h2_stream_respond(stream, headers, count, &body, trailers, script.headers_only ? 0 : trailer_count);
    weir_slices_free(&body);
}

static void on_headers(struct h2_stream *stream, bool end)
{
    for (size_t i = 0; i < stream->headers.count; i++)
        weir_text_addf(&request_headers, "%.*s=%.*s\n", WEIR_STR_ARG(stream->headers.items[i].name),
                       WEIR_STR_ARG(stream->headers.items[i].value));
    if (end)
        answer(stream);
}

static void on_data(struct h2_stream *stream, const uint8_t *bytes, size_t length)
{
    (void)stream;
    weir_text_add(&request_body, (const char *)bytes, length);
}

static void on_end(struct h2_stream *stream)
{
    struct h2_session *session = stream->session;
    bool goaway = script.goaway;
    answer(stream);
    if (goaway)
        h2_session_shutdown(session);
}

static void on_stream_closed(struct h2_stream *stream, uint32_t error_code)
{
    (void)stream;
    (void)error_code;
}

static void on_over(struct h2_session *session, const char *error)
{
    (void)error;
    weir_conn_finish(h2_session_conn(session));
}

static const struct h2_callbacks callbacks = {
    .headers = on_headers,
    .data = on_data,
    .end = on_end,
    .closed = on_stream_closed,
    .over = on_over,
};

static void server_opened(struct weir_conn *conn)
{
    struct h2_config config = { .server = true, .callbacks = &callbacks };
    struct h2_session *session = h2_session_new(conn, &config);
    ck_assert_ptr_nonnull(session);
    weir_conn_set_events(conn, weir_conn_user(conn), session);
    sessions[session_count++ % 8] = session;
}

static void server_data(struct weir_conn *conn, const uint8_t *bytes, size_t length)
{
    h2_session_receive(weir_conn_user(conn), bytes, length);
}

static void server_drained(struct weir_conn *conn)
{
    h2_session_flush(weir_conn_user(conn));
}

static void server_closed(struct weir_conn *conn, enum weir_conn_reason reason, const char *text)
{
    (void)reason;
    (void)text;
    for (size_t i = 0; i < 8; i++) {
        if (sessions[i] && h2_session_conn(sessions[i]) == conn) {
            h2_session_free(sessions[i]);
            sessions[i] = NULL;
        }
    }
}

static const struct weir_conn_events server_events = {
    .opened = server_opened,
    .data = server_data,
    .drained = server_drained,
    .closed = server_closed,
};

static void on_acceptor_closed(struct weir_acceptor *gone)
{
    (void)gone;
    acceptor_closed = true;
}

static void start_server(uint16_t port)
{
    struct weir_endpoint endpoint = { 0 };
    weir_endpoint_set(&endpoint, WEIR_STR("127.0.0.1"), port);
    struct weir_bind_options bind_options = { .endpoint = &endpoint };
    ck_assert_int_eq(weir_bind(&bind_options, &listener, NULL), 0);
    struct weir_accept_options accept_options = {
        .events = &server_events,
        .closed = on_acceptor_closed,
        .user = (void *)(uintptr_t)&server_events,
    };
    ck_assert_int_eq(weir_listen(weir_worker_at(0), listener, &accept_options, &acceptor, NULL), 0);
    acceptor_closed = false;
    weir_endpoint_free(&endpoint);
}

static void close_conn(struct weir_conn *conn, void *argument)
{
    (void)argument;
    weir_conn_close(conn);
}

static void stop_server(void)
{
    if (!listener)
        return;
    if (!acceptor_closed) {
        weir_acceptor_each(acceptor, close_conn, NULL);
        weir_acceptor_close(acceptor);
    }
    PEER_WAIT(acceptor_closed);
    weir_listener_free(listener);
    listener = NULL;
}

/* --- the client --- */

struct call {
    struct weir_grpc_request request;
    int done, code;
    bool answered, has_retry_info;
    int64_t retry_delay;
    char *message, *body;
    size_t body_length;
};

static struct weir_grpc_client_options options;
static struct weir_grpc_target *target;
static struct weir_grpc_client *client;
static char endpoint_text[64];

static void on_done(struct weir_grpc_request *request, const struct weir_grpc_response *response)
{
    struct call *call = WEIR_CONTAINER_OF(request, struct call, request);
    call->done++;
    call->code = response->code;
    call->answered = response->answered;
    call->message = weir_str_dup(response->message);
    call->body = weir_str_dup(response->body);
    call->body_length = response->body.length;
    call->has_retry_info = response->has_retry_info;
    call->retry_delay = response->retry_delay;
}

static void start_client(uint16_t port)
{
    struct weir_error error = WEIR_ERROR_INIT;
    snprintf(endpoint_text, sizeof endpoint_text, "127.0.0.1:%u", (unsigned)port);
    options.endpoint = endpoint_text;
    target = weir_grpc_target_new(&options, door_user, &error);
    ck_assert_msg(target != NULL, "%s", weir_error_text(&error));
    client = weir_grpc_client_new(weir_worker_at(0), target);
}

static void begin(struct call *call, const char *message, int64_t timeout)
{
    *call = (struct call){ .request = { .path = "/test.Service/Call", .timeout = timeout, .done = on_done } };
    if (*message)
        ck_assert(weir_slices_add(&call->request.message, NULL, message, strlen(message)));
    weir_grpc_client_send(client, &call->request);
}

static void end(struct call *call)
{
    ck_assert_int_eq(call->done, 1);
    weir_slices_free(&call->request.message);
    free(call->message);
    free(call->body);
}

static void expect(struct call *call, int code, const char *message)
{
    PEER_WAIT(call->done);
    ck_assert_msg(call->code == code && strcmp(call->message, message) == 0, "%s: %s",
                  weir_grpc_code_name(call->code), call->message);
    end(call);
}

static void setup(void)
{
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_SYSTEM, NULL), 0);
    door_make();
    unsetenv("HTTPS_PROXY");
    unsetenv("https_proxy");
    options = (struct weir_grpc_client_options){ .tls.insecure = true };
    script = (struct script){ .body = "\0\0\0\0\0", .body_length = 5 };
    session_count = requests = 0;
}

static void teardown(void)
{
    weir_grpc_client_free(client);
    client = NULL;
    stop_server();
    for (int i = 0; i < 20; i++)
        weir_worker_turn(weir_worker_at(0), 1);
    weir_grpc_target_free(target);
    weir_text_free(&request_headers);
    weir_text_free(&request_body);
    door_free();
    weir_workers_destroy();
}

START_TEST(a_call_and_its_answer)
{
    struct call call;
    struct weir_pair pairs[] = { { (char *)"x-key", (char *)"option" },
                                 { (char *)"x-own", (char *)"option" },
                                 { (char *)"x-bin", (char *)"abcd" } };
    struct weir_metadata own = { WEIR_STR("x-own"), WEIR_STR("call") };
    options.headers.pairs = (struct weir_pairs){ pairs, 3 };
    script.body = "\0\0\0\0\2ok";
    script.body_length = 7;
    start_server(0);
    start_client(weir_listener_port(listener));
    begin(&call, "hello", 0);

    call.request.metadata = &own; /* not sent yet: the connection is not there */
    call.request.metadata_count = 1;
    call.request.timeout = 5 * SECOND;
    PEER_WAIT(call.done);
    ck_assert_int_eq(call.code, WEIR_GRPC_OK);
    ck_assert(call.answered);
    ck_assert_str_eq(call.body, "ok");
    end(&call);
    char *expected =
        weir_xasprintf(":method=POST\n:scheme=http\n:path=/test.Service/Call\n:authority=%s\n"
                       "content-type=application/grpc\nuser-agent=%s\nte=trailers\n"
                       "grpc-accept-encoding=gzip,zstd,snappy\ngrpc-timeout=5000000u\nx-key=option\n"
                       "x-bin=YWJjZA\nx-own=call\n",
                       endpoint_text, weir_user_agent());
    ck_assert_str_eq(weir_text_string(&request_headers), expected);
    ck_assert_uint_eq(request_body.length, 10);
    ck_assert(memcmp(request_body.data, "\0\0\0\0\5hello", 10) == 0);
    free(expected);
}
END_TEST

static char door[] = "door";

START_TEST(an_authenticator_has_the_last_word_on_metadata)
{
    struct call call;
    struct weir_pair pairs[] = { { (char *)"authorization", (char *)"configured" }, { (char *)"x-key", (char *)"1" } };
    options.headers.pairs = (struct weir_pairs){ pairs, 2 };
    options.auth_on = true;
    options.auth.authenticator.id = door;
    start_server(0);
    start_client(weir_listener_port(listener));
    begin(&call, "hello", 5 * SECOND);
    expect(&call, WEIR_GRPC_OK, "");
    ck_assert_ptr_nonnull(strstr(request_headers.data, "\nx-key=1\nauthorization=sesame\n"));
    ck_assert_ptr_null(strstr(request_headers.data, "configured"));
    door_is_locked = true;
    begin(&call, "hello", 5 * SECOND);
    expect(&call, WEIR_GRPC_UNAUTHENTICATED,
           "transport: per-RPC creds failed due to error: the door is locked");
}
END_TEST

START_TEST(credentials_that_need_tls)
{
    struct weir_error error = WEIR_ERROR_INIT;
    options.auth_on = true;
    options.auth.authenticator.id = door;
    options.endpoint = (char *)"127.0.0.1:1";
    door_needs_tls = true;
    ck_assert_ptr_null(weir_grpc_target_new(&options, door_user, &error));
    ck_assert_str_eq(weir_error_text(&error), "grpc: the credentials require transport level security (use "
                                              "grpc.WithTransportCredentials() to set)");
    weir_error_free(&error);
}
END_TEST

START_TEST(messages_are_compressed)
{
    struct call call;
    options.compression = WEIR_ENCODING_GZIP;
    start_server(0);
    start_client(weir_listener_port(listener));
    begin(&call, "hello", 5 * SECOND);
    expect(&call, WEIR_GRPC_OK, "");
    ck_assert_ptr_nonnull(strstr(request_headers.data, "\ngrpc-encoding=gzip\n"));
    ck_assert_uint_eq((uint8_t)request_body.data[0], 1);
    ck_assert_uint_eq((uint8_t)request_body.data[4], request_body.length - 5);
    struct weir_buffer *plain = NULL;
    struct weir_inflate_limits limits = { .max_output = 100 };
    ck_assert_int_eq(weir_inflate(WEIR_ENCODING_GZIP,
                                  weir_str_make(request_body.data + 5, request_body.length - 5), &limits,
                                  &plain, NULL),
                     WEIR_INFLATE_OK);
    ck_assert(weir_str_is(weir_str_make((char *)plain->data, plain->length), "hello"));
    weir_buffer_unref(plain);
}
END_TEST

START_TEST(statuses)
{
    static const struct {
        struct script script;
        int code;
        const char *message;
    } cases[] = {
        { { .grpc_status = "14", .grpc_message = "too%20busy", .headers_only = true },
          WEIR_GRPC_UNAVAILABLE,
          "too busy" },
        { { .grpc_status = "3", .grpc_message = "no", .body = "\0\0\0\0\0", .body_length = 5 },
          WEIR_GRPC_INVALID_ARGUMENT,
          "no" },
        { { .grpc_status = "99", .headers_only = true }, 99, "" },
        { { .grpc_status = "x", .headers_only = true }, WEIR_GRPC_UNKNOWN, "malformed grpc-status: x" },
        { { .no_trailers = true, .body = "\0\0\0\0\0", .body_length = 5 },
          WEIR_GRPC_INTERNAL,
          "server closed the stream without sending trailers" },
        { { .grpc_status = "0", .headers_only = true }, WEIR_GRPC_INTERNAL, "the server sent no message" },
        { { .body = "\0\0\0\0\2a", .body_length = 6 },
          WEIR_GRPC_INTERNAL,
          "the server did not send exactly one whole message" },
        { { .body = "\0\0\0\0\0\0\0\0\0\0", .body_length = 10 },
          WEIR_GRPC_INTERNAL,
          "the server did not send exactly one whole message" },
        { { .body = "\1\0\0\0\1a", .body_length = 6 },
          WEIR_GRPC_INTERNAL,
          "grpc: compressed flag set with unknown encoding \"\"" },
        { { .body = "\0\377\377\377\377", .body_length = 5 },
          WEIR_GRPC_RESOURCE_EXHAUSTED,
          "grpc: received message larger than max (4294967295 vs. 65536)" },
        { { .status = "404", .content_type = "text/html", .no_trailers = true },
          WEIR_GRPC_UNIMPLEMENTED,
          "unexpected HTTP status code received from server: 404; transport: received unexpected "
          "content-type "
          "\"text/html\"" },
        { { .reset = NGHTTP2_CANCEL },
          WEIR_GRPC_CANCELLED,
          "stream terminated by RST_STREAM with error code: CANCEL" },
        { { .reset = NGHTTP2_INTERNAL_ERROR },
          WEIR_GRPC_INTERNAL,
          "stream terminated by RST_STREAM with error code: INTERNAL_ERROR" },
    };
    start_server(0);
    start_client(weir_listener_port(listener));
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        struct call call;
        script = cases[i].script;
        begin(&call, "x", 5 * SECOND);
        expect(&call, cases[i].code, cases[i].message);
    }
    ck_assert_uint_eq(session_count, 1); /* none of this costs the connection */
}
END_TEST

START_TEST(a_refused_stream_is_sent_once_more)
{
    struct call call;
    script.reset = NGHTTP2_REFUSED_STREAM;
    start_server(0);
    start_client(weir_listener_port(listener));
    begin(&call, "x", 5 * SECOND);
    expect(&call, WEIR_GRPC_UNAVAILABLE, "the server refused the stream");
    ck_assert_uint_eq(requests, 2);
}
END_TEST

START_TEST(retry_info)
{
    struct call call;
    struct weir_buffer *status = weir_buffer_new(64);
    ck_assert(weir_status_encode(WEIR_OTLP_PROTOBUF, 8, WEIR_STR("slow down"), 1500000000, status));
    struct weir_text encoded = { 0 };
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < status->length; i++) {
        bits = bits << 8 | status->data[i];
        for (count += 8; count >= 6; count -= 6)
            weir_text_addc(&encoded, digits[bits >> (count - 6) & 63]);
    }
    if (count > 0)
        weir_text_addc(&encoded, digits[bits << (6 - count) & 63]);
    script = (struct script){
        .grpc_status = "8", .grpc_message = "slow down", .details = encoded.data, .headers_only = true
    };
    start_server(0);
    start_client(weir_listener_port(listener));
    begin(&call, "x", 5 * SECOND);
    PEER_WAIT(call.done);
    ck_assert_int_eq(call.code, WEIR_GRPC_RESOURCE_EXHAUSTED);
    ck_assert(call.has_retry_info);
    ck_assert_int_eq(call.retry_delay, 1500000000);
    end(&call);
    weir_text_free(&encoded);
    weir_buffer_unref(status);
}
END_TEST

START_TEST(many_calls_share_a_connection)
{
    static struct call calls[300];
    start_server(0);
    start_client(weir_listener_port(listener));
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(calls); i++)
        begin(&calls[i], "message", 10 * SECOND);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(calls); i++)
        expect(&calls[i], WEIR_GRPC_OK, "");
    ck_assert_uint_eq(session_count, 1);
    ck_assert_uint_eq(weir_grpc_client_pending(client), 0);
}
END_TEST

START_TEST(a_large_message_arrives)
{
    struct call call;
    size_t size = 3000000;
    char *text = weir_xmalloc(size + 1);
    memset(text, 'x', size);
    text[size] = '\0';
    start_server(0);
    start_client(weir_listener_port(listener));
    begin(&call, text, 10 * SECOND);
    expect(&call, WEIR_GRPC_OK, "");
    ck_assert_uint_eq(request_body.length, size + 5);
    free(text);
}
END_TEST

START_TEST(goaway_moves_to_a_new_connection)
{
    struct call call;
    script.goaway = true;
    start_server(0);
    start_client(weir_listener_port(listener));
    for (int i = 0; i < 2; i++) {
        begin(&call, "x", 10 * SECOND);
        expect(&call, WEIR_GRPC_OK, "");
        PEER_WAIT(!sessions[i]); /* the connection has ended in order */
    }
    ck_assert_uint_eq(session_count, 2);
}
END_TEST

START_TEST(old_connections_get_a_successor)
{
    struct call old, call;
    script.silent = true;
    start_server(0);
    start_client(weir_listener_port(listener));
    begin(&old, "x", 10 * SECOND);
    PEER_WAIT(requests == 1);
    weir_timer_start(&client->channels->age, 0); /* as if ten minutes had passed */
    PEER_WAIT(session_count == 2);
    script.silent = false;
    PEER_WAIT(!client->channels->fresh);
    begin(&call, "x", 10 * SECOND);
    expect(&call, WEIR_GRPC_OK, "");
    ck_assert(!old.done && sessions[0]); /* what is under way on the old one is not cut off */
    weir_grpc_request_cancel(&old.request, "never mind");
    expect(&old, WEIR_GRPC_CANCELLED, "never mind");
    PEER_WAIT(!sessions[0]);
    ck_assert_ptr_nonnull(sessions[1]);
}
END_TEST

START_TEST(a_successor_that_fails_costs_nothing)
{
    struct call call;
    start_server(0);
    start_client(weir_listener_port(listener));
    begin(&call, "x", 10 * SECOND);
    expect(&call, WEIR_GRPC_OK, "");
    weir_acceptor_close(acceptor); /* new connections are refused */
    weir_timer_start(&client->channels->age, 0);
    PEER_WAIT(client->channels->age.deadline > weir_worker_now(weir_worker_at(0)) + 50 * SECOND);
    ck_assert_ptr_null(client->channels->fresh);
    begin(&call, "x", 10 * SECOND);
    expect(&call, WEIR_GRPC_OK, "");
    ck_assert_uint_eq(session_count, 1);
    weir_grpc_client_free(client);
    client = NULL;
    PEER_WAIT(acceptor_closed);
}
END_TEST

START_TEST(time_is_limited)
{
    struct call call;
    script.silent = true;
    start_server(0);
    start_client(weir_listener_port(listener));
    begin(&call, "x", SECOND / 10);
    expect(&call, WEIR_GRPC_DEADLINE_EXCEEDED, "context deadline exceeded");
    begin(&call, "x", 0);
    PEER_WAIT(requests == 2);
    weir_grpc_request_cancel(&call.request, "never mind");
    expect(&call, WEIR_GRPC_CANCELLED, "never mind");
}
END_TEST

START_TEST(a_connection_that_breaks)
{
    struct call call;
    script.silent = true;
    start_server(0);
    start_client(weir_listener_port(listener));
    begin(&call, "x", 10 * SECOND);
    PEER_WAIT(requests == 1);
    weir_acceptor_each(acceptor, close_conn, NULL);
    PEER_WAIT(call.done);
    ck_assert_int_eq(call.code, WEIR_GRPC_UNAVAILABLE);
    ck_assert(!call.answered);
    end(&call);
}
END_TEST

START_TEST(nobody_listens)
{
    struct call call;
    uint16_t port;
    close(peer_listen(&port));
    start_client(port);
    for (int i = 0; i < 2; i++) { /* while connecting, and after that has failed */
        begin(&call, "x", 10 * SECOND);
        char *message =
            weir_xasprintf("connection error: desc = \"transport: Error while dialing: dial tcp %s: "
                           "connect: connection refused\"",
                           endpoint_text);
        expect(&call, WEIR_GRPC_UNAVAILABLE, message);
        free(message);
    }
}
END_TEST

START_TEST(wait_for_ready)
{
    struct call call;
    uint16_t port;
    close(peer_listen(&port));
    options.wait_for_ready = true;
    start_client(port);
    begin(&call, "x", SECOND / 5);
    PEER_WAIT(call.done);
    ck_assert_int_eq(call.code, WEIR_GRPC_DEADLINE_EXCEEDED);
    ck_assert_ptr_nonnull(strstr(call.message, "waiting for connections to become ready"));
    end(&call);
    begin(&call, "x", 10 * SECOND);
    start_server(port); /* found by the next attempt, about a second later */
    expect(&call, WEIR_GRPC_OK, "");
}
END_TEST

/* Peers that do not speak HTTP/2. */
START_TEST(noise)
{
    static const char *const answers[] = { "HTTP/1.1 400 Bad Request\r\n\r\n", "",
                                           "\x15\x03\x01\x00\x02\x02\x46", "SSH-2.0-OpenSSH_9.2\r\n" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(answers); i++) {
        struct call call;
        uint16_t port;
        int fd = peer_listen(&port);
        start_client(port);
        begin(&call, "x", 10 * SECOND);
        int peer = peer_accept(fd);
        peer_say(peer, answers[i]);
        shutdown(peer, SHUT_WR);
        PEER_WAIT(call.done);
        ck_assert_msg(call.code == WEIR_GRPC_UNAVAILABLE, "%zu: %s", i, call.message);
        end(&call);
        weir_grpc_client_free(client);
        client = NULL;
        for (int turn = 0; turn < 10; turn++)
            weir_worker_turn(weir_worker_at(0), 1);
        weir_grpc_target_free(target);
        target = NULL;
        close(peer);
        close(fd);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("grpc client");
    TCase *tests = tcase_create("grpc client");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, a_call_and_its_answer);
    tcase_add_test(tests, an_authenticator_has_the_last_word_on_metadata);
    tcase_add_test(tests, credentials_that_need_tls);
    tcase_add_test(tests, messages_are_compressed);
    tcase_add_test(tests, statuses);
    tcase_add_test(tests, a_refused_stream_is_sent_once_more);
    tcase_add_test(tests, retry_info);
    tcase_add_test(tests, many_calls_share_a_connection);
    tcase_add_test(tests, a_large_message_arrives);
    tcase_add_test(tests, goaway_moves_to_a_new_connection);
    tcase_add_test(tests, time_is_limited);
    tcase_add_test(tests, old_connections_get_a_successor);
    tcase_add_test(tests, a_successor_that_fails_costs_nothing);
    tcase_add_test(tests, a_connection_that_breaks);
    tcase_add_test(tests, nobody_listens);
    tcase_add_test(tests, wait_for_ready);
    tcase_add_test(tests, noise);
    return run_suite(suite);
}
