// SPDX-License-Identifier: Apache-2.0
/*
 * Connecting: the addresses of the name are tried in order.
 */
#include <config.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/src/net/resolve.h"
#include "sdk/src/net/state.h"

#define SECOND ((int64_t)1000000000)
#define DEFAULT_TIMEOUT (20 * SECOND)
/* The least that one of several addresses gets, as long as there is so much left. */
#define LEAST_TRY (2 * SECOND)

/* A peer that has gone without a word is found out within 15 s: what was sent has to be acknowledged, and where nothing is
 * sent the kernel asks (tcp(7)). */
#define PEER_SILENCE_MS 15000
#define KEEPALIVE_IDLE 6
#define KEEPALIVE_INTERVAL 3
#define KEEPALIVE_PROBES 3

struct weir_dial {
    struct weir_endpoint endpoint;
    struct weir_tls_context *tls;
    char *server_name;
    int64_t give_up;
    struct weir_conn *conn;
    struct weir_resolve resolve;
    struct weir_sockaddr *addresses;
    size_t count, next;
    char *last_failure;
};

static void fail_lookup(struct weir_conn *conn, const char *why)
{
    weir_conn_shut(conn, WEIR_CONN_CONNECT, "dial %s: lookup %s: %s",
                   weir_transport_name(conn->dial->endpoint.transport), conn->dial->endpoint.host, why);
}

static void remember_failure(struct weir_conn *conn, const char *why)
{
    struct weir_dial *dial = conn->dial;
    char *address = weir_sockaddr_text(&dial->addresses[dial->next - 1]);
    free(dial->last_failure);
    dial->last_failure =
        weir_xasprintf("dial %s %s: %s", weir_transport_name(dial->endpoint.transport), address, why);
    free(address);
}

static int open_socket(const struct weir_sockaddr *address)
{
    int family = address->address.any.sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, idle = KEEPALIVE_IDLE, interval = KEEPALIVE_INTERVAL, probes = KEEPALIVE_PROBES;
    unsigned silence = PEER_SILENCE_MS;
    if (fd >= 0 && family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence, sizeof(silence));
    }
    return fd;
}

/* The time left, shared among the addresses that are left. */
static void start_timer(struct weir_conn *conn)
{
    struct weir_dial *dial = conn->dial;
    int64_t left = dial->give_up - weir_worker_now(conn->net->worker);
    size_t tries = dial->count - dial->next + 1;
    int64_t share = left / (int64_t)tries;
    if (share < LEAST_TRY)
        share = left < LEAST_TRY ? left : LEAST_TRY;
    weir_timer_start(&conn->guard, share);
}

static void try_next(struct weir_conn *conn)
{
    struct weir_dial *dial = conn->dial;
    while (dial->next < dial->count) {
        const struct weir_sockaddr *address = &dial->addresses[dial->next++];
        int fd = open_socket(address);
        int result = fd < 0 ? -1 : connect(fd, &address->address.any, address->length);
        if (result != 0 && errno != EINPROGRESS) {
            char *why = weir_xasprintf("connect: %s", weir_errno_text(errno));
            remember_failure(conn, why);
            free(why);
            if (fd >= 0)
                close(fd);
            continue;
        }
        if (!weir_conn_attach(conn, fd))
            return;
        start_timer(conn);
        if (result == 0) {
            conn->want_open = true;
            weir_conn_todo(conn);
        } else {
            weir_socket_watch(conn->socket, UV_WRITABLE);
        }
        return;
    }
    if (dial->endpoint.host)
        weir_resolve_suspect(conn->net->worker, dial->endpoint.host, dial->endpoint.transport);
    weir_conn_shut(conn, WEIR_CONN_CONNECT, "%s", dial->last_failure);
}

static void drop_try(struct weir_conn *conn, const char *why)
{
    remember_failure(conn, why);
    weir_socket_close(conn->socket);
    conn->socket = NULL;
    try_next(conn);
}

void weir_dial_ready(struct weir_conn *conn)
{
    struct weir_dial *dial = conn->dial;
    int failure = 0;
    socklen_t length = sizeof(failure);
    if (getsockopt(conn->socket->fd, SOL_SOCKET, SO_ERROR, &failure, &length) != 0)
        failure = errno;
    if (failure != 0) {
        char *why = weir_xasprintf("connect: %s", weir_errno_text(failure));
        drop_try(conn, why);
        free(why);
        return;
    }
    conn->address = weir_xmalloc(sizeof(*conn->address));
    *conn->address = dial->addresses[dial->next - 1];
    weir_timer_start(&conn->guard, dial->give_up - weir_worker_now(conn->net->worker));
    conn->dial = NULL;
    weir_conn_established(conn, dial->tls, dial->server_name);
    weir_dial_free(dial);
}

void weir_dial_late(struct weir_conn *conn)
{
    struct weir_dial *dial = conn->dial;
    if (dial->next == 0) {
        fail_lookup(conn, "i/o timeout");
        return;
    }
    if (dial->give_up <= weir_worker_now(conn->net->worker))
        dial->count = dial->next; // no time for the others
    drop_try(conn, "i/o timeout");
}

void weir_dial_free(struct weir_dial *dial)
{
    if (!dial)
        return;
    weir_resolve_stop(&dial->resolve);
    weir_endpoint_free(&dial->endpoint);
    weir_tls_context_unref(dial->tls);
    free(dial->server_name);
    free(dial->addresses);
    free(dial->last_failure);
    free(dial);
}

static void on_addresses(struct weir_resolve *resolve, const struct weir_sockaddr *addresses, size_t count,
                         const char *error)
{
    struct weir_dial *dial = WEIR_CONTAINER_OF(resolve, struct weir_dial, resolve);
    if (count == 0) {
        fail_lookup(dial->conn, error);
        return;
    }
    dial->addresses = weir_xcalloc(count, sizeof(*addresses));
    memcpy(dial->addresses, addresses, count * sizeof(*addresses));
    dial->count = count;
    try_next(dial->conn);
}

static void start_lookup(struct weir_conn *conn)
{
    struct weir_dial *dial = conn->dial;
    const struct weir_endpoint *endpoint = &dial->endpoint;
    dial->count = weir_resolve_number(endpoint->host, endpoint->transport, endpoint->port, &dial->addresses);
    if (dial->count > 0) {
        try_next(conn);
        return;
    }
    dial->resolve = (struct weir_resolve){ .answer = on_addresses, .once = true };
    weir_resolve_start(conn->net->worker, endpoint->host, endpoint->transport, endpoint->port, &dial->resolve);
}

struct weir_conn *weir_connect(struct weir_worker *worker, const struct weir_connect_options *options)
{
    struct weir_conn *conn = weir_conn_new(worker, options->events, options->user);
    struct weir_dial *dial = weir_xcalloc(1, sizeof(*dial));
    int64_t timeout = options->timeout > 0 ? options->timeout : DEFAULT_TIMEOUT;
    weir_endpoint_copy(&dial->endpoint, options->endpoint);
    dial->tls = options->tls ? weir_tls_context_ref(options->tls) : NULL;
    const char *name = options->server_name ? options->server_name : dial->endpoint.host;
    dial->server_name = weir_xstrdup(name ? name : "localhost");
    dial->give_up = weir_worker_now(worker) + timeout;
    dial->conn = conn;
    conn->dial = dial;
    conn->state = WEIR_CONN_CONNECTING;
    weir_timer_start(&conn->guard, timeout);
    if (dial->endpoint.transport == WEIR_UNIX) {
        dial->addresses = weir_xcalloc(1, sizeof(*dial->addresses));
        weir_sockaddr_unix(&dial->endpoint, &dial->addresses[0]);
        dial->count = 1;
        try_next(conn);
    } else {
        start_lookup(conn);
    }
    return conn;
}
