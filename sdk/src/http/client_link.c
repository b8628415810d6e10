// SPDX-License-Identifier: Apache-2.0
/*
 * One connection of the HTTP client: how it comes about (proxy, TLS, which HTTP), and what its events mean.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/base/random.h"
#include "sdk/src/http/client.h"

/* So old a connection gets a successor, which may lead to another server behind the same address. */
#define AGE ((int64_t)600000000000)

/* Ends the connection's part in everything; the structure itself goes with `closed`. */
static void give_up(struct weir_http_link *link)
{
    weir_timer_stop(&link->idle);
    weir_http_h2_stop(link->h2);
    if (link->origin)
        weir_http_pool_gone(link);
    link->state = WEIR_HTTP_LINK_GONE;
    link->origin = NULL;
    link->client = NULL;
}

/* The protocol is settled: the connection takes calls. */
static void start_protocol(struct weir_http_link *link)
{
    link->retire_at = weir_worker_now(link->client->worker) + AGE + random_time(&link->client->random, AGE / 10);
    if (strcmp(weir_conn_alpn(link->conn), "h2") == 0) {
        link->origin->protocol = WEIR_HTTP_PROTOCOL_2;
        link->h2 = weir_http_h2_new(link);
        if (!link->h2) {
            weir_http_link_close(link, NULL);
            return;
        }
    } else {
        link->origin->protocol = WEIR_HTTP_PROTOCOL_1;
        link->h1 = weir_http_h1_new(link);
    }
    weir_http_pool_ready(link);
}

static void on_opened(struct weir_conn *conn)
{
    struct weir_http_link *link = weir_conn_user(conn);
    struct weir_http_origin *origin = link->origin;
    if (!origin)
        return;
    if (origin->proxy && origin->https && !link->tunneled) {
        link->tunnel = weir_http_tunnel_new(conn, origin->host, origin->port, origin->proxy);
        return;
    }
    start_protocol(link);
}

static void receive_tunnel(struct weir_http_link *link, const uint8_t *bytes, size_t length)
{
    struct weir_error error = WEIR_ERROR_INIT;
    size_t taken = 0;
    int result = weir_http_tunnel_receive(link->tunnel, bytes, length, &taken, &error);
    if (result > 0 && taken < length) /* TLS: the server does not speak first */
        result = weir_error_set(&error, "the proxy sent bytes into the tunnel");
    if (result > 0) {
        weir_http_tunnel_free(link->tunnel);
        link->tunnel = NULL;
        link->tunneled = true;
        weir_conn_start_tls(link->conn, link->client->transport->tls, link->origin->host);
    } else if (result < 0) {
        weir_http_pool_refused(link->origin, weir_error_text(&error));
        weir_http_link_close(link, NULL);
    }
    weir_error_free(&error);
}

/* The server lives: it need not be asked with care any longer. */
static void heard(struct weir_http_link *link)
{
    link->answered = true;
    if (link->origin)
        link->origin->failures = 0;
}

static void on_data(struct weir_conn *conn, const uint8_t *bytes, size_t length)
{
    struct weir_http_link *link = weir_conn_user(conn);
    if (link->tunnel) {
        receive_tunnel(link, bytes, length);
        return;
    }
    heard(link);
    if (link->h2)
        weir_http_h2_receive(link->h2, bytes, length);
    else if (link->h1)
        weir_http_h1_receive(link->h1, bytes, length);
}

/* The one call of an HTTP/1 connection that went away. */
static void lose_call(struct weir_http_link *link, enum weir_conn_reason reason, const char *text)
{
    struct weir_http_call *call = link->call;
    link->call = NULL;
    call->link = NULL;
    bool stale = link->reused && !weir_http_h1_answering(link->h1) && !call->resent &&
                 (reason == WEIR_CONN_LOCAL || reason == WEIR_CONN_EOF || reason == WEIR_CONN_RESET);
    if (!stale) {
        weir_http_call_fail(call, "%s", text);
        return;
    }
    /* A kept connection that the peer had just closed: the request has not been read. */
    call->resent = true;
    weir_http_pool_start(call);
}

/* The server has closed the connection. One that takes calls only to do that is as good as down. */
static void check_heard(struct weir_http_link *link, const char *text)
{
    bool used = link->call || (link->h2 && weir_http_h2_busy(link->h2));
    if (link->origin && (link->state == WEIR_HTTP_LINK_OPENING || (used && !link->answered)))
        weir_http_pool_refused(link->origin, text);
}

static void on_ended(struct weir_conn *conn)
{
    struct weir_http_link *link = weir_conn_user(conn);
    if (link->call && weir_http_h1_answering(link->h1)) {
        weir_http_h1_ended(link->h1);
        return;
    }
    if (link->state != WEIR_HTTP_LINK_OPENING)
        check_heard(link, "EOF");
    if (link->call)
        lose_call(link, WEIR_CONN_EOF, "EOF");
    if (link->state != WEIR_HTTP_LINK_OPENING)
        give_up(link);
    weir_conn_close(conn);
}

static void on_drained(struct weir_conn *conn)
{
    struct weir_http_link *link = weir_conn_user(conn);
    if (link->h2 && link->state != WEIR_HTTP_LINK_GONE)
        weir_http_h2_drained(link->h2);
}

static void on_closed(struct weir_conn *conn, enum weir_conn_reason reason, const char *text)
{
    struct weir_http_link *link = weir_conn_user(conn);
    if (reason != WEIR_CONN_LOCAL || link->state == WEIR_HTTP_LINK_OPENING)
        check_heard(link, reason == WEIR_CONN_EOF ? "EOF" : text);
    give_up(link);
    if (link->call)
        lose_call(link, reason, reason == WEIR_CONN_LOCAL ? "EOF" : text);
    weir_http_h1_free(link->h1);
    weir_http_h2_free(link->h2);
    weir_http_tunnel_free(link->tunnel);
    free(link);
}

static const struct weir_conn_events events = {
    .opened = on_opened,
    .data = on_data,
    .ended = on_ended,
    .drained = on_drained,
    .closed = on_closed,
};

static void idle_too_long(struct weir_timer *timer)
{
    struct weir_http_link *link = WEIR_CONTAINER_OF(timer, struct weir_http_link, idle);
    if (!weir_http_pool_keeps(link))
        weir_http_link_close(link, NULL);
}

struct weir_http_link *weir_http_link_open(struct weir_http_origin *origin)
{
    struct weir_http_link *link = weir_xcalloc(1, sizeof *link);
    link->origin = origin;
    link->client = origin->client;
    weir_timer_init(&link->idle, origin->client->worker, idle_too_long);

    struct weir_endpoint endpoint;
    bool tunnel = origin->proxy && origin->https;
    if (origin->proxy)
        weir_endpoint_set(&endpoint, weir_str_of(origin->proxy->host), origin->proxy->port);
    else
        weir_endpoint_set(&endpoint, weir_str_of(origin->host), origin->port);
    struct weir_connect_options options = {
        .endpoint = &endpoint,
        .tls = origin->https && !tunnel ? origin->client->transport->tls : NULL,
        .server_name = origin->host,
        .events = &events,
        .user = link,
    };
    link->conn = weir_connect(origin->client->worker, &options);
    weir_endpoint_free(&endpoint);
    return link;
}

void weir_http_link_start(struct weir_http_link *link, struct weir_http_call *call)
{
    weir_timer_stop(&link->idle);
    call->link = link;
    if (link->h2) {
        weir_http_h2_send(link->h2, call);
    } else {
        link->call = call;
        weir_http_h1_send(link->h1, call);
    }
}

void weir_http_link_abort(struct weir_http_link *link, struct weir_http_call *call)
{
    call->link = NULL;
    if (link->h2) {
        weir_http_h2_abort(link->h2, call);
        return;
    }
    link->call = NULL;
    weir_http_link_close(link, NULL);
}

void weir_http_link_close(struct weir_http_link *link, const char *reason)
{
    struct weir_http_call *call = link->call;
    link->call = NULL;
    if (call) {
        call->link = NULL;
        weir_http_call_fail(call, "%s", reason ? reason : "connection closed");
    }
    give_up(link);
    weir_conn_close(link->conn);
}

void weir_http_link_finish(struct weir_http_link *link)
{
    give_up(link);
    weir_conn_finish(link->conn);
}

void weir_http_link_retire(struct weir_http_link *link)
{
    if (link->state == WEIR_HTTP_LINK_IDLE)
        weir_http_link_close(link, NULL);
    else if (link->state == WEIR_HTTP_LINK_BUSY)
        link->retiring = true;
    else if (link->state == WEIR_HTTP_LINK_MULTIPLEX)
        weir_http_h2_shutdown(link->h2);
}

bool weir_http_link_is_old(struct weir_http_link *link)
{
    bool old = link->state != WEIR_HTTP_LINK_OPENING && weir_worker_now(link->client->worker) >= link->retire_at;
    if (old)
        weir_http_link_retire(link);
    return old;
}

bool weir_http_link_has_room(const struct weir_http_link *link)
{
    return link->state == WEIR_HTTP_LINK_MULTIPLEX && weir_http_h2_has_room(link->h2);
}
