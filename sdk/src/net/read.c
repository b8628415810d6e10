// SPDX-License-Identifier: Apache-2.0
/*
 * Receiving: straight to where the layer above wants the bytes, with the worker's own buffer behind it, so
 * that one system call takes the rest of a body together with what follows it.
 */
#include <config.h>

#include <errno.h>
#include <unistd.h>

#include "sdk/src/net/state.h"
#include "sdk/src/net/tls_conn.h"

/* Reads in a row from one socket before the others get their turn. */
#define ROUNDS 8

void weir_conn_stash(struct weir_conn *conn, const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return;
    if (!conn->stash)
        conn->stash = weir_buffer_new(length);
    if (!conn->stash || !weir_buffer_append(conn->stash, bytes, length))
        weir_conn_shut(conn, WEIR_CONN_NO_MEMORY, "out of memory");
}

void weir_conn_peer_ended(struct weir_conn *conn)
{
    if (conn->ended)
        return;
    conn->ended = true;
    if (conn->state == WEIR_CONN_FINISHING) {
        if (conn->end_sent)
            weir_conn_shut(conn, WEIR_CONN_LOCAL, "closed");
    } else if (conn->state == WEIR_CONN_HANDSHAKE) {
        weir_conn_shut(conn, WEIR_CONN_TLS, "TLS handshake: EOF");
    } else if (conn->events->ended) {
        conn->events->ended(conn);
    } else {
        weir_conn_shut(conn, WEIR_CONN_EOF, "EOF");
    }
}

static bool takes(const struct weir_conn *conn)
{
    return conn->state == WEIR_CONN_OPEN && !conn->paused;
}

/* Bytes from the network, in two parts, the second of which is in memory that is used again. */
static void deliver(struct weir_conn *conn, const struct iovec *parts, size_t length)
{
    for (int i = 0; i < 2 && length > 0; i++) {
        size_t part = parts[i].iov_len < length ? parts[i].iov_len : length;
        length -= part;
        if (part == 0 || conn->state >= WEIR_CONN_FINISHING)
            continue; // nothing is told any more
        if (conn->tls)
            weir_tls_conn_input(conn, parts[i].iov_base, part);
        else if (takes(conn))
            conn->events->data(conn, parts[i].iov_base, part);
        else
            weir_conn_stash(conn, parts[i].iov_base, part);
    }
}

void weir_conn_unstash(struct weir_conn *conn)
{
    struct weir_buffer *stash = conn->stash;
    conn->stash = NULL;
    if (conn->tls)
        weir_tls_conn_input(conn, stash ? stash->data : NULL, stash ? stash->length : 0);
    else if (stash && conn->state == WEIR_CONN_OPEN)
        conn->events->data(conn, stash->data, stash->length);
    weir_buffer_unref(stash);
}

/* One read; true when there may be more. */
static bool receive_once(struct weir_conn *conn)
{
    struct iovec parts[2] = { { NULL, 0 }, { conn->net->received, WEIR_NET_RECEIVE } };
    if (!conn->tls && conn->state == WEIR_CONN_OPEN && conn->events->room) {
        parts[0].iov_base = conn->events->room(conn, WEIR_NET_RECEIVE, &parts[0].iov_len);
        if (!parts[0].iov_base)
            parts[0].iov_len = 0;
        if (conn->state == WEIR_CONN_CLOSED)
            return false;
        if (parts[0].iov_len >= WEIR_NET_RECEIVE)
            parts[1].iov_len = 0;
    }
    ssize_t length = parts[0].iov_len == 0 ? read(conn->socket->fd, parts[1].iov_base, parts[1].iov_len)
                                           : readv(conn->socket->fd, parts, parts[1].iov_len ? 2 : 1);
    if (length < 0) {
        if (errno != EAGAIN && errno != EINTR)
            weir_conn_shut(conn, WEIR_CONN_RESET, "read: %s", weir_errno_text(errno));
        return false;
    }
    if (length == 0) {
        weir_conn_peer_ended(conn);
        return false;
    }
    conn->received += (uint64_t)length;
    if (conn->state == WEIR_CONN_FINISHING && conn->received > conn->received_most) {
        weir_conn_shut(conn, WEIR_CONN_LOCAL, "closed"); // it does not listen, and sends without end
        return false;
    }
    deliver(conn, parts, (size_t)length);
    return (size_t)length == parts[0].iov_len + parts[1].iov_len;
}

void weir_conn_receive(struct weir_conn *conn)
{
    for (int i = 0; i < ROUNDS; i++) {
        bool wanted = conn->state == WEIR_CONN_OPEN ? !(conn->paused || conn->want_resume)
                                                    : conn->state != WEIR_CONN_CLOSED;
        if (!wanted || conn->ended || !receive_once(conn))
            break;
    }
}
