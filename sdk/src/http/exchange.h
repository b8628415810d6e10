// SPDX-License-Identifier: Apache-2.0
/*
 * One request and its answer, between the protocol that carries it and the handler that serves it. Private to
 * sdk/src/http.
 *
 * A protocol makes an exchange, fills method, target and headers, and calls exchange_begin, exchange_body or
 * exchange_took, and exchange_end. Each of them may come back with the exchange answered and freed: it then
 * returns false, and the protocol's `answer` was called before.
 */
#ifndef WEIR_HTTP_EXCHANGE_H
#define WEIR_HTTP_EXCHANGE_H

#include <weir/compress.h>
#include <weir/http_server.h>

#include "sdk/src/auth/auth.h"
#include "sdk/src/http/headers.h"
#include "sdk/src/http/inbox.h"
#include "sdk/src/http/site.h"

struct weir_http_site {
    struct site site;
    const struct weir_http_server_options *options;
    const struct weir_http_handler *handler;
    struct auth_server auth;
};

struct weir_http_server {
    struct server server;
    int64_t date_second; /* when `date` was made */
    char date[40];
    struct weir_text head; /* where HTTP/1.1 puts the head of an answer together */
    struct inbox inbox;
};

struct exchange_ops {
    /* Writes the answer; the protocol must forget the exchange. `headers` are all but those of the
     * connection; the ranges of `body` may be taken, but those without a buffer end with the call. */
    void (*answer)(struct weir_http_exchange *exchange, int status, const struct weir_http_header *headers,
                   size_t count, struct weir_slices *body);
};

struct weir_http_exchange {
    struct weir_http_server *server;
    const struct exchange_ops *ops; /* NULL: the client went away */
    void *carrier;                  /* the protocol's */
    struct headers headers;         /* its arena holds the strings below */
    struct weir_str method;
    struct weir_str path;
    struct weir_str query;
    struct weir_str peer;
    bool has_length; /* Content-Length came */
    uint64_t length;
    enum weir_encoding encoding;
    struct weir_buffer *body;
    struct weir_metadata *attributes; /* of the caller */
    size_t attribute_count;
    bool delivered; /* handed to `request` */
    bool answered;
    bool too_large; /* the connection is not worth keeping behind the answer */
    unsigned busy; /* calls on the stack that still need it */
    void *data;
    struct headers_room room; /* for `headers`; not zeroed */
};

const struct weir_http_server_options *exchange_options(const struct weir_http_exchange *exchange);

/* NULL when memory is out. */
struct weir_http_exchange *exchange_new(struct weir_http_server *server, struct weir_conn *conn,
                                        const struct exchange_ops *ops, void *carrier) WEIR_MUST_USE;
/* Sets method, path and query from a request line or pseudo headers; false: a target that is no path, or no
 * memory. */
bool exchange_set_target(struct weir_http_exchange *exchange, struct weir_str method,
                         struct weir_str target) WEIR_MUST_USE;
/* The client went away. Frees what the handler does not have yet. */
void exchange_detach(struct weir_http_exchange *exchange);

/* Frees what the server keeps for its exchanges. */
void exchange_forget(struct server *server);

/* The headers are whole. */
bool exchange_begin(struct weir_http_exchange *exchange, bool has_body);
/* More of the body, to be copied. */
bool exchange_body(struct weir_http_exchange *exchange, const uint8_t *bytes, size_t length);
/* Whether these bytes, of which nothing came before, are all of the body. */
bool exchange_is_whole(const struct weir_http_exchange *exchange, size_t length);
/* The whole body, with the caller's reference. */
void exchange_give(struct weir_http_exchange *exchange, struct weir_buffer *body);
/* Where the rest of a body of known length belongs; `length` is how much is missing. NULL: nowhere, perhaps as the
 * exchange had to be answered. */
uint8_t *exchange_room(struct weir_http_exchange *exchange, size_t *length);
/* The request is whole. */
bool exchange_end(struct weir_http_exchange *exchange);
/* Answers a request that cannot be served, in the handler's words. */
void exchange_fail(struct weir_http_exchange *exchange, int status, const char *message);

#endif
