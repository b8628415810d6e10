// SPDX-License-Identifier: Apache-2.0
/*
 * gRPC client for unary calls: HTTP/2 connections that are kept up and shared by all calls of a worker
 * (gRPC over HTTP/2, connection back-off protocol).
 *
 * An instance makes one weir_grpc_target in its start (it reads the certificate files), and each of its
 * shards one weir_grpc_client in worker_start.
 */
#ifndef WEIR_GRPC_CLIENT_H
#define WEIR_GRPC_CLIENT_H

#include <weir/auth.h>
#include <weir/buffer.h>
#include <weir/compress.h>
#include <weir/context.h>
#include <weir/flow.h>
#include <weir/option.h>
#include <weir/tls.h>
#include <weir/worker.h>

WEIR_BEGIN

enum weir_grpc_balancer {
    WEIR_GRPC_PICK_FIRST,  /* one connection, to the first address that answers */
    WEIR_GRPC_ROUND_ROBIN, /* one to each address of the name; calls take turns */
};

/* The keys of a gRPC client in a config (collector-core 6.1), to be taken in with WEIR_OPTION_INLINE. */
struct weir_grpc_client_options {
    char *endpoint;
    int compression; /* enum weir_encoding: identity, gzip, snappy_framed or zstd */
    struct weir_tls_client_options tls;
    bool keepalive_on;
    struct weir_grpc_client_keepalive {
        struct weir_duration time;    /* silence before a ping; raised to 10 s */
        struct weir_duration timeout; /* for its answer; 0: 20 s */
        bool permit_without_stream;
    } keepalive;
    bool wait_for_ready;
    struct weir_secret_pairs headers;
    bool auth_on;
    struct weir_auth_options auth;
    char *user_agent; /* NULL or empty: weir_user_agent() */
    int balancer;     /* enum weir_grpc_balancer */
    char *authority;  /* NULL or empty: from the endpoint */
};

/* The keys, to be taken in with WEIR_OPTION_INLINE. */
WEIR_EXPORT extern const struct weir_option_table weir_grpc_client_table;
/* The same, for a component that sets the endpoint itself. */
WEIR_EXPORT extern const struct weir_option_table weir_grpc_backend_table;

/* What the clients of all workers share; unchanging, so that any thread may use it. */
struct weir_grpc_target;

/* Takes the endpoint apart, loads certificates and finds the authenticator for `user` (NULL: nobody who could have
 * one). `options` outlives the target. NULL with `error` set. Main thread. */
WEIR_EXPORT struct weir_grpc_target *weir_grpc_target_new(const struct weir_grpc_client_options *options,
                                                          struct weir_instance *user,
                                                          struct weir_error *error) WEIR_MUST_USE;
/* After the last client is freed; accepts NULL. Main thread. */
WEIR_EXPORT void weir_grpc_target_free(struct weir_grpc_target *target);
/* The peer for labels: host (or path of the unix socket) and port (0: none). */
WEIR_EXPORT const char *weir_grpc_target_host(const struct weir_grpc_target *target);
WEIR_EXPORT uint16_t weir_grpc_target_port(const struct weir_grpc_target *target);

/* One worker's connections to the target. */
struct weir_grpc_client;

/* Begins to connect at once and goes on trying (1 s, growing by 1.6 to 5 s, with jitter; once a second at most for all
 * workers together), so an unreachable peer is no error. A name is looked up again every 30 s and when a connection is
 * lost; its last good addresses stay. A connection gets a successor after 10 minutes. The worker's thread. Never NULL. */
WEIR_EXPORT struct weir_grpc_client *
weir_grpc_client_new(struct weir_worker *worker, const struct weir_grpc_target *target) WEIR_MUST_USE;
/* Ends every call under way (done is called with WEIR_GRPC_CANCELLED) and closes all connections. Accepts
 * NULL. */
WEIR_EXPORT void weir_grpc_client_free(struct weir_grpc_client *client);

/* Valid during the call of done only. */
struct weir_grpc_response {
    int code;                /* enum weir_grpc_code, the peer's or, where there was no answer, ours */
    bool answered;           /* the code is the peer's */
    struct weir_str message; /* grpc-message, %-escapes resolved; "" with WEIR_GRPC_OK */
    struct weir_str details; /* google.rpc.Status of grpc-status-details-bin, "" when there is none */
    bool has_retry_info;     /* the details hold a google.rpc.RetryInfo */
    int64_t retry_delay;     /* its delay in nanoseconds */
    struct weir_str body;    /* the answer's message, decompressed; at most WEIR_GRPC_RESPONSE_MAX bytes */
};
/* An answer says how it went; what is longer ends the call with WEIR_GRPC_RESOURCE_EXHAUSTED. */
#define WEIR_GRPC_RESPONSE_MAX (64 * 1024)

/*
 * One unary call. Embed it in the state kept for it; zero-initialise, fill the upper part, and keep
 * everything it points to unchanged until done is called.
 */
struct weir_grpc_request {
    const char *path; /* "/opentelemetry.proto.collector.trace.v1.TraceService/Export" */
    struct weir_slices
        message; /* as the peer shall read it, or compressed beforehand; ranges as in <weir/http_client.h> */
    bool compressed; /* `message` is in the options' compression */
    const struct weir_metadata
        *metadata; /* besides the options' headers, over which they win; names lower case */
    size_t metadata_count;
    const struct weir_context *context; /* of the batch, for the authenticator, whose headers win; NULL: none */
    int64_t timeout; /* for the whole call, in nanoseconds, also told to the peer (grpc-timeout); 0: none */
    void (*done)(struct weir_grpc_request *request, const struct weir_grpc_response *response);

    struct weir_grpc_stream *stream; /* the client's own */
};

/* Starts the call; done is called exactly once, later, on this worker, and may start others or free the call.
 * Without a connection: with wait_for_ready it waits for one, else it waits while the first attempt since the
 * last failure is under way and fails with WEIR_GRPC_UNAVAILABLE after that. Where the authenticator gives no
 * credentials the call fails with WEIR_GRPC_UNAUTHENTICATED. */
WEIR_EXPORT void weir_grpc_client_send(struct weir_grpc_client *client, struct weir_grpc_request *request);

/* Ends a call under way: done is called with WEIR_GRPC_CANCELLED and `reason`. No effect after done. */
WEIR_EXPORT void weir_grpc_request_cancel(struct weir_grpc_request *request, const char *reason);

/* Calls under way. */
WEIR_EXPORT size_t weir_grpc_client_pending(const struct weir_grpc_client *client);

/* "Unavailable", as upstream prints codes; "Code(99)" is written for others into a static text of the thread.
 */
WEIR_EXPORT const char *weir_grpc_code_name(int code);

WEIR_END

#endif
