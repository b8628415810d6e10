// SPDX-License-Identifier: Apache-2.0
/*
 * A TLS context: what all connections of one server or client share.
 */
#include <config.h>

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "sdk/tls/internal.h"

const char *weir_tls_why(void)
{
    static _Thread_local char text[256];
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);
    if (reason)
        snprintf(text, sizeof(text), "%s", reason);
    else
        ERR_error_string_n(code, text, sizeof(text));
    ERR_clear_error();
    return text;
}

static int version(int number)
{
    static const int versions[] = { TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION };
    return number == 0 ? 0 : versions[number - 10];
}

/* The server's choice: its first protocol that the client offers too, RFC 7301 section 3.2. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                       const unsigned char *offered, unsigned offered_length, void *argument)
{
    const struct tls_context *context = argument;
    unsigned char *chosen = NULL;
    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_length, context->alpn, (unsigned)context->alpn_length, offered,
                              offered_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int set_limits(SSL_CTX *ssl, const struct weir_tls_spec *spec, struct weir_error *error)
{
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    // TLS 1.0 and 1.1 sign with SHA-1, which the usual level of security forbids: at least 112 bits, so no RSA key below
    // 2048 bits, neither ours nor the peer's.
    SSL_CTX_set_security_level(ssl, spec->min_version && spec->min_version < 12 ? 0 : 2);
    if (SSL_CTX_set_min_proto_version(ssl, version(spec->min_version)) != 1 ||
        SSL_CTX_set_max_proto_version(ssl, version(spec->max_version)) != 1)
        return weir_tls_host.fail(error, "TLS version: %s", weir_tls_why());
    if (spec->cipher_list && SSL_CTX_set_cipher_list(ssl, spec->cipher_list) != 1)
        return weir_tls_host.fail(error, "none of the TLS cipher suites is available: %s", weir_tls_why());
    if (spec->groups && SSL_CTX_set1_groups_list(ssl, spec->groups) != 1)
        return weir_tls_host.fail(error, "TLS curves: %s", weir_tls_why());
    return 0;
}

static int set_up(struct tls_context *context, const struct weir_tls_spec *spec, struct weir_error *error)
{
    SSL_CTX *ssl = context->ssl;
    if (set_limits(ssl, spec, error) != 0)
        return -1;
    if (weir_tls_load_identity(context, spec, error) != 0) {
        weir_tls_host.prefix(error, "failed to load TLS cert and key");
        return -1;
    }
    if (weir_tls_load_trust(context, spec, error) != 0)
        return -1;
    if (context->server) {
        SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF); // tickets do, without a lock
        static const unsigned char id[] = "weir";
        SSL_CTX_set_session_id_context(ssl, id, sizeof(id) - 1);
        if (spec->client_ca_file)
            SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        if (spec->alpn_length > 0)
            SSL_CTX_set_alpn_select_cb(ssl, choose_alpn, context);
    } else {
        SSL_CTX_set_verify(ssl, context->skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
        if (spec->alpn_length > 0 &&
            SSL_CTX_set_alpn_protos(ssl, spec->alpn, (unsigned)spec->alpn_length) != 0)
            return weir_tls_host.fail(error, "ALPN: %s", weir_tls_why());
    }
    return 0;
}

struct tls_context *weir_tls_context_make(const struct weir_tls_spec *spec, struct weir_error *error)
{
    struct tls_context *context = calloc(1, sizeof(*context));
    if (context)
        context->ssl = SSL_CTX_new(spec->server ? TLS_server_method() : TLS_client_method());
    if (context && spec->alpn_length > 0) {
        context->alpn = malloc(spec->alpn_length);
        if (context->alpn)
            memcpy(context->alpn, spec->alpn, spec->alpn_length);
        context->alpn_length = spec->alpn_length;
    }
    if (!context || !context->ssl || (context->alpn_length > 0 && !context->alpn)) {
        weir_tls_host.fail(error, "out of memory");
    } else {
        context->server = spec->server;
        context->skip_verify = spec->skip_verify;
        ERR_clear_error();
        if (set_up(context, spec, error) == 0)
            return context;
    }
    if (context) {
        SSL_CTX_free(context->ssl);
        free(context->alpn);
    }
    free(context);
    return NULL;
}
