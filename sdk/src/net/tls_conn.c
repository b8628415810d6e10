// SPDX-License-Identifier: Apache-2.0
/*
 * TLS on a connection: what comes from the network goes through the engine to the layer above, and the other
 * way round. Decrypted bytes go straight to where the layer wants them; encrypted ones leave from a buffer
 * that all connections of the worker share, and only what the kernel does not take is kept.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "sdk/src/net/tls_conn.h"
#include "sdk/src/net/tls_context.h"

/* A record's largest payload, RFC 8446 section 5.1. */
#define RECORD ((size_t)16384)
/* Encrypted at a time. */
#define CHUNK ((size_t)262144)

struct weir_tls_session {
    struct weir_tls_generation *generation;
    void *session;
    char *alpn;
};

static bool prepare(struct weir_net *net)
{
    if (!net->plain)
        net->plain = weir_xmalloc(WEIR_NET_RECEIVE);
    if (!net->record)
        net->record = weir_xmalloc(RECORD);
    if (!net->cipher)
        net->cipher = weir_buffer_new(CHUNK + CHUNK / 16);
    return net->cipher != NULL;
}

static struct weir_tls_io io_of(struct weir_conn *conn, const uint8_t *bytes, size_t length)
{
    conn->net->cipher->length = 0;
    return (struct weir_tls_io){ bytes, length, conn->net->cipher };
}

/* Sends what an earlier call left; false when some of it is still there. */
static bool send_rest(struct weir_conn *conn)
{
    if (!conn->cipher)
        return true;
    struct iovec range = { conn->cipher->data + conn->cipher_sent, conn->cipher->length - conn->cipher_sent };
    if (!conn->blocked)
        conn->cipher_sent += weir_conn_push(conn, &range, 1);
    if (conn->cipher_sent < conn->cipher->length) {
        conn->blocked = true;
        return false;
    }
    weir_buffer_unref(conn->cipher);
    conn->cipher = NULL;
    return true;
}

/* Sends what the engine has just put into the worker's buffer. */
static void send_cipher(struct weir_conn *conn)
{
    struct weir_buffer *cipher = conn->net->cipher;
    if (cipher->length == 0 || conn->state == WEIR_CONN_CLOSED)
        return;
    size_t sent = 0;
    if (!conn->cipher && !conn->blocked) {
        struct iovec range = { cipher->data, cipher->length };
        sent = weir_conn_push(conn, &range, 1);
    }
    size_t left = cipher->length - sent;
    if (left == 0 || conn->state == WEIR_CONN_CLOSED)
        return;
    conn->blocked = true;
    bool kept;
    if (conn->cipher) {
        kept = weir_buffer_append(conn->cipher, cipher->data + sent, left);
    } else {
        conn->cipher = weir_buffer_copy(cipher->data + sent, left);
        conn->cipher_sent = 0;
        kept = conn->cipher != NULL;
    }
    if (!kept)
        weir_conn_shut(conn, WEIR_CONN_NO_MEMORY, "out of memory");
}

static void fail(struct weir_conn *conn, const char *when, struct weir_error *error)
{
    send_cipher(conn); // the alert
    weir_conn_shut(conn, WEIR_CONN_TLS, "%s: %s", when, weir_error_text(error));
}

static void shake_hands(struct weir_conn *conn, struct weir_tls_io *io)
{
    struct weir_tls_session *tls = conn->tls;
    const struct weir_tls_engine *engine = tls->generation->engine;
    struct weir_error error = WEIR_ERROR_INIT;
    enum weir_tls_status status = engine->handshake(tls->session, io, &error);
    if (status == WEIR_TLS_FAILED) {
        fail(conn, "TLS handshake", &error);
    } else {
        send_cipher(conn);
        if (status == WEIR_TLS_DONE && conn->state == WEIR_CONN_HANDSHAKE) {
            size_t length = 0;
            const char *alpn = engine->alpn(tls->session, &length);
            tls->alpn = weir_xstrndup(alpn ? alpn : "", length);
            weir_conn_opened(conn);
        }
    }
    weir_error_free(&error);
}

void weir_tls_conn_start(struct weir_conn *conn, struct weir_tls_context *context, const char *server_name)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_tls_session *tls = weir_xcalloc(1, sizeof(*tls));
    tls->generation = weir_tls_generation_take(context);
    conn->tls = tls;
    if (context->server_name)
        server_name = context->server_name;
    tls->session =
        prepare(conn->net)
            ? tls->generation->engine->session_new(tls->generation->context, server_name, &error)
            : NULL;
    if (!tls->session) {
        weir_conn_shut(conn, WEIR_CONN_TLS, "TLS: %s",
                       weir_error_is_set(&error) ? weir_error_text(&error) : "out of memory");
    } else {
        struct weir_tls_io io = io_of(conn, NULL, 0);
        shake_hands(conn, &io);
    }
    weir_error_free(&error);
}

/* Decrypts until the place is full or the input is used up; true when there may be more. */
static bool read_once(struct weir_conn *conn, struct weir_tls_io *io)
{
    size_t size = 0, length = 0;
    uint8_t *place = conn->events->room ? conn->events->room(conn, WEIR_NET_RECEIVE, &size) : NULL;
    if (conn->state != WEIR_CONN_OPEN)
        return false;
    if (!place || size == 0) {
        place = conn->net->plain;
        size = WEIR_NET_RECEIVE;
    }
    struct weir_error error = WEIR_ERROR_INIT;
    enum weir_tls_status status = WEIR_TLS_DONE;
    while (status == WEIR_TLS_DONE && length < size) {
        size_t part = 0;
        status = conn->tls->generation->engine->read(conn->tls->session, io, place + length, size - length,
                                                  &part, &error);
        length += part;
    }
    if (status != WEIR_TLS_FAILED)
        send_cipher(conn); // answers to key updates
    if (length > 0 && conn->state == WEIR_CONN_OPEN)
        conn->events->data(conn, place, length);
    if (status == WEIR_TLS_FAILED)
        fail(conn, "TLS", &error);
    weir_error_free(&error);
    if (status == WEIR_TLS_END && conn->state == WEIR_CONN_OPEN)
        weir_conn_peer_ended(conn);
    return status == WEIR_TLS_DONE;
}

void weir_tls_conn_input(struct weir_conn *conn, const uint8_t *bytes, size_t length)
{
    struct weir_tls_io io = io_of(conn, bytes, length);
    if (conn->state == WEIR_CONN_HANDSHAKE)
        shake_hands(conn, &io);
    while (conn->state == WEIR_CONN_OPEN && !conn->paused && !conn->ended) {
        // The worker's buffer may have been used by what an event led to.
        io = io_of(conn, io.in, io.in_length);
        if (!read_once(conn, &io))
            break;
    }
    if (conn->state == WEIR_CONN_OPEN && !conn->ended)
        weir_conn_stash(conn, io.in, io.in_length);
}

/* Encrypts from the queue until a chunk is full: large ranges as they are, small ones put together. */
static bool encrypt(struct weir_conn *conn, struct weir_tls_io *io, struct weir_error *error)
{
    const struct weir_tls_engine *engine = conn->tls->generation->engine;
    while (conn->out.bytes > 0 && io->out->length < CHUNK) {
        const struct iovec *range = &conn->out.ranges[conn->out_first];
        const uint8_t *data = range->iov_base;
        size_t length = range->iov_len < RECORD ? range->iov_len : RECORD;
        if (length < RECORD && length < conn->out.bytes) {
            data = conn->net->record;
            length = 0;
            for (size_t i = conn->out_first; i < conn->out.count && length < RECORD; i++) {
                size_t part = conn->out.ranges[i].iov_len;
                if (part > RECORD - length)
                    part = RECORD - length;
                memcpy(conn->net->record + length, conn->out.ranges[i].iov_base, part);
                length += part;
            }
        }
        if (engine->write(conn->tls->session, io, data, length, error) != WEIR_TLS_DONE)
            return false;
        weir_conn_advance(conn, length);
    }
    return true;
}

void weir_tls_conn_send(struct weir_conn *conn)
{
    struct weir_error error = WEIR_ERROR_INIT;
    while (conn->state != WEIR_CONN_CLOSED && send_rest(conn) && !conn->blocked) {
        if (conn->out.bytes == 0 || conn->state == WEIR_CONN_HANDSHAKE)
            break;
        struct weir_tls_io io = io_of(conn, NULL, 0);
        if (!encrypt(conn, &io, &error))
            fail(conn, "TLS", &error);
        else
            send_cipher(conn);
    }
    weir_error_free(&error);
}

void weir_tls_conn_end(struct weir_conn *conn)
{
    if (!conn->tls || !conn->tls->session)
        return;
    struct weir_tls_io io = io_of(conn, NULL, 0);
    conn->tls->generation->engine->end(conn->tls->session, &io);
    send_cipher(conn);
}

void weir_tls_conn_free(struct weir_conn *conn)
{
    struct weir_tls_session *tls = conn->tls;
    if (!tls)
        return;
    if (tls->session)
        tls->generation->engine->session_free(tls->session);
    weir_tls_generation_drop(tls->generation);
    free(tls->alpn);
    free(tls);
}

const char *weir_conn_alpn(const struct weir_conn *conn)
{
    return conn->tls && conn->tls->alpn ? conn->tls->alpn : "";
}
