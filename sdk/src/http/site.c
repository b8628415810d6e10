// SPDX-License-Identifier: Apache-2.0
/*
 * Bound addresses, and the life of servers on their workers.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/http/site.h"
#include "sdk/src/net/listener.h"
#include "sdk/src/net/tls_context.h"

static int bind_endpoint(struct site *site, const struct site_options *options, struct weir_error *error)
{
    enum weir_transport transport = WEIR_TCP;
    struct weir_endpoint endpoint = { .host = NULL };
    if (options->transport && weir_transport_parse(weir_str_of(options->transport), &transport, error) != 0)
        return -1;
    if (weir_endpoint_parse_listen(weir_str_of(options->endpoint), transport, &endpoint, error) != 0)
        return -1;
    struct weir_bind_options bind = { .endpoint = &endpoint, .first_worker_only = options->first_worker_only };
    int rc = weir_bind(&bind, &site->listener, error);
    weir_endpoint_free(&endpoint);
    return rc;
}

int site_open(struct site *site, const struct site_options *options, struct weir_logger *logger,
              struct weir_error *error)
{
    site->logger = logger;
    site->references = 1;
    if (options->tls && weir_tls_server_context(options->tls, options->alpn, &site->tls, error) != 0)
        return -1;
    if (bind_endpoint(site, options, error) != 0) {
        weir_tls_context_close(site->tls);
        return -1;
    }
    return 0;
}

void site_close(struct site *site)
{
    weir_tls_context_end(site->tls);
    site_unref(site);
}

void site_unref(struct site *site)
{
    if (__atomic_sub_fetch(&site->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    weir_listener_free(site->listener);
    weir_tls_context_unref(site->tls);
    free(site);
}

/* Requests whose memory a server keeps. */
#define SPARES_MAX 32

struct spare_request {
    struct spare_request *next;
};

static void free_spares(struct server *server)
{
    while (server->spare) {
        struct spare_request *spare = server->spare;
        server->spare = spare->next;
        free(spare);
    }
}

/* Calls `done` and frees the server when their time has come. */
static void settle(struct server *server)
{
    if (server->acceptor || server->pending > 0)
        return;
    if (server->stopped) {
        if (server->freeing)
            server->freeing(server);
        free_spares(server);
        site_unref(server->site);
        free(server);
        return;
    }
    void (*done)(void *user) = server->done;
    server->done = NULL;
    if (done)
        done(server->user);
}

static void acceptor_closed(struct weir_acceptor *acceptor)
{
    struct server *server = weir_acceptor_user(acceptor);
    server->acceptor = NULL;
    settle(server);
}

int server_start(struct server *server, struct site *site, struct weir_worker *worker, void *user,
                 const struct weir_conn_events *events, struct weir_error *error)
{
    server->site = site;
    server->worker = worker;
    server->user = user;
    server->events = events;
    struct weir_accept_options options = {
        .tls = site->tls,
        .events = events,
        .closed = acceptor_closed,
        .user = server,
    };
    if (weir_listen(worker, site->listener, &options, &server->acceptor, error) != 0)
        return -1;
    __atomic_add_fetch(&site->references, 1, __ATOMIC_RELAXED);
    return 0;
}

static void quiesce_peer(struct weir_conn *conn)
{
    struct server_peer *peer = weir_conn_user(conn);
    peer->quiesce(peer);
}

static void quiesce_conn(struct weir_conn *conn, void *argument)
{
    const struct server *server = argument;
    if (weir_conn_is_open(conn))
        quiesce_peer(conn);
    else if (!server->patient)
        weir_conn_close(conn); // still in its handshake
}

void server_opened(const struct server *server, struct weir_conn *conn)
{
    if (server->quiescing && weir_conn_is_open(conn))
        quiesce_peer(conn);
}

void server_quiesce(struct server *server)
{
    if (server->quiescing)
        return;
    server->quiescing = true;
    if (!server->acceptor)
        return;
    server->patient = weir_listener_yields(server->site->listener);
    weir_acceptor_each(server->acceptor, quiesce_conn, server);
    weir_acceptor_close(server->acceptor);
}

void server_drain(struct server *server, void (*done)(void *user))
{
    server->done = done;
    server_quiesce(server);
    settle(server);
}

void server_stop(struct server *server)
{
    server->done = NULL;
    server->stopped = true;
    if (server->acceptor) {
        weir_acceptor_end(server->acceptor);
        if (!server->quiescing)
            weir_acceptor_close(server->acceptor);
        server->quiescing = true;
    }
    settle(server);
}

void *server_begin_request(struct server *server, size_t size)
{
    struct spare_request *spare = server->spare;
    void *request = spare ? spare : malloc(size);
    if (spare) {
        server->spare = spare->next;
        server->spares--;
    }
    server->pending += request != NULL;
    return request;
}

void server_end_request(struct server *server, void *request)
{
    struct spare_request *spare = request;
    if (server->spares < SPARES_MAX) {
        spare->next = server->spare;
        server->spare = spare;
        server->spares++;
    } else {
        free(request);
    }
    server->pending--;
    settle(server);
}

void server_log_closed(const struct server *server, enum weir_conn_reason reason, const char *text)
{
    if (reason == WEIR_CONN_TLS)
        weir_log(server->site->logger, WEIR_WARN, "TLS handshake failed", WEIR_F_TEXT("error", text));
}
