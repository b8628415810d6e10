// SPDX-License-Identifier: Apache-2.0
/*
 * What accepted connections may cost: clients that do not read, and file descriptors.
 */
#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/sys/worker.h>

#include "sdk/src/net/cause.h"
#include "tests/unit/suite.h"

#define SECOND ((int64_t)1000000000)
#define CLIENTS 40

static struct weir_worker *worker;
static struct weir_listener *listener;
static struct weir_acceptor *acceptor;
static struct weir_conn *last; /* accepted */
static bool acceptor_closed;

static void on_accepted(struct weir_acceptor *from, struct weir_conn *conn)
{
    (void)from;
    last = conn;
}

static void on_acceptor_closed(struct weir_acceptor *from)
{
    (void)from;
    acceptor_closed = true;
}

static void on_data(struct weir_conn *conn, const uint8_t *bytes, size_t length)
{
    (void)conn;
    (void)bytes;
    (void)length;
}

static void on_closed(struct weir_conn *conn, enum weir_conn_reason reason, const char *text)
{
    (void)reason;
    (void)text;
    if (last == conn)
        last = NULL;
}

static const struct weir_conn_events events = { .data = on_data, .closed = on_closed };

static void setup(void)
{
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_MANUAL, NULL), 0);
    worker = weir_worker_at(0);
    last = NULL;
    acceptor_closed = false;
}

static void bind_here(void)
{
    struct weir_endpoint endpoint = { 0 };
    ck_assert_int_eq(weir_endpoint_parse_listen(WEIR_STR("127.0.0.1:0"), WEIR_TCP, &endpoint, NULL), 0);
    struct weir_bind_options bind_options = { .endpoint = &endpoint };
    ck_assert_int_eq(weir_bind(&bind_options, &listener, NULL), 0);
    weir_endpoint_free(&endpoint);
}

static void accept_here(void)
{
    struct weir_accept_options options = { .events = &events,
                                           .accepted = on_accepted,
                                           .closed = on_acceptor_closed };
    ck_assert_int_eq(weir_listen(worker, listener, &options, &acceptor, NULL), 0);
}

static void listen_here(void)
{
    bind_here();
    accept_here();
}

static void turn_until(const bool *flag)
{
    for (int i = 0; i < 5000 && !*flag; i++)
        weir_worker_turn(worker, 2);
    ck_assert(*flag);
}

static void turns(int count)
{
    for (int i = 0; i < count; i++)
        weir_worker_turn(worker, 1);
}

static void teardown(void)
{
    weir_acceptor_end(acceptor);
    weir_acceptor_close(acceptor);
    turn_until(&acceptor_closed);
    weir_listener_free(listener);
    weir_workers_destroy();
}

static int dial(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(weir_listener_port(listener)) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void wait_for_connections(unsigned count)
{
    for (int i = 0; i < 2000 && weir_listener_connections(listener) != count; i++)
        weir_worker_turn(worker, 1);
    ck_assert_uint_eq(weir_listener_connections(listener), count);
}

static void keep_view(const struct weir_listener_view *view, void *argument)
{
    if (strcmp(view->address, weir_listener_address(listener)) == 0)
        *(struct weir_listener_view *)argument = *view;
}

static struct weir_listener_view view_of_listener(void)
{
    struct weir_listener_view view = { .address = NULL };
    weir_listener_visit(keep_view, &view);
    ck_assert_ptr_nonnull(view.address);
    return view;
}

static void write_megabytes(struct weir_conn *conn, size_t count)
{
    struct weir_buffer *buffer = weir_buffer_new(count << 20);
    memset(buffer->data, 'x', buffer->capacity);
    weir_conn_write_range(conn, buffer, buffer->data, count << 20);
    weir_buffer_unref(buffer);
    turns(20);
    ck_assert_uint_gt(weir_conn_queued(conn), 0);
}

START_TEST(a_client_that_does_not_read_is_closed)
{
    listen_here();
    int fd = dial();
    wait_for_connections(1);
    write_megabytes(last, 32);
    weir_worker_advance(worker, 59 * SECOND);
    turns(5);
    ck_assert_uint_eq(weir_listener_connections(listener), 1);
    weir_worker_advance(worker, 2 * SECOND);
    turns(5);
    weir_worker_advance(worker, 60 * SECOND); // in the first minute, its kernel had room for some
    wait_for_connections(0);
    struct weir_listener_view view = view_of_listener();
    ck_assert_uint_eq(view.closed[WEIR_CAUSE_SLOW_READER], 1);
    ck_assert_uint_eq(view.accepted, 1);
    ck_assert_uint_eq(view.open, 0);
    close(fd);
}
END_TEST

START_TEST(a_client_that_reads_slowly_is_not)
{
    listen_here();
    int fd = dial();
    wait_for_connections(1);
    write_megabytes(last, 64);
    static char bytes[1 << 20];
    for (int minute = 0; minute < 5; minute++) {
        for (int i = 0; i < 4; i++) {
            ck_assert_int_gt(recv(fd, bytes, sizeof(bytes), 0), 0);
            turns(3);
        }
        weir_worker_advance(worker, 60 * SECOND);
        turns(5);
        ck_assert_uint_eq(weir_listener_connections(listener), 1);
    }
    close(fd);
    wait_for_connections(0);
    ck_assert_uint_eq(view_of_listener().closed[WEIR_CAUSE_SLOW_READER], 0);
}
END_TEST

START_TEST(what_is_read_in_the_end_stops_the_watch)
{
    listen_here();
    int fd = dial();
    wait_for_connections(1);
    write_megabytes(last, 32);
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    static char bytes[1 << 20];
    while (weir_conn_queued(last) > 0) {
        while (recv(fd, bytes, sizeof(bytes), 0) > 0)
            ;
        weir_worker_turn(worker, 1);
    }
    weir_worker_advance(worker, 3600 * SECOND);
    turns(5);
    while (recv(fd, bytes, sizeof(bytes), 0) > 0)
        ;
    ck_assert_uint_eq(weir_listener_connections(listener), 1);
    close(fd);
    wait_for_connections(0);
    ck_assert_uint_eq(view_of_listener().closed[WEIR_CAUSE_CLIENT], 1);
}
END_TEST

START_TEST(the_last_descriptors_are_not_for_connections)
{
    struct rlimit limit;
    int fds[CLIENTS];
    int extra[12];
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < CLIENTS; i++) { // what the clients need is not the server's: above its limit
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 200);
        ck_assert_int_ge(fds[i], 200);
        close(fd);
    }
    limit.rlim_cur = 64; // the line is at 48
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    listen_here();
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(weir_listener_port(listener)) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // An eighth of the process's descriptors is taken by others, so the line comes before max_connections.
    int others[14];
    for (int i = 0; i < 14; i++)
        others[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(connect(fds[i], (struct sockaddr *)&address, sizeof(address)), 0);
    for (int i = 0; i < 20; i++) {
        turns(5);
        weir_worker_advance(worker, SECOND);
    }
    unsigned taken = weir_listener_connections(listener);
    ck_assert_uint_ge(taken, 5);
    ck_assert_uint_lt(taken, CLIENTS);
    ck_assert_uint_ge(view_of_listener().pauses_descriptors, 1);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(extra); i++) { // an output, a queue's file, ...
        extra[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(extra[i], 0);
    }
    ck_assert_uint_eq(view_of_listener().closed[WEIR_CAUSE_DESCRIPTORS], 0);
    // Whom there is room for again is taken from the backlog.
    for (int i = 0; i < 14; i++)
        close(others[i]);
    for (int i = 0; i < 20; i++) {
        turns(5);
        weir_worker_advance(worker, SECOND);
    }
    ck_assert_uint_gt(weir_listener_connections(listener), taken);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    for (int i = 0; i < 20; i++) {
        turns(5);
        weir_worker_advance(worker, SECOND);
    }
    ck_assert_uint_eq(weir_listener_connections(listener), 0);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(extra); i++)
        close(extra[i]);
}
END_TEST

START_TEST(one_address_does_not_get_all_connections)
{
    struct rlimit limit;
    int fds[CLIENTS];
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < CLIENTS; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 200);
        close(fd);
    }
    limit.rlim_cur = 60; // 44 for connections
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    bind_here();
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(weir_listener_port(listener)) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    limit.rlim_cur = 200;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    accept_here();
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(connect(fds[i], (struct sockaddr *)&address, sizeof(address)), 0);
    for (int i = 0; i < 20; i++) {
        turns(5);
        weir_worker_advance(worker, SECOND);
    }
    ck_assert_uint_eq(weir_listener_connections(listener), 33);
    ck_assert_uint_eq(view_of_listener().pauses_full, 1);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    turns(20);
}
END_TEST

START_TEST(reasons_have_names)
{
    for (size_t i = 0; i < WEIR_CLOSE_REASONS; i++)
        ck_assert_ptr_nonnull(weir_close_reason(i));
    ck_assert_ptr_null(weir_close_reason(WEIR_CLOSE_REASONS));
    ck_assert_str_eq(weir_close_reason(WEIR_CAUSE_RAPID_RESET), "rapid_reset");
    listen_here();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("guards");
    TCase *tests = tcase_create("guards");
    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_client_that_does_not_read_is_closed);
    tcase_add_test(tests, a_client_that_reads_slowly_is_not);
    tcase_add_test(tests, what_is_read_in_the_end_stops_the_watch);
    tcase_add_test(tests, the_last_descriptors_are_not_for_connections);
    tcase_add_test(tests, one_address_does_not_get_all_connections);
    tcase_add_test(tests, reasons_have_names);
    return run_suite(suite);
}
