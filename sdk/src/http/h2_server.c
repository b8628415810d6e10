// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP/2 on a server's connection, where TLS has negotiated it (RFC 9113).
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "sdk/src/http/h2_session.h"
#include "sdk/src/http/server.h"
#include "sdk/src/net/cause.h"

struct h2_connection {
    struct server_peer peer;
    struct weir_http_server *server;
    struct weir_conn *conn;
    struct h2_session *session;
    int64_t idle_since; /* when the last request ended */
};

static const struct weir_http_server_options *options_of(const struct h2_connection *h2)
{
    return WEIR_CONTAINER_OF(h2->server->server.site, struct weir_http_site, site)->options;
}

static int64_t idle_time(const struct weir_http_server_options *options)
{
    return options->idle_timeout.ns > 0   ? options->idle_timeout.ns
           : options->read_timeout.ns > 0 ? options->read_timeout.ns
                                          : IDLE_TIMEOUT;
}

static void set_deadline(struct h2_connection *h2)
{
    int64_t now = weir_conn_now(h2->conn);
    int64_t due = h2_session_due(h2->session), idle_at = 0;
    if (h2_session_streams(h2->session) == 0 &&
        !__builtin_add_overflow(h2->idle_since, idle_time(options_of(h2)), &idle_at) && idle_at < due)
        due = idle_at;
    weir_conn_set_deadline(h2->conn, due == INT64_MAX ? -1 : due > now ? due - now : 0);
}

/* Moves the body to `own`, which may be sent later: ranges without a buffer are copied. */
static bool take_body(struct weir_slices *body, struct weir_slices *own)
{
    bool borrowed = false;
    for (size_t i = 0; i < body->count; i++)
        borrowed |= !body->buffers[i];
    if (!borrowed) {
        *own = *body;
        *body = (struct weir_slices){ .ranges = NULL };
        return true;
    }
    struct weir_buffer *copy = weir_slices_join(body);
    bool ok = copy && weir_slices_add(own, copy, copy->data, copy->length);
    weir_buffer_unref(copy);
    return ok;
}

static void write_answer(struct weir_http_exchange *exchange, int status,
                         const struct weir_http_header *headers, size_t count, struct weir_slices *body)
{
    struct weir_slices own = { .ranges = NULL };
    struct h2_stream *stream = exchange->carrier;
    struct headers list = { .items = NULL };
    char number[16];
    snprintf(number, sizeof(number), "%d", status);
    stream->user = NULL;
    bool ok = headers_add(&list, WEIR_STR(":status"), weir_str_of(number));
    for (size_t i = 0; ok && i < count; i++) {
        // Fields of HTTP/1.1 connections have no place here (RFC 9113, 8.2.2).
        if (!weir_str_is(headers[i].name, "connection") && !weir_str_is(headers[i].name, "transfer-encoding"))
            ok = headers_add(&list, headers[i].name, headers[i].value);
    }
    if (ok && take_body(body, &own))
        h2_stream_respond(stream, list.items, list.count, &own, NULL, 0);
    else
        h2_stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
    weir_slices_free(&own);
    headers_free(&list);
}

static const struct exchange_ops h2_ops = { write_answer };

/* Takes pseudo headers out of the list; :authority stands for a missing Host. */
static bool take_head(struct weir_http_exchange *exchange, struct h2_stream *stream)
{
    bool ok = exchange_set_target(exchange, headers_get(&stream->headers, ":method"),
                                  headers_get(&stream->headers, ":path"));
    struct weir_str authority = headers_get(&stream->headers, ":authority");
    if (ok && authority.data && !headers_get(&stream->headers, "host").data)
        ok = headers_add(&exchange->headers, WEIR_STR("host"), authority);
    for (size_t i = 0; ok && i < stream->headers.count; i++) {
        const struct weir_http_header *header = &stream->headers.items[i];
        if (header->name.length == 0 || header->name.data[0] != ':')
            ok = headers_add(&exchange->headers, header->name, header->value);
    }
    struct weir_str length = headers_get(&exchange->headers, "content-length");
    exchange->has_length = length.data && weir_str_to_u64(length, &exchange->length);
    return ok;
}

static void headers_event(struct h2_stream *stream, bool end)
{
    struct h2_connection *h2 = h2_session_user(stream->session);
    struct weir_http_exchange *exchange = exchange_new(h2->server, h2->conn, &h2_ops, stream);
    if (!exchange) {
        h2_stream_reset(stream, NGHTTP2_REFUSED_STREAM);
        return;
    }
    stream->user = exchange;
    if (!take_head(exchange, stream)) {
        exchange_fail(exchange, 400, "Bad Request");
        return;
    }
    if (exchange_begin(exchange, !end) && end)
        (void)exchange_end(exchange);
}

static void data_event(struct h2_stream *stream, const uint8_t *bytes, size_t length)
{
    if (stream->user)
        (void)exchange_body(stream->user, bytes, length);
}

static void end_event(struct h2_stream *stream)
{
    if (stream->user)
        (void)exchange_end(stream->user);
}

static void stream_closed_event(struct h2_stream *stream, uint32_t error_code)
{
    struct h2_connection *h2 = h2_session_user(stream->session);
    struct weir_http_exchange *exchange = stream->user;
    (void)error_code;
    h2->idle_since = weir_conn_now(h2->conn);
    stream->user = NULL;
    if (exchange)
        exchange_detach(exchange);
}

static void over_event(struct h2_session *session, const char *error)
{
    (void)error;
    weir_conn_finish(h2_session_conn(session));
}

static const struct h2_callbacks session_callbacks = {
    .headers = headers_event,
    .data = data_event,
    .end = end_event,
    .closed = stream_closed_event,
    .over = over_event,
};

static void conn_data_event(struct weir_conn *conn, const uint8_t *bytes, size_t length)
{
    struct h2_connection *h2 = weir_conn_user(conn);
    h2_session_receive(h2->session, bytes, length);
    set_deadline(h2);
}

static void drained_event(struct weir_conn *conn)
{
    struct h2_connection *h2 = weir_conn_user(conn);
    h2_session_flush(h2->session);
    set_deadline(h2);
}

static void expired_event(struct weir_conn *conn)
{
    struct h2_connection *h2 = weir_conn_user(conn);
    int64_t idle = weir_conn_now(conn) - h2->idle_since;
    if (!h2_session_check(h2->session))
        return;
    if (h2_session_streams(h2->session) == 0 && idle >= idle_time(options_of(h2))) {
        weir_conn_blame(conn, WEIR_CAUSE_IDLE);
        h2_session_shutdown(h2->session);
        weir_conn_finish(conn);
        return;
    }
    set_deadline(h2);
}

static void closed_event(struct weir_conn *conn, enum weir_conn_reason reason, const char *text)
{
    struct h2_connection *h2 = weir_conn_user(conn);
    (void)reason;
    (void)text;
    h2_session_free(h2->session);
    free(h2);
}

static const struct weir_conn_events h2_events = {
    .data = conn_data_event,
    .drained = drained_event,
    .expired = expired_event,
    .closed = closed_event,
};

static void quiesce(struct server_peer *peer)
{
    struct h2_connection *h2 = WEIR_CONTAINER_OF(peer, struct h2_connection, peer);
    h2_session_shutdown(h2->session);
}

void h2_server_open(struct weir_http_server *server, struct weir_conn *conn)
{
    struct h2_connection *h2 = weir_xcalloc(1, sizeof(*h2));
    struct h2_config config = { .server = true, .callbacks = &session_callbacks, .user = h2 };
    const struct weir_http_server_options *options =
        WEIR_CONTAINER_OF(server->server.site, struct weir_http_site, site)->options;
    config.body_time = options->read_timeout.ns;
    config.header_time = options->read_header_timeout.ns > 0 ? options->read_header_timeout.ns
                                                             : options->read_timeout.ns;
    h2->idle_since = weir_conn_now(conn);
    h2->peer.quiesce = quiesce;
    h2->server = server;
    h2->conn = conn;
    weir_conn_set_events(conn, &h2_events, h2);
    h2->session = h2_session_new(conn, &config);
    if (!h2->session)
        weir_conn_close(conn);
    else
        set_deadline(h2);
}
