// SPDX-License-Identifier: Apache-2.0
/*
 * Socket addresses: made from endpoints, shown as text.
 */
#include <config.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "sdk/src/net/address.h"

static char *unix_text(const struct weir_sockaddr *address)
{
    size_t room = address->length > offsetof(struct sockaddr_un, sun_path)
                      ? address->length - offsetof(struct sockaddr_un, sun_path)
                      : 0;
    const char *path = address->address.local.sun_path;
    if (room == 0)
        return weir_xstrdup("@");
    if (path[0] == '\0')
        return weir_xasprintf("@%.*s", (int)room - 1, path + 1);
    return weir_xstrndup(path, strnlen(path, room));
}

char *weir_sockaddr_text(const struct weir_sockaddr *address)
{
    char text[INET6_ADDRSTRLEN + 1] = "";
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->address;
    switch (address->address.any.sa_family) {
    case AF_INET:
        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
        return weir_xasprintf("%s:%u", text, ntohs(v4->sin_port));
    case AF_INET6:
        // A client of IPv4 on a socket for both families.
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
            inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text, sizeof(text));
            return weir_xasprintf("%s:%u", text, ntohs(v6->sin6_port));
        }
        inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
        return weir_xasprintf("[%s]:%u", text, ntohs(v6->sin6_port));
    default:
        return unix_text(address);
    }
}

uint16_t weir_sockaddr_port(const struct weir_sockaddr *address)
{
    switch (address->address.any.sa_family) {
    case AF_INET:
        return ntohs(((const struct sockaddr_in *)&address->address)->sin_port);
    case AF_INET6:
        return ntohs(((const struct sockaddr_in6 *)&address->address)->sin6_port);
    default:
        return 0;
    }
}

void weir_sockaddr_set_port(struct weir_sockaddr *address, uint16_t port)
{
    if (address->address.any.sa_family == AF_INET)
        ((struct sockaddr_in *)&address->address)->sin_port = htons(port);
    else if (address->address.any.sa_family == AF_INET6)
        ((struct sockaddr_in6 *)&address->address)->sin6_port = htons(port);
}

void weir_sockaddr_unix(const struct weir_endpoint *endpoint, struct weir_sockaddr *out)
{
    size_t length = strlen(endpoint->path);
    memset(out, 0, sizeof(*out));
    out->address.local.sun_family = AF_UNIX;
    if (length >= sizeof(out->address.local.sun_path))
        length = sizeof(out->address.local.sun_path) - 1; // parsing has refused longer ones
    memcpy(out->address.local.sun_path, endpoint->path, length);
    out->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (endpoint->path[0] == '@')
        out->address.local.sun_path[0] = '\0'; // Linux's abstract namespace, unix(7)
    else
        out->length++;
}

struct addrinfo weir_address_hints(enum weir_transport transport)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    hints.ai_family = transport == WEIR_TCP4 ? AF_INET : transport == WEIR_TCP6 ? AF_INET6 : AF_UNSPEC;
    return hints;
}

const char *weir_transport_name(enum weir_transport transport)
{
    static const char *const names[] = { "tcp", "tcp4", "tcp6", "unix" };
    return names[transport];
}

const char *weir_errno_text(int errnum)
{
    static _Thread_local char text[128];
    snprintf(text, sizeof(text), "%s", strerror(errnum));
    text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

const char *weir_lookup_text(int code)
{
    switch (code) {
    case EAI_NONAME:
    case EAI_NODATA:
        return "no such host";
    case EAI_AGAIN:
        return "temporary failure in name resolution";
    default:
        return gai_strerror(code);
    }
}
