// SPDX-License-Identifier: Apache-2.0
/*
 * The gRPC server against a client on the same loop: answers, and the life of connections.
 */
#include <config.h>

#include <stdio.h>

#include <weir/grpc_server.h>
#include <weir/sys/worker.h>

#include "sdk/src/grpc/text.h"
#include "sdk/src/http/h2_session.h"
#include "tests/unit/authenticator.h"
#include "tests/unit/suite.h"

#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)
#define ECHO "/test.Service/Echo"

struct client {
    struct weir_conn *conn;
    struct h2_session *session;
    bool closed;
    bool going; /* GOAWAY came */
    uint32_t going_code;
    struct weir_text going_text;
    unsigned pongs;
};

/* One call of the client. */
struct call {
    bool ended;
    uint32_t reset;
    struct weir_text body;
    struct weir_text status;
    struct weir_text message;
    struct weir_text details;
    struct weir_text http_status;
};

static struct weir_grpc_server_options options;
static struct weir_grpc_site *site;
static struct weir_grpc_server *server;
static struct weir_worker *worker;
static struct weir_grpc_call *waiting;
static int64_t last_deadline;
static size_t released;
static bool admitting;
static bool drained;

/* --- the server --- */

enum { TAG_ECHO, TAG_LATER, TAG_FAIL };
static const struct weir_grpc_method methods[] = {
    { "test.Service", "Echo", TAG_ECHO },
    { "test.Service", "Later", TAG_LATER },
    { "test.Service", "Fail", TAG_FAIL },
    { NULL, NULL, 0 },
};

static bool handle_admit(struct weir_grpc_call *call, size_t bytes)
{
    (void)bytes;
    if (!admitting)
        weir_grpc_fail(call, WEIR_GRPC_UNAVAILABLE, "no memory", NULL, 0);
    return admitting;
}

static void handle_request(struct weir_grpc_call *call)
{
    struct weir_buffer *message = weir_grpc_call_message(call);
    last_deadline = weir_grpc_call_deadline(call);
    switch (weir_grpc_call_tag(call)) {
    case TAG_ECHO:
        weir_grpc_reply(call, message->data, message->length);
        break;
    case TAG_FAIL:
        weir_grpc_fail(call, WEIR_GRPC_DATA_LOSS, "100% \xc3\xa9\n", "abcd", 4);
        break;
    default:
        waiting = call;
    }
}

static void handle_release(struct weir_grpc_call *call)
{
    (void)call;
    released++;
}

static const struct weir_grpc_handler handler = {
    .admit = handle_admit,
    .request = handle_request,
    .release = handle_release,
};

/* --- the client --- */

static void keep(struct weir_text *text, const struct headers *headers, const char *name)
{
    struct weir_str value = headers_get(headers, name);
    if (value.data)
        weir_text_add(text, value.data, value.length);
}

static void keep_status(struct call *call, const struct headers *headers)
{
    keep(&call->status, headers, "grpc-status");
    keep(&call->message, headers, "grpc-message");
    keep(&call->details, headers, "grpc-status-details-bin");
}

static void stream_headers(struct h2_stream *stream, bool end)
{
    struct call *call = stream->user;
    (void)end;
    keep(&call->http_status, &stream->headers, ":status");
    keep_status(call, &stream->headers);
}

static void stream_data(struct h2_stream *stream, const uint8_t *bytes, size_t length)
{
    struct call *call = stream->user;
    weir_text_add(&call->body, (const char *)bytes, length);
}

static void stream_end(struct h2_stream *stream)
{
    keep_status(stream->user, &stream->trailers);
}

static void stream_closed(struct h2_stream *stream, uint32_t error_code)
{
    struct call *call = stream->user;
    call->ended = true;
    call->reset = error_code;
}

static void on_ping(struct h2_session *session, bool ack)
{
    struct client *client = h2_session_user(session);
    client->pongs += ack;
}

static void on_goaway(struct h2_session *session, int32_t last, uint32_t error_code, struct weir_str debug)
{
    struct client *client = h2_session_user(session);
    (void)last;
    client->going = true;
    client->going_code = error_code;
    weir_text_add(&client->going_text, debug.data, debug.length);
}

static void on_over(struct h2_session *session, const char *error)
{
    (void)error;
    weir_conn_finish(h2_session_conn(session));
}

static const struct h2_callbacks client_callbacks = {
    .headers = stream_headers,
    .data = stream_data,
    .end = stream_end,
    .closed = stream_closed,
    .ping = on_ping,
    .goaway = on_goaway,
    .over = on_over,
};

static void conn_opened(struct weir_conn *conn)
{
    struct client *client = weir_conn_user(conn);
    struct h2_config config = { .callbacks = &client_callbacks, .user = client };
    client->session = h2_session_new(conn, &config);
    ck_assert_ptr_nonnull(client->session);
}

static void conn_data(struct weir_conn *conn, const uint8_t *bytes, size_t length)
{
    struct client *client = weir_conn_user(conn);
    h2_session_receive(client->session, bytes, length);
}

static void conn_closed(struct weir_conn *conn, enum weir_conn_reason reason, const char *text)
{
    struct client *client = weir_conn_user(conn);
    (void)reason;
    (void)text;
    h2_session_free(client->session);
    client->session = NULL;
    client->closed = true;
}

static const struct weir_conn_events conn_events = {
    .opened = conn_opened,
    .data = conn_data,
    .closed = conn_closed,
};

/* Turns the loop until *flag. */
static void turn_until(const bool *flag)
{
    for (int i = 0; i < 2000 && !*flag; i++)
        weir_worker_turn(worker, 5);
    ck_assert(*flag);
}

static void turns(int count)
{
    for (int i = 0; i < count; i++)
        weir_worker_turn(worker, 1);
}

static void client_connect(struct client *client)
{
    struct weir_endpoint endpoint = { .host = NULL };
    ck_assert_int_eq(weir_endpoint_parse(weir_str_of(weir_grpc_site_address(site)), &endpoint, NULL), 0);
    struct weir_connect_options connect = { .endpoint = &endpoint, .events = &conn_events, .user = client };
    *client = (struct client){ .conn = weir_connect(worker, &connect) };
    weir_endpoint_free(&endpoint);
    for (int i = 0; i < 2000 && !client->session; i++)
        weir_worker_turn(worker, 5);
    ck_assert_ptr_nonnull(client->session);
}

static void client_close(struct client *client)
{
    if (!client->closed)
        weir_conn_close(client->conn);
    turn_until(&client->closed);
    weir_text_free(&client->going_text);
}

static const char *word; /* of the call's authorization; NULL: none */

static void start_call(struct client *client, struct call *call, const char *path, const char *timeout,
                       const void *body, size_t length)
{
    struct weir_http_header headers[] = {
        { WEIR_STR(":method"), WEIR_STR("POST") },
        { WEIR_STR(":scheme"), WEIR_STR("http") },
        { WEIR_STR(":path"), weir_str_of(path) },
        { WEIR_STR(":authority"), WEIR_STR("here") },
        { WEIR_STR("content-type"), WEIR_STR("application/grpc") },
        { WEIR_STR("te"), WEIR_STR("trailers") },
        { WEIR_STR("grpc-timeout"), weir_str_of(timeout) },
        { WEIR_STR("authorization"), weir_str_of(word) },
    };
    size_t count = timeout ? 7 : 6;
    if (word)
        headers[count++] = headers[7];
    struct weir_slices slices = { .ranges = NULL };
    struct weir_buffer *copy = weir_buffer_copy(body, length);
    *call = (struct call){ .ended = false };
    ck_assert(weir_slices_add(&slices, copy, copy->data, copy->length));
    ck_assert_ptr_nonnull(h2_session_request(client->session, headers, count, &slices, call));
    weir_buffer_unref(copy);
}

static void end_call(struct call *call, const char *status, const char *message)
{
    turn_until(&call->ended);
    ck_assert_str_eq(weir_text_string(&call->status), status);
    ck_assert_str_eq(weir_text_string(&call->message), message);
    weir_text_free(&call->body);
    weir_text_free(&call->status);
    weir_text_free(&call->message);
    weir_text_free(&call->details);
    weir_text_free(&call->http_status);
}

/* --- set up --- */

static char endpoint_text[] = "127.0.0.1:0";

static void open_site(void)
{
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_MANUAL, &error), 0);
    worker = weir_worker_at(0);
    door_make();
    site = weir_grpc_site_open(&options, methods, &handler, door_user, NULL, &error);
    ck_assert_msg(site != NULL, "%s", weir_error_text(&error));
    server = weir_grpc_server_start(site, worker, NULL, &error);
    ck_assert_msg(server != NULL, "%s", weir_error_text(&error));
}

static void setup(void)
{
    options = (struct weir_grpc_server_options){ .endpoint = endpoint_text, .max_recv_msg_size_mib = 1 };
    options.keepalive_on = true;
    options.keepalive.server_parameters_on = true;
    options.keepalive.enforcement_policy_on = true;
    admitting = true;
    drained = false;
    waiting = NULL;
    released = 0;
    open_site();
}

static void teardown(void)
{
    weir_grpc_server_stop(server);
    turns(10);
    weir_grpc_site_close(site);
    door_free();
    weir_workers_destroy();
}

static void reopen(void)
{
    teardown();
    open_site();
}

/* --- tests --- */

START_TEST(test_reply)
{
    struct client client;
    struct call call;
    client_connect(&client);
    start_call(&client, &call, ECHO, NULL, "\0\0\0\0\2hi", 7);
    turn_until(&call.ended);
    ck_assert_uint_eq(call.body.length, 7);
    ck_assert_mem_eq(call.body.data, "\0\0\0\0\2hi", 7);
    ck_assert_int_eq(last_deadline, INT64_MAX);
    end_call(&call, "0", "");
    ck_assert_uint_eq(released, 1);
    client_close(&client);
}
END_TEST

START_TEST(test_auth)
{
    static char door[] = "door";
    struct client client;
    struct call call;
    options.auth_on = true;
    options.auth.authenticator.id = door;
    reopen();
    client_connect(&client);
    admitting = false; // would say "no memory" to whom it gets to see
    start_call(&client, &call, ECHO, NULL, "\0\0\0\0\2hi", 7);
    end_call(&call, "16", "missing or empty authorization header");
    word = "wrong";
    start_call(&client, &call, ECHO, NULL, "\0\0\0\0\2hi", 7);
    end_call(&call, "16", "wrong word");
    start_call(&client, &call, "/test.Service/None", NULL, "\0\0\0\0\2hi", 7);
    end_call(&call, "12", "unknown method None for service test.Service");
    ck_assert_uint_eq(released, 3);
    admitting = true;
    word = "sesame";
    start_call(&client, &call, ECHO, NULL, "\0\0\0\0\2hi", 7);
    end_call(&call, "0", "");
    word = NULL;
    client_close(&client);
}
END_TEST

START_TEST(test_auth_that_is_not_there)
{
    static char other[] = "other";
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_grpc_server_options second = options;
    second.auth_on = true;
    second.auth.authenticator.id = other;
    ck_assert_ptr_null(weir_grpc_site_open(&second, methods, &handler, door_user, NULL, &error));
    ck_assert_ptr_nonnull(strstr(weir_error_text(&error), "failed to resolve authenticator \"other\""));
    weir_error_free(&error);
    ck_assert_ptr_null(weir_grpc_site_open(&second, methods, &handler, NULL, NULL, NULL));
}
END_TEST

START_TEST(test_deadline)
{
    struct client client;
    struct call call;
    client_connect(&client);
    start_call(&client, &call, ECHO, "250m", "\0\0\0\0\0", 5);
    end_call(&call, "0", "");
    ck_assert_int_eq(last_deadline - weir_worker_now(worker), SECOND / 4);
    start_call(&client, &call, ECHO, "soon", "\0\0\0\0\0", 5);
    end_call(&call, "13", "malformed grpc-timeout: \"soon\"");
    client_close(&client);
}
END_TEST

START_TEST(test_failure)
{
    struct client client;
    struct call call;
    client_connect(&client);
    start_call(&client, &call, "/test.Service/Fail", NULL, "\0\0\0\0\0", 5);
    turn_until(&call.ended);
    ck_assert_str_eq(weir_text_string(&call.details), "YWJjZA");
    end_call(&call, "15", "100%25 %C3%A9%0A");
    client_close(&client);
}
END_TEST

START_TEST(test_refusals)
{
    struct client client;
    struct call call;
    client_connect(&client);
    start_call(&client, &call, "/no.Service/Echo", NULL, "\0\0\0\0\0", 5);
    end_call(&call, "12", "unknown service no.Service");
    start_call(&client, &call, "/test.Service/No", NULL, "\0\0\0\0\0", 5);
    end_call(&call, "12", "unknown method No for service test.Service");
    start_call(&client, &call, ECHO, NULL, "\0\xff\0\0\0x", 6);
    end_call(&call, "8", "grpc: received message larger than max (4278190080 vs. 1048576)");
    start_call(&client, &call, ECHO, NULL, "\2\0\0\0\0", 5);
    end_call(&call, "13", "grpc: received unexpected payload format 2");
    start_call(&client, &call, ECHO, NULL, "\1\0\0\0\1x", 6);
    end_call(&call, "13", "grpc: compressed flag set with identity or empty encoding");
    start_call(&client, &call, ECHO, NULL, "\0\0\0\0\2x", 6);
    end_call(&call, "13", "unexpected EOF");
    start_call(&client, &call, ECHO, NULL, "\0\0\0\0\1xy", 7);
    end_call(&call, "13", "grpc: more than one message in a unary call");
    admitting = false;
    start_call(&client, &call, ECHO, NULL, "\0\0\0\0\1x", 6);
    end_call(&call, "14", "no memory");
    client_close(&client);
}
END_TEST

START_TEST(test_client_goes_away_before_the_answer)
{
    struct client client;
    struct call call;
    client_connect(&client);
    start_call(&client, &call, "/test.Service/Later", NULL, "\0\0\0\0\0", 5);
    for (int i = 0; i < 1000 && !waiting; i++)
        weir_worker_turn(worker, 5);
    ck_assert(weir_grpc_call_alive(waiting));
    client_close(&client);
    for (int i = 0; i < 1000 && weir_grpc_call_alive(waiting); i++)
        weir_worker_turn(worker, 5);
    ck_assert(!weir_grpc_call_alive(waiting));
    ck_assert_uint_eq(released, 0);
    weir_grpc_reply(waiting, "x", 1);
    ck_assert_uint_eq(released, 1);
}
END_TEST

START_TEST(test_too_many_pings)
{
    struct client client;
    client_connect(&client);
    // One ping is free, two more are forgiven.
    for (unsigned i = 1; i <= 3; i++) {
        ck_assert(h2_session_ping(client.session));
        for (int k = 0; k < 1000 && client.pongs < i; k++)
            weir_worker_turn(worker, 5);
    }
    ck_assert(!client.going);
    ck_assert(h2_session_ping(client.session));
    turn_until(&client.closed);
    ck_assert(client.going);
    ck_assert_uint_eq(client.going_code, NGHTTP2_ENHANCE_YOUR_CALM);
    ck_assert_str_eq(weir_text_string(&client.going_text), "too_many_pings");
    client_close(&client);
}
END_TEST

START_TEST(test_pings_far_enough_apart)
{
    struct client client;
    options.keepalive.enforcement_policy.min_time.ns = 10 * SECOND;
    options.keepalive.enforcement_policy.permit_without_stream = true;
    reopen();
    client_connect(&client);
    for (unsigned i = 1; i <= 8; i++) {
        ck_assert(h2_session_ping(client.session));
        for (int k = 0; k < 1000 && client.pongs < i; k++)
            weir_worker_turn(worker, 5);
        weir_worker_advance(worker, 10 * SECOND);
    }
    ck_assert(!client.going);
    client_close(&client);
}
END_TEST

START_TEST(test_idle_connection_is_sent_away)
{
    struct client client;
    options.keepalive.server_parameters.max_connection_idle.ns = 5 * SECOND;
    reopen();
    client_connect(&client);
    turns(10);
    weir_worker_advance(worker, 4 * SECOND);
    turns(10);
    ck_assert(!client.going);
    weir_worker_advance(worker, 2 * SECOND);
    turn_until(&client.closed);
    ck_assert(client.going);
    ck_assert_uint_eq(client.going_code, NGHTTP2_NO_ERROR);
    client_close(&client);
}
END_TEST

START_TEST(test_age_lets_calls_end)
{
    struct client client;
    struct call call;
    options.keepalive.server_parameters.max_connection_age.ns = 100 * SECOND;
    reopen();
    client_connect(&client);
    start_call(&client, &call, "/test.Service/Later", NULL, "\0\0\0\0\0", 5);
    for (int i = 0; i < 1000 && !waiting; i++)
        weir_worker_turn(worker, 5);
    weir_worker_advance(worker, 89 * SECOND);
    turns(20);
    ck_assert(!client.going);
    weir_worker_advance(worker, 22 * SECOND);
    turn_until(&client.going);
    weir_worker_advance(worker, HOUR);
    turns(20);
    ck_assert(!client.closed);
    weir_grpc_reply(waiting, "", 0);
    end_call(&call, "0", "");
    turn_until(&client.closed);
    client_close(&client);
}
END_TEST

START_TEST(test_grace_ends_calls)
{
    struct client client;
    struct call call;
    options.keepalive.server_parameters.max_connection_age.ns = 100 * SECOND;
    options.keepalive.server_parameters.max_connection_age_grace.ns = 10 * SECOND;
    reopen();
    client_connect(&client);
    start_call(&client, &call, "/test.Service/Later", NULL, "\0\0\0\0\0", 5);
    for (int i = 0; i < 1000 && !waiting; i++)
        weir_worker_turn(worker, 5);
    // The age is spread; the clock goes in steps, lest the grace be over in the same one.
    for (int i = 0; i < 22 && !client.going; i++) {
        weir_worker_advance(worker, i == 0 ? 89 * SECOND : SECOND);
        turns(10);
    }
    ck_assert(client.going);
    ck_assert(!client.closed);
    weir_worker_advance(worker, 11 * SECOND);
    turn_until(&client.closed);
    weir_grpc_reply(waiting, "", 0);
    ck_assert_uint_eq(released, 1);
    end_call(&call, "", "");
    client_close(&client);
}
END_TEST

START_TEST(test_silent_client_is_pinged_and_dropped)
{
    struct client client;
    options.keepalive.server_parameters.time.ns = 30 * SECOND;
    options.keepalive.server_parameters.timeout.ns = 5 * SECOND;
    reopen();
    client_connect(&client);
    turns(10);
    // It answers: nothing happens.
    for (int i = 0; i < 3; i++) {
        weir_worker_advance(worker, 31 * SECOND);
        turns(20);
    }
    ck_assert(!client.closed);
    // It does not read any more.
    weir_conn_pause(client.conn);
    weir_worker_advance(worker, 31 * SECOND);
    turns(10);
    weir_worker_advance(worker, 6 * SECOND);
    turns(10);
    weir_conn_resume(client.conn);
    turn_until(&client.closed);
    client_close(&client);
}
END_TEST

static void note_drained(void *user)
{
    (void)user;
    drained = true;
}

START_TEST(test_drain_waits_for_answers)
{
    struct client client;
    struct call call;
    client_connect(&client);
    start_call(&client, &call, "/test.Service/Later", NULL, "\0\0\0\0\0", 5);
    for (int i = 0; i < 1000 && !waiting; i++)
        weir_worker_turn(worker, 5);
    weir_grpc_server_drain(server, note_drained);
    turn_until(&client.going);
    turns(20);
    ck_assert(!drained);
    ck_assert(!h2_session_can_request(client.session));
    weir_grpc_reply(waiting, "x", 1);
    end_call(&call, "0", "");
    turn_until(&drained);
    client_close(&client);
}
END_TEST

/* A client that does not even answer pings, as one whose program is busy with something else. */
START_TEST(test_drain_does_not_wait_for_an_idle_client)
{
    struct client client;
    client_connect(&client);
    turns(20);
    weir_conn_pause(client.conn);
    weir_grpc_server_drain(server, note_drained);
    for (int i = 0; i < 2; i++) { /* refused after a second, closed half a second later */
        turns(20);
        weir_worker_advance(worker, SECOND);
    }
    turn_until(&drained);
    weir_conn_resume(client.conn);
    client_close(&client);
}
END_TEST

START_TEST(test_timeout_texts)
{
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        { "1n", 1 },
        { "2u", 2000 },
        { "3m", 3000000 },
        { "4S", 4 * SECOND },
        { "5M", 300 * SECOND },
        { "6H", 6 * HOUR },
        { "99999999H", INT64_MAX },
    };
    static const char *const bad[] = { "", "1", "S", "1s", "-1S", "123456789S", "1.5S", " 1S" };
    int64_t ns = 0;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(good); i++) {
        ck_assert(grpc_timeout_parse(weir_str_of(good[i].text), &ns));
        ck_assert_int_eq(ns, good[i].ns);
    }
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(bad); i++)
        ck_assert_msg(!grpc_timeout_parse(weir_str_of(bad[i]), &ns), "%s", bad[i]);
}
END_TEST

START_TEST(test_base64_without_padding)
{
    static const char *const pairs[][2] = {
        { "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" }, { "\xff\xfe", "//4" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(pairs); i++) {
        struct weir_text text = { .data = NULL };
        grpc_binary_encode(pairs[i][0], strlen(pairs[i][0]), &text);
        ck_assert_str_eq(weir_text_string(&text), pairs[i][1]);
        weir_text_free(&text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("grpc server");
    TCase *tests = tcase_create("calls and connections");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_reply);
    tcase_add_test(tests, test_deadline);
    tcase_add_test(tests, test_auth);
    tcase_add_test(tests, test_auth_that_is_not_there);
    tcase_add_test(tests, test_failure);
    tcase_add_test(tests, test_refusals);
    tcase_add_test(tests, test_client_goes_away_before_the_answer);
    tcase_add_test(tests, test_too_many_pings);
    tcase_add_test(tests, test_pings_far_enough_apart);
    tcase_add_test(tests, test_idle_connection_is_sent_away);
    tcase_add_test(tests, test_age_lets_calls_end);
    tcase_add_test(tests, test_grace_ends_calls);
    tcase_add_test(tests, test_silent_client_is_pinged_and_dropped);
    tcase_add_test(tests, test_drain_waits_for_answers);
    tcase_add_test(tests, test_drain_does_not_wait_for_an_idle_client);
    suite_add_tcase(suite, tests);
    TCase *texts = tcase_create("texts");
    tcase_add_test(texts, test_timeout_texts);
    tcase_add_test(texts, test_base64_without_padding);
    suite_add_tcase(suite, texts);
    return run_suite(suite);
}
