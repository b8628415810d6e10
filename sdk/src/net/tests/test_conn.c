// SPDX-License-Identifier: Apache-2.0
/*
 * Connections over real sockets: what a client sends arrives, what goes wrong is told.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/sys/worker.h>

#include "sdk/src/net/conn.h"
#include "tests/unit/suite.h"

#define SECOND ((int64_t)1000000000)
#define BIG ((size_t)3000000)

/* One end of a connection, as a test sees it. */
struct end {
    struct weir_conn *conn;
    bool opened, ended, expired, closed;
    int drained;
    enum weir_conn_reason reason;
    char text[200];
    struct weir_text got;
    char *room; /* when set, received bytes shall go here */
    size_t room_size, room_used;
    size_t in_room; /* bytes that were received straight into it */
    size_t reads;
    bool echo, pause_on_data;
};

static struct end client, server;
static struct weir_listener *listener;
static struct weir_acceptor *acceptor;
static bool acceptor_closed;

static void on_opened(struct weir_conn *conn)
{
    ((struct end *)weir_conn_user(conn))->opened = true;
}

static void *on_room(struct weir_conn *conn, size_t hint, size_t *length)
{
    struct end *end = weir_conn_user(conn);
    ck_assert_uint_gt(hint, 0);
    *length = end->room_size - end->room_used;
    return end->room ? end->room + end->room_used : NULL;
}

static void on_data(struct weir_conn *conn, const uint8_t *bytes, size_t length)
{
    struct end *end = weir_conn_user(conn);
    end->reads++;
    if (end->room && (const char *)bytes == end->room + end->room_used) {
        end->room_used += length;
        end->in_room += length;
    }
    weir_text_add(&end->got, (const char *)bytes, length);
    if (end->echo)
        weir_conn_write_copy(conn, bytes, length);
    if (end->pause_on_data)
        weir_conn_pause(conn);
}

static void on_ended(struct weir_conn *conn)
{
    ((struct end *)weir_conn_user(conn))->ended = true;
}

static void on_drained(struct weir_conn *conn)
{
    ((struct end *)weir_conn_user(conn))->drained++;
}

static void on_expired(struct weir_conn *conn)
{
    ((struct end *)weir_conn_user(conn))->expired = true;
}

static void on_closed(struct weir_conn *conn, enum weir_conn_reason reason, const char *text)
{
    struct end *end = weir_conn_user(conn);
    ck_assert(!end->closed);
    end->closed = true;
    end->reason = reason;
    snprintf(end->text, sizeof(end->text), "%s", text);
    end->conn = NULL;
}

static const struct weir_conn_events events = {
    on_opened, on_room, on_data, NULL, on_drained, NULL, on_closed
};
static const struct weir_conn_events half_open = { on_opened,  on_room,    on_data,  on_ended,
                                                   on_drained, on_expired, on_closed };
static const struct weir_conn_events *server_events;

static void on_accepted(struct weir_acceptor *from, struct weir_conn *conn)
{
    ck_assert_ptr_eq(weir_acceptor_user(from), &server);
    server.conn = conn;
}

static void on_acceptor_closed(struct weir_acceptor *from)
{
    ck_assert_ptr_eq(from, acceptor);
    acceptor_closed = true;
}

static void setup(void)
{
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_SYSTEM, NULL), 0);
    client = server = (struct end){ 0 };
    server_events = &events;
    acceptor_closed = false;
    listener = NULL;
    acceptor = NULL;
}

static void listen_on(const char *address, unsigned max_connections)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_endpoint endpoint = { 0 };
    ck_assert_int_eq(weir_endpoint_parse_listen(weir_str_of(address), WEIR_TCP, &endpoint, &error), 0);
    struct weir_bind_options bind_options = { .endpoint = &endpoint, .max_connections = max_connections };
    ck_assert_msg(weir_bind(&bind_options, &listener, &error) == 0, "%s", weir_error_text(&error));
    struct weir_accept_options options = {
        .events = server_events, .accepted = on_accepted, .closed = on_acceptor_closed, .user = &server
    };
    ck_assert_int_eq(weir_listen(weir_worker_current(), listener, &options, &acceptor, &error), 0);
    weir_endpoint_free(&endpoint);
}

static struct weir_conn *dial(struct end *end, const char *address, const struct weir_conn_events *on,
                              int64_t timeout)
{
    struct weir_endpoint endpoint = { 0 };
    ck_assert_int_eq(weir_endpoint_parse(weir_str_of(address), &endpoint, NULL), 0);
    struct weir_connect_options options = {
        .endpoint = &endpoint, .timeout = timeout, .events = on, .user = end
    };
    end->conn = weir_connect(weir_worker_current(), &options);
    ck_assert_msg(!end->opened && !end->closed, "no event before the call returns");
    weir_endpoint_free(&endpoint);
    return end->conn;
}

#define turn_until(condition)                                               \
    do {                                                                    \
        for (int turns = 0; !(condition); turns++) {                        \
            ck_assert_msg(turns < 20000, "never became true: " #condition); \
            weir_worker_turn(weir_worker_current(), 1000);                  \
        }                                                                   \
    } while (0)

static void connect_both(void)
{
    listen_on("127.0.0.1:0", 0);
    dial(&client, weir_listener_address(listener), &events, 0);
    turn_until(client.opened && server.opened);
}

static void teardown(void)
{
    if (client.conn)
        weir_conn_close(client.conn);
    if (server.conn)
        weir_conn_close(server.conn);
    if (acceptor) {
        weir_acceptor_close(acceptor);
        turn_until(acceptor_closed);
    }
    turn_until(!client.conn && !server.conn);
    weir_listener_free(listener);
    weir_workers_destroy();
    weir_text_free(&client.got);
    weir_text_free(&server.got);
    free(client.room);
    free(server.room);
}

static struct weir_buffer *pattern(size_t length)
{
    struct weir_buffer *buffer = weir_buffer_new(length);
    for (size_t i = 0; i < length; i++)
        buffer->data[i] = (uint8_t)(i * 31 + (i >> 8));
    buffer->length = length;
    return buffer;
}

START_TEST(bytes_go_both_ways)
{
    server.echo = true;
    connect_both();
    weir_conn_write_copy(client.conn, "hello ", 6);
    weir_conn_write_copy(client.conn, "world", 5);
    ck_assert_uint_eq(weir_conn_queued(client.conn), 11);
    turn_until(client.got.length == 11);
    ck_assert_str_eq(weir_text_string(&client.got), "hello world");
    ck_assert_uint_eq(server.reads, 1); // what was written in one turn came in one piece
    ck_assert_int_eq(client.drained, 1);
    ck_assert_uint_eq(weir_conn_sent(client.conn), 11);
    ck_assert_uint_eq(weir_conn_received(client.conn), 11);
    ck_assert_uint_eq(weir_conn_queued(client.conn), 0);
    ck_assert_str_eq(weir_conn_peer(client.conn), weir_listener_address(listener));
    ck_assert_int_eq(strncmp(weir_conn_peer(server.conn), "127.0.0.1:", 10), 0);
    ck_assert_str_eq(weir_conn_alpn(client.conn), "");
    ck_assert_uint_eq(weir_listener_connections(listener), 1);
}
END_TEST

START_TEST(a_body_is_received_in_one_read)
{
    connect_both();
    struct weir_buffer *body = pattern(35000);
    weir_conn_write_range(client.conn, body, body->data, body->length);
    weir_buffer_unref(body);
    turn_until(server.got.length == 35000);
    ck_assert_uint_le(server.reads, 2); // loopback may cut it once
}
END_TEST

START_TEST(large_bodies_are_received_in_place)
{
    connect_both();
    server.room = malloc(BIG);
    server.room_size = BIG;
    struct weir_buffer *body = pattern(BIG);
    struct weir_slices slices = { 0 };
    for (size_t at = 0; at < BIG; at += 1000)
        ck_assert(weir_slices_add(&slices, body, body->data + at, 1000));
    weir_conn_write(client.conn, &slices);
    weir_slices_free(&slices);
    weir_conn_write_copy(client.conn, "behind", 6);
    turn_until(server.got.length == BIG + 6);
    ck_assert_mem_eq(server.got.data, body->data, BIG);
    ck_assert_mem_eq(server.got.data + BIG, "behind", 6);
    ck_assert_uint_eq(server.in_room, BIG);
    turn_until(client.drained == 1);
    ck_assert_uint_eq(body->references, 1);
    weir_buffer_unref(body);
}
END_TEST

START_TEST(a_paused_side_takes_nothing)
{
    connect_both();
    server.pause_on_data = true;
    struct weir_buffer *body = pattern(BIG * 4);
    weir_conn_write_range(client.conn, body, body->data, body->length);
    turn_until(server.reads == 1);
    for (int i = 0; i < 20; i++)
        weir_worker_turn(weir_worker_current(), 1);
    ck_assert_uint_eq(server.reads, 1);
    ck_assert_uint_gt(weir_conn_queued(client.conn), 0);
    ck_assert_int_eq(client.drained, 0);
    server.pause_on_data = false;
    weir_conn_resume(server.conn);
    ck_assert_uint_eq(server.reads, 1); // not from inside of the call
    turn_until(server.got.length == body->length);
    ck_assert_mem_eq(server.got.data, body->data, body->length);
    weir_buffer_unref(body);
}
END_TEST

START_TEST(bytes_behind_a_pause_are_kept)
{
    connect_both();
    server.room = malloc(4);
    server.room_size = 4;
    server.pause_on_data = true;
    weir_conn_write_copy(client.conn, "bodynext", 8);
    turn_until(server.reads == 1);
    ck_assert_str_eq(weir_text_string(&server.got), "body");
    server.pause_on_data = false;
    weir_conn_resume(server.conn);
    turn_until(server.reads == 2);
    ck_assert_str_eq(weir_text_string(&server.got), "bodynext");
}
END_TEST

START_TEST(finish_sends_what_is_queued)
{
    connect_both();
    struct weir_buffer *body = pattern(BIG);
    weir_conn_write_range(client.conn, body, body->data, body->length);
    weir_conn_finish(client.conn);
    weir_conn_write_copy(client.conn, "late", 4); // ignored
    turn_until(client.closed && server.closed);
    ck_assert_uint_eq(server.got.length, BIG);
    ck_assert_int_eq(server.reason, WEIR_CONN_EOF);
    ck_assert_int_eq(client.reason, WEIR_CONN_LOCAL);
    weir_buffer_unref(body);
}
END_TEST

START_TEST(the_peer_may_end_its_side_first)
{
    server_events = &half_open;
    connect_both();
    weir_conn_write_copy(client.conn, "ask", 3);
    weir_conn_finish(client.conn);
    turn_until(server.ended);
    ck_assert(!server.closed);
    ck_assert(weir_conn_is_open(server.conn));
    weir_conn_write_copy(server.conn, "answer", 6);
    weir_conn_finish(server.conn);
    turn_until(client.closed && server.closed);
    ck_assert_int_eq(server.reason, WEIR_CONN_LOCAL);
}
END_TEST

START_TEST(deadlines)
{
    server_events = &half_open;
    connect_both();
    weir_conn_set_deadline(server.conn, 1000000);
    turn_until(server.expired);
    ck_assert(!server.closed);
    weir_conn_set_deadline(client.conn, SECOND * 1000);
    weir_conn_set_deadline(client.conn, 1000000);
    turn_until(client.closed);
    ck_assert_int_eq(client.reason, WEIR_CONN_TIMEOUT);
    turn_until(server.ended);
}
END_TEST

START_TEST(a_refused_connection_is_told_later)
{
    listen_on("127.0.0.1:0", 0);
    char address[64];
    snprintf(address, sizeof(address), "%s", weir_listener_address(listener));
    weir_acceptor_close(acceptor);
    turn_until(acceptor_closed);
    acceptor = NULL;
    dial(&client, address, &events, 0);
    turn_until(client.closed);
    ck_assert_int_eq(client.reason, WEIR_CONN_CONNECT);
    char expected[128];
    snprintf(expected, sizeof(expected), "dial tcp %s: connect: connection refused", address);
    ck_assert_str_eq(client.text, expected);
    ck_assert(!client.opened);
}
END_TEST

START_TEST(unknown_names_are_told)
{
    dial(&client, "no-such-host.invalid:1", &events, 0);
    turn_until(client.closed);
    ck_assert_int_eq(client.reason, WEIR_CONN_CONNECT);
    ck_assert_int_eq(strncmp(client.text, "dial tcp: lookup no-such-host.invalid: ", 39), 0);
}
END_TEST

START_TEST(names_are_looked_up)
{
    listen_on("127.0.0.1:0", 0);
    char address[64];
    snprintf(address, sizeof(address), "dns:///localhost:%u", weir_listener_port(listener));
    dial(&client, address, &events, 0); // ::1 may come first, and is refused
    turn_until(client.opened && server.opened);
}
END_TEST

START_TEST(closing_while_connecting)
{
    dial(&client, "localhost:1", &events, 0);
    weir_conn_close(client.conn);
    ck_assert(!client.closed);
    turn_until(client.closed);
    ck_assert_int_eq(client.reason, WEIR_CONN_LOCAL);
}
END_TEST

START_TEST(nobody_answers)
{
    // A socket that is bound but full: its backlog takes one or two connections, and then nobody answers.
    struct weir_endpoint endpoint = { 0 };
    weir_endpoint_parse_listen(WEIR_STR("127.0.0.1:0"), WEIR_TCP, &endpoint, NULL);
    struct weir_bind_options options = { .endpoint = &endpoint, .backlog = 1 };
    ck_assert_int_eq(weir_bind(&options, &listener, NULL), 0);
    weir_endpoint_free(&endpoint);
    struct end others[4] = { 0 };
    for (int i = 0; i < 4; i++)
        dial(&others[i], weir_listener_address(listener), &events, 50000000);
    turn_until(others[3].closed || others[3].opened);
    ck_assert(others[3].closed);
    ck_assert_ptr_nonnull(strstr(others[3].text, ": i/o timeout"));
    for (int i = 0; i < 4; i++)
        if (others[i].conn)
            weir_conn_close(others[i].conn);
    turn_until(!others[0].conn && !others[1].conn && !others[2].conn);
}
END_TEST

START_TEST(unix_sockets)
{
    char folder[] = "/tmp/weir-conn-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char address[80], path[64];
    snprintf(path, sizeof(path), "%s/s", folder);
    snprintf(address, sizeof(address), "unix://%s", path);
    server.echo = true;
    listen_on(address, 0);
    ck_assert_str_eq(weir_listener_address(listener), path);
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_endpoint endpoint = { 0 };
    ck_assert_int_eq(weir_endpoint_parse_listen(weir_str_of(address), WEIR_TCP, &endpoint, NULL), 0);
    struct weir_bind_options again = { .endpoint = &endpoint };
    struct weir_listener *second = NULL;
    ck_assert_int_eq(weir_bind(&again, &second, &error), -1);
    ck_assert_ptr_nonnull(strstr(weir_error_text(&error), "bind: address already in use"));
    weir_endpoint_free(&endpoint);
    weir_error_free(&error);
    dial(&client, address, &events, 0);
    turn_until(client.opened && server.opened);
    weir_conn_write_copy(client.conn, "x", 1);
    turn_until(client.got.length == 1);
    ck_assert_str_eq(weir_conn_peer(client.conn), path);
    ck_assert_str_eq(weir_conn_peer(server.conn), "@");
    ck_assert_int_eq(access(path, F_OK), 0);
    weir_conn_close(client.conn);
    weir_acceptor_close(acceptor);
    turn_until(acceptor_closed);
    acceptor = NULL;
    weir_listener_free(listener);
    listener = NULL;
    ck_assert_int_ne(access(path, F_OK), 0);
    rmdir(folder);
}
END_TEST

START_TEST(a_taken_port_is_an_error)
{
    listen_on("127.0.0.1:0", 0);
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_endpoint endpoint = { 0 };
    weir_endpoint_parse_listen(weir_str_of(weir_listener_address(listener)), WEIR_TCP, &endpoint, NULL);
    struct weir_bind_options options = { .endpoint = &endpoint };
    struct weir_listener *second = NULL;
    ck_assert_int_eq(weir_bind(&options, &second, &error), -1);
    char expected[128];
    snprintf(expected, sizeof(expected), "listen tcp %s: bind: address already in use",
             weir_listener_address(listener));
    ck_assert_str_eq(weir_error_text(&error), expected);
    weir_endpoint_free(&endpoint);
    weir_error_free(&error);
}
END_TEST

START_TEST(more_connections_than_allowed_wait)
{
    listen_on("127.0.0.1:0", 1);
    dial(&client, weir_listener_address(listener), &events, 0);
    turn_until(client.opened && server.opened);
    struct weir_conn *first = server.conn;
    struct end second = { 0 };
    dial(&second, weir_listener_address(listener), &events, 0);
    turn_until(second.opened); // in the backlog
    for (int i = 0; i < 20; i++)
        weir_worker_turn(weir_worker_current(), 1);
    ck_assert_ptr_eq(server.conn, first);
    ck_assert_uint_eq(weir_listener_connections(listener), 1);
    weir_conn_close(client.conn);
    turn_until(server.closed);
    server.closed = server.opened = false;
    turn_until(server.opened);
    weir_conn_close(second.conn);
    turn_until(second.closed);
    server.closed = false;
}
END_TEST

static void finish(struct weir_conn *conn, void *argument)
{
    (*(int *)argument)++;
    weir_conn_finish(conn);
}

START_TEST(an_acceptor_ends_after_its_connections)
{
    connect_both();
    weir_acceptor_close(acceptor);
    for (int i = 0; i < 5; i++)
        weir_worker_turn(weir_worker_current(), 1);
    ck_assert(!acceptor_closed);
    int called = 0;
    weir_acceptor_each(acceptor, finish, &called);
    ck_assert_int_eq(called, 1);
    turn_until(acceptor_closed);
    ck_assert(server.closed);
    acceptor = NULL;
    turn_until(client.closed);
}
END_TEST

START_TEST(a_reset_is_told)
{
    connect_both();
    struct weir_buffer *body = pattern(BIG * 4);
    weir_conn_write_range(client.conn, body, body->data, body->length);
    turn_until(server.reads > 0);
    weir_conn_close(server.conn); // with bytes unread: the kernel sends a reset
    turn_until(client.closed);
    ck_assert_int_eq(client.reason, WEIR_CONN_RESET);
    turn_until(server.closed);
    ck_assert_int_eq(server.reason, WEIR_CONN_LOCAL);
    ck_assert_uint_eq(body->references, 1);
    weir_buffer_unref(body);
}
END_TEST

static void add_one(struct weir_worker *worker, void *argument)
{
    struct weir_acceptor **acceptors = argument;
    struct weir_accept_options options = { .events = &events, .user = &server };
    ck_assert_int_eq(weir_listen(worker, listener, &options, &acceptors[weir_worker_index(worker)], NULL), 0);
}

static void close_one(struct weir_worker *worker, void *argument)
{
    struct weir_acceptor **acceptors = argument;
    weir_acceptor_close(acceptors[weir_worker_index(worker)]);
}

START_TEST(every_worker_has_the_same_port)
{
    weir_workers_destroy();
    ck_assert_int_eq(weir_workers_create(3, WEIR_CLOCK_SYSTEM, NULL), 0);
    struct weir_endpoint endpoint = { 0 };
    weir_endpoint_parse_listen(WEIR_STR("127.0.0.1:0"), WEIR_TCP, &endpoint, NULL);
    struct weir_bind_options options = { .endpoint = &endpoint };
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_msg(weir_bind(&options, &listener, &error) == 0, "%s", weir_error_text(&error));
    struct weir_listener *second = NULL;
    weir_endpoint_free(&endpoint);
    weir_endpoint_parse_listen(weir_str_of(weir_listener_address(listener)), WEIR_TCP, &endpoint, NULL);
    ck_assert_int_eq(weir_bind(&options, &second, NULL), -1);
    weir_endpoint_free(&endpoint);
    weir_workers_start();
    struct weir_acceptor *acceptors[3];
    weir_workers_run_all(add_one, acceptors);
    weir_workers_run_all(close_one, acceptors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conn");
    TCase *tests = tcase_create("conn");
    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, bytes_go_both_ways);
    tcase_add_test(tests, a_body_is_received_in_one_read);
    tcase_add_test(tests, large_bodies_are_received_in_place);
    tcase_add_test(tests, a_paused_side_takes_nothing);
    tcase_add_test(tests, bytes_behind_a_pause_are_kept);
    tcase_add_test(tests, finish_sends_what_is_queued);
    tcase_add_test(tests, the_peer_may_end_its_side_first);
    tcase_add_test(tests, deadlines);
    tcase_add_test(tests, a_refused_connection_is_told_later);
    tcase_add_test(tests, unknown_names_are_told);
    tcase_add_test(tests, names_are_looked_up);
    tcase_add_test(tests, closing_while_connecting);
    tcase_add_test(tests, nobody_answers);
    tcase_add_test(tests, unix_sockets);
    tcase_add_test(tests, a_taken_port_is_an_error);
    tcase_add_test(tests, more_connections_than_allowed_wait);
    tcase_add_test(tests, an_acceptor_ends_after_its_connections);
    tcase_add_test(tests, a_reset_is_told);
    tcase_add_test(tests, every_worker_has_the_same_port);
    return run_suite(suite);
}
