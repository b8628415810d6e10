// SPDX-License-Identifier: Apache-2.0
/*
 * One TLS connection, and the table through which libweir calls.
 */
#include <config.h>

#include <arpa/inet.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "sdk/tls/internal.h"

struct weir_tls_host weir_tls_host;

static void *context_new(const struct weir_tls_spec *spec, struct weir_error *error)
{
    return weir_tls_context_make(spec, error);
}

static void context_free(void *pointer)
{
    struct tls_context *context = pointer;
    SSL_CTX_free(context->ssl);
    free(context->alpn);
    free(context);
}

static bool validity(void *pointer, enum weir_tls_use use, struct weir_tls_validity *out)
{
    const struct tls_context *context = pointer;
    if (context->given[use])
        *out = context->validity[use];
    return context->given[use];
}

/* Whom to ask for and whom to expect; RFC 6066 section 3: no address in SNI. */
static bool set_peer(SSL *ssl, const char *name, bool verify)
{
    unsigned char address[16];
    bool is_address = inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
    if (!is_address && SSL_set_tlsext_host_name(ssl, name) != 1)
        return false;
    if (!verify)
        return true;
    X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);
    if (is_address)
        return X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return SSL_set1_host(ssl, name) == 1;
}

static void *session_new(void *pointer, const char *server_name, struct weir_error *error)
{
    struct tls_context *context = pointer;
    ERR_clear_error();
    SSL *ssl = SSL_new(context->ssl);
    BIO *bio = ssl ? weir_tls_bio_new() : NULL;
    if (bio)
        SSL_set_bio(ssl, bio, bio);
    if (!bio || (!context->server && server_name && !set_peer(ssl, server_name, !context->skip_verify))) {
        weir_tls_host.fail(error, "%s", weir_tls_why());
        SSL_free(ssl);
        return NULL;
    }
    if (context->server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    return ssl;
}

static void session_free(void *session)
{
    SSL_free(session);
}

static void begin(SSL *ssl, struct weir_tls_io *io)
{
    BIO_set_data(SSL_get_rbio(ssl), io);
    ERR_clear_error();
}

/* What a call of OpenSSL that did not succeed means. */
static enum weir_tls_status status_of(SSL *ssl, int result, struct weir_error *error)
{
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return WEIR_TLS_MORE;
    case SSL_ERROR_ZERO_RETURN:
        return WEIR_TLS_END;
    default:
        break;
    }
    long verified = SSL_get_verify_result(ssl);
    if (verified != X509_V_OK && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE && !SSL_is_init_finished(ssl)) {
        ERR_clear_error();
        weir_tls_host.fail(error, "certificate verify failed: %s", X509_verify_cert_error_string(verified));
    } else {
        weir_tls_host.fail(error, "%s", weir_tls_why());
    }
    return WEIR_TLS_FAILED;
}

static enum weir_tls_status handshake(void *session, struct weir_tls_io *io, struct weir_error *error)
{
    begin(session, io);
    int result = SSL_do_handshake(session);
    return result == 1 ? WEIR_TLS_DONE : status_of(session, result, error);
}

static enum weir_tls_status read_plain(void *session, struct weir_tls_io *io, void *out, size_t size,
                                       size_t *length, struct weir_error *error)
{
    begin(session, io);
    *length = 0;
    int result = SSL_read_ex(session, out, size, length);
    return result == 1 ? WEIR_TLS_DONE : status_of(session, result, error);
}

static enum weir_tls_status write_plain(void *session, struct weir_tls_io *io, const void *data,
                                        size_t length, struct weir_error *error)
{
    size_t written = 0;
    begin(session, io);
    int result = SSL_write_ex(session, data, length, &written);
    if (result == 1 && written == length)
        return WEIR_TLS_DONE;
    // The BIO takes everything, and nothing is written before the handshake is over: there is nothing to wait
    // for.
    if (result == 1 || status_of(session, result, error) != WEIR_TLS_FAILED)
        weir_tls_host.fail(error, "incomplete record");
    return WEIR_TLS_FAILED;
}

static void end(void *session, struct weir_tls_io *io)
{
    begin(session, io);
    SSL_shutdown(session);
    ERR_clear_error();
}

static const char *alpn(void *session, size_t *length)
{
    const unsigned char *name = NULL;
    unsigned size = 0;
    SSL_get0_alpn_selected(session, &name, &size);
    *length = size;
    return (const char *)name;
}

static const struct weir_tls_engine engine = {
    context_new, context_free, validity, session_new, session_free,   handshake,
    read_plain,  write_plain,  end,      alpn,        weir_tls_cipher, weir_tls_sha256, OPENSSL_thread_stop,
};

WEIR_EXPORT weir_tls_engine_open weir_tls_engine_4;

const struct weir_tls_engine *weir_tls_engine_4(const struct weir_tls_host *host)
{
    weir_tls_host = *host;
    weir_tls_digest_open();
    return &engine;
}
