// SPDX-License-Identifier: Apache-2.0
/*
 * Asking authenticators, for the servers and clients. Private to libweir.
 */
#ifndef WEIR_SDK_AUTH_H
#define WEIR_SDK_AUTH_H

#include <weir/auth.h>

#include "sdk/src/http/headers.h"

/* The authenticator that a server's `auth:` names. */
struct auth_server {
    struct weir_instance *extension; /* NULL: everybody may come in */
    const struct weir_auth_server *functions;
    const struct weir_strings *request_params;
};

/* Finds it for `user` (NULL: a server without extensions). 0, or -1 with `error` set. Main thread. */
int auth_server_find(struct auth_server *auth, const struct weir_auth_options *options, struct weir_instance *user,
                     struct weir_error *error);

/* Whether a request with these headers may come in; attributes of `verdict` are kept in `arena`. With a refusal,
 * verdict->message and verdict->grpc_code are set. */
bool auth_server_check(const struct auth_server *auth, const struct headers *headers, struct weir_str query,
                       struct weir_str peer, struct weir_arena *arena, struct weir_auth_verdict *verdict);

/* The authenticator that a client's `auth:` names. */
struct auth_client {
    struct weir_instance *extension; /* NULL: none */
    const struct weir_auth_client *functions;
};

int auth_client_find(struct auth_client *auth, const struct weir_auth_options *options, struct weir_instance *user,
                     struct weir_error *error);

/* What both of them do; `side` is "server" or "client". Out parameters are borrowed. */
int auth_find(const struct weir_auth_options *options, struct weir_instance *user, const char *interface,
              const char *side, struct weir_instance **extension, const void **functions, struct weir_error *error);

/* What is sent with a request: */
struct weir_auth_headers {
    struct headers configured; /* by the options and the request, as far as the authenticator leaves it */
    struct headers added;      /* by the authenticator: not for other hosts */
    char *failure;             /* why the request cannot be sent */
};

/* Lets the authenticator work on `headers`, whose `configured` is filled. 0, or -1 with `error` set. */
int auth_client_apply(const struct auth_client *auth, const struct weir_context *context,
                      struct weir_auth_headers *headers, struct weir_error *error);
/* Accepts one that is all zero. */
void auth_headers_free(struct weir_auth_headers *headers);

#endif
