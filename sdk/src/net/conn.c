// SPDX-License-Identifier: Apache-2.0
/*
 * The life of a connection.
 */
#include <config.h>

#include <linux/sockios.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "sdk/src/net/state.h"
#include "sdk/src/net/tls_conn.h"

#define MS ((int64_t)1000000)
/* How long the peer may take to read what is left, and then to end its side. */
#define FINISH_TIME (5000 * MS)
#define HANDSHAKE_TIME (20 * INT64_C(1000000000))
#define LINGER_TIME (500 * MS)
#define LINGER_BYTES (16 << 20)
/* A client reads at least so many bytes in this time while some wait for it: 512 a second. */
#define READER_TIME (60000 * MS)
#define READER_BYTES (60 * 512)

static void on_deadline(struct weir_timer *timer)
{
    struct weir_conn *conn = WEIR_CONTAINER_OF(timer, struct weir_conn, deadline);
    if (conn->state == WEIR_CONN_FINISHING)
        weir_conn_shut(conn, WEIR_CONN_LOCAL, "closed");
    else if (conn->events->expired && conn->state == WEIR_CONN_OPEN)
        conn->events->expired(conn);
    else
        weir_conn_shut(conn, WEIR_CONN_TIMEOUT, "timeout");
}

/* What the peer has taken: sent and acknowledged. */
static uint64_t taken_by_peer(const struct weir_conn *conn)
{
    int unread = 0;
    if (ioctl(conn->socket->fd, SIOCOUTQ, &unread) != 0 || unread < 0 || (uint64_t)unread > conn->sent)
        unread = 0;
    return conn->sent - (uint64_t)unread;
}

static void watch_reader(struct weir_conn *conn)
{
    conn->read = taken_by_peer(conn);
    weir_timer_start(&conn->guard, READER_TIME);
}

/* Bytes have been waiting for READER_TIME. */
static void check_reader(struct weir_conn *conn)
{
    if (taken_by_peer(conn) - conn->read >= READER_BYTES) {
        watch_reader(conn);
        return;
    }
    weir_conn_blame(conn, WEIR_CAUSE_SLOW_READER);
    weir_conn_shut(conn, WEIR_CONN_TIMEOUT, "the client does not read");
}

static void on_guard(struct weir_timer *timer)
{
    struct weir_conn *conn = WEIR_CONTAINER_OF(timer, struct weir_conn, guard);
    if (conn->state == WEIR_CONN_CONNECTING)
        weir_dial_late(conn);
    else if (conn->state == WEIR_CONN_HANDSHAKE)
        weir_conn_shut(conn, WEIR_CONN_TIMEOUT, "TLS handshake timeout");
    else if (conn->state == WEIR_CONN_OPEN)
        check_reader(conn);
    else
        weir_conn_shut(conn, WEIR_CONN_LOCAL, "closed");
}

struct weir_conn *weir_conn_new(struct weir_worker *worker, const struct weir_conn_events *events, void *user)
{
    struct weir_conn *conn = weir_xcalloc(1, sizeof(*conn));
    conn->net = weir_net_of(worker);
    conn->events = events;
    conn->user = user;
    weir_timer_init(&conn->deadline, worker, on_deadline);
    weir_timer_init(&conn->guard, worker, on_guard);
    return conn;
}

void weir_conn_todo(struct weir_conn *conn)
{
    if (conn->listed)
        return;
    struct weir_net *net = conn->net;
    conn->listed = true;
    conn->todo_next = NULL;
    if (net->todo_last)
        net->todo_last->todo_next = conn;
    else
        net->todo_first = conn;
    net->todo_last = conn;
}

void weir_conn_watch(struct weir_conn *conn)
{
    if (!conn->socket || conn->state == WEIR_CONN_CONNECTING)
        return;
    bool reads = !conn->ended && (conn->state != WEIR_CONN_OPEN || !(conn->paused || conn->want_resume));
    weir_socket_watch(conn->socket, (reads ? UV_READABLE : 0) | (conn->blocked ? UV_WRITABLE : 0));
}

static void end_our_side(struct weir_conn *conn)
{
    conn->end_sent = true;
    weir_tls_conn_end(conn);
    if (conn->state == WEIR_CONN_CLOSED)
        return;
    shutdown(conn->socket->fd, SHUT_WR);
    if (conn->ended)
        weir_conn_shut(conn, WEIR_CONN_LOCAL, "closed");
    else
        weir_timer_start(&conn->guard, LINGER_TIME);
}

/* A client that lets its answers wait is watched from the first byte that waits to the last. */
static void guard_reader(struct weir_conn *conn, size_t queued)
{
    if (!conn->acceptor || conn->state != WEIR_CONN_OPEN)
        return;
    if (queued == 0)
        weir_timer_stop(&conn->guard);
    else if (!weir_timer_active(&conn->guard))
        watch_reader(conn);
}

/* Tells what became of the queue. */
static void after_send(struct weir_conn *conn)
{
    if (conn->state == WEIR_CONN_CLOSED)
        return;
    size_t queued = weir_conn_queued(conn);
    if (conn->state == WEIR_CONN_FINISHING) {
        if (queued == 0 && !conn->end_sent)
            end_our_side(conn);
        return;
    }
    guard_reader(conn, queued);
    if (conn->wrote && queued <= conn->low_mark) {
        conn->wrote = false;
        if (conn->events->drained)
            conn->events->drained(conn);
    }
}

static void on_ready(void *owner, int events)
{
    struct weir_conn *conn = owner;
    if (conn->state == WEIR_CONN_CONNECTING) {
        weir_dial_ready(conn);
        return;
    }
    if (events & UV_WRITABLE && conn->blocked) {
        conn->blocked = false;
        weir_conn_send(conn);
        after_send(conn);
    }
    if (events & UV_READABLE && conn->state != WEIR_CONN_CLOSED)
        weir_conn_receive(conn);
    weir_conn_watch(conn);
}

bool weir_conn_attach(struct weir_conn *conn, int fd)
{
    conn->socket = weir_socket_new(conn->net, fd, on_ready, conn);
    if (!conn->socket)
        weir_conn_shut(conn, WEIR_CONN_RESET, "the event loop refused the socket");
    return conn->socket != NULL;
}

void weir_conn_opened(struct weir_conn *conn)
{
    conn->state = WEIR_CONN_OPEN;
    weir_timer_stop(&conn->guard);
    if (conn->out.bytes > 0) {
        conn->want_flush = true; // written while connecting
        weir_conn_todo(conn);
    }
    if (conn->events->opened)
        conn->events->opened(conn);
    weir_conn_watch(conn);
}

void weir_conn_established(struct weir_conn *conn, struct weir_tls_context *context, const char *server_name)
{
    if (!context) {
        weir_conn_opened(conn);
        return;
    }
    conn->state = WEIR_CONN_HANDSHAKE;
    weir_tls_conn_start(conn, context, server_name);
    weir_conn_watch(conn);
}

void weir_conn_start_tls(struct weir_conn *conn, struct weir_tls_context *context, const char *server_name)
{
    if (conn->state != WEIR_CONN_OPEN)
        return;
    weir_timer_start(&conn->guard, HANDSHAKE_TIME);
    weir_conn_established(conn, context, server_name);
}

static void conn_free(struct weir_conn *conn)
{
    weir_tls_conn_free(conn);
    weir_slices_free(&conn->out);
    weir_buffer_unref(conn->tail);
    weir_buffer_unref(conn->cipher);
    weir_buffer_unref(conn->stash);
    free(conn->address);
    free(conn->peer);
    free(conn->text);
    free(conn);
}

void weir_conn_step(struct weir_conn *conn)
{
    if (conn->state == WEIR_CONN_CLOSED) {
        conn->events->closed(conn, conn->reason, conn->text);
        if (conn->acceptor)
            weir_acceptor_leave(conn->acceptor, conn);
        conn_free(conn);
        return;
    }
    if (conn->want_open) {
        conn->want_open = false;
        weir_dial_ready(conn);
    }
    if (conn->want_resume && !conn->paused) {
        conn->want_resume = false;
        weir_conn_unstash(conn);
    }
    if (conn->want_flush && conn->state != WEIR_CONN_CLOSED) {
        conn->want_flush = false;
        weir_conn_send(conn);
    }
    after_send(conn);
    weir_conn_watch(conn);
}

void weir_conn_shut(struct weir_conn *conn, enum weir_conn_reason reason, const char *format, ...)
{
    if (conn->state == WEIR_CONN_CLOSED)
        return;
    struct weir_text text = { NULL, 0, 0 };
    va_list arguments;
    va_start(arguments, format);
    weir_text_vaddf(&text, format, arguments);
    va_end(arguments);
    conn->text = weir_text_steal(&text);
    conn->reason = conn->state == WEIR_CONN_FINISHING ? WEIR_CONN_LOCAL : reason;
    conn->state = WEIR_CONN_CLOSED;
    weir_timer_stop(&conn->deadline);
    weir_timer_stop(&conn->guard);
    weir_socket_close(conn->socket);
    conn->socket = NULL;
    weir_dial_free(conn->dial);
    conn->dial = NULL;
    weir_conn_todo(conn);
}

void weir_conn_close(struct weir_conn *conn)
{
    weir_conn_shut(conn, WEIR_CONN_LOCAL, "closed");
}

void weir_conn_finish(struct weir_conn *conn)
{
    if (conn->state == WEIR_CONN_CONNECTING || conn->state == WEIR_CONN_HANDSHAKE) {
        weir_conn_close(conn);
    } else if (conn->state == WEIR_CONN_OPEN) {
        conn->state = WEIR_CONN_FINISHING;
        conn->received_most = conn->received + LINGER_BYTES;
        conn->paused = conn->want_resume = false;
        weir_timer_start(&conn->guard, FINISH_TIME);
        conn->want_flush = true;
        weir_conn_todo(conn);
    }
}

void weir_conn_pause(struct weir_conn *conn)
{
    if (conn->state >= WEIR_CONN_FINISHING)
        return;
    conn->paused = true;
    weir_conn_watch(conn);
}

void weir_conn_resume(struct weir_conn *conn)
{
    if (conn->state >= WEIR_CONN_FINISHING || !conn->paused)
        return;
    conn->paused = false;
    // What came before the pause goes first, and not from inside of this call.
    conn->want_resume = true;
    weir_conn_todo(conn);
}

void weir_conn_set_deadline(struct weir_conn *conn, int64_t delay)
{
    if (delay < 0 || conn->state == WEIR_CONN_CLOSED)
        weir_timer_stop(&conn->deadline);
    else
        weir_timer_start(&conn->deadline, delay);
}

void weir_conn_set_events(struct weir_conn *conn, const struct weir_conn_events *events, void *user)
{
    conn->events = events;
    conn->user = user;
}

void *weir_conn_user(const struct weir_conn *conn)
{
    return conn->user;
}

bool weir_conn_is_tls(const struct weir_conn *conn)
{
    return conn->tls != NULL;
}

bool weir_conn_is_open(const struct weir_conn *conn)
{
    return conn->state == WEIR_CONN_OPEN;
}

const char *weir_conn_peer(struct weir_conn *conn)
{
    if (!conn->peer)
        conn->peer = conn->address ? weir_sockaddr_text(conn->address) : weir_xstrdup("");
    return conn->peer;
}

int64_t weir_conn_now(const struct weir_conn *conn)
{
    return weir_worker_now(conn->net->worker);
}

void weir_conn_blame(struct weir_conn *conn, enum weir_cause cause)
{
    if (conn->blamed)
        return;
    conn->blamed = true;
    conn->cause = cause;
}

uint64_t weir_conn_received(const struct weir_conn *conn)
{
    return conn->received;
}

uint64_t weir_conn_sent(const struct weir_conn *conn)
{
    return conn->sent;
}
