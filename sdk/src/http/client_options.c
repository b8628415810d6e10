// SPDX-License-Identifier: Apache-2.0
/*
 * The keys of HTTP clients (collector-core 6.2), and what is made of them at start.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/http/client.h"

static void check_cookies(const struct weir_node *node, struct weir_checker *checker)
{
    if (!node)
        return;
    const struct weir_node *enabled = weir_node_get(node, "enabled");
    if (!enabled || node->count != 1 || enabled->type != WEIR_NODE_BOOL || enabled->boolean)
        weir_check_fail(checker, "cookies",
                        "cookies are not kept by this client: only enabled: false is possible");
}

static void check_options(const void *group, struct weir_checker *checker)
{
    const struct weir_http_client_options *options = group;
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_proxies proxies;
    if (options->proxy_url && *options->proxy_url) {
        if (weir_proxies_from_url(&proxies, options->proxy_url, &error) < 0)
            weir_check_fail(checker, "proxy_url", "%s", weir_error_text(&error));
        else
            weir_proxies_free(&proxies);
    }
    if (weir_http_head_check(&options->headers, &error) < 0)
        weir_check_fail(checker, "headers", "%s", weir_error_text(&error));
    weir_error_free(&error);
    check_cookies(options->cookies.node, checker);
}

static const struct weir_option rows[] = {
    WEIR_OPTION_GROUP(struct weir_http_client_options, tls, "tls", &weir_tls_client_table,
                      .doc = "TLS of the connections to https:// URLs."),
    WEIR_OPTION(struct weir_http_client_options, headers, "headers",
                .doc = "Headers added to every request; Host sets the request's host."),
    WEIR_OPTION(
        struct weir_http_client_options, proxy_url, "proxy_url",
        .doc = "Proxy for all requests (http://host:port); otherwise HTTP_PROXY, HTTPS_PROXY and NO_PROXY of "
               "the environment count."),
    WEIR_OPTION(struct weir_http_client_options, max_idle_conns, "max_idle_conns", .preset = "100",
                .bounded = true, .min = 0, .doc = "Idle connections kept by each worker; 0: no limit."),
    WEIR_OPTION(struct weir_http_client_options, max_idle_conns_per_host, "max_idle_conns_per_host",
                .preset = "0", .bounded = true, .min = 0,
                .doc = "Idle connections kept to one host by each worker; 0: 2. Others stay for a second."),
    WEIR_OPTION(struct weir_http_client_options, max_conns_per_host, "max_conns_per_host", .preset = "0",
                .bounded = true, .min = 0, .doc = "Connections to one host from each worker; 0: no limit."),
    WEIR_OPTION(struct weir_http_client_options, idle_conn_timeout, "idle_conn_timeout", .preset = "90s",
                .doc = "How long an idle connection is kept; 0: until the server closes it."),
    WEIR_OPTION(struct weir_http_client_options, disable_keep_alives, "disable_keep_alives",
                .preset = "false", .doc = "Whether every request gets a connection of its own."),
    WEIR_OPTION(struct weir_http_client_options, force_attempt_http2, "force_attempt_http2", .preset = "true",
                .doc = "Whether HTTP/2 is offered to https:// servers; never with disable_keep_alives."),
    WEIR_OPTION(struct weir_http_client_options, http2_read_idle_timeout, "http2_read_idle_timeout",
                .preset = "0s",
                .doc = "Silence on an HTTP/2 connection after which a ping is sent; 0: never."),
    WEIR_OPTION(struct weir_http_client_options, http2_ping_timeout, "http2_ping_timeout", .preset = "0s",
                .doc = "How long the answer to such a ping may take; 0: 15s."),
    WEIR_OPTION(struct weir_http_client_options, cookies, "cookies",
                .doc = "Cookies are not kept: only enabled: false is possible."),
    WEIR_OPTION_IGNORED("read_buffer_size", "connections share one read buffer of 64 KiB for each worker"),
    WEIR_OPTION_IGNORED("write_buffer_size", "requests are written from where they are, without a buffer"),
    WEIR_OPTION_OPTIONAL(struct weir_http_client_options, auth, auth_on, "auth", &weir_auth_client_table, WEIR_NONE_OFF,
                         .doc = "What adds credentials to every request."),
    WEIR_OPTION_REFUSED("middlewares", "no extension that can stand in front of a client is available"),
    WEIR_OPTION_END,
};

const struct weir_option_table weir_http_client_table = { rows, sizeof(struct weir_http_client_options),
                                                          check_options };

static bool names_files(const struct weir_tls_common *tls)
{
    return (tls->ca_file && *tls->ca_file) || tls->ca_pem.text || (tls->cert_file && *tls->cert_file) ||
           tls->cert_pem.text;
}

static const char *environment(const char *name)
{
    return getenv(name);
}

struct weir_http_transport *weir_http_transport_new(const struct weir_http_client_options *options,
                                                    bool https, struct weir_instance *user,
                                                    struct weir_error *error)
{
    static const char *const both[] = { "h2", "http/1.1", NULL };
    static const char *const only_1[] = { "http/1.1", NULL };
    // A connection for every request: what HTTP/2 is there to save.
    bool offer_2 = options->force_attempt_http2 && !options->disable_keep_alives;
    struct weir_http_transport *transport = weir_xcalloc(1, sizeof *transport);
    transport->options = options;
    transport->pace = weir_xcalloc(1, sizeof *transport->pace);
    bool has_url = options->proxy_url && *options->proxy_url;
    int result = has_url ? weir_proxies_from_url(&transport->proxies, options->proxy_url, error)
                         : weir_proxies_from_environment(&transport->proxies, environment, error);
    if (result == 0)
        result = weir_http_head_check(&options->headers, error);
    if (result == 0 && options->auth_on)
        result = auth_client_find(&transport->auth, &options->auth, user, error);
    if (result == 0 && (https || names_files(&options->tls.common)))
        result = weir_tls_client_context(&options->tls, offer_2 ? both : only_1,
                                         &transport->tls, error);
    if (result < 0) {
        weir_http_transport_free(transport);
        return NULL;
    }
    return transport;
}

void weir_http_transport_free(struct weir_http_transport *transport)
{
    if (!transport)
        return;
    weir_tls_context_close(transport->tls);
    weir_proxies_free(&transport->proxies);
    free(transport->pace);
    free(transport);
}
