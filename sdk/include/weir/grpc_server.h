// SPDX-License-Identifier: Apache-2.0
/*
 * A gRPC server for receivers: unary methods over HTTP/2, by prior knowledge or TLS with ALPN
 * (github.com/grpc/grpc: PROTOCOL-HTTP2.md). Site and server as in <weir/http_server.h>; a *call* is one
 * request.
 */
#ifndef WEIR_GRPC_SERVER_H
#define WEIR_GRPC_SERVER_H

#include <weir/flow.h>
#include <weir/http_server.h>

WEIR_BEGIN

/* Zero durations mean what gRPC's own default is, given behind each. */
struct weir_grpc_server_parameters {
    struct weir_duration max_connection_idle;      /* 30m */
    struct weir_duration max_connection_age;       /* without limit; spread by +-10 % */
    struct weir_duration max_connection_age_grace; /* without limit */
    struct weir_duration time;                     /* 2h; at least 1s */
    struct weir_duration timeout;                  /* 20s */
};
struct weir_grpc_enforcement_policy {
    struct weir_duration min_time; /* 5m */
    bool permit_without_stream;
};
struct weir_grpc_server_keepalive {
    bool server_parameters_on;
    struct weir_grpc_server_parameters server_parameters;
    bool enforcement_policy_on;
    struct weir_grpc_enforcement_policy enforcement_policy;
};

/* collector-core 4.1 and 4.2. All zero but for the endpoint is a valid configuration. */
struct weir_grpc_server_options {
    char *endpoint;
    char *transport; /* tcp, tcp4, tcp6, unix; NULL: tcp */
    struct weir_server_dialer dialer;
    bool tls_on;
    struct weir_tls_server_options tls;
    int64_t max_recv_msg_size_mib;  /* 0: 4 */
    int64_t max_concurrent_streams; /* a connection; 0: the guard's own limit */
    int64_t read_buffer_size;
    int64_t write_buffer_size;
    bool keepalive_on;
    struct weir_grpc_server_keepalive keepalive;
    bool auth_on;
    struct weir_auth_options auth;
    bool include_metadata; /* read by the component */
};

/* Every key but endpoint, whose default is the component's. */
WEIR_EXPORT extern const struct weir_option_table weir_grpc_server_table;

#ifndef __cplusplus
/* The rows of a component that serves gRPC: `field` is its struct weir_grpc_server_options. */
#define WEIR_GRPC_SERVER_OPTIONS(type, field, default_endpoint)                     \
    WEIR_OPTION_INLINE(type, field, &weir_grpc_server_table),                       \
        WEIR_OPTION(type, field.endpoint, "endpoint", .preset = (default_endpoint), \
                    .doc = "Address to listen on: host:port, :port, or unix:///path.")
#endif

struct weir_grpc_site;
struct weir_grpc_server;
struct weir_grpc_call;

/* A row of the table of methods that a site serves. */
struct weir_grpc_method {
    const char
        *service; /* full name, "opentelemetry.proto.collector.trace.v1.TraceService"; NULL ends the table */
    const char *method; /* "Export" */
    int tag;            /* the component's own, see weir_grpc_call_tag */
};

/* What the owner of a site does; on the server's worker. All but request may be NULL. */
struct weir_grpc_handler {
    /* Asked before `bytes` more of a message are received or inflated; false: the handler has answered. */
    bool (*admit)(struct weir_grpc_call *call, size_t bytes);
    /* The whole message is here, inflated. The answer may come later. */
    void (*request)(struct weir_grpc_call *call);
    /* The server has refused the call itself (not authenticated, too large, unknown compression): for counting. */
    void (*refused)(struct weir_grpc_call *call, int code, const char *message);
    /* The call is about to be freed, answered or not. One that has been handed to `request` is never freed
     * before it was answered, even when its client has gone. */
    void (*release)(struct weir_grpc_call *call);
};

/* As weir_http_site_open; `options`, `methods` and `handler` must outlive the site. Main thread. */
WEIR_EXPORT struct weir_grpc_site *weir_grpc_site_open(const struct weir_grpc_server_options *options,
                                                       const struct weir_grpc_method *methods,
                                                       const struct weir_grpc_handler *handler,
                                                       struct weir_instance *user, struct weir_logger *logger,
                                                       struct weir_error *error) WEIR_MUST_USE;
/* The address as bound, with the real port; owned by the site. Any thread. */
WEIR_EXPORT const char *weir_grpc_site_address(const struct weir_grpc_site *site);
/* All its servers have been stopped. Accepts NULL. Main thread. */
WEIR_EXPORT void weir_grpc_site_close(struct weir_grpc_site *site);
/* Starts to accept on this worker; `user` is what weir_grpc_call_user gives. NULL with `error` set on failure. The
 * worker's thread, as for all that follows. */
WEIR_EXPORT struct weir_grpc_server *weir_grpc_server_start(struct weir_grpc_site *site,
                                                            struct weir_worker *worker, void *user,
                                                            struct weir_error *error) WEIR_MUST_USE;
/* Accepts no more connections and lets those that are there end with their calls (GOAWAY). Accepts NULL. */
WEIR_EXPORT void weir_grpc_server_quiesce(struct weir_grpc_server *server);
/* Quiesces, and calls done(user) once every call is answered and every connection closed; perhaps at once. */
WEIR_EXPORT void weir_grpc_server_drain(struct weir_grpc_server *server, void (*done)(void *user));
/* Closes everything at once and forgets `done`. Calls not yet answered stay valid until they are, without effect.
 * Accepts NULL. */
WEIR_EXPORT void weir_grpc_server_stop(struct weir_grpc_server *server);

/* The tag of the method that was called; -1 before it is known. Views of the request live as long as the call. */
WEIR_EXPORT int weir_grpc_call_tag(const struct weir_grpc_call *call);
/* The message, decompressed; owned by the call, take a reference to keep it. NULL before `request`. */
WEIR_EXPORT struct weir_buffer *weir_grpc_call_message(const struct weir_grpc_call *call);
/* All metadata that is not the protocol's own, names in lower case; :authority stands as "host". */
WEIR_EXPORT const struct weir_http_header *weir_grpc_call_metadata(const struct weir_grpc_call *call,
                                                                   size_t *count);
/* "address:port" of the client, "" for a unix socket. */
WEIR_EXPORT struct weir_str weir_grpc_call_peer(const struct weir_grpc_call *call);
/* What the authenticator found out about the caller, for weir_context_new_authenticated. */
WEIR_EXPORT const struct weir_metadata *weir_grpc_call_attributes(const struct weir_grpc_call *call, size_t *count);
/* When the client gives up (grpc-timeout), on the worker's clock (weir_worker_now); INT64_MAX: never. */
WEIR_EXPORT int64_t weir_grpc_call_deadline(const struct weir_grpc_call *call);
/* What weir_grpc_server_start was given. */
WEIR_EXPORT void *weir_grpc_call_user(const struct weir_grpc_call *call);
/* False once the client went away: nobody will read the answer, which is due all the same. */
WEIR_EXPORT bool weir_grpc_call_alive(const struct weir_grpc_call *call);
/* The handler's own, until `release`. */
WEIR_EXPORT void weir_grpc_call_set_data(struct weir_grpc_call *call, void *data);
WEIR_EXPORT void *weir_grpc_call_data(const struct weir_grpc_call *call);

/* Answers OK with a message, which is copied and compressed as the request was. Once; the call must not be
 * used afterwards. */
WEIR_EXPORT void weir_grpc_reply(struct weir_grpc_call *call, const void *message, size_t length);
/* Answers with a status that is not OK; `message` is UTF-8 text; `details` is an encoded google.rpc.Status
 * for grpc-status-details-bin (length 0: none). Copied. Once; the call must not be used afterwards. */
WEIR_EXPORT void weir_grpc_fail(struct weir_grpc_call *call, int code, const char *message,
                                const void *details, size_t length);

WEIR_END

#endif
