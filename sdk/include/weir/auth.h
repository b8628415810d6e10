// SPDX-License-Identifier: Apache-2.0
/*
 * Authentication: what authenticator extensions offer, and the `auth:` group of servers and clients (collector-core 4.2,
 * 4.3, 6). The servers and clients of the SDK ask; a component only has the group in its options.
 */
#ifndef WEIR_AUTH_H
#define WEIR_AUTH_H

#include <weir/arena.h>
#include <weir/component.h>
#include <weir/context.h>
#include <weir/http.h>

WEIR_BEGIN

/* The interfaces for weir_instance_extension; the nouns for its errors are "server authenticator" and "client
 * authenticator". */
#define WEIR_AUTH_SERVER "weir.auth.server"
#define WEIR_AUTH_CLIENT "weir.auth.client"

/* `auth:` of a server or client. */
struct weir_auth_options {
    struct weir_reference authenticator;
    struct weir_strings request_params; /* HTTP servers: query parameters shown to the authenticator as headers */
};
WEIR_EXPORT extern const struct weir_option_table weir_auth_client_table;      /* authenticator */
WEIR_EXPORT extern const struct weir_option_table weir_auth_server_table;      /* authenticator */
WEIR_EXPORT extern const struct weir_option_table weir_auth_http_server_table; /* authenticator, request_params */

/* A request as a server authenticator sees it; valid during the call. */
struct weir_auth_request {
    const struct weir_http_header *headers; /* names in lower case; query parameters that were asked for come first,
                                             * and instead of headers of their name */
    size_t header_count;
    struct weir_str peer;
};

#define WEIR_AUTH_ATTRIBUTES_MAX 8

/* What the authenticator found out; made by the server. */
struct weir_auth_verdict {
    int grpc_code;       /* of a refusal over gRPC; 0: WEIR_GRPC_UNAUTHENTICATED. WEIR_GRPC_UNAVAILABLE is 503 over
                          * HTTP, all others 401 */
    const char *message; /* of a refusal: constant text, tells the client no secret */
    /* Of the caller ("username"), for the context: weir_auth_verdict_add. */
    struct weir_metadata attributes[WEIR_AUTH_ATTRIBUTES_MAX];
    size_t attribute_count;
    struct weir_arena *arena; /* lives as long as the request */
    bool failed;              /* an attribute could not be kept: refused, whatever `check` returns */
};
/* Adds an attribute; copied. During `check`. */
WEIR_EXPORT void weir_auth_verdict_add(struct weir_auth_verdict *verdict, struct weir_str key, struct weir_str value);

/* The only value under `name` (lower case). false with `verdict` filled ("missing or empty authorization header",
 * "more than one authorization header"), for whoever cannot say which of two values a proxy in front has looked at must
 * not pick one. During `check`. */
WEIR_EXPORT bool weir_auth_request_header(const struct weir_auth_request *request, const char *name,
                                          struct weir_str *value, struct weir_auth_verdict *verdict);

/* Whether both are the same, in a time that depends on their lengths only. Any thread. */
WEIR_EXPORT bool weir_auth_equal(struct weir_str a, struct weir_str b);

struct weir_auth_server {
    uint32_t struct_size;
    /* May this request come in? Never blocks. Any worker. */
    bool (*check)(struct weir_instance *extension, const struct weir_auth_request *request,
                  struct weir_auth_verdict *verdict);
};

/* The headers of a request on its way out, under construction; opaque. Names are compared without case. */
struct weir_auth_headers;
WEIR_EXPORT bool weir_auth_header_has(const struct weir_auth_headers *headers, struct weir_str name);
/* Replaces the values of the name by one; copied. A name or value that no header can have fails the request. */
WEIR_EXPORT void weir_auth_header_set(struct weir_auth_headers *headers, struct weir_str name, struct weir_str value);
WEIR_EXPORT void weir_auth_header_remove(struct weir_auth_headers *headers, struct weir_str name);

struct weir_auth_client {
    uint32_t struct_size;
    bool needs_tls; /* gRPC: not without transport security, as upstream's credentials */
    /* Adds what proves who we are. `context` is the batch's (NULL: none). 0, or -1 with `error` set: the request fails,
     * permanently. Never blocks. Any worker. */
    int (*headers)(struct weir_instance *extension, const struct weir_context *context,
                   struct weir_auth_headers *headers, struct weir_error *error);
};

WEIR_END

#endif
