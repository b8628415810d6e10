// SPDX-License-Identifier: Apache-2.0
/*
 * Accepting connections on one worker.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "sdk/src/net/listener.h"

#define MS ((int64_t)1000000)
#define HANDSHAKE_TIME (10000 * MS)
/* How soon accepting is tried again when it had to stop for want of descriptors or because of
 * max_connections. Clients wait in the backlog meanwhile. */
#define RETRY_TIME (50 * MS)
/* Connections taken in a row before the others get their turn. */
#define BURST 64

struct weir_acceptor {
    struct weir_accept_options options;
    struct weir_listener *listener;
    struct weir_counts *counts;
    int line; /* a connection with a descriptor from here on is the last for now */
    struct weir_net *net;
    struct weir_socket *socket; /* NULL: closing */
    struct weir_conn *conns;
    struct weir_timer retry;
    struct weir_task last; /* tells `closed` */
};

static bool is_full(const struct weir_acceptor *acceptor)
{
    unsigned max = acceptor->listener->max_connections;
    return max > 0 && atomic_load(&acceptor->listener->connections) >= max;
}

static void wait_for_room(struct weir_acceptor *acceptor, atomic_ullong *pauses)
{
    atomic_fetch_add(pauses, 1);
    weir_socket_watch(acceptor->socket, 0);
    weir_timer_start(&acceptor->retry, RETRY_TIME);
}

static void on_retry(struct weir_timer *timer)
{
    struct weir_acceptor *acceptor = WEIR_CONTAINER_OF(timer, struct weir_acceptor, retry);
    acceptor->line = weir_descriptors_line(); // the limit may have been changed
    if (is_full(acceptor) || !weir_descriptors_left(acceptor->socket->fd))
        weir_timer_start(&acceptor->retry, RETRY_TIME);
    else
        weir_socket_watch(acceptor->socket, UV_READABLE);
}

static void take(struct weir_acceptor *acceptor, int fd, const struct weir_sockaddr *address)
{
    const struct weir_accept_options *options = &acceptor->options;
    struct weir_conn *conn = weir_conn_new(acceptor->net->worker, options->events, options->user);
    conn->acceptor = acceptor;
    conn->next = acceptor->conns;
    conn->link = &acceptor->conns;
    if (conn->next)
        conn->next->link = &conn->next;
    acceptor->conns = conn;
    atomic_fetch_add(&acceptor->listener->connections, 1);
    atomic_fetch_add(&acceptor->counts->open, 1);
    conn->address = weir_xmalloc(sizeof(*conn->address));
    *conn->address = *address;
    conn->state = WEIR_CONN_HANDSHAKE;
    if (!weir_conn_attach(conn, fd))
        return;
    if (options->accepted)
        options->accepted(acceptor, conn);
    if (conn->state == WEIR_CONN_CLOSED)
        return;
    if (options->tls)
        weir_timer_start(&conn->guard,
                         options->handshake_timeout > 0 ? options->handshake_timeout : HANDSHAKE_TIME);
    weir_conn_established(conn, options->tls, NULL);
}

/* A connection came in; false when accepting has to wait, as no more descriptors are free for connections. */
static bool take_descriptor(struct weir_acceptor *acceptor, int fd, const struct weir_sockaddr *address)
{
    struct weir_counts *counts = acceptor->counts;
    bool low = fd >= acceptor->line;
    atomic_fetch_add(&counts->accepted, 1);
    if (low && fd >= weir_descriptors_last()) {
        close(fd);
        atomic_fetch_add(&counts->closed[WEIR_CAUSE_DESCRIPTORS], 1);
    } else {
        take(acceptor, fd, address);
    }
    return !low;
}

static void on_ready(void *owner, int events)
{
    struct weir_acceptor *acceptor = owner;
    struct weir_counts *counts = acceptor->counts;
    (void)events;
    for (int i = 0; i < BURST && acceptor->socket; i++) {
        if (is_full(acceptor)) {
            wait_for_room(acceptor, &counts->pauses_full);
            return;
        }
        struct weir_sockaddr address = { .length = sizeof(address.address) };
        int fd = accept4(acceptor->socket->fd, &address.address.any, &address.length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            if (!take_descriptor(acceptor, fd, &address) && acceptor->socket) {
                wait_for_room(acceptor, &counts->pauses_descriptors);
                return;
            }
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            wait_for_room(acceptor, &counts->pauses_descriptors);
            return;
        } else if (errno == EAGAIN) {
            break;
        } // other errors are those of a connection that is already gone, accept(2)
    }
    if (acceptor->socket)
        weir_socket_watch(acceptor->socket, UV_READABLE);
}

static void tell_closed(struct weir_task *task)
{
    struct weir_acceptor *acceptor = WEIR_CONTAINER_OF(task, struct weir_acceptor, last);
    if (acceptor->options.closed)
        acceptor->options.closed(acceptor);
    weir_tls_context_unref(acceptor->options.tls);
    free(acceptor);
}

static void end_if_empty(struct weir_acceptor *acceptor)
{
    if (!acceptor->socket && !acceptor->conns)
        weir_worker_post(acceptor->net->worker, &acceptor->last);
}

int weir_listen(struct weir_worker *worker, struct weir_listener *listener,
                const struct weir_accept_options *options, struct weir_acceptor **out,
                struct weir_error *error)
{
    unsigned index = weir_worker_index(worker);
    if (index >= listener->count || listener->sockets[index] < 0)
        return weir_error_set(error, "%s is not bound for worker %u", listener->text, index);
    struct weir_acceptor *acceptor = weir_xcalloc(1, sizeof(*acceptor));
    acceptor->options = *options;
    acceptor->listener = listener;
    acceptor->counts = listener->counts;
    acceptor->line = weir_descriptors_line();
    acceptor->net = weir_net_of(worker);
    acceptor->last.run = tell_closed;
    weir_timer_init(&acceptor->retry, worker, on_retry);
    acceptor->socket = weir_socket_new(acceptor->net, listener->sockets[index], on_ready, acceptor);
    listener->sockets[index] = -1;
    if (!acceptor->socket) {
        atomic_store(&listener->accepting[index], -1);
        free(acceptor);
        return weir_error_set(error, "listen %s: the event loop refused the socket", listener->text);
    }
    if (options->tls)
        weir_tls_context_ref(options->tls);
    weir_socket_watch(acceptor->socket, UV_READABLE);
    *out = acceptor;
    return 0;
}

void *weir_acceptor_user(const struct weir_acceptor *acceptor)
{
    return acceptor->options.user;
}

void weir_acceptor_each(struct weir_acceptor *acceptor, void (*call)(struct weir_conn *conn, void *argument),
                        void *argument)
{
    // Connections leave the list only between events, so `next` stays valid whatever `call` does.
    for (struct weir_conn *conn = acceptor->conns; conn; conn = conn->next)
        if (conn->state < WEIR_CONN_FINISHING)
            call(conn, argument);
}

void weir_acceptor_end(struct weir_acceptor *acceptor)
{
    for (struct weir_conn *conn = acceptor->conns; conn; conn = conn->next) {
        if (conn->state == WEIR_CONN_FINISHING)
            weir_conn_send(conn);
        weir_conn_close(conn);
    }
}

static enum weir_cause cause_of(const struct weir_conn *conn)
{
    static const enum weir_cause causes[] = {
        [WEIR_CONN_LOCAL] = WEIR_CAUSE_SERVER,   [WEIR_CONN_EOF] = WEIR_CAUSE_CLIENT,
        [WEIR_CONN_RESET] = WEIR_CAUSE_RESET,    [WEIR_CONN_TIMEOUT] = WEIR_CAUSE_HANDSHAKE,
        [WEIR_CONN_CONNECT] = WEIR_CAUSE_SERVER, [WEIR_CONN_TLS] = WEIR_CAUSE_TLS,
        [WEIR_CONN_NO_MEMORY] = WEIR_CAUSE_NO_MEMORY,
    };
    return conn->blamed ? conn->cause : causes[conn->reason];
}

void weir_acceptor_leave(struct weir_acceptor *acceptor, struct weir_conn *conn)
{
    *conn->link = conn->next;
    if (conn->next)
        conn->next->link = conn->link;
    atomic_fetch_sub(&acceptor->listener->connections, 1);
    atomic_fetch_sub(&acceptor->counts->open, 1);
    atomic_fetch_add(&acceptor->counts->closed[cause_of(conn)], 1);
    if (acceptor->socket && weir_timer_active(&acceptor->retry)) {
        weir_timer_stop(&acceptor->retry);
        on_retry(&acceptor->retry);
    }
    end_if_empty(acceptor);
}

void weir_acceptor_close(struct weir_acceptor *acceptor)
{
    if (!acceptor->socket)
        return;
    weir_timer_stop(&acceptor->retry);
    atomic_store(&acceptor->listener->accepting[weir_worker_index(acceptor->net->worker)], -1);
    weir_socket_close(acceptor->socket);
    acceptor->socket = NULL;
    end_if_empty(acceptor);
}
