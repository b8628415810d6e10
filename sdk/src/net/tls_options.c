// SPDX-License-Identifier: Apache-2.0
/*
 * The `tls:` groups of configs (collector-core section 7).
 */
#include <config.h>

#include <string.h>

#include <weir/tls.h>

#include "sdk/src/net/tls_names.h"

int weir_tls_version(const char *name)
{
    static const char *const names[] = { "1.0", "1.1", "1.2", "1.3" };
    for (int i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0)
            return 10 + i;
    return 0;
}

const char *weir_tls_group_name(const char *name)
{
    static const char *const names[][2] = {
        { "P256", "P-256" },
        { "P384", "P-384" },
        { "P521", "P-521" },
        { "X25519", "X25519" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(names); i++)
        if (strcmp(name, names[i][0]) == 0)
            return names[i][1];
    return NULL;
}

static bool given(const char *text)
{
    return text && *text;
}

static int check_version(struct weir_checker *checker, const char *key, const char *text)
{
    if (!given(text))
        return 0;
    int version = weir_tls_version(text);
    if (version == 0)
        weir_check_fail(checker, key, "invalid TLS %s: unsupported TLS version: \"%s\"", key, text);
    return version;
}

static void check_curves(const struct weir_tls_common *tls, struct weir_checker *checker)
{
    for (size_t i = 0; i < tls->curve_preferences.count; i++) {
        const char *name = tls->curve_preferences.items[i];
        if (strcmp(name, "X25519MLKEM768") == 0)
            weir_check_fail(checker, "curve_preferences",
                            "X25519MLKEM768 needs OpenSSL 3.5; use P256, P384, P521 or "
                            "X25519");
        else if (!weir_tls_group_name(name))
            weir_check_fail(checker, "curve_preferences",
                            "invalid curve type: %s. Expected values are [P256, P384, P521, X25519]", name);
    }
}

static void check_common(const struct weir_tls_common *tls, struct weir_checker *checker)
{
    if (given(tls->ca_file) && given(tls->ca_pem.text))
        weir_check_fail(checker, "ca_pem",
                        "provide either a CA file or the PEM-encoded string, but not both");
    if (given(tls->cert_file) && given(tls->cert_pem.text))
        weir_check_fail(checker, "cert_pem",
                        "provide either a certificate or the PEM-encoded string, but not both");
    if (given(tls->key_file) && given(tls->key_pem.text))
        weir_check_fail(checker, "key_pem", "provide either a key or the PEM-encoded string, but not both");
    int min = check_version(checker, "min_version", tls->min_version);
    int max = check_version(checker, "max_version", tls->max_version);
    if (max > 0 && (min ? min : 12) > max)
        weir_check_fail(checker, "max_version",
                        "invalid TLS configuration: min_version cannot be greater than max_version");
    check_curves(tls, checker);
    if (tls->reload_interval.ns < 0)
        weir_check_fail(checker, "reload_interval", "must not be negative");
}

static bool has_certificate(const struct weir_tls_common *tls)
{
    return given(tls->cert_file) || given(tls->cert_pem.text);
}

static bool has_key(const struct weir_tls_common *tls)
{
    return given(tls->key_file) || given(tls->key_pem.text);
}

static void check_client(const void *group, struct weir_checker *checker)
{
    const struct weir_tls_client_options *tls = group;
    check_common(&tls->common, checker);
    if (has_certificate(&tls->common) != has_key(&tls->common))
        weir_check_fail(checker, NULL,
                        "TLS configuration must include both certificate and key (CertFile/CertPem and "
                        "KeyFile/KeyPem)");
}

static void check_server(const void *group, struct weir_checker *checker)
{
    const struct weir_tls_server_options *tls = group;
    check_common(&tls->common, checker);
    if (!has_certificate(&tls->common) || !has_key(&tls->common))
        weir_check_fail(checker, NULL,
                        "TLS configuration must include both certificate and key for server connections");
}

#define COMMON(type)                                                                                       \
    WEIR_OPTION(                                                                                           \
        type, common.ca_file, "ca_file",                                                                   \
        .doc = "PEM file of the CAs that the peer's certificate is verified with; unset: the system's."),  \
        WEIR_OPTION(type, common.ca_pem, "ca_pem", .doc = "The same as text."),                            \
        WEIR_OPTION(type, common.include_system_ca_certs_pool, "include_system_ca_certs_pool",             \
                    .preset = "false", .doc = "Trust the system's CAs in addition to the given one."),     \
        WEIR_OPTION(type, common.cert_file, "cert_file",                                                   \
                    .doc = "PEM file of our certificate and its chain."),                                  \
        WEIR_OPTION(type, common.cert_pem, "cert_pem", .doc = "The same as text."),                        \
        WEIR_OPTION(type, common.key_file, "key_file", .doc = "PEM file of our private key."),             \
        WEIR_OPTION(type, common.key_pem, "key_pem", .doc = "The same as text."),                          \
        WEIR_OPTION(type, common.min_version, "min_version", .preset = "1.2",                              \
                    .doc = "Oldest version of TLS to accept: 1.0, 1.1, 1.2 or 1.3."),                      \
        WEIR_OPTION(type, common.max_version, "max_version",                                               \
                    .doc = "Newest version of TLS to accept: 1.0, 1.1, 1.2 or 1.3; unset: no limit."),     \
        WEIR_OPTION(type, common.cipher_suites, "cipher_suites",                                           \
                    .doc = "Cipher suites up to TLS 1.2 by their IANA names; unset: OpenSSL's choice."),   \
        WEIR_OPTION(type, common.include_insecure_cipher_suites, "include_insecure_cipher_suites",         \
                    .preset = "false", .doc = "Accept names of insecure cipher suites in cipher_suites."), \
        WEIR_OPTION(                                                                                       \
            type, common.curve_preferences, "curve_preferences",                                           \
            .doc = "Curves in order of preference: P256, P384, P521, X25519; unset: OpenSSL's choice."),   \
        WEIR_OPTION(type, common.reload_interval, "reload_interval", .preset = "0s",                       \
                    .doc = "How often certificate and key are looked at for changes; 0: every second."),   \
        WEIR_OPTION_REFUSED("tpm", "keys in a TPM are not supported")

static const struct weir_option client_options[] = {
    COMMON(struct weir_tls_client_options),
    WEIR_OPTION(struct weir_tls_client_options, insecure, "insecure", .preset = "false",
                .doc = "Connect without TLS, unless a CA is given."),
    WEIR_OPTION(struct weir_tls_client_options, insecure_skip_verify, "insecure_skip_verify",
                .preset = "false", .doc = "Do not verify the server's certificate."),
    WEIR_OPTION(struct weir_tls_client_options, server_name_override, "server_name_override",
                .doc = "Name to ask for and to verify, instead of the endpoint's host."),
    WEIR_OPTION_END,
};

static const struct weir_option server_options[] = {
    COMMON(struct weir_tls_server_options),
    WEIR_OPTION(struct weir_tls_server_options, client_ca_file, "client_ca_file",
                .doc = "PEM file of CAs; clients must show a certificate signed by one of them."),
    WEIR_OPTION(struct weir_tls_server_options, client_ca_file_reload, "client_ca_file_reload",
                .preset = "true", .doc = "Whether client_ca_file is looked at for changes, once a second."),
    WEIR_OPTION_END,
};

const struct weir_option_table weir_tls_client_table = { client_options,
                                                         sizeof(struct weir_tls_client_options),
                                                         check_client };
const struct weir_option_table weir_tls_server_table = { server_options,
                                                         sizeof(struct weir_tls_server_options),
                                                         check_server };

bool weir_tls_client_wanted(const struct weir_tls_client_options *tls)
{
    return !tls->insecure || given(tls->common.ca_file) || given(tls->common.ca_pem.text);
}
