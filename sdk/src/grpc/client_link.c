// SPDX-License-Identifier: Apache-2.0
/*
 * One HTTP/2 connection of the gRPC client: how it comes about, its calls, its keepalive pings.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/grpc/client.h"

#define SECOND ((int64_t)1000000000)
#define LEAST_KEEPALIVE (10 * SECOND)
#define DEFAULT_KEEPALIVE_TIMEOUT (20 * SECOND)

/* --- streams --- */

/* The stream leaves the connection. */
static struct weir_grpc_stream *release(struct h2_stream *h2)
{
    struct weir_grpc_stream *stream = h2->user;
    h2->user = NULL;
    if (stream) {
        stream->h2 = NULL;
        stream->link = NULL;
    }
    return stream;
}

/* The answer is whole, perhaps before the request was. */
static void on_end(struct h2_stream *h2)
{
    struct weir_grpc_stream *stream = release(h2);
    if (!stream)
        return;
    weir_grpc_call_end(stream, h2);
    if (!h2->local_ended)
        h2_stream_reset(h2, NGHTTP2_NO_ERROR);
}

static void on_headers(struct h2_stream *h2, bool end)
{
    if (end)
        on_end(h2);
}

static void on_data(struct h2_stream *h2, const uint8_t *bytes, size_t length)
{
    struct weir_grpc_stream *stream = h2->user;
    if (!stream || weir_grpc_call_receive(stream, bytes, length))
        return;
    release(h2);
    h2_stream_reset(h2, NGHTTP2_CANCEL);
}

static void on_stream_closed(struct h2_stream *h2, uint32_t error_code)
{
    struct weir_grpc_link *link = h2_session_user(h2->session);
    struct weir_grpc_stream *stream = release(h2);
    if (!stream)
        return;
    if (error_code == NGHTTP2_REFUSED_STREAM)
        weir_grpc_stream_resend(stream, link->going ? link->going : "the server refused the stream");
    else if (!weir_conn_is_open(link->conn) || link->going)
        weir_grpc_stream_finish(stream, WEIR_GRPC_UNAVAILABLE, "error reading from server: %s",
                                link->going ? link->going : "EOF");
    else
        weir_grpc_stream_finish(stream, weir_grpc_code_of_h2(error_code),
                                "stream terminated by RST_STREAM with error code: %s",
                                nghttp2_http2_strerror(error_code));
}

/* --- the connection --- */

static void set_going(struct weir_grpc_link *link, const char *format, ...) WEIR_PRINTF(2, 3);
static void set_going(struct weir_grpc_link *link, const char *format, ...)
{
    if (link->going)
        return; /* the first reason counts */
    struct weir_text text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    weir_text_vaddf(&text, format, arguments);
    va_end(arguments);
    link->going = weir_text_steal(&text);
}

/* Its channel looks for another connection. */
static void leave_channel(struct weir_grpc_link *link)
{
    struct weir_grpc_channel *channel = link->channel;
    link->channel = NULL;
    weir_timer_stop(&link->health);
    if (channel)
        weir_grpc_channel_lost(channel, link, link->going ? link->going : "the connection was closed");
}

static void on_goaway(struct h2_session *session, int32_t last, uint32_t error_code, struct weir_str debug)
{
    struct weir_grpc_link *link = h2_session_user(session);
    (void)last;
    if (error_code != NGHTTP2_NO_ERROR)
        set_going(link, "received GOAWAY, code: %s, debug data: \"%.*s\"", nghttp2_http2_strerror(error_code),
                  WEIR_STR_ARG(debug));
    leave_channel(link);
}

static void on_over(struct h2_session *session, const char *error)
{
    struct weir_grpc_link *link = h2_session_user(session);
    if (error)
        set_going(link, "%s", error);
    leave_channel(link);
    weir_conn_finish(link->conn);
}

static const struct h2_callbacks callbacks = {
    .headers = on_headers,
    .data = on_data,
    .end = on_end,
    .closed = on_stream_closed,
    .goaway = on_goaway,
    .over = on_over,
};

/* --- keepalive --- */

static const struct weir_grpc_client_options *options_of(const struct weir_grpc_link *link)
{
    return link->client->target->options;
}

static void await_silence(struct weir_grpc_link *link)
{
    if (!options_of(link)->keepalive_on || !link->channel)
        return;
    int64_t time = options_of(link)->keepalive.time.ns;
    link->pinged = false;
    weir_timer_start(&link->health, time > LEAST_KEEPALIVE ? time : LEAST_KEEPALIVE);
}

static void check_health(struct weir_timer *timer)
{
    struct weir_grpc_link *link = WEIR_CONTAINER_OF(timer, struct weir_grpc_link, health);
    int64_t timeout = options_of(link)->keepalive.timeout.ns;
    if (link->pinged) {
        set_going(link, "keepalive ping failed to receive ACK within timeout");
        leave_channel(link);
        weir_conn_close(link->conn);
    } else if (h2_session_streams(link->session) > 0 || options_of(link)->keepalive.permit_without_stream) {
        link->pinged = true;
        h2_session_ping(link->session);
        weir_timer_start(&link->health, timeout > 0 ? timeout : DEFAULT_KEEPALIVE_TIMEOUT);
    } else {
        await_silence(link);
    }
}

/* --- events of the connection --- */

static void start_session(struct weir_grpc_link *link)
{
    struct h2_config config = { .callbacks = &callbacks, .user = link };
    if (link->client->target->tls && strcmp(weir_conn_alpn(link->conn), "h2") != 0) {
        set_going(link, "the server does not speak HTTP/2 (TLS ALPN)");
        weir_conn_close(link->conn);
        return;
    }
    link->session = h2_session_new(link->conn, &config);
    if (!link->session) {
        set_going(link, "out of memory");
        weir_conn_close(link->conn);
        return;
    }
    await_silence(link);
    weir_grpc_channel_ready(link->channel, link);
}

static void on_opened(struct weir_conn *conn)
{
    struct weir_grpc_link *link = weir_conn_user(conn);
    if (!link->channel)
        return;
    const struct weir_grpc_target *target = link->client->target;
    if (target->proxy && !link->tunneled)
        link->tunnel =
            weir_http_tunnel_new(conn, target->endpoint.host, target->endpoint.port, target->proxy);
    else
        start_session(link);
}

static void receive_tunnel(struct weir_grpc_link *link, const uint8_t *bytes, size_t length)
{
    struct weir_error error = WEIR_ERROR_INIT;
    const struct weir_grpc_target *target = link->client->target;
    size_t taken = 0;
    int result = weir_http_tunnel_receive(link->tunnel, bytes, length, &taken, &error);
    if (result > 0 && target->tls && taken < length)
        result = weir_error_set(&error, "the proxy sent bytes into the tunnel");
    if (result < 0) {
        set_going(link, "%s", weir_error_text(&error));
        weir_conn_close(link->conn);
    } else if (result > 0) {
        weir_http_tunnel_free(link->tunnel);
        link->tunnel = NULL;
        link->tunneled = true;
        if (target->tls)
            weir_conn_start_tls(link->conn, target->tls,
                                target->server_name ? target->server_name : target->endpoint.host);
        else
            start_session(link);
        if (link->session && taken < length)
            h2_session_receive(link->session, bytes + taken, length - taken);
    }
    weir_error_free(&error);
}

static void on_bytes(struct weir_conn *conn, const uint8_t *bytes, size_t length)
{
    struct weir_grpc_link *link = weir_conn_user(conn);
    if (!link->client)
        return;
    if (link->tunnel) {
        receive_tunnel(link, bytes, length);
    } else if (link->session) {
        link->answered = true;
        await_silence(link);
        h2_session_receive(link->session, bytes, length);
    }
    if (link->client)
        weir_grpc_client_dispatch(link->client);
    if (link->client)
        weir_grpc_client_settle(link->client);
}

static void on_drained(struct weir_conn *conn)
{
    struct weir_grpc_link *link = weir_conn_user(conn);
    if (link->session)
        h2_session_flush(link->session);
}

static void on_closed(struct weir_conn *conn, enum weir_conn_reason reason, const char *text)
{
    struct weir_grpc_link *link = weir_conn_user(conn);
    (void)conn;
    set_going(link, "%s", reason == WEIR_CONN_EOF || reason == WEIR_CONN_LOCAL ? "EOF" : text);
    leave_channel(link);
    h2_session_free(link->session);
    weir_http_tunnel_free(link->tunnel);
    if (link->client) {
        if (link->previous)
            link->previous->next = link->next;
        else
            link->client->links = link->next;
        if (link->next)
            link->next->previous = link->previous;
    }
    free(link->going);
    free(link);
}

static const struct weir_conn_events events = {
    .opened = on_opened,
    .data = on_bytes,
    .drained = on_drained,
    .closed = on_closed,
};

struct weir_grpc_link *weir_grpc_link_open(struct weir_grpc_channel *channel)
{
    struct weir_grpc_client *client = channel->client;
    const struct weir_grpc_target *target = client->target;
    struct weir_grpc_link *link = weir_xcalloc(1, sizeof *link);
    link->client = client;
    link->channel = channel;
    weir_timer_init(&link->health, client->worker, check_health);
    link->next = client->links;
    if (link->next)
        link->next->previous = link;
    client->links = link;

    struct weir_endpoint proxy = { 0 };
    if (target->proxy)
        weir_endpoint_set(&proxy, weir_str_of(target->proxy->host), target->proxy->port);
    struct weir_connect_options options = {
        .endpoint = target->proxy ? &proxy : &channel->endpoint,
        .tls = target->proxy ? NULL : target->tls,
        .server_name = target->server_name ? target->server_name : target->endpoint.host,
        .events = &events,
        .user = link,
    };
    link->conn = weir_connect(client->worker, &options);
    weir_endpoint_free(&proxy);
    return link;
}

bool weir_grpc_link_has_room(const struct weir_grpc_link *link)
{
    return link->session && h2_session_can_request(link->session);
}

void weir_grpc_link_start(struct weir_grpc_link *link, struct weir_grpc_stream *stream)
{
    struct headers headers = { 0 };
    struct weir_slices body = { 0 };
    struct weir_error error = WEIR_ERROR_INIT;
    stream->state = WEIR_GRPC_STREAM_RUNS;
    if (weir_grpc_call_body(stream, &body, &error) < 0) {
        weir_grpc_stream_finish(stream, WEIR_GRPC_INTERNAL, "%s", weir_error_text(&error));
    } else {
        stream->link = link;
        if (weir_grpc_call_headers(stream, &headers))
            stream->h2 = h2_session_request(link->session, headers.items, headers.count, &body, stream);
        if (!stream->h2) {
            stream->link = NULL;
            weir_grpc_stream_finish(stream, WEIR_GRPC_UNAVAILABLE, "no HTTP/2 stream could be opened");
        }
    }
    weir_slices_free(&body);
    headers_free(&headers);
    weir_error_free(&error);
}

void weir_grpc_link_abort(struct weir_grpc_link *link, struct weir_grpc_stream *stream)
{
    struct h2_stream *h2 = stream->h2;
    (void)link;
    release(h2);
    h2_stream_reset(h2, NGHTTP2_CANCEL);
}

void weir_grpc_link_retire(struct weir_grpc_link *link)
{
    link->channel = NULL;
    weir_timer_stop(&link->health);
    if (link->session)
        h2_session_shutdown(link->session);
    else
        weir_conn_close(link->conn);
}

void weir_grpc_link_close(struct weir_grpc_link *link)
{
    link->channel = NULL;
    weir_timer_stop(&link->health);
    weir_conn_close(link->conn);
}
