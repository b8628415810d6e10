// SPDX-License-Identifier: Apache-2.0
/*
 * Where to listen and where to connect to: the endpoint forms of configs, parsed.
 */
#ifndef WEIR_NET_H
#define WEIR_NET_H

#include <weir/error.h>

WEIR_BEGIN

enum weir_transport {
    WEIR_TCP,  /* IPv4 and IPv6 */
    WEIR_TCP4, /* IPv4 only */
    WEIR_TCP6, /* IPv6 only */
    WEIR_UNIX, /* a stream socket in the file system, or in the abstract namespace with a leading '@' */
};

enum weir_scheme {
    WEIR_SCHEME_NONE, /* plain host:port or path */
    WEIR_SCHEME_HTTP,
    WEIR_SCHEME_HTTPS,
    WEIR_SCHEME_DNS, /* dns:///host:port: all addresses of the name */
    WEIR_SCHEME_UNIX,
};

/* One parsed endpoint. Zero-initialise to start; weir_endpoint_free to end. */
struct weir_endpoint {
    enum weir_transport transport;
    enum weir_scheme scheme;
    char *host;    /* without brackets; "" for all addresses (listeners only); NULL with WEIR_UNIX */
    uint16_t port; /* 0: any free port (listeners only) */
    char *path;    /* WEIR_UNIX: the socket's path; otherwise NULL */
    char *name; /* as to be shown, and a client's authority: "host:port", or "localhost" for unix sockets */
};

/* "tcp", "tcp4", "tcp6", "unix"; otherwise -1 with the upstream text (`unsupported transport type "x"`). Any
 * thread. */
WEIR_EXPORT int weir_transport_parse(struct weir_str text, enum weir_transport *out,
                                     struct weir_error *error);

/*
 * An address to listen on: host:port, [v6]:port, :port, for WEIR_UNIX a path; "unix:///path" whatever the
 * transport. 0, or -1 with `error` set (texts of Go's net package: `address x: missing port in address`). Any
 * thread.
 */
WEIR_EXPORT int weir_endpoint_parse_listen(struct weir_str text, enum weir_transport transport,
                                           struct weir_endpoint *out, struct weir_error *error);

/*
 * An address to connect to, as gRPC clients are given them (collector-core 6.1): host:port, http://host:port,
 * https://host:port, dns:///host:port, passthrough:///host:port, unix:///path. 0, or -1 with `error` set to
 * upstream's text. A name server in the URI (dns://server/host:port) is refused. Any thread.
 */
WEIR_EXPORT int weir_endpoint_parse(struct weir_str text, struct weir_endpoint *out,
                                    struct weir_error *error);

/* A plain endpoint from a host (no brackets) and port; never fails. Any thread. */
WEIR_EXPORT void weir_endpoint_set(struct weir_endpoint *out, struct weir_str host, uint16_t port);

/* Splits "host:port", "[v6]:port" as Go's net.SplitHostPort does, with its error texts. The views point into
 * `text`. Any thread. */
WEIR_EXPORT int weir_host_port_split(struct weir_str text, struct weir_str *host, struct weir_str *port,
                                     struct weir_error *error);

/* Makes `out` a copy of its own, to be freed. Any thread. */
WEIR_EXPORT void weir_endpoint_copy(struct weir_endpoint *out, const struct weir_endpoint *endpoint);
/* Frees what the endpoint holds, not the structure. Any thread. */
WEIR_EXPORT void weir_endpoint_free(struct weir_endpoint *endpoint);

WEIR_END

#endif
