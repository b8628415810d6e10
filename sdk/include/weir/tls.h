// SPDX-License-Identifier: Apache-2.0
/*
 * TLS: the `tls:` groups of configs (collector-core section 7) and the contexts made from them. OpenSSL is in
 * a side library that is loaded when the first context is made.
 */
#ifndef WEIR_TLS_H
#define WEIR_TLS_H

#include <weir/option.h>

WEIR_BEGIN

/* Keys of both sides. */
struct weir_tls_common {
    char *ca_file;
    struct weir_secret ca_pem;
    bool include_system_ca_certs_pool;
    char *cert_file;
    struct weir_secret cert_pem;
    char *key_file;
    struct weir_secret key_pem;
    char *min_version; /* "1.0" to "1.3"; NULL or "": 1.2 */
    char *max_version; /* the same; NULL or "": no limit */
    struct weir_strings cipher_suites;
    bool include_insecure_cipher_suites;
    struct weir_strings curve_preferences;
    struct weir_duration reload_interval;
};

/* `tls:` of a client. */
struct weir_tls_client_options {
    struct weir_tls_common common;
    bool insecure;
    bool insecure_skip_verify;
    char *server_name_override;
};

/* `tls:` of a server. */
struct weir_tls_server_options {
    struct weir_tls_common common;
    char *client_ca_file;
    bool client_ca_file_reload;
};

/* The keys of `tls` for each side, to be taken in as a group. */
WEIR_EXPORT extern const struct weir_option_table weir_tls_client_table;
WEIR_EXPORT extern const struct weir_option_table weir_tls_server_table;

/* True if the group means TLS at all: not `insecure`, or a CA is given in spite of it. Any thread. */
WEIR_EXPORT bool weir_tls_client_wanted(const struct weir_tls_client_options *tls);

/* Keys and trust, ready for connections, shared by all workers. The files are followed: when they change, new connections
 * get what they say now, while open ones go on. Files that are no good change nothing: they are logged, and the instance
 * in whose start the context was made has a fault until they are good again. */
struct weir_tls_context;

/*
 * Makes a context; reads the files and loads the side library. `alpn` is a NULL-ended list of protocols in
 * order of preference ("h2", "http/1.1"), NULL for none. The caller ends it with weir_tls_context_close. 0, or -1 with
 * upstream's text ("failed to load TLS config: failed to load TLS cert and key: ..."). Main thread, at start.
 */
WEIR_EXPORT int weir_tls_server_context(const struct weir_tls_server_options *tls, const char *const *alpn,
                                        struct weir_tls_context **out, struct weir_error *error);
/* The same for the side that connects. */
WEIR_EXPORT int weir_tls_client_context(const struct weir_tls_client_options *tls, const char *const *alpn,
                                        struct weir_tls_context **out, struct weir_error *error);

/* Follows the files no more and drops the maker's reference; accepts NULL. Main thread. */
WEIR_EXPORT void weir_tls_context_close(struct weir_tls_context *context);

/* Further references; unref accepts NULL. Any thread. */
WEIR_EXPORT struct weir_tls_context *weir_tls_context_ref(struct weir_tls_context *context);
WEIR_EXPORT void weir_tls_context_unref(struct weir_tls_context *context);

WEIR_END

#endif
