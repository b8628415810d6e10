// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP/2 as a client: calls side by side on one connection, and its health pings.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "sdk/src/http/client.h"

#define DEFAULT_PING_TIMEOUT 15000000000LL /* nanoseconds */

struct weir_http_h2 {
    struct weir_http_link *link;
    struct h2_session *session;
    struct weir_timer health; /* silence, then the answer to a ping */
    bool pinged;
    char *going; /* why the peer ends the connection; NULL: it does not */
};

/* The call leaves its stream. */
static struct weir_http_call *release(struct h2_stream *stream)
{
    struct weir_http_call *call = stream->user;
    stream->user = NULL;
    if (call) {
        call->stream = NULL;
        call->link = NULL;
    }
    return call;
}

/* The answer is whole, perhaps before the request was. */
static void finish(struct h2_stream *stream)
{
    struct weir_http_call *call = release(stream);
    if (!call)
        return;
    weir_http_call_complete_soon(call);
    if (!stream->local_ended)
        h2_stream_reset(stream, NGHTTP2_CANCEL);
}

static void on_headers(struct h2_stream *stream, bool end)
{
    struct weir_http_call *call = stream->user;
    if (!call)
        return;
    uint64_t status = 0;
    struct weir_str text = headers_get(&stream->headers, ":status");
    if (text.length != 3 || !weir_str_to_u64(text, &status) || status < 200) {
        h2_stream_reset(stream, NGHTTP2_PROTOCOL_ERROR);
        return;
    }
    for (size_t i = 0; i < stream->headers.count; i++) {
        const struct weir_http_header *field = &stream->headers.items[i];
        if (field->name.data[0] != ':' && !weir_http_reply_add(&call->reply, field->name, field->value)) {
            h2_stream_reset(stream, NGHTTP2_ENHANCE_YOUR_CALM);
            return;
        }
    }
    weir_http_reply_begin(call, (int)status);
    if (end)
        finish(stream);
}

static void on_data(struct h2_stream *stream, const uint8_t *bytes, size_t length)
{
    struct weir_http_call *call = stream->user;
    if (!call)
        return;
    switch (weir_http_reply_body(call, bytes, length)) {
    case WEIR_HTTP_TAKEN:
        break;
    case WEIR_HTTP_FULL:
        weir_http_call_complete_soon(release(stream));
        h2_stream_reset(stream, NGHTTP2_CANCEL);
        break;
    case WEIR_HTTP_NO_MEMORY:
        weir_http_call_fail(release(stream), "out of memory");
        h2_stream_reset(stream, NGHTTP2_CANCEL);
        break;
    }
}

static void on_closed(struct h2_stream *stream, uint32_t error_code)
{
    struct weir_http_h2 *h2 = h2_session_user(stream->session);
    struct weir_http_call *call = release(stream);
    if (!call)
        return;
    if (error_code == NGHTTP2_NO_ERROR && call->reply.status > 0) {
        weir_http_call_complete_soon(call);
    } else if (error_code == NGHTTP2_REFUSED_STREAM && !call->resent) {
        call->resent = true; /* the peer says that it has not looked at it */
        weir_http_reply_free(&call->reply);
        weir_http_pool_start(call);
    } else {
        weir_http_call_fail(call, "%s: %s", h2->going ? h2->going : "stream error",
                            nghttp2_http2_strerror(error_code));
    }
}

static void on_goaway(struct h2_session *session, int32_t last, uint32_t error_code, struct weir_str debug)
{
    struct weir_http_h2 *h2 = h2_session_user(session);
    (void)last;
    free(h2->going);
    h2->going =
        weir_xasprintf("http2: server sent GOAWAY and closed the connection; ErrCode=%s, debug=\"%.*s\"",
                       nghttp2_http2_strerror(error_code), WEIR_STR_ARG(debug));
}

static void on_over(struct h2_session *session, const char *error)
{
    struct weir_http_h2 *h2 = h2_session_user(session);
    if (error && !h2->going)
        h2->going = weir_xasprintf("http2: %s", error);
    weir_http_link_finish(h2->link);
}

static const struct h2_callbacks callbacks = {
    .headers = on_headers,
    .data = on_data,
    .end = finish,
    .closed = on_closed,
    .goaway = on_goaway,
    .over = on_over,
};

static const struct weir_http_client_options *options_of(const struct weir_http_h2 *h2)
{
    return h2->link->client->transport->options;
}

static void await_silence(struct weir_http_h2 *h2)
{
    int64_t idle = options_of(h2)->http2_read_idle_timeout.ns;
    h2->pinged = false;
    if (idle > 0)
        weir_timer_start(&h2->health, idle);
}

static void check_health(struct weir_timer *timer)
{
    struct weir_http_h2 *h2 = WEIR_CONTAINER_OF(timer, struct weir_http_h2, health);
    if (h2->pinged) {
        if (!h2->going)
            h2->going = weir_xstrdup("http2: no answer to a ping");
        weir_http_link_close(h2->link, NULL);
        return;
    }
    int64_t timeout = options_of(h2)->http2_ping_timeout.ns;
    h2->pinged = true;
    h2_session_ping(h2->session);
    weir_timer_start(&h2->health, timeout > 0 ? timeout : DEFAULT_PING_TIMEOUT);
}

struct weir_http_h2 *weir_http_h2_new(struct weir_http_link *link)
{
    struct weir_http_h2 *h2 = weir_xcalloc(1, sizeof *h2);
    struct h2_config config = { .callbacks = &callbacks, .user = h2 };
    h2->link = link;
    weir_timer_init(&h2->health, link->client->worker, check_health);
    h2->session = h2_session_new(link->conn, &config);
    if (!h2->session) {
        free(h2);
        return NULL;
    }
    await_silence(h2);
    return h2;
}

void weir_http_h2_stop(struct weir_http_h2 *h2)
{
    if (h2)
        weir_timer_stop(&h2->health);
}

void weir_http_h2_free(struct weir_http_h2 *h2)
{
    if (!h2)
        return;
    h2_session_free(h2->session);
    free(h2->going);
    free(h2);
}

void weir_http_h2_send(struct weir_http_h2 *h2, struct weir_http_call *call)
{
    const struct weir_http_request *request = call->request;
    const struct weir_url *url = weir_http_call_url(call);
    struct headers headers = { 0 };
    char length[24];
    snprintf(length, sizeof length, "%zu", request->body.bytes);
    bool ok = headers_add(&headers, WEIR_STR(":method"), weir_str_of(request->method)) &&
              headers_add(&headers, WEIR_STR(":scheme"), WEIR_STR("https")) &&
              headers_add(&headers, WEIR_STR(":authority"), weir_http_head_authority(call)) &&
              headers_add(&headers, WEIR_STR(":path"), weir_str_of(url->target));
    if (ok)
        weir_http_head_collect(call, &headers);
    if (ok && request->body.bytes > 0)
        ok = headers_add(&headers, WEIR_STR("content-length"), weir_str_of(length));
    struct weir_slices body = { 0 };
    for (size_t i = 0; ok && i < request->body.count; i++)
        ok = weir_slices_add(&body, request->body.buffers[i], request->body.ranges[i].iov_base,
                             request->body.ranges[i].iov_len);
    call->stream = ok ? h2_session_request(h2->session, headers.items, headers.count, &body, call) : NULL;
    weir_slices_free(&body);
    headers_free(&headers);
    if (!call->stream) {
        call->link = NULL;
        weir_http_call_fail(call, "no HTTP/2 stream could be opened");
    }
}

void weir_http_h2_receive(struct weir_http_h2 *h2, const uint8_t *bytes, size_t length)
{
    struct weir_http_link *link = h2->link;
    if (link->client)
        await_silence(h2);
    h2_session_receive(h2->session, bytes, length);
    if (link->client)
        weir_http_pool_ready(link);
    if (link->client)
        weir_http_client_settle(link->client);
}

void weir_http_h2_drained(struct weir_http_h2 *h2)
{
    h2_session_flush(h2->session);
}

bool weir_http_h2_has_room(const struct weir_http_h2 *h2)
{
    return h2_session_can_request(h2->session);
}

void weir_http_h2_shutdown(struct weir_http_h2 *h2)
{
    h2_session_shutdown(h2->session);
}

bool weir_http_h2_busy(const struct weir_http_h2 *h2)
{
    return h2_session_streams(h2->session) > 0;
}

void weir_http_h2_abort(struct weir_http_h2 *h2, struct weir_http_call *call)
{
    struct h2_stream *stream = call->stream;
    (void)h2;
    call->stream = NULL;
    stream->user = NULL;
    h2_stream_reset(stream, NGHTTP2_CANCEL);
}
