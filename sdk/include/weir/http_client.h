// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP client: requests with a body that is never copied, over pooled HTTP/1.1 connections, or HTTP/2 where
 * TLS agrees on it.
 *
 * An instance makes one weir_http_transport in its start (it reads the certificate files), and each of its
 * shards one weir_http_client in worker_start. What follows the worker's clock and stays on the worker is the
 * client.
 */
#ifndef WEIR_HTTP_CLIENT_H
#define WEIR_HTTP_CLIENT_H

#include <weir/auth.h>
#include <weir/buffer.h>
#include <weir/context.h>
#include <weir/http.h>
#include <weir/option.h>
#include <weir/tls.h>
#include <weir/url.h>
#include <weir/worker.h>

WEIR_BEGIN

/*
 * The keys of an HTTP client in a config (collector-core 6.2), to be taken in with WEIR_OPTION_INLINE.
 * `endpoint`, `timeout`, `compression` and `compression_params` are each component's own rows: their defaults
 * differ.
 */
struct weir_http_client_options {
    struct weir_tls_client_options tls;
    struct weir_secret_pairs headers;
    bool auth_on;
    struct weir_auth_options auth;
    char *proxy_url;                        /* NULL or empty: what the environment says */
    int64_t max_idle_conns;                 /* of all hosts; 0: no limit */
    int64_t max_idle_conns_per_host;        /* 0: 2 */
    int64_t max_conns_per_host;             /* 0: no limit */
    struct weir_duration idle_conn_timeout; /* 0: none */
    bool disable_keep_alives;
    bool force_attempt_http2;
    struct weir_duration http2_read_idle_timeout; /* silence after which a ping is sent; 0: never */
    struct weir_duration http2_ping_timeout;      /* 0: 15 s */
    struct weir_subtree cookies;                  /* only `enabled: false` passes */
};

/* The keys, to be taken in with WEIR_OPTION_INLINE. */
WEIR_EXPORT extern const struct weir_option_table weir_http_client_table;

/* What the clients of all workers share; unchanging, so that any thread may use it. */
struct weir_http_transport;

/* Parses proxy_url and the proxy variables of the environment and, with `https` (some URL needs it) or where
 * `tls` names files, loads certificates; finds the authenticator for `user` (NULL: nobody who could have one).
 * `options` outlives the transport. NULL with `error` set. Main thread. */
WEIR_EXPORT struct weir_http_transport *
weir_http_transport_new(const struct weir_http_client_options *options, bool https, struct weir_instance *user,
                        struct weir_error *error) WEIR_MUST_USE;
/* After the last client is freed; accepts NULL. Main thread. */
WEIR_EXPORT void weir_http_transport_free(struct weir_http_transport *transport);

/* One worker's connections. */
struct weir_http_client;

/* The worker's thread. Never NULL. */
WEIR_EXPORT struct weir_http_client *
weir_http_client_new(struct weir_worker *worker, const struct weir_http_transport *transport) WEIR_MUST_USE;
/* Ends every request under way (done is called with an error) and closes all connections. Accepts NULL. */
WEIR_EXPORT void weir_http_client_free(struct weir_http_client *client);

/* Valid during the call of done only. */
struct weir_http_response {
    int status;        /* 100 to 999; 0: there was no whole response, `error` says why */
    const char *error; /* "failed to make an HTTP request: Post "URL": ..."; NULL with a status */
    bool unauthenticated; /* with an error: the authenticator gave no credentials, so trying again is of no use */
    const struct weir_http_header *headers;
    size_t header_count;
    struct weir_str
        body;       /* after removal of transfer codings only; its first WEIR_HTTP_RESPONSE_BODY_MAX bytes */
    bool truncated; /* the body was longer; the rest was not read */
};
#define WEIR_HTTP_RESPONSE_BODY_MAX 65536

/* The value of the first header of that name (compared without case), the empty view when there is none. */
WEIR_EXPORT struct weir_str weir_http_response_header(const struct weir_http_response *response,
                                                      const char *name);

/* How long the answer asks to wait, in nanoseconds: Retry-After of a 429 or 503, as seconds or a date (RFC 9110 section
 * 10.2.3); 0: not said. */
WEIR_EXPORT int64_t weir_http_retry_after(const struct weir_http_response *response);

/*
 * One request. Embed it in the state kept for it; zero-initialise, fill the upper part, and keep everything
 * it points to unchanged until done is called.
 */
struct weir_http_request {
    const char *method; /* "POST", "GET" */
    const struct weir_url *url;
    /* Besides Host, User-Agent, Content-Length, and the `headers` of the options, which come first and win; the
     * authenticator's win over both. */
    const struct weir_http_header *headers;
    size_t header_count;
    const struct weir_context *context; /* of the batch, for the authenticator; NULL: none */
    struct weir_slices
        body;        /* every range has a buffer or lasts for ever; emptied by its owner, in done or later */
    int64_t timeout; /* for the whole attempt, to the last byte of the response, in nanoseconds; 0: none */
    /* NULL: the body is gathered for done. Otherwise the body of a 2xx answer is handed over as it comes, without limit:
     * `bytes`, at least one, are valid during the call. false ends the request: done follows, with the status and
     * `truncated`. This and the next must start, cancel and free nothing of the client. */
    bool (*piece)(struct weir_http_request *request, struct weir_str bytes);
    /* The head of a 2xx answer has come, its body follows; may be NULL. */
    void (*begun)(struct weir_http_request *request);
    void (*done)(struct weir_http_request *request, const struct weir_http_response *response);

    struct weir_http_call *call; /* the client's own */
};

/* Starts the request; done is called exactly once, later, on this worker, and may start others or free the
 * request. 307 and 308 are followed up to 10 times, for GET and HEAD also 301 to 303 (another method would
 * become a GET, whose success says nothing of what was to be sent), never from https to http. A request that
 * a kept connection lost before any byte of the answer is sent once more on a new one. While an origin
 * refuses connections or closes them without a word, new attempts are 1 s to 6 s apart, for all workers together at least 1 s. A connection gets a
 * successor after 10 minutes, or when its address is no longer one of the name's. */
WEIR_EXPORT void weir_http_client_send(struct weir_http_client *client, struct weir_http_request *request);

/* Ends a request under way: calls done with the error `reason`. No effect after done. */
WEIR_EXPORT void weir_http_request_cancel(struct weir_http_request *request, const char *reason);

/* Requests under way. */
WEIR_EXPORT size_t weir_http_client_pending(const struct weir_http_client *client);

/* "weir/0.1.0 (linux/amd64)". Any thread. */
WEIR_EXPORT const char *weir_user_agent(void);

WEIR_END

#endif
