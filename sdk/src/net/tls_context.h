// SPDX-License-Identifier: Apache-2.0
/*
 * Contexts of TLS inside of libweir.
 */
#ifndef WEIR_NET_TLS_CONTEXT_H
#define WEIR_NET_TLS_CONTEXT_H

#include <stdatomic.h>

#include <weir/tls.h>

#include "sdk/tls/engine.h"

/* What the files said at one time. Connections keep theirs when the next one comes. */
struct weir_tls_generation {
    const struct weir_tls_engine *engine;
    void *context; /* the engine's */
    atomic_uint references;
};

struct weir_tls_follower;

struct weir_tls_context {
    _Atomic(struct weir_tls_generation *) current;
    atomic_uint references;
    char *server_name;                  /* server_name_override; NULL: the host that is connected to */
    struct weir_tls_follower *follower; /* NULL: the files are not followed; main thread */
};

/* A copy of everything that a context is made from, to make it again. */
struct weir_tls_recipe {
    const struct weir_tls_engine *engine;
    struct weir_tls_spec spec; /* points into what follows */
    char *strings[7];
    size_t count;
    struct weir_text ciphers, groups, alpn, client_ca;
    bool follow_client_ca;
};
void weir_tls_recipe_free(struct weir_tls_recipe *recipe);
/* Reads the files; NULL with `error` set. Blocks; any thread. */
struct weir_tls_generation *weir_tls_generation_make(const struct weir_tls_recipe *recipe, struct weir_error *error);

/* The current generation, for a new connection, until dropped. A worker's thread, with a reference on the context. */
struct weir_tls_generation *weir_tls_generation_take(struct weir_tls_context *context);
void weir_tls_generation_drop(struct weir_tls_generation *generation);
/* Makes `generation` the current one, for all workers. Main thread. */
void weir_tls_context_replace(struct weir_tls_context *context, struct weir_tls_generation *generation);

/* --- tls_follow.c --- */

/* What the files of the recipe say, in short, to be compared. Blocks; any thread. */
uint64_t weir_tls_recipe_print(const struct weir_tls_recipe *recipe);
/* Follows the files of the recipe (taken over), which had that print when the context was made from them, and makes it
 * anew when they change; `interval` for certificate and key (0: 1 s). Main thread. */
void weir_tls_follow(struct weir_tls_context *context, struct weir_tls_recipe *recipe, uint64_t print,
                     int64_t interval);
/* Follows no more; the context stays as it is. No effect on one that is not followed; accepts NULL. Main thread, by the
 * owner, as long as the instance that it belongs to is there. */
void weir_tls_context_end(struct weir_tls_context *context);

/* Loads the side library when first called; NULL with `error` set. Any thread. */
const struct weir_tls_engine *weir_tls_engine(struct weir_error *error);

#endif
