// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP servers: sites, their part on each worker, and which protocol a connection speaks.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/http/server.h"

struct weir_http_site *weir_http_site_open(const struct weir_http_server_options *options,
                                           const struct weir_http_handler *handler,
                                           struct weir_instance *user, struct weir_logger *logger,
                                           struct weir_error *error)
{
    static const char *const alpn[] = { "h2", "http/1.1", NULL };
    struct weir_http_site *site = weir_xcalloc(1, sizeof(*site));
    struct site_options base = {
        .endpoint = options->endpoint,
        .transport = options->transport,
        .tls = options->tls_on ? &options->tls : NULL,
        .alpn = alpn,
        .first_worker_only = handler->first_worker_only,
    };
    site->options = options;
    site->handler = handler;
    if ((options->auth_on && auth_server_find(&site->auth, &options->auth, user, error) != 0) ||
        site_open(&site->site, &base, logger, error) != 0) {
        free(site);
        return NULL;
    }
    return site;
}

const char *weir_http_site_address(const struct weir_http_site *site)
{
    return weir_listener_address(site->site.listener);
}

void weir_http_site_close(struct weir_http_site *site)
{
    if (site)
        site_close(&site->site);
}

static void opened(struct weir_conn *conn)
{
    struct weir_http_server *server = weir_conn_user(conn);
    if (server->server.quiescing && !server->server.patient) {
        weir_conn_close(conn);
        return;
    }
    if (strcmp(weir_conn_alpn(conn), "h2") == 0)
        h2_server_open(server, conn);
    else
        h1_server_open(server, conn);
    server_opened(&server->server, conn);
}

static void closed(struct weir_conn *conn, enum weir_conn_reason reason, const char *text)
{
    struct weir_http_server *server = weir_conn_user(conn);
    server_log_closed(&server->server, reason, text);
}

static const struct weir_conn_events unopened_events = { .opened = opened, .closed = closed };

struct weir_http_server *weir_http_server_start(struct weir_http_site *site, struct weir_worker *worker,
                                                void *user, struct weir_error *error)
{
    struct weir_http_server *server = weir_xcalloc(1, sizeof(*server));
    server->server.freeing = exchange_forget;
    if (server_start(&server->server, &site->site, worker, user, &unopened_events, error) != 0) {
        free(server);
        return NULL;
    }
    return server;
}

void weir_http_server_quiesce(struct weir_http_server *server)
{
    if (server)
        server_quiesce(&server->server);
}

void weir_http_server_drain(struct weir_http_server *server, void (*done)(void *user))
{
    server_drain(&server->server, done);
}

void weir_http_server_stop(struct weir_http_server *server)
{
    if (server)
        server_stop(&server->server);
}
