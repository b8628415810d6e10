// SPDX-License-Identifier: Apache-2.0
/*
 * gRPC servers: sites, their part on each worker, and their connections.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/grpc/server.h"

struct weir_grpc_site *weir_grpc_site_open(const struct weir_grpc_server_options *options,
                                           const struct weir_grpc_method *methods,
                                           const struct weir_grpc_handler *handler,
                                           struct weir_instance *user, struct weir_logger *logger,
                                           struct weir_error *error)
{
    static const char *const alpn[] = { "h2", NULL };
    struct weir_grpc_site *site = weir_xcalloc(1, sizeof(*site));
    struct site_options base = {
        .endpoint = options->endpoint,
        .transport = options->transport,
        .tls = options->tls_on ? &options->tls : NULL,
        .alpn = alpn,
    };
    site->options = options;
    site->methods = methods;
    site->handler = handler;
    if ((options->auth_on && auth_server_find(&site->auth, &options->auth, user, error) != 0) ||
        site_open(&site->site, &base, logger, error) != 0) {
        free(site);
        return NULL;
    }
    return site;
}

const char *weir_grpc_site_address(const struct weir_grpc_site *site)
{
    return weir_listener_address(site->site.listener);
}

void weir_grpc_site_close(struct weir_grpc_site *site)
{
    if (site)
        site_close(&site->site);
}

/* --- streams --- */

static void headers_event(struct h2_stream *stream, bool end)
{
    grpc_call_begin(h2_session_user(stream->session), stream);
    if (end && stream->user)
        grpc_call_end(stream->user);
}

static void data_event(struct h2_stream *stream, const uint8_t *bytes, size_t length)
{
    if (stream->user)
        grpc_call_data(stream->user, bytes, length);
}

static void end_event(struct h2_stream *stream)
{
    if (stream->user)
        grpc_call_end(stream->user);
}

static void stream_closed_event(struct h2_stream *stream, uint32_t error_code)
{
    struct grpc_connection *connection = h2_session_user(stream->session);
    struct weir_grpc_call *call = stream->user;
    (void)error_code;
    connection->idle_since = weir_worker_now(connection->server->server.worker);
    stream->user = NULL;
    if (call)
        grpc_call_detach(call);
}

static void ping_event(struct h2_session *session, bool ack)
{
    if (!ack)
        grpc_keepalive_pinged(h2_session_user(session));
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
    .ping = ping_event,
    .over = over_event,
};

/* --- connections --- */

static void conn_data_event(struct weir_conn *conn, const uint8_t *bytes, size_t length)
{
    struct grpc_connection *connection = weir_conn_user(conn);
    connection->last_read = weir_worker_now(connection->server->server.worker);
    connection->ping_sent = INT64_MAX;
    h2_session_receive(connection->session, bytes, length);
    grpc_keepalive_schedule(connection);
}

static void drained_event(struct weir_conn *conn)
{
    struct grpc_connection *connection = weir_conn_user(conn);
    h2_session_flush(connection->session);
    grpc_keepalive_schedule(connection);
}

static void expired_event(struct weir_conn *conn)
{
    grpc_keepalive_fire(weir_conn_user(conn));
}

static void closed_event(struct weir_conn *conn, enum weir_conn_reason reason, const char *text)
{
    struct grpc_connection *connection = weir_conn_user(conn);
    (void)reason;
    (void)text;
    h2_session_free(connection->session);
    free(connection);
}

static const struct weir_conn_events connection_events = {
    .data = conn_data_event,
    .drained = drained_event,
    .expired = expired_event,
    .closed = closed_event,
};

static void quiesce(struct server_peer *peer)
{
    struct grpc_connection *connection = WEIR_CONTAINER_OF(peer, struct grpc_connection, peer);
    grpc_keepalive_drain(connection);
    grpc_keepalive_schedule(connection);
}

static void opened(struct weir_conn *conn)
{
    struct weir_grpc_server *server = weir_conn_user(conn);
    uint32_t max_streams = (uint32_t)grpc_site_of(server)->options->max_concurrent_streams;
    bool ending = server->server.quiescing && !server->server.patient;
    if (ending || (weir_conn_is_tls(conn) && strcmp(weir_conn_alpn(conn), "h2") != 0)) {
        weir_conn_close(conn);
        return;
    }
    struct grpc_connection *connection = weir_xcalloc(1, sizeof(*connection));
    struct h2_config config = {
        .server = true,
        .max_streams = max_streams,
        .callbacks = &session_callbacks,
        .user = connection,
    };
    connection->peer.quiesce = quiesce;
    connection->server = server;
    connection->conn = conn;
    weir_conn_set_events(conn, &connection_events, connection);
    connection->session = h2_session_new(conn, &config);
    if (connection->session)
        grpc_keepalive_start(connection);
    else
        weir_conn_close(conn);
    server_opened(&server->server, conn);
}

static void unopened_closed(struct weir_conn *conn, enum weir_conn_reason reason, const char *text)
{
    struct weir_grpc_server *server = weir_conn_user(conn);
    server_log_closed(&server->server, reason, text);
}

static const struct weir_conn_events unopened_events = { .opened = opened, .closed = unopened_closed };

/* --- servers --- */

static void forget_replies(struct server *base)
{
    struct weir_grpc_server *server = WEIR_CONTAINER_OF(base, struct weir_grpc_server, server);
    for (size_t i = 0; i < WEIR_ENCODINGS; i++) {
        weir_buffer_unref(server->replies[i].message);
        weir_buffer_unref(server->replies[i].framed);
    }
}

struct weir_grpc_server *weir_grpc_server_start(struct weir_grpc_site *site, struct weir_worker *worker,
                                                void *user, struct weir_error *error)
{
    struct weir_grpc_server *server = weir_xcalloc(1, sizeof(*server));
    server->server.freeing = forget_replies;
    if (server_start(&server->server, &site->site, worker, user, &unopened_events, error) != 0) {
        free(server);
        return NULL;
    }
    return server;
}

void weir_grpc_server_quiesce(struct weir_grpc_server *server)
{
    if (server)
        server_quiesce(&server->server);
}

void weir_grpc_server_drain(struct weir_grpc_server *server, void (*done)(void *user))
{
    server_drain(&server->server, done);
}

void weir_grpc_server_stop(struct weir_grpc_server *server)
{
    if (server)
        server_stop(&server->server);
}
