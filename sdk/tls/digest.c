// SPDX-License-Identifier: Apache-2.0
/*
 * Digests of bytes.
 */
#include <config.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "sdk/tls/internal.h"

/* Looked up once, when the engine is opened: that takes longer than the digest of a short text. */
static EVP_MD *sha256;

void weir_tls_digest_open(void)
{
    if (!sha256)
        sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    ERR_clear_error();
}

bool weir_tls_sha256(const void *data, size_t length, uint8_t out[WEIR_TLS_SHA256])
{
    bool good = sha256 && EVP_Digest(length ? data : "", length, out, NULL, sha256, NULL) == 1;
    ERR_clear_error();
    return good;
}
