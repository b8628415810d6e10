// SPDX-License-Identifier: Apache-2.0
/*
 * The border between libweir and its TLS side library, which is the only part that knows OpenSSL. The side
 * library does not link libweir: what it needs of it comes in struct weir_tls_host.
 */
#ifndef WEIR_TLS_ENGINE_H
#define WEIR_TLS_ENGINE_H

#include <weir/buffer.h>
#include <weir/error.h>

#define WEIR_TLS_ENGINE_SYMBOL "weir_tls_engine_4"

/* Functions of libweir. */
struct weir_tls_host {
    int (*fail)(struct weir_error *error, const char *format, ...) WEIR_PRINTF(2, 3);
    int (*prefix)(struct weir_error *error, const char *format, ...) WEIR_PRINTF(2, 3);
    void (*error_free)(struct weir_error *error);
    bool (*buffer_append)(struct weir_buffer *buffer, const void *data, size_t length);
};

/* What a context is made from; used during the call only. Strings are NULL when unset. */
struct weir_tls_spec {
    bool server;
    const char *ca_file, *ca_pem;
    bool system_cas; /* in addition to the CA, or because there is none */
    const char *cert_file, *cert_pem, *key_file, *key_pem;
    const char *client_ca_file;   /* server: clients must show a certificate signed by one of these */
    const char *client_ca_pem;    /* its content, when it is not to be read again */
    int min_version, max_version; /* 10 to 13 for TLS 1.0 to 1.3; 0: no limit */
    const char *cipher_list;      /* OpenSSL's names, ':' between; NULL: default */
    const char *groups;           /* the same for curves */
    bool skip_verify;
    const uint8_t *alpn; /* as on the wire: length byte and name, repeated */
    size_t alpn_length;
};

/* The bytes on the wire: taken from `in`, added to `out`. */
struct weir_tls_io {
    const uint8_t *in;
    size_t in_length;
    struct weir_buffer *out;
};

enum weir_tls_status {
    WEIR_TLS_DONE = 1,    /* handshake over; bytes read */
    WEIR_TLS_MORE = 0,    /* all input is used up, more is needed */
    WEIR_TLS_FAILED = -1, /* `error` says why; an alert may be in `out` */
    WEIR_TLS_END = -2,    /* the peer has said that nothing follows */
};

/* Certificates of a context whose end is worth knowing. */
enum weir_tls_use {
    WEIR_TLS_OWN,       /* our certificate and its chain: the first of them to end */
    WEIR_TLS_CA,        /* what the peer is verified with: the last one to end, for a bundle also has old ones */
    WEIR_TLS_CLIENT_CA, /* the same for a server's clients */
};
#define WEIR_TLS_USES 3

/* Seconds since 1970. */
struct weir_tls_validity {
    int64_t not_before;
    int64_t not_after;
};

#define WEIR_TLS_SHA256 32 /* bytes of such a digest */

struct weir_tls_engine {
    /* NULL with `error` set to upstream's text. */
    void *(*context_new)(const struct weir_tls_spec *spec, struct weir_error *error);
    void (*context_free)(void *context);

    /* False when the context has none of its own (the system's CAs do not count). */
    bool (*validity)(void *context, enum weir_tls_use use, struct weir_tls_validity *out);

    /* `server_name`: SNI and the name to verify, a host name or an address; NULL for servers. */
    void *(*session_new)(void *context, const char *server_name, struct weir_error *error);
    void (*session_free)(void *session);
    enum weir_tls_status (*handshake)(void *session, struct weir_tls_io *io, struct weir_error *error);
    /* Decrypts up to `size` bytes; DONE with *length > 0, or MORE, END, FAILED with what came before in
     * *length. */
    enum weir_tls_status (*read)(void *session, struct weir_tls_io *io, void *out, size_t size,
                                 size_t *length, struct weir_error *error);
    /* Encrypts all of the bytes into one or more records; DONE or FAILED. */
    enum weir_tls_status (*write)(void *session, struct weir_tls_io *io, const void *data, size_t length,
                                  struct weir_error *error);
    /* Adds close_notify. */
    void (*end)(void *session, struct weir_tls_io *io);
    /* What ALPN settled; *length 0: nothing. Lives as long as the session. */
    const char *(*alpn)(void *session, size_t *length);

    /* For tables: whether a Go/IANA name of a cipher suite is known, and whether it counts as insecure. Sets
     * *openssl to OpenSSL's name, NULL for those of TLS 1.3 (which are always on). */
    bool (*cipher)(const char *name, bool *insecure, const char **openssl);

    /* False when memory is out. */
    bool (*sha256)(const void *data, size_t length, uint8_t out[WEIR_TLS_SHA256]);

    /* Frees what the engine keeps for this thread. For threads that use it now and then, such as those of libuv's pool. */
    void (*thread_stop)(void);
};

/* The one exported symbol. */
typedef const struct weir_tls_engine *weir_tls_engine_open(const struct weir_tls_host *host);

#endif
