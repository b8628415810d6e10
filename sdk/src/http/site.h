// SPDX-License-Identifier: Apache-2.0
/*
 * What HTTP and gRPC servers share below their protocols: the bound address, and the life of the part on each
 * worker. Private to libweir.
 */
#ifndef WEIR_HTTP_SITE_H
#define WEIR_HTTP_SITE_H

#include <weir/logger.h>

#include "sdk/src/net/conn.h"

/* The first member of struct weir_http_site and struct weir_grpc_site. Reference-counted, as connections may
 * outlast the owner's call to close it. */
struct site {
    struct weir_listener *listener;
    struct weir_tls_context *tls;
    struct weir_logger *logger;
    uint32_t references; /* atomic: the owner's, and one for each server */
};

struct site_options {
    const char *endpoint;
    const char *transport;                     /* NULL: tcp */
    const struct weir_tls_server_options *tls; /* NULL: plain text */
    const char *const *alpn;
    bool first_worker_only;
};

/* Binds and loads the certificates; 0, or -1 with `error` set and nothing held. Main thread. */
int site_open(struct site *site, const struct site_options *options, struct weir_logger *logger,
              struct weir_error *error);
/* The owner lets go. Main thread. */
void site_close(struct site *site);
/* The last reference frees the block that begins with the site. Any thread. */
void site_unref(struct site *site);

/* What a connection's user pointer points to, as the first member of the protocol's own structure, once
 * `opened`. */
struct server_peer {
    /* Finish what is under way, take nothing new, then close. */
    void (*quiesce)(struct server_peer *peer);
};

/* The first member of struct weir_http_server and struct weir_grpc_server. Freed, with the block that begins
 * with it, once it is stopped, all connections are gone and every request was answered. */
struct server {
    struct site *site;
    struct weir_worker *worker;
    void *user;
    struct weir_acceptor *acceptor; /* NULL once closed */
    const struct weir_conn_events *events;
    bool quiescing;
    bool patient; /* as it quiesces, clients that are about to send may still do so */
    bool stopped;
    size_t pending; /* requests not yet answered, those of clients that went away too */
    struct spare_request *spare; /* memory of requests that ended, for those to come */
    size_t spares;
    void (*done)(void *user);
    void (*freeing)(struct server *server); /* to free what the block holds besides; NULL allowed */
};

/* Starts to accept; connections get `events` with the server as user pointer. 0, or -1 with `error` set and
 * the block still the caller's. */
int server_start(struct server *server, struct site *site, struct weir_worker *worker, void *user,
                 const struct weir_conn_events *events, struct weir_error *error);
/* A connection's protocol has taken it over. */
void server_opened(const struct server *server, struct weir_conn *conn);
void server_quiesce(struct server *server);
void server_drain(struct server *server, void (*done)(void *user));
void server_stop(struct server *server);

/* One request more: `size` bytes for it, the same for all of a server, not zeroed; NULL when memory is out. */
void *server_begin_request(struct server *server, size_t size) WEIR_MUST_USE;
/* One less, whose memory this is. May free the server if none of its connections is left. */
void server_end_request(struct server *server, void *request);

/* For `closed` of a connection that never opened: a failed handshake goes to the log. */
void server_log_closed(const struct server *server, enum weir_conn_reason reason, const char *text);

#endif
