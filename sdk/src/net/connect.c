// SPDX-License-Identifier: Apache-2.0
/*
 * Connecting: the name is looked up on libuv's thread pool, its addresses are tried in order.
 */
#include <config.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/src/net/state.h"

#define SECOND ((int64_t)1000000000)
#define DEFAULT_TIMEOUT (20 * SECOND)
/* The least that one of several addresses gets, as long as there is so much left. */
#define LEAST_TRY (2 * SECOND)

struct lookup {
    uv_getaddrinfo_t request;
    struct weir_conn *conn; /* NULL: it has been closed meanwhile */
};

struct weir_dial {
    struct weir_endpoint endpoint;
    struct weir_tls_context *tls;
    char *server_name;
    int64_t give_up;
    struct lookup *lookup;
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
    int on = 1, idle = 15;
    if (fd >= 0 && family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle, sizeof(idle));
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
    if (dial->lookup) {
        dial->lookup->conn = NULL;
        uv_cancel((uv_req_t *)&dial->lookup->request);
    }
    weir_endpoint_free(&dial->endpoint);
    weir_tls_context_unref(dial->tls);
    free(dial->server_name);
    free(dial->addresses);
    free(dial->last_failure);
    free(dial);
}

static void take_addresses(struct weir_dial *dial, const struct addrinfo *list)
{
    size_t count = 0;
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        count++;
    dial->addresses = weir_xcalloc(count ? count : 1, sizeof(*dial->addresses));
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        if (a->ai_addrlen > sizeof(union weir_address))
            continue;
        struct weir_sockaddr *address = &dial->addresses[dial->count++];
        memcpy(&address->address, a->ai_addr, a->ai_addrlen);
        address->length = a->ai_addrlen;
        weir_sockaddr_set_port(address, dial->endpoint.port);
    }
}

static void on_lookup(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct lookup *lookup = WEIR_CONTAINER_OF(request, struct lookup, request);
    struct weir_conn *conn = lookup->conn;
    ((struct weir_worker *)request->loop->data)->jobs--;
    if (conn) {
        conn->dial->lookup = NULL;
        if (status == 0)
            take_addresses(conn->dial, list);
        if (conn->dial->count > 0)
            try_next(conn);
        else
            fail_lookup(conn, status == 0 || status == UV_EAI_NONAME || status == UV_EAI_NODATA
                                  ? "no such host"
                                  : uv_strerror(status));
    }
    uv_freeaddrinfo(list);
    free(lookup);
}

static void start_lookup(struct weir_conn *conn)
{
    struct weir_dial *dial = conn->dial;
    struct addrinfo hints = weir_address_hints(dial->endpoint.transport);
    struct addrinfo numeric = hints, *list = NULL;
    numeric.ai_flags |= AI_NUMERICHOST;
    if (getaddrinfo(dial->endpoint.host, NULL, &numeric, &list) == 0) {
        take_addresses(dial, list);
        freeaddrinfo(list);
        try_next(conn);
        return;
    }
    struct lookup *lookup = weir_xcalloc(1, sizeof(*lookup));
    lookup->conn = conn;
    hints.ai_flags = AI_ADDRCONFIG;
    int failure = uv_getaddrinfo(&conn->net->worker->loop, &lookup->request, on_lookup, dial->endpoint.host,
                                 NULL, &hints);
    if (failure != 0) {
        free(lookup);
        fail_lookup(conn, failure == UV_EINVAL || failure == UV_ENAMETOOLONG ? "no such host"
                                                                             : uv_strerror(failure));
        return;
    }
    dial->lookup = lookup;
    conn->net->worker->jobs++;
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
