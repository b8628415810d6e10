// SPDX-License-Identifier: Apache-2.0
/*
 * gRPC servers: connections and calls. Private to sdk/src/grpc.
 */
#ifndef WEIR_GRPC_SERVER_PRIVATE_H
#define WEIR_GRPC_SERVER_PRIVATE_H

#include <weir/compress.h>
#include <weir/grpc_server.h>

#include "sdk/src/auth/auth.h"
#include "sdk/src/http/h2_session.h"
#include "sdk/src/http/site.h"

/* Flag and length before each message (PROTOCOL-HTTP2.md: Length-Prefixed-Message). */
#define GRPC_PREFIX 5

struct weir_grpc_site {
    struct site site;
    const struct weir_grpc_server_options *options;
    const struct weir_grpc_method *methods;
    const struct weir_grpc_handler *handler;
    struct auth_server auth;
};

struct weir_grpc_server {
    struct server server;
    /* The last reply in each encoding, prefix and all: most replies are the same few bytes. */
    struct {
        struct weir_buffer *message;
        struct weir_buffer *framed;
    } replies[WEIR_ENCODINGS];
};

struct grpc_connection {
    struct server_peer peer;
    struct weir_grpc_server *server;
    struct weir_conn *conn;
    struct h2_session *session;
    int64_t last_read;    /* all times on the worker's clock */
    int64_t idle_since;   /* when the last call ended */
    int64_t age_at;       /* when the client is asked to connect anew; INT64_MAX: never */
    int64_t grace_at;     /* when the connection is closed in spite of calls; INT64_MAX: never */
    int64_t refuse_at;    /* while draining: when new calls are refused at the latest */
    int64_t ping_sent;    /* INT64_MAX: no ping is unanswered */
    int64_t last_ping;    /* when the client pinged; INT64_MIN: never */
    unsigned strikes;     /* pings that came too early */
    bool forgive_strikes; /* something was sent since the last ping */
    bool draining;
    bool refused;
};

struct weir_grpc_call {
    struct weir_grpc_server *server;
    struct h2_stream *stream; /* NULL: the client went away */
    const struct weir_grpc_method *method;
    struct headers metadata; /* its arena holds the peer */
    struct weir_str peer;
    struct weir_metadata *attributes; /* of the caller */
    size_t attribute_count;
    int64_t deadline;
    enum weir_encoding encoding; /* of grpc-encoding */
    uint8_t prefix[GRPC_PREFIX];
    size_t prefix_length;
    struct weir_buffer *message; /* NULL until the prefix is whole */
    size_t expected;
    bool compressed;
    bool delivered;
    bool answered;
    unsigned busy; /* calls on the stack that still need it */
    void *data;
    struct headers_room room; /* for `metadata`; not zeroed */
};

static inline struct weir_grpc_site *grpc_site_of(const struct weir_grpc_server *server)
{
    return WEIR_CONTAINER_OF(server->server.site, struct weir_grpc_site, site);
}

/* The request headers of a stream are here: answers what cannot be served, else sets stream->user. */
void grpc_call_begin(struct grpc_connection *connection, struct h2_stream *stream);
/* Bytes of the body, its end, and the end of the stream, for streams whose user is set. */
void grpc_call_data(struct weir_grpc_call *call, const uint8_t *bytes, size_t length);
void grpc_call_end(struct weir_grpc_call *call);
void grpc_call_detach(struct weir_grpc_call *call);

/* Times of a connection: what is due at `now`, and when the next thing is. */
void grpc_keepalive_start(struct grpc_connection *connection);
void grpc_keepalive_fire(struct grpc_connection *connection);
void grpc_keepalive_schedule(struct grpc_connection *connection);
/* A PING of the client: too many of them end the connection. */
void grpc_keepalive_pinged(struct grpc_connection *connection);
/* Asks the client to go. */
void grpc_keepalive_drain(struct grpc_connection *connection);

#endif
