// SPDX-License-Identifier: Apache-2.0
/*
 * Endpoints as configs write them (collector-core 4.1 and 6.1), with the error texts of Go's net package.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/net.h>

static bool take_prefix(struct weir_str *text, const char *prefix)
{
    size_t length = strlen(prefix);
    if (text->length < length || memcmp(text->data, prefix, length) != 0)
        return false;
    *text = weir_str_make(text->data + length, text->length - length);
    return true;
}

static struct weir_str slice(struct weir_str text, size_t from, size_t to)
{
    return weir_str_make(text.data + from, to - from);
}

/* Where the last or first `c` is; text.length when there is none. */
static size_t find_last(struct weir_str text, char c)
{
    for (size_t i = text.length; i-- > 0;)
        if (text.data[i] == c)
            return i;
    return text.length;
}

static size_t find_first(struct weir_str text, char c)
{
    const char *at = text.length ? memchr(text.data, c, text.length) : NULL;
    return at ? (size_t)(at - text.data) : text.length;
}

static int address_error(struct weir_error *error, struct weir_str text, const char *why)
{
    return weir_error_set(error, "address %.*s: %s", WEIR_STR_ARG(text), why);
}

int weir_host_port_split(struct weir_str text, struct weir_str *host, struct weir_str *port,
                         struct weir_error *error)
{
    size_t colon = find_last(text, ':');
    if (colon == text.length)
        return address_error(error, text, "missing port in address");
    struct weir_str name = slice(text, 0, colon);
    if (text.data[0] == '[') {
        size_t end = find_first(text, ']');
        if (end == text.length)
            return address_error(error, text, "missing ']' in address");
        if (end + 1 == text.length || end + 1 > colon)
            return address_error(error, text, "missing port in address");
        if (end + 1 != colon)
            return address_error(error, text,
                                 text.data[end + 1] == ':' ? "too many colons in address"
                                                           : "missing port in address");
        name = slice(text, 1, end);
    } else if (find_first(name, ':') != name.length) {
        return address_error(error, text, "too many colons in address");
    }
    if (find_first(name, '[') != name.length)
        return address_error(error, text, "unexpected '[' in address");
    if (find_first(text, ']') != text.length && text.data[0] != '[')
        return address_error(error, text, "unexpected ']' in address");
    *host = name;
    *port = slice(text, colon + 1, text.length);
    return 0;
}

static int parse_port(struct weir_str text, uint16_t *out, struct weir_error *error)
{
    uint64_t port;
    if (!weir_str_to_u64(text, &port) || port > 65535)
        return weir_error_set(error, "invalid port \"%.*s\"", WEIR_STR_ARG(text));
    *out = (uint16_t)port;
    return 0;
}

static void set_name(struct weir_endpoint *out)
{
    out->name = strchr(out->host, ':') ? weir_xasprintf("[%s]:%u", out->host, out->port)
                                       : weir_xasprintf("%s:%u", out->host, out->port);
}

void weir_endpoint_set(struct weir_endpoint *out, struct weir_str host, uint16_t port)
{
    *out = (struct weir_endpoint){ .transport = WEIR_TCP, .host = weir_str_dup(host), .port = port };
    set_name(out);
}

static int set_unix(struct weir_endpoint *out, enum weir_scheme scheme, struct weir_str path,
                    const char *name, struct weir_error *error)
{
    if (path.length == 0)
        return weir_error_set(error, "unix socket path cannot be empty");
    // sockaddr_un has room for 108 bytes, the last one a NUL.
    if (path.length > 107 || memchr(path.data, '\0', path.length))
        return weir_error_set(error, "unix socket path is longer than 107 bytes: %.*s", WEIR_STR_ARG(path));
    *out = (struct weir_endpoint){ .transport = WEIR_UNIX, .scheme = scheme, .path = weir_str_dup(path) };
    out->name = weir_xstrdup(name ? name : out->path);
    return 0;
}

int weir_transport_parse(struct weir_str text, enum weir_transport *out, struct weir_error *error)
{
    static const char *const names[] = { "tcp", "tcp4", "tcp6", "unix" };
    for (unsigned i = 0; i < WEIR_ARRAY_LENGTH(names); i++) {
        if (weir_str_is(text, names[i])) {
            *out = (enum weir_transport)i;
            return 0;
        }
    }
    if (text.length == 0)
        return weir_error_set(error, "invalid transport type \"\"");
    return weir_error_set(error, "unsupported transport type \"%.*s\"", WEIR_STR_ARG(text));
}

int weir_endpoint_parse_listen(struct weir_str text, enum weir_transport transport, struct weir_endpoint *out,
                               struct weir_error *error)
{
    struct weir_str rest = text, host, port;
    if (take_prefix(&rest, "unix://"))
        return set_unix(out, WEIR_SCHEME_UNIX, rest, NULL, error);
    if (transport == WEIR_UNIX)
        return set_unix(out, WEIR_SCHEME_NONE, text, NULL, error);
    uint16_t number = 0;
    if (weir_host_port_split(text, &host, &port, error) != 0 || parse_port(port, &number, error) != 0)
        return -1;
    weir_endpoint_set(out, host, number);
    out->transport = transport;
    return 0;
}

/* Removes the scheme; what is left is host:port or, for unix, a path. */
static int take_scheme(struct weir_str *rest, enum weir_scheme *scheme, struct weir_error *error)
{
    *scheme = WEIR_SCHEME_NONE;
    if (take_prefix(rest, "http://")) {
        *scheme = WEIR_SCHEME_HTTP;
    } else if (take_prefix(rest, "https://")) {
        *scheme = WEIR_SCHEME_HTTPS;
    } else if (take_prefix(rest, "unix://")) {
        *scheme = WEIR_SCHEME_UNIX;
    } else if (take_prefix(rest, "dns://")) {
        *scheme = WEIR_SCHEME_DNS;
        size_t slash = find_first(*rest, '/');
        if (slash != 0 && slash < rest->length)
            return weir_error_set(error,
                                  "a name server in the endpoint (dns://%.*s/...) is not supported: use "
                                  "dns:///host:port",
                                  (int)slash, rest->data);
        (void)take_prefix(rest, "/");
    } else if (!take_prefix(rest, "passthrough:///")) {
        for (size_t i = 0; i + 3 <= rest->length; i++)
            if (memcmp(rest->data + i, "://", 3) == 0)
                return weir_error_set(error,
                                      "unsupported scheme \"%.*s\": use host:port, http://, https://, "
                                      "dns:/// or unix:///",
                                      (int)i, rest->data);
    }
    return 0;
}

int weir_endpoint_parse(struct weir_str text, struct weir_endpoint *out, struct weir_error *error)
{
    struct weir_str rest = text, host, port;
    enum weir_scheme scheme;
    uint16_t number = 0;
    if (take_scheme(&rest, &scheme, error) != 0)
        return -1;
    // gRPC names the peer of a unix socket "localhost" (gRFC A19 follow-up in grpc-go).
    if (scheme == WEIR_SCHEME_UNIX)
        return set_unix(out, scheme, rest, "localhost", error);
    if (rest.length == 0)
        return weir_error_set(error, "requires a non-empty \"endpoint\"");
    if (weir_host_port_split(rest, &host, &port, error) != 0 || parse_port(port, &number, error) != 0)
        return -1;
    weir_endpoint_set(out, host.length ? host : WEIR_STR("localhost"), number);
    out->scheme = scheme;
    return 0;
}

void weir_endpoint_copy(struct weir_endpoint *out, const struct weir_endpoint *endpoint)
{
    *out = *endpoint;
    out->host = endpoint->host ? weir_xstrdup(endpoint->host) : NULL;
    out->path = endpoint->path ? weir_xstrdup(endpoint->path) : NULL;
    out->name = endpoint->name ? weir_xstrdup(endpoint->name) : NULL;
}

void weir_endpoint_free(struct weir_endpoint *endpoint)
{
    free(endpoint->host);
    free(endpoint->path);
    free(endpoint->name);
    *endpoint = (struct weir_endpoint){ 0 };
}
