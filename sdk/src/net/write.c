// SPDX-License-Identifier: Apache-2.0
/*
 * Sending: a queue of ranges that is handed to the kernel once a turn.
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <sys/socket.h>

#include "sdk/src/net/state.h"
#include "sdk/src/net/tls_conn.h"

/* Small copies share buffers of this size. */
#define TAIL_SIZE ((size_t)4096)

static bool may_write(const struct weir_conn *conn)
{
    return conn->state < WEIR_CONN_FINISHING;
}

static void queued_some(struct weir_conn *conn, bool added)
{
    if (!added) {
        weir_conn_shut(conn, WEIR_CONN_NO_MEMORY, "out of memory");
        return;
    }
    conn->wrote = true;
    conn->want_flush = true;
    weir_conn_todo(conn);
}

/* Moves what is left to the front when the list is full and half of it has been sent. */
static void make_place(struct weir_conn *conn)
{
    struct weir_slices *out = &conn->out;
    if (out->count < out->capacity || conn->out_first < out->count / 2 || conn->out_first == 0)
        return;
    size_t left = out->count - conn->out_first;
    memmove(out->ranges, out->ranges + conn->out_first, left * sizeof(out->ranges[0]));
    memmove(out->buffers, out->buffers + conn->out_first, left * sizeof(out->buffers[0]));
    out->count = left;
    conn->out_first = 0;
}

static bool add(struct weir_conn *conn, struct weir_buffer *buffer, const void *data, size_t length)
{
    make_place(conn);
    return weir_slices_add(&conn->out, buffer, data, length);
}

void weir_conn_write(struct weir_conn *conn, const struct weir_slices *slices)
{
    if (!may_write(conn) || slices->bytes == 0)
        return;
    bool added = true;
    for (size_t i = 0; i < slices->count && added; i++)
        added = add(conn, slices->buffers[i], slices->ranges[i].iov_base, slices->ranges[i].iov_len);
    queued_some(conn, added);
}

void weir_conn_write_range(struct weir_conn *conn, struct weir_buffer *buffer, const void *data,
                           size_t length)
{
    if (may_write(conn) && length > 0)
        queued_some(conn, add(conn, buffer, data, length));
}

/* A buffer with room for `length` more bytes; NULL when memory is out. */
static struct weir_buffer *tail_for(struct weir_conn *conn, size_t length)
{
    struct weir_buffer *tail = conn->tail;
    if (tail && __atomic_load_n(&tail->references, __ATOMIC_ACQUIRE) == 1)
        tail->length = 0; // all of it has been sent
    if (tail && tail->capacity - tail->length >= length)
        return tail;
    weir_buffer_unref(tail);
    conn->tail = weir_buffer_new(length > TAIL_SIZE ? length : TAIL_SIZE);
    return conn->tail;
}

void weir_conn_write_copy(struct weir_conn *conn, const void *data, size_t length)
{
    if (!may_write(conn) || length == 0)
        return;
    struct weir_buffer *tail = tail_for(conn, length);
    if (!tail) {
        queued_some(conn, false);
        return;
    }
    uint8_t *place = tail->data + tail->length;
    memcpy(place, data, length);
    tail->length += length;
    struct weir_slices *out = &conn->out;
    struct iovec *last = out->count > conn->out_first ? &out->ranges[out->count - 1] : NULL;
    if (last && out->buffers[out->count - 1] == tail && (uint8_t *)last->iov_base + last->iov_len == place) {
        last->iov_len += length;
        out->bytes += length;
        queued_some(conn, true);
    } else {
        queued_some(conn, add(conn, tail, place, length));
    }
}

size_t weir_conn_queued(const struct weir_conn *conn)
{
    return conn->out.bytes + (conn->cipher ? conn->cipher->length - conn->cipher_sent : 0);
}

void weir_conn_set_low_mark(struct weir_conn *conn, size_t bytes)
{
    conn->low_mark = bytes;
}

void weir_conn_advance(struct weir_conn *conn, size_t bytes)
{
    struct weir_slices *out = &conn->out;
    out->bytes -= bytes;
    while (bytes > 0) {
        struct iovec *range = &out->ranges[conn->out_first];
        if (bytes < range->iov_len) {
            range->iov_base = (uint8_t *)range->iov_base + bytes;
            range->iov_len -= bytes;
            return;
        }
        bytes -= range->iov_len;
        weir_buffer_unref(out->buffers[conn->out_first]);
        out->buffers[conn->out_first++] = NULL;
    }
    if (conn->out_first == out->count)
        conn->out_first = out->count = 0;
}

size_t weir_conn_push(struct weir_conn *conn, struct iovec *ranges, size_t count)
{
    struct msghdr message = { .msg_iov = ranges, .msg_iovlen = count < IOV_MAX ? count : IOV_MAX };
    ssize_t sent;
    do
        sent = sendmsg(conn->socket->fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        conn->sent += (uint64_t)sent;
        return (size_t)sent;
    }
    if (errno == EAGAIN)
        conn->blocked = true;
    else
        weir_conn_shut(conn, WEIR_CONN_RESET, "write: %s", weir_errno_text(errno));
    return 0;
}

void weir_conn_send(struct weir_conn *conn)
{
    if (conn->state < WEIR_CONN_OPEN && !conn->tls)
        return; // still connecting: `opened` has not been told
    if (conn->tls) {
        weir_tls_conn_send(conn);
        return;
    }
    while (conn->out.bytes > 0 && !conn->blocked && conn->state != WEIR_CONN_CLOSED) {
        size_t count = conn->out.count - conn->out_first;
        size_t sent = weir_conn_push(conn, conn->out.ranges + conn->out_first, count);
        weir_conn_advance(conn, sent);
        if (conn->out.bytes > 0 && count <= IOV_MAX)
            conn->blocked = true; // the next try would only say so
    }
}
