// SPDX-License-Identifier: Apache-2.0
/*
 * CONNECT: asking a proxy for a tunnel (RFC 9110 section 9.3.6).
 */
#include <config.h>

#include <http_parser.h>
#include <stdlib.h>

#include "sdk/src/http/client.h"

#define TUNNEL_HEAD_MAX 16384

struct weir_http_tunnel {
    http_parser parser;
    size_t received;
    bool answered;
};

static int on_headers_complete(http_parser *parser)
{
    struct weir_http_tunnel *tunnel = parser->data;
    tunnel->answered = parser->status_code >= 200;
    return tunnel->answered ? 2 : 0; /* what follows is not HTTP: the parser stops here */
}

static const http_parser_settings settings = { .on_headers_complete = on_headers_complete };

struct weir_http_tunnel *weir_http_tunnel_new(struct weir_conn *conn, const char *host, uint16_t port,
                                              const struct weir_url *proxy)
{
    struct weir_http_tunnel *tunnel = weir_xcalloc(1, sizeof *tunnel);
    http_parser_init(&tunnel->parser, HTTP_RESPONSE);
    tunnel->parser.data = tunnel;

    struct weir_text authority = { 0 };
    weir_text_addf(&authority, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, (unsigned)port);
    struct weir_text head = { 0 };
    weir_text_addf(&head, "CONNECT %s HTTP/1.1\r\nhost: %s\r\nuser-agent: %s\r\n", authority.data,
                   authority.data, weir_user_agent());
    if (proxy->userinfo) {
        char *credentials = weir_basic_credentials(proxy->userinfo);
        weir_text_addf(&head, "proxy-authorization: %s\r\n", credentials);
        free(credentials);
    }
    weir_text_adds(&head, "\r\n");
    weir_conn_write_copy(conn, head.data, head.length);
    weir_text_free(&head);
    weir_text_free(&authority);
    return tunnel;
}

void weir_http_tunnel_free(struct weir_http_tunnel *tunnel)
{
    free(tunnel);
}

int weir_http_tunnel_receive(struct weir_http_tunnel *tunnel, const uint8_t *bytes, size_t length,
                             size_t *taken, struct weir_error *error)
{
    tunnel->received += length;
    size_t parsed = http_parser_execute(&tunnel->parser, &settings, (const char *)bytes, length);
    if (tunnel->answered) {
        if (tunnel->parser.status_code / 100 != 2)
            return weir_error_set(error, "the proxy refused the tunnel with status %u",
                                  (unsigned)tunnel->parser.status_code);
        *taken = parsed;
        return 1;
    }
    if (tunnel->parser.http_errno != HPE_OK || tunnel->received > TUNNEL_HEAD_MAX)
        return weir_error_set(error, "malformed answer of the proxy to CONNECT");
    return 0;
}
