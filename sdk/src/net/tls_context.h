// SPDX-License-Identifier: Apache-2.0
/*
 * Contexts of TLS inside of libweir.
 */
#ifndef WEIR_NET_TLS_CONTEXT_H
#define WEIR_NET_TLS_CONTEXT_H

#include <stdatomic.h>

#include <weir/tls.h>

#include "sdk/tls/engine.h"

struct weir_tls_context {
    const struct weir_tls_engine *engine;
    void *context; /* the engine's */
    atomic_uint references;
    char *server_name; /* server_name_override; NULL: the host that is connected to */
};

/* Loads the side library when first called; NULL with `error` set. Any thread. */
const struct weir_tls_engine *weir_tls_engine(struct weir_error *error);

#endif
