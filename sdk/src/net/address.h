// SPDX-License-Identifier: Apache-2.0
/*
 * Socket addresses: made from endpoints, shown as text.
 */
#ifndef WEIR_NET_ADDRESS_H
#define WEIR_NET_ADDRESS_H

#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <weir/net.h>

union weir_address {
    struct sockaddr any;
    struct sockaddr_storage storage;
    struct sockaddr_un local;
};

struct weir_sockaddr {
    union weir_address address;
    socklen_t length;
};

/* "127.0.0.1:80", "[::1]:80", a path, "@name", or "@" for an unnamed unix socket; the caller frees. */
char *weir_sockaddr_text(const struct weir_sockaddr *address);
/* The port, 0 for unix sockets. */
uint16_t weir_sockaddr_port(const struct weir_sockaddr *address);
void weir_sockaddr_set_port(struct weir_sockaddr *address, uint16_t port);
/* The address of a unix endpoint. */
void weir_sockaddr_unix(const struct weir_endpoint *endpoint, struct weir_sockaddr *out);

/* What to ask getaddrinfo for: the family of the transport, stream sockets. */
struct addrinfo weir_address_hints(enum weir_transport transport);
/* "tcp", "tcp4", "tcp6", "unix". */
const char *weir_transport_name(enum weir_transport transport);
/* The message of an errno value as Go writes it: "connection refused". For one use at once, by this thread.
 */
const char *weir_errno_text(int errnum);
/* The same for getaddrinfo's codes: "no such host". */
const char *weir_lookup_text(int code);

#endif
