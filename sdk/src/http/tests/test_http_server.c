// SPDX-License-Identifier: Apache-2.0
/*
 * The HTTP server over real sockets: what a client sends and what it gets back.
 */
#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/http_server.h>
#include <weir/sys/worker.h>

#include "tests/unit/authenticator.h"
#include "tests/unit/suite.h"

#define SECOND INT64_C(1000000000)

struct client {
    int fd;
    bool ended;
    struct weir_text got;
};

static struct weir_http_server_options options;
static struct weir_http_site *site;
static struct weir_http_server *server;
static struct weir_worker *worker;
static struct weir_http_exchange *waiting; /* of "/later" */
static size_t admitted;
static size_t released;
static bool drained;

/* --- the handler under test's feet --- */

static void handle_head(struct weir_http_exchange *exchange)
{
    if (weir_str_is(weir_http_exchange_path(exchange), "/early"))
        weir_http_respond_text(exchange, 403, "text/plain", WEIR_STR("early"));
}

static bool handle_admit(struct weir_http_exchange *exchange, size_t bytes)
{
    admitted += bytes;
    if (!weir_str_is(weir_http_exchange_path(exchange), "/full"))
        return true;
    weir_http_respond_text(exchange, 503, "text/plain", WEIR_STR("full"));
    return false;
}

static void echo(struct weir_http_exchange *exchange)
{
    struct weir_text text = { .data = NULL };
    struct weir_str method = weir_http_exchange_method(exchange);
    struct weir_str path = weir_http_exchange_path(exchange);
    struct weir_str query = weir_http_exchange_query(exchange);
    struct weir_buffer *body = weir_http_exchange_body(exchange);
    weir_text_addf(&text, "%.*s %.*s [%.*s] %.*s", WEIR_STR_ARG(method), WEIR_STR_ARG(path),
                   WEIR_STR_ARG(query), (int)body->length, (const char *)body->data);
    weir_http_respond_text(exchange, 200, "text/plain", weir_text_view(&text));
    weir_text_free(&text);
}

static void handle_request(struct weir_http_exchange *exchange)
{
    struct weir_str path = weir_http_exchange_path(exchange);
    if (weir_str_is(path, "/later")) {
        waiting = exchange;
    } else if (weir_str_is(path, "/length")) {
        char text[32];
        snprintf(text, sizeof(text), "%zu", weir_http_exchange_body(exchange)->length);
        weir_http_respond_text(exchange, 200, "text/plain", weir_str_of(text));
    } else {
        echo(exchange);
    }
}

static void handle_release(struct weir_http_exchange *exchange)
{
    (void)exchange;
    released++;
}

static const struct weir_http_handler handler = {
    .head = handle_head,
    .admit = handle_admit,
    .request = handle_request,
    .release = handle_release,
};

/* --- the client --- */

static uint16_t port_of(const char *address)
{
    uint64_t port = 0;
    ck_assert(weir_str_to_u64(weir_str_of(strrchr(address, ':') + 1), &port));
    return (uint16_t)port;
}

static void client_connect(struct client *client)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port_of(weir_http_site_address(site))) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *client = (struct client){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    ck_assert_int_eq(connect(client->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(fcntl(client->fd, F_SETFL, O_NONBLOCK), 0);
}

static void client_read(struct client *client)
{
    char bytes[4096];
    ssize_t length = 0;
    while ((length = recv(client->fd, bytes, sizeof(bytes), 0)) > 0)
        weir_text_add(&client->got, bytes, (size_t)length);
    if (length == 0 || errno == ECONNRESET)
        client->ended = true;
}

/* Turns the loop until the client has what it waits for. */
static void turn_until(struct client *client, const char *text)
{
    for (int i = 0; i < 2000; i++) {
        client_read(client);
        if (text ? strstr(weir_text_string(&client->got), text) != NULL : client->ended)
            return;
        weir_worker_turn(worker, 5);
    }
    ck_abort_msg("never came: %s; got: %s", text ? text : "the end", weir_text_string(&client->got));
}

static void turns(int count)
{
    for (int i = 0; i < count; i++)
        weir_worker_turn(worker, 1);
}

static void client_send_bytes(struct client *client, const void *data, size_t length)
{
    const char *at = data;
    while (length > 0) {
        ssize_t sent = send(client->fd, at, length, MSG_NOSIGNAL);
        if (sent > 0) {
            at += sent;
            length -= (size_t)sent;
        } else {
            ck_assert(errno == EAGAIN);
            weir_worker_turn(worker, 1);
        }
    }
}

static void client_send(struct client *client, const char *text)
{
    client_send_bytes(client, text, strlen(text));
}

static void client_close(struct client *client)
{
    close(client->fd);
    weir_text_free(&client->got);
}

/* Sends and expects that the answer begins with `start` and holds `part`. */
static void ask(const char *request, const char *start, const char *part)
{
    struct client client;
    client_connect(&client);
    client_send(&client, request);
    turn_until(&client, part);
    ck_assert_msg(strncmp(weir_text_string(&client.got), start, strlen(start)) == 0, "got: %s",
                  weir_text_string(&client.got));
    client_close(&client);
}

/* --- set up --- */

static void open_site(void)
{
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_MANUAL, &error), 0);
    worker = weir_worker_at(0);
    door_make();
    site = weir_http_site_open(&options, &handler, door_user, NULL, &error);
    ck_assert_msg(site != NULL, "%s", weir_error_text(&error));
    server = weir_http_server_start(site, worker, NULL, &error);
    ck_assert_msg(server != NULL, "%s", weir_error_text(&error));
}

static char endpoint[] = "127.0.0.1:0";

static void setup(void)
{
    options = (struct weir_http_server_options){ .endpoint = endpoint, .keep_alives_enabled = true };
    options.max_request_body_size = 100000;
    admitted = released = 0;
    drained = false;
    waiting = NULL;
    open_site();
}

static void teardown(void)
{
    weir_http_server_stop(server);
    turns(10);
    weir_http_site_close(site);
    door_free();
    weir_workers_destroy();
}

static void reopen(void)
{
    teardown();
    open_site();
}

/* --- tests --- */

START_TEST(test_get)
{
    ask("GET /a/b?c=d HTTP/1.1\r\nHost: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 15", "\r\n\r\nGET /a/b [c=d] ");
    ck_assert_uint_eq(released, 1);
}
END_TEST

START_TEST(test_body_with_length)
{
    ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 ", "POST / [] hello");
    ck_assert_uint_eq(admitted, 5);
}
END_TEST

START_TEST(test_body_in_chunks)
{
    ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        "HTTP/1.1 200 ", "POST / [] hello");
    ck_assert_uint_ge(admitted, 5);
}
END_TEST

START_TEST(test_large_body_is_received_in_place)
{
    struct client client;
    char *body = calloc(1, 90000);
    client_connect(&client);
    client_send(&client, "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n");
    turns(5);
    client_send_bytes(&client, body, 90000);
    turn_until(&client, "\r\n\r\n90000");
    ck_assert_uint_eq(admitted, 90000);
    client_close(&client);
    free(body);
}
END_TEST

START_TEST(test_body_over_the_limit)
{
    struct client client;
    client_connect(&client);
    client_send(&client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n");
    turn_until(&client, "http: request body too large");
    ck_assert_ptr_nonnull(strstr(client.got.data, "HTTP/1.1 400 Bad Request\r\n"));
    ck_assert_ptr_nonnull(strstr(client.got.data, "Connection: close\r\n"));
    turn_until(&client, NULL);
    ck_assert_uint_eq(admitted, 0);
    client_close(&client);
}
END_TEST

START_TEST(test_chunks_over_the_limit)
{
    struct client client;
    char *chunk = calloc(1, 60000);
    client_connect(&client);
    client_send(&client, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        client_send(&client, "ea60\r\n");
        client_send_bytes(&client, chunk, 60000);
        client_send(&client, "\r\n");
    }
    turn_until(&client, "http: request body too large");
    client_close(&client);
    free(chunk);
}
END_TEST

START_TEST(test_refused_before_the_body)
{
    struct client client;
    client_connect(&client);
    client_send(&client, "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
    turn_until(&client, "HTTP/1.1 403 Forbidden\r\n");
    ck_assert_uint_eq(admitted, 0);
    // The body is dropped, the connection stays.
    client_send(&client, "helloGET /next HTTP/1.1\r\nHost: x\r\n\r\n");
    turn_until(&client, "GET /next [] ");
    client_close(&client);
}
END_TEST

START_TEST(test_not_admitted)
{
    ask("POST /full HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 503 Service Unavailable\r\n",
        "full");
    ck_assert_uint_eq(admitted, 5);
}
END_TEST

START_TEST(test_expect_continue)
{
    struct client client;
    client_connect(&client);
    client_send(&client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    turn_until(&client, "HTTP/1.1 100 Continue\r\n\r\n");
    client_send(&client, "hi");
    turn_until(&client, "POST / [] hi");
    client_close(&client);
}
END_TEST

START_TEST(test_pipelined_requests_keep_their_order)
{
    struct client client;
    client_connect(&client);
    client_send(&client, "GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /two HTTP/1.1\r\nHost: x\r\n\r\n"
                         "GET /three HTTP/1.1\r\nHost: x\r\n\r\n");
    turns(20);
    client_read(&client);
    ck_assert_uint_eq(client.got.length, 0);
    ck_assert_ptr_nonnull(waiting);
    weir_http_respond_text(waiting, 200, "text/plain", WEIR_STR("one"));
    turn_until(&client, "GET /three [] ");
    const char *one = strstr(client.got.data, "\r\n\r\none"), *two = strstr(client.got.data, "GET /two");
    ck_assert(one && two && one < two);
    client_close(&client);
}
END_TEST

START_TEST(test_client_goes_away_before_the_answer)
{
    struct client client;
    client_connect(&client);
    client_send(&client, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 1000 && !waiting; i++)
        weir_worker_turn(worker, 5);
    ck_assert(weir_http_exchange_alive(waiting));
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)); // a reset
    client_close(&client);
    for (int i = 0; i < 1000 && weir_http_exchange_alive(waiting); i++)
        weir_worker_turn(worker, 5);
    ck_assert(!weir_http_exchange_alive(waiting));
    ck_assert_uint_eq(released, 0);
    weir_http_respond_text(waiting, 200, "text/plain", WEIR_STR("nobody"));
    ck_assert_uint_eq(released, 1);
}
END_TEST

START_TEST(test_server_stops_before_the_answer)
{
    struct client client;
    client_connect(&client);
    client_send(&client, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 1000 && !waiting; i++)
        weir_worker_turn(worker, 5);
    reopen();
    weir_http_respond_text(waiting, 200, "text/plain", WEIR_STR("too late"));
    ck_assert_uint_eq(released, 1);
    client_close(&client);
}
END_TEST

START_TEST(test_half_closed_client_gets_its_answer)
{
    struct client client;
    client_connect(&client);
    client_send(&client, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    shutdown(client.fd, SHUT_WR);
    for (int i = 0; i < 1000 && !waiting; i++)
        weir_worker_turn(worker, 5);
    turns(20);
    weir_http_respond_text(waiting, 200, "text/plain", WEIR_STR("still there"));
    turn_until(&client, "still there");
    turn_until(&client, NULL);
    client_close(&client);
}
END_TEST

START_TEST(test_head_has_no_body)
{
    struct client client;
    client_connect(&client);
    client_send(&client, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    turn_until(&client, NULL);
    ck_assert_ptr_nonnull(strstr(client.got.data, "Content-Length: 10\r\n"));
    ck_assert_str_eq(strstr(client.got.data, "\r\n\r\n"), "\r\n\r\n");
    client_close(&client);
}
END_TEST

START_TEST(test_http_1_0)
{
    struct client client;
    client_connect(&client);
    client_send(&client, "GET / HTTP/1.0\r\n\r\n");
    turn_until(&client, NULL);
    ck_assert_ptr_nonnull(strstr(client.got.data, "Connection: close\r\n"));
    client_close(&client);
    ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.1 200 OK", "Connection: keep-alive\r\n");
}
END_TEST

START_TEST(test_refused_heads)
{
    static const struct {
        const char *request, *start;
    } cases[] = {
        { "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request" },
        { "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "HTTP/1.1 400 Bad Request" },
        { "nonsense\r\n\r\n", "HTTP/1.1 400 Bad Request" },
        { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
          "HTTP/1.1 400 Bad Request" },
        { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 400 Bad Request" },
        { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
          "HTTP/1.1 501 Not Implemented" },
        { "POST / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nContent-Length: 1\r\n\r\n",
          "HTTP/1.1 417 Expectation Failed" },
        { "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 Bad Request" },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 400 Bad Request" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        struct client client;
        client_connect(&client);
        client_send(&client, cases[i].request);
        turn_until(&client, NULL);
        ck_assert_msg(strncmp(weir_text_string(&client.got), cases[i].start, strlen(cases[i].start)) == 0,
                      "%s: %s", cases[i].request, weir_text_string(&client.got));
        client_close(&client);
    }
    ck_assert_uint_eq(admitted, 0);
}
END_TEST

START_TEST(test_too_many_headers)
{
    struct client client;
    struct weir_text text = { .data = NULL };
    weir_text_adds(&text, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 2000; i++)
        weir_text_addf(&text, "a%d: b\r\n", i);
    client_connect(&client);
    client_send(&client, text.data);
    turn_until(&client, "HTTP/1.1 431 Request Header Fields Too Large\r\n");
    client_close(&client);
    weir_text_clear(&text);
    weir_text_adds(&text, "GET /");
    for (int i = 0; i < 70000; i++)
        weir_text_addc(&text, 'a');
    client_connect(&client);
    client_send(&client, text.data);
    turn_until(&client, "HTTP/1.1 414 URI Too Long\r\n");
    client_close(&client);
    weir_text_free(&text);
}
END_TEST

START_TEST(test_head_deadline)
{
    struct client client;
    client_connect(&client);
    client_send(&client, "GET / HTTP/1.1\r\nHost:");
    turns(20);
    weir_worker_advance(worker, 59 * SECOND);
    turns(20);
    client_read(&client);
    ck_assert(!client.ended);
    weir_worker_advance(worker, 2 * SECOND);
    turn_until(&client, NULL);
    client_close(&client);
}
END_TEST

START_TEST(test_idle_timeout)
{
    struct client client;
    options.idle_timeout.ns = 5 * SECOND;
    reopen();
    client_connect(&client);
    client_send(&client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turn_until(&client, "GET / [] ");
    turns(10);
    weir_worker_advance(worker, 6 * SECOND);
    turn_until(&client, NULL);
    client_close(&client);
}
END_TEST

START_TEST(test_body_stalls)
{
    struct client client;
    client_connect(&client);
    client_send(&client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf");
    turns(20);
    weir_worker_advance(worker, 61 * SECOND);
    turn_until(&client, NULL);
    ck_assert_ptr_nonnull(strstr(weir_text_string(&client.got), "HTTP/1.1 400 Bad Request\r\n"));
    client_close(&client);
}
END_TEST

START_TEST(test_write_timeout)
{
    struct client client;
    options.write_timeout.ns = 5 * SECOND;
    reopen();
    client_connect(&client);
    client_send(&client, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 1000 && !waiting; i++)
        weir_worker_turn(worker, 5);
    weir_worker_advance(worker, 6 * SECOND);
    turn_until(&client, NULL);
    ck_assert_uint_eq(client.got.length, 0);
    weir_http_respond_text(waiting, 200, NULL, WEIR_STR_NONE);
    client_close(&client);
}
END_TEST

START_TEST(test_keep_alives_off)
{
    struct client client;
    options.keep_alives_enabled = false;
    reopen();
    client_connect(&client);
    client_send(&client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turn_until(&client, NULL);
    ck_assert_ptr_nonnull(strstr(client.got.data, "Connection: close\r\n"));
    client_close(&client);
}
END_TEST

START_TEST(test_response_headers)
{
    static char name[] = "X-By", value[] = "weir\r\nevil", type[] = "content-type", none[] = "none";
    struct weir_pair pairs[] = { { name, value }, { type, none } };
    options.response_headers = (struct weir_pairs){ pairs, 2 };
    reopen();
    ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
        "X-By: weir  evil\r\n");
}
END_TEST

START_TEST(test_unknown_encoding)
{
    ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.1 400 Bad Request\r\n", "unsupported Content-Encoding: br\n");
    ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: identity\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.1 400 Bad Request\r\n", "unsupported Content-Encoding: identity\n");
}
END_TEST

START_TEST(test_encodings_passed_through)
{
    options.compression_algorithms.present = true;
    reopen();
    ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.1 200 OK\r\n", "POST / [] a");
}
END_TEST

START_TEST(test_gzip)
{
    static const unsigned char zipped[] = { 0x1f, 0x8b, 8, 0, 0,    0,    0,    0,    2, 3, 0xcb, 0x48, 0xcd,
                                            0xc9, 0xc9, 7, 0, 0x86, 0xa6, 0x10, 0x36, 5, 0, 0,    0 };
    struct client client;
    client_connect(&client);
    client_send(&client,
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\n");
    client_send_bytes(&client, zipped, sizeof(zipped));
    turn_until(&client, "POST / [] hello");
    client_close(&client);
    ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 400 Bad Request\r\n", "\r\n\r\n");
}
END_TEST

START_TEST(test_cors)
{
    static char origin[] = "https://*.good", header[] = "X-One";
    static char *origins[] = { origin }, *headers[] = { header };
    options.cors_on = true;
    options.cors =
        (struct weir_cors_options){ { origins, 1, true }, { headers, 1, true }, { NULL, 0, false }, 60 };
    reopen();
    ask("OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: https://a.good\r\nAccess-Control-Request-Method: POST\r\n"
        "Access-Control-Request-Headers: x-one\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n", "Access-Control-Max-Age: 60\r\n");
    ask("GET / HTTP/1.1\r\nHost: x\r\nOrigin: https://a.good\r\n\r\n", "HTTP/1.1 200 OK\r\n",
        "Access-Control-Allow-Origin: https://a.good\r\n");
}
END_TEST

static char door[] = "door";
static char *door_params[] = { (char *)"authorization" };

/* From here on only who is known may come in. */
static void lock_site(void)
{
    options.auth_on = true;
    options.auth.authenticator.id = door;
    reopen();
}

START_TEST(test_auth_comes_before_everything_of_the_request)
{
    struct client client;
    lock_site();
    // The body is neither waited for nor admitted, and no handler is asked.
    client_connect(&client);
    client_send(&client, "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
    turn_until(&client, "\r\n\r\nUnauthorized\n");
    ck_assert_ptr_nonnull(strstr(client.got.data, "HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain"));
    ck_assert_uint_eq(admitted, 0);
    client_send(&client, "helloPOST /next HTTP/1.1\r\nHost: x\r\nAuthorization: sesame\r\nContent-Length: 2\r\n\r\nhi");
    turn_until(&client, "POST /next [] hi");
    client_close(&client);
    // Nobody is told to go on with a body that will not be taken, nor which encodings are known.
    ask("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 401 ", "zed\n");
    ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: lz77\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 401 ", "zed\n");
    ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n", "HTTP/1.1 401 ", "zed\n");
    ck_assert_uint_eq(admitted, 2);
}
END_TEST

START_TEST(test_auth_of_many_kinds)
{
    static const char *const refused[] = { "",
                                           "Authorization:\r\n",
                                           "Authorization: Sesame\r\n",
                                           "Authorization: sesame sesame\r\n",
                                           "X-Authorization: sesame\r\n",
                                           "Authorization: sesame\r\nAuthorization: sesame\r\n",
                                           "Authorization: wrong\r\nAuthorization: sesame\r\n",
                                           "Authorization: sesame\r\nauthorization: wrong\r\n" };
    static const char *const allowed[] = { "Authorization: sesame\r\n", "AUTHORIZATION:sesame\r\n",
                                           "authorization:  sesame \r\n" };
    lock_site();
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(refused); i++) {
        char *text = weir_xasprintf("GET /?authorization=sesame HTTP/1.1\r\nHost: x\r\n%s\r\n", refused[i]);
        ask(text, "HTTP/1.1 401 ", "Unauthorized\n");
        free(text);
    }
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(allowed); i++) {
        char *text = weir_xasprintf("GET / HTTP/1.1\r\nHost: x\r\n%s\r\n", allowed[i]);
        ask(text, "HTTP/1.1 200 ", "GET / ");
        free(text);
    }
    options.auth.request_params = (struct weir_strings){ door_params, 1, true };
    reopen();
    ask("GET /?authorization=sesame HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "GET / ");
}
END_TEST

START_TEST(test_auth_lets_preflights_pass)
{
    static char origin[] = "https://a.good";
    static char *origins[] = { origin };
    options.cors_on = true;
    options.cors = (struct weir_cors_options){ .allowed_origins = { origins, 1, true } };
    lock_site();
    ask("OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: https://a.good\r\nAccess-Control-Request-Method: POST\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n", "Access-Control-Allow-Methods: POST\r\n");
    // A browser must be able to read why it is refused.
    ask("POST / HTTP/1.1\r\nHost: x\r\nOrigin: https://a.good\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 401 ",
        "Access-Control-Allow-Origin: https://a.good\r\n");
    ask("OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: https://a.good\r\n\r\n", "HTTP/1.1 401 ", "Unauthorized\n");
}
END_TEST

static void note_drained(void *user)
{
    (void)user;
    drained = true;
}

START_TEST(test_drain_waits_for_answers)
{
    struct client busy, idle;
    client_connect(&idle);
    client_send(&idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turn_until(&idle, "GET / [] ");
    client_connect(&busy);
    client_send(&busy, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 1000 && !waiting; i++)
        weir_worker_turn(worker, 5);
    weir_http_server_drain(server, note_drained);
    turn_until(&idle, NULL);
    ck_assert(!drained);
    weir_http_respond_text(waiting, 200, "text/plain", WEIR_STR("the last"));
    turn_until(&busy, "the last");
    ck_assert_ptr_nonnull(strstr(busy.got.data, "Connection: close\r\n"));
    client_close(&busy);
    client_close(&idle);
    for (int i = 0; i < 1000 && !drained; i++)
        weir_worker_turn(worker, 5);
    ck_assert(drained);
}
END_TEST

START_TEST(test_drain_does_not_wait_for_a_body_that_is_dropped)
{
    struct client client;
    client_connect(&client);
    client_send(&client, "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
    turn_until(&client, "\r\n\r\nearly");
    weir_http_server_drain(server, note_drained);
    turn_until(&client, NULL);
    client_close(&client);
    for (int i = 0; i < 1000 && !drained; i++)
        weir_worker_turn(worker, 5);
    ck_assert(drained);
}
END_TEST

START_TEST(test_address_in_use)
{
    static char same[64];
    struct weir_http_server_options second = { .endpoint = same };
    struct weir_error error = WEIR_ERROR_INIT;
    snprintf(same, sizeof(same), "%s", weir_http_site_address(site));
    ck_assert_ptr_null(weir_http_site_open(&second, &handler, NULL, NULL, &error));
    ck_assert_ptr_nonnull(strstr(weir_error_text(&error), "address already in use"));
    weir_error_free(&error);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, test_get);
    tcase_add_test(tests, test_body_with_length);
    tcase_add_test(tests, test_body_in_chunks);
    tcase_add_test(tests, test_large_body_is_received_in_place);
    tcase_add_test(tests, test_body_over_the_limit);
    tcase_add_test(tests, test_chunks_over_the_limit);
    tcase_add_test(tests, test_refused_before_the_body);
    tcase_add_test(tests, test_not_admitted);
    tcase_add_test(tests, test_expect_continue);
    tcase_add_test(tests, test_pipelined_requests_keep_their_order);
    tcase_add_test(tests, test_client_goes_away_before_the_answer);
    tcase_add_test(tests, test_server_stops_before_the_answer);
    tcase_add_test(tests, test_half_closed_client_gets_its_answer);
    tcase_add_test(tests, test_head_has_no_body);
    tcase_add_test(tests, test_http_1_0);
    tcase_add_test(tests, test_refused_heads);
    tcase_add_test(tests, test_too_many_headers);
    tcase_add_test(tests, test_head_deadline);
    tcase_add_test(tests, test_idle_timeout);
    tcase_add_test(tests, test_body_stalls);
    tcase_add_test(tests, test_write_timeout);
    tcase_add_test(tests, test_keep_alives_off);
    tcase_add_test(tests, test_response_headers);
    tcase_add_test(tests, test_unknown_encoding);
    tcase_add_test(tests, test_encodings_passed_through);
    tcase_add_test(tests, test_gzip);
    tcase_add_test(tests, test_cors);
    tcase_add_test(tests, test_auth_comes_before_everything_of_the_request);
    tcase_add_test(tests, test_auth_of_many_kinds);
    tcase_add_test(tests, test_auth_lets_preflights_pass);
    tcase_add_test(tests, test_drain_waits_for_answers);
    tcase_add_test(tests, test_drain_does_not_wait_for_a_body_that_is_dropped);
    tcase_add_test(tests, test_address_in_use);
}

int main(void)
{
    Suite *suite = suite_create("http server");
    TCase *tests = tcase_create("http server");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    add_tests(tests);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
