// SPDX-License-Identifier: Apache-2.0
/*
 * An HTTP server for receivers and extensions: HTTP/1.1, and HTTP/2 where TLS negotiates it.
 *
 * A *site* is what all workers share of one configured address: the options, the address, the TLS context. A
 * *server* is the part of it on one worker. An *exchange* is one request and its answer, whatever protocol
 * carries it.
 *
 *     create          weir_option_table with WEIR_HTTP_SERVER_OPTIONS(...)
 *     start           weir_http_site_open
 *     worker_start    weir_http_server_start
 *     quiesce         weir_http_server_quiesce
 *     drain           weir_http_server_drain
 *     worker_stop     weir_http_server_stop
 *     stop            weir_http_site_close
 */
#ifndef WEIR_HTTP_SERVER_H
#define WEIR_HTTP_SERVER_H

#include <weir/auth.h>
#include <weir/buffer.h>
#include <weir/http.h>
#include <weir/logger.h>
#include <weir/option.h>
#include <weir/tls.h>
#include <weir/worker.h>

WEIR_BEGIN

/* `dialer:`, one of the address keys, has no effect on a server. */
struct weir_server_dialer {
    bool unused;
};

struct weir_cors_options {
    struct weir_strings allowed_origins;
    struct weir_strings allowed_headers;
    struct weir_strings exposed_headers;
    int64_t max_age; /* seconds */
};

/* collector-core 4.1 and 4.3. All zero but for the endpoint is a valid configuration: plain HTTP, one request
 * a connection. */
struct weir_http_server_options {
    char *endpoint;  /* host:port, [v6]:port, :port; unix:///path, or a path with transport unix */
    char *transport; /* tcp, tcp4, tcp6, unix; NULL: tcp */
    struct weir_server_dialer dialer;
    bool tls_on;
    struct weir_tls_server_options tls;
    bool cors_on;
    struct weir_cors_options cors;
    bool auth_on;
    struct weir_auth_options auth;
    int64_t max_request_body_size; /* bytes, on the wire and inflated; 0 or less: 20 MiB */
    bool include_metadata;         /* read by the component */
    struct weir_pairs response_headers;
    struct weir_strings compression_algorithms; /* absent: all that are known */
    struct weir_duration read_timeout;
    struct weir_duration read_header_timeout;
    struct weir_duration write_timeout;
    struct weir_duration idle_timeout;
    bool keep_alives_enabled;
};

/* Every key but endpoint and keep_alives_enabled, whose defaults are the component's. */
WEIR_EXPORT extern const struct weir_option_table weir_http_server_table;

#ifndef __cplusplus
/* The rows of a component that serves HTTP: `field` is its struct weir_http_server_options; the defaults are
 * text. */
#define WEIR_HTTP_SERVER_OPTIONS(type, field, default_endpoint, default_keep_alives)                         \
    WEIR_OPTION_INLINE(type, field, &weir_http_server_table),                                                \
        WEIR_OPTION(type, field.endpoint, "endpoint", .preset = (default_endpoint),                          \
                    .doc = "Address to listen on: host:port, :port, or unix:///path."),                      \
        WEIR_OPTION(type, field.keep_alives_enabled, "keep_alives_enabled", .preset = (default_keep_alives), \
                    .doc = "Whether a connection serves more than one request.")
#endif

struct weir_http_site;
struct weir_http_server;
struct weir_http_exchange;

/*
 * What the owner of a site does. All callbacks run on the server's worker, in this order: head, admit (any
 * number of times), request; each may answer with weir_http_respond, after which no other comes. All but
 * request may be NULL.
 */
struct weir_http_handler {
    /* The site is served on worker 0 alone: weir_http_server_start is called there and nowhere else. Otherwise it must be
     * called on every worker, for each has a socket of its own. */
    bool first_worker_only;
    /* The request line and the headers are here and who sent them is known; the body is not here: refuse early
     * what is not served. */
    void (*head)(struct weir_http_exchange *exchange);
    /* Asked before `bytes` more of the body are received or inflated; false: the handler has answered. What
     * was admitted is the handler's to give back. */
    bool (*admit)(struct weir_http_exchange *exchange, size_t bytes);
    /* The whole body is here, inflated. The answer may come later. */
    void (*request)(struct weir_http_exchange *exchange);
    /* Writes the answer to a request that the server itself refuses (401, 503: not authenticated; body too large,
     * unknown Content-Encoding, broken gzip): must answer. NULL: the message as text/plain, or "Unauthorized". */
    void (*fail)(struct weir_http_exchange *exchange, int status, const char *message);
    /* The exchange is about to be freed, answered or not: the place to release what
     * weir_http_exchange_set_data keeps. An exchange that has been handed to `request` is never freed before
     * it was answered, even when its client has gone. */
    void (*release)(struct weir_http_exchange *exchange);
};

/*
 * Opens the address: resolves it and makes sure that it can be bound, so that a bad address, an unreadable
 * certificate or a port in use fails here. Finds the authenticator for `user` (NULL: a server that cannot have
 * one). `options` and `handler` must outlive the site; `logger` may be NULL. NULL with `error` set on failure.
 * Main thread.
 */
WEIR_EXPORT struct weir_http_site *weir_http_site_open(const struct weir_http_server_options *options,
                                                       const struct weir_http_handler *handler,
                                                       struct weir_instance *user, struct weir_logger *logger,
                                                       struct weir_error *error) WEIR_MUST_USE;
/* The address as bound, with the real port ("127.0.0.1:4318", "[::]:4318", "/run/x.sock"). Owned by the site.
 */
WEIR_EXPORT const char *weir_http_site_address(const struct weir_http_site *site);
/* All its servers have been stopped. Accepts NULL. Main thread. */
WEIR_EXPORT void weir_http_site_close(struct weir_http_site *site);

/* Starts to accept on this worker; `user` is what weir_http_exchange_user gives. NULL with `error` set on
 * failure. The worker's thread, as for all that follows. */
WEIR_EXPORT struct weir_http_server *weir_http_server_start(struct weir_http_site *site,
                                                            struct weir_worker *worker, void *user,
                                                            struct weir_error *error) WEIR_MUST_USE;
/* Accepts no more connections, closes idle ones, closes the others behind the answer to their current
 * request. When a reload takes the server out, idle ones have a second for one more request. Accepts NULL. */
WEIR_EXPORT void weir_http_server_quiesce(struct weir_http_server *server);
/* Quiesces, and calls done(user) once every exchange is answered and every connection closed; perhaps at
 * once. */
WEIR_EXPORT void weir_http_server_drain(struct weir_http_server *server, void (*done)(void *user));
/* Closes everything at once and forgets `done`. Exchanges not yet answered stay valid until they are, without
 * effect. Accepts NULL. */
WEIR_EXPORT void weir_http_server_stop(struct weir_http_server *server);

/* The request. Views live as long as the exchange. */
WEIR_EXPORT struct weir_str weir_http_exchange_method(const struct weir_http_exchange *exchange);
/* The path as sent, without query, and the query without "?". */
WEIR_EXPORT struct weir_str weir_http_exchange_path(const struct weir_http_exchange *exchange);
WEIR_EXPORT struct weir_str weir_http_exchange_query(const struct weir_http_exchange *exchange);
/* The first value of a header, by lower-case name; data is NULL when there is none. Host is "host" in HTTP/2,
 * too. */
WEIR_EXPORT struct weir_str weir_http_exchange_header(const struct weir_http_exchange *exchange,
                                                      const char *name);
/* All headers in the order they came, names in lower case. */
WEIR_EXPORT const struct weir_http_header *
weir_http_exchange_headers(const struct weir_http_exchange *exchange, size_t *count);
/* The inflated body: empty for a request without one, NULL before `request`. Owned by the exchange; take a
 * reference to keep it. */
WEIR_EXPORT struct weir_buffer *weir_http_exchange_body(const struct weir_http_exchange *exchange);
/* "address:port" of the client, "" for a unix socket. */
WEIR_EXPORT struct weir_str weir_http_exchange_peer(const struct weir_http_exchange *exchange);
/* What the authenticator found out about the caller, for weir_context_new_authenticated. */
WEIR_EXPORT const struct weir_metadata *
weir_http_exchange_attributes(const struct weir_http_exchange *exchange, size_t *count);
/* What weir_http_server_start was given. */
WEIR_EXPORT void *weir_http_exchange_user(const struct weir_http_exchange *exchange);
/* False once the client went away: nobody will read the answer, which is due all the same. */
WEIR_EXPORT bool weir_http_exchange_alive(const struct weir_http_exchange *exchange);
/* The handler's own, until `release`. */
WEIR_EXPORT void weir_http_exchange_set_data(struct weir_http_exchange *exchange, void *data);
WEIR_EXPORT void *weir_http_exchange_data(const struct weir_http_exchange *exchange);

/*
 * Answers, once, now or later, on the same worker; the exchange must not be used afterwards. Headers are
 * copied; the ranges of `body` (may be NULL) are taken over and the list left empty. Content-Length, Date,
 * CORS and the configured response headers are added here. For HEAD the body is dropped.
 */
WEIR_EXPORT void weir_http_respond(struct weir_http_exchange *exchange, int status,
                                   const struct weir_http_header *headers, size_t count,
                                   struct weir_slices *body);
/* The same for a short body that is copied; content_type NULL: no body, no Content-Type. */
WEIR_EXPORT void weir_http_respond_text(struct weir_http_exchange *exchange, int status,
                                        const char *content_type, struct weir_str body);

WEIR_END

#endif
