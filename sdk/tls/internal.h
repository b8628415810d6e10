// SPDX-License-Identifier: Apache-2.0
/*
 * Inside of the TLS side library.
 */
#ifndef WEIR_TLS_INTERNAL_H
#define WEIR_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "sdk/tls/engine.h"

/* Functions of libweir; set when the library is opened. */
extern struct weir_tls_host weir_tls_host;

struct tls_context {
    SSL_CTX *ssl;
    bool server;
    bool skip_verify;
    uint8_t *alpn; /* a server's protocols */
    size_t alpn_length;
    bool given[WEIR_TLS_USES];
    struct weir_tls_validity validity[WEIR_TLS_USES];
};

/* OpenSSL's first pending error as text, and forgets all of them. For one use at once. */
const char *weir_tls_why(void);

struct tls_context *weir_tls_context_make(const struct weir_tls_spec *spec, struct weir_error *error);
/* Reads certificate, key and trust into the context; -1 with `error` set. */
int weir_tls_load_identity(struct tls_context *context, const struct weir_tls_spec *spec, struct weir_error *error);
int weir_tls_load_trust(struct tls_context *context, const struct weir_tls_spec *spec, struct weir_error *error);

bool weir_tls_cipher(const char *name, bool *insecure, const char **openssl);

/* When the library is opened, before weir_tls_sha256. */
void weir_tls_digest_open(void);
bool weir_tls_sha256(const void *data, size_t length, uint8_t out[WEIR_TLS_SHA256]);

/* A BIO over struct weir_tls_io, which is set with BIO_set_data for the time of one call. NULL when memory is
 * out. */
BIO *weir_tls_bio_new(void);

#endif
