// SPDX-License-Identifier: Apache-2.0
/* Digests, from the side library that also does TLS. */
#include <config.h>

#include <stdatomic.h>

#include <weir/digest.h>

#include "sdk/src/net/tls_context.h"

static _Atomic(const struct weir_tls_engine *) engine;

int weir_digest_prepare(struct weir_error *error)
{
    uint8_t digest[WEIR_TLS_SHA256];
    const struct weir_tls_engine *loaded = weir_tls_engine(error);
    if (!loaded)
        return -1;
    if (!loaded->sha256("", 0, digest))
        return weir_error_set(error, "OpenSSL has no SHA-256");
    atomic_store_explicit(&engine, loaded, memory_order_release);
    return 0;
}

bool weir_sha256_hex(const void *data, size_t length, char out[WEIR_SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
    const struct weir_tls_engine *loaded = atomic_load_explicit(&engine, memory_order_acquire);
    uint8_t digest[WEIR_TLS_SHA256];
    if (!loaded || !loaded->sha256(data, length, digest))
        return false;
    for (size_t i = 0; i < sizeof digest; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[2 * sizeof digest] = '\0';
    return true;
}
