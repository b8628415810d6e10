// SPDX-License-Identifier: Apache-2.0
/*
 * Certificates and keys, from PEM files or PEM text, with upstream's error texts.
 */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "sdk/tls/internal.h"

/* What an error calls the input. */
static const char *name_pem(const char *path, const char *pem)
{
    return pem ? "PEM" : path;
}

/* PEM from a file, or from text when there is one; NULL with `error` set to "open <path>: ...". */
static BIO *open_pem(const char *path, const char *pem, struct weir_error *error)
{
    BIO *bio = pem ? BIO_new_mem_buf(pem, -1) : BIO_new_file(path, "r");
    if (!bio) {
        int failure = errno;
        ERR_clear_error();
        weir_tls_host.fail(error, "open %s: %s", name_pem(path, pem),
                           failure == ENOENT ? "no such file or directory" : strerror(failure));
    }
    return bio;
}

/* A key with a passphrase would otherwise ask for it on the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *user)
{
    (void)buffer, (void)size, (void)writing, (void)user;
    return -1;
}

static int64_t seconds(const ASN1_TIME *time)
{
    struct tm parts;
    return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

/* A chain ends with the first of its certificates, trust with the last. */
static void note(struct tls_context *context, enum weir_tls_use use, const X509 *certificate)
{
    struct weir_tls_validity *known = &context->validity[use];
    int64_t from = seconds(X509_get0_notBefore(certificate)), to = seconds(X509_get0_notAfter(certificate));
    bool chain = use == WEIR_TLS_OWN;
    if (!context->given[use] || (chain ? from > known->not_before : from < known->not_before))
        known->not_before = from;
    if (!context->given[use] || (chain ? to < known->not_after : to > known->not_after))
        known->not_after = to;
    context->given[use] = true;
}

static int use_chain(struct tls_context *context, BIO *bio)
{
    X509 *own = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);
    int used = own ? SSL_CTX_use_certificate(context->ssl, own) : 0;
    if (used == 1)
        note(context, WEIR_TLS_OWN, own);
    X509_free(own);
    X509 *next;
    while (used == 1 && (next = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
        note(context, WEIR_TLS_OWN, next);
        if (SSL_CTX_add0_chain_cert(context->ssl, next) != 1)
            X509_free(next), used = 0;
    }
    // Anything but the end of the file is a certificate that is broken, or still being written.
    if (used == 1 && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return 0;
    if (used == 1)
        ERR_clear_error();
    return used;
}

int weir_tls_load_identity(struct tls_context *context, const struct weir_tls_spec *spec, struct weir_error *error)
{
    SSL_CTX *ssl = context->ssl;
    if (!spec->cert_file && !spec->cert_pem)
        return 0;
    const char *cert_name = name_pem(spec->cert_file, spec->cert_pem);
    const char *key_name = name_pem(spec->key_file, spec->key_pem);
    BIO *cert = open_pem(spec->cert_file, spec->cert_pem, error);
    BIO *key = cert ? open_pem(spec->key_file, spec->key_pem, error) : NULL;
    EVP_PKEY *private = key ? PEM_read_bio_PrivateKey(key, NULL, no_passphrase, NULL) : NULL;
    int result = -1;
    if (!cert || !key)
        result = -1; // the error is set
    else if (!private)
        weir_tls_host.fail(error, "tls: failed to find any PEM data in key input %s: %s", key_name,
                           weir_tls_why());
    else if (use_chain(context, cert) != 1)
        weir_tls_host.fail(error, "tls: failed to find any PEM data in certificate input %s: %s", cert_name,
                           weir_tls_why());
    else if (SSL_CTX_use_PrivateKey(ssl, private) != 1 || SSL_CTX_check_private_key(ssl) != 1)
        weir_tls_host.fail(error, "tls: private key does not match public key: %s of %s and %s", weir_tls_why(),
                           key_name, cert_name);
    else
        result = 0;
    EVP_PKEY_free(private);
    BIO_free(key);
    BIO_free(cert);
    return result;
}

/* Adds every certificate of the PEM to what is trusted; -1 when there is none or one is broken. */
static int trust_pem(struct tls_context *context, BIO *bio, enum weir_tls_use use)
{
    SSL_CTX *ssl = context->ssl;
    X509_STORE *store = SSL_CTX_get_cert_store(ssl);
    X509 *ca;
    int count = 0;
    while ((ca = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL))) {
        bool added =
            X509_STORE_add_cert(store, ca) == 1 && (use != WEIR_TLS_CLIENT_CA || SSL_CTX_add_client_CA(ssl, ca) == 1);
        if (added)
            note(context, use, ca);
        X509_free(ca);
        if (!added)
            return -1;
        count++;
    }
    bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return count > 0 && at_end ? 0 : -1;
}

static int trust(struct tls_context *context, const char *path, const char *pem, enum weir_tls_use use, const char *what,
                 struct weir_error *error)
{
    struct weir_error why = WEIR_ERROR_INIT;
    BIO *bio = open_pem(path, pem, &why);
    int result = 0;
    if (!bio)
        result = weir_tls_host.fail(error, "failed to load %s: failed to load cert %s: %s", what, path,
                                    why.text.data ? why.text.data : "");
    else if (trust_pem(context, bio, use) != 0)
        result = weir_tls_host.fail(error, "failed to load %s: failed to parse cert%s%s", what,
                                    path ? " " : "", path ? path : "");
    BIO_free(bio);
    weir_tls_host.error_free(&why);
    return result;
}

int weir_tls_load_trust(struct tls_context *context, const struct weir_tls_spec *spec, struct weir_error *error)
{
    SSL_CTX *ssl = context->ssl;
    if (spec->server) {
        // Servers verify clients with client_ca_file alone; ca_file has no part in it (nor has it upstream).
        if ((spec->ca_file || spec->ca_pem) &&
            trust(context, spec->ca_file, spec->ca_pem, WEIR_TLS_CA,
                  spec->ca_pem ? "CA CertPool PEM" : "CA CertPool File", error) != 0)
            return -1;
        if (!spec->client_ca_file)
            return 0;
        X509_STORE *clients = X509_STORE_new();
        if (!clients)
            return weir_tls_host.fail(error, "out of memory");
        SSL_CTX_set_cert_store(ssl, clients);
        return trust(context, spec->client_ca_file, spec->client_ca_pem, WEIR_TLS_CLIENT_CA, "client CA CertPool", error);
    }
    if (spec->system_cas && SSL_CTX_set_default_verify_paths(ssl) != 1)
        return weir_tls_host.fail(error, "failed to load the system's CAs: %s", weir_tls_why());
    if (!spec->ca_file && !spec->ca_pem)
        return 0;
    return trust(context, spec->ca_file, spec->ca_pem, WEIR_TLS_CA,
                 spec->ca_pem ? "CA CertPool PEM" : "CA CertPool File", error);
}
