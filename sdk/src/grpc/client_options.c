// SPDX-License-Identifier: Apache-2.0
/*
 * The keys of gRPC clients (collector-core 6.1), and what is made of them at start.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/grpc/client.h"

static const struct weir_option_value compressions[] = {
    { "gzip", WEIR_ENCODING_GZIP }, { "snappy", WEIR_ENCODING_SNAPPY_FRAMED },
    { "zstd", WEIR_ENCODING_ZSTD }, { "none", WEIR_ENCODING_IDENTITY },
    { "", WEIR_ENCODING_IDENTITY }, { NULL, 0 },
};

static const struct weir_option_value balancers[] = {
    { "round_robin", WEIR_GRPC_ROUND_ROBIN },
    { "pick_first", WEIR_GRPC_PICK_FIRST },
    { "", WEIR_GRPC_PICK_FIRST },
    { NULL, 0 },
};

static const struct weir_option keepalive_rows[] = {
    WEIR_OPTION(struct weir_grpc_client_keepalive, time, "time", .preset = "0s",
                .doc = "Silence on the connection after which a ping is sent; raised to 10s."),
    WEIR_OPTION(struct weir_grpc_client_keepalive, timeout, "timeout", .preset = "0s",
                .doc = "How long the answer to a ping may take; 0: 20s."),
    WEIR_OPTION(struct weir_grpc_client_keepalive, permit_without_stream, "permit_without_stream",
                .preset = "false", .doc = "Whether pings are sent while no call is under way."),
    WEIR_OPTION_END,
};
static const struct weir_option_table keepalive_table = { keepalive_rows,
                                                          sizeof(struct weir_grpc_client_keepalive), NULL };

static void check_headers(const void *group, struct weir_checker *checker)
{
    const struct weir_grpc_client_options *options = group;
    struct weir_error error = WEIR_ERROR_INIT;
    if (weir_http_head_check(&options->headers, &error) < 0)
        weir_check_fail(checker, "headers", "%s", weir_error_text(&error));
    weir_error_free(&error);
}

static void check_options(const void *group, struct weir_checker *checker)
{
    const struct weir_grpc_client_options *options = group;
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_endpoint endpoint = { 0 };
    if (!options->endpoint || !*options->endpoint)
        weir_check_fail(checker, "endpoint", "requires a non-empty \"endpoint\"");
    else if (weir_endpoint_parse(weir_str_of(options->endpoint), &endpoint, &error) < 0)
        weir_check_fail(checker, "endpoint", "%s", weir_error_text(&error));
    else
        weir_endpoint_free(&endpoint);
    weir_error_free(&error);
    check_headers(group, checker);
}

static const struct weir_option rows[] = {
    WEIR_OPTION(struct weir_grpc_client_options, endpoint, "endpoint",
                .doc = "The server: host:port, https://host:port, dns:///host:port or unix:///path."),
    WEIR_OPTION(struct weir_grpc_client_options, compression, "compression", .preset = "gzip",
                .values = compressions, .doc = "How messages are compressed."),
    WEIR_OPTION_GROUP(struct weir_grpc_client_options, tls, "tls", &weir_tls_client_table,
                      .doc = "TLS of the connection; on unless insecure is set."),
    WEIR_OPTION_OPTIONAL(struct weir_grpc_client_options, keepalive, keepalive_on, "keepalive",
                         &keepalive_table, WEIR_NONE_OFF,
                         .doc = "Pings that find out whether the server is still there."),
    WEIR_OPTION(struct weir_grpc_client_options, wait_for_ready, "wait_for_ready", .preset = "false",
                .doc = "Whether calls wait for a connection instead of failing at once while there is none."),
    WEIR_OPTION(struct weir_grpc_client_options, headers, "headers", .doc = "Metadata added to every call."),
    WEIR_OPTION(struct weir_grpc_client_options, user_agent, "user_agent",
                .doc = "The User-Agent header; default: weir/VERSION (OS/ARCHITECTURE)."),
    WEIR_OPTION(
        struct weir_grpc_client_options, balancer, "balancer_name", .preset = "round_robin",
        .values = balancers,
        .doc = "Whether calls take turns among all addresses of the name, or go to the first that answers."),
    WEIR_OPTION(struct weir_grpc_client_options, authority, "authority",
                .doc = "The :authority header; default: from the endpoint."),
    WEIR_OPTION_IGNORED("read_buffer_size", "connections share one read buffer of 64 KiB for each worker"),
    WEIR_OPTION_IGNORED("write_buffer_size", "messages are written from where they are, without a buffer"),
    WEIR_OPTION_OPTIONAL(struct weir_grpc_client_options, auth, auth_on, "auth", &weir_auth_client_table, WEIR_NONE_OFF,
                         .doc = "What adds credentials to every call."),
    WEIR_OPTION_REFUSED("middlewares", "no extension that can stand in front of a client is available"),
    WEIR_OPTION_END,
};

const struct weir_option_table weir_grpc_client_table = { rows, sizeof(struct weir_grpc_client_options),
                                                          check_options };
const struct weir_option_table weir_grpc_backend_table = { rows, sizeof(struct weir_grpc_client_options), check_headers };

static const char *or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static const char *environment(const char *name)
{
    return getenv(name);
}

static int find_authenticator(struct weir_grpc_target *target, struct weir_instance *user, struct weir_error *error)
{
    if (!target->options->auth_on)
        return 0;
    if (auth_client_find(&target->auth, &target->options->auth, user, error) != 0)
        return -1;
    if (target->auth.functions->needs_tls && !target->tls)
        return weir_error_set(error, "grpc: the credentials require transport level security (use "
                                     "grpc.WithTransportCredentials() to set)");
    return 0;
}

static int set_up(struct weir_grpc_target *target, struct weir_instance *user, struct weir_error *error)
{
    static const char *const alpn[] = { "h2", NULL };
    const struct weir_grpc_client_options *options = target->options;
    if (weir_endpoint_parse(weir_str_of(options->endpoint), &target->endpoint, error) < 0)
        return -1;
    bool tls = target->endpoint.scheme == WEIR_SCHEME_HTTPS || weir_tls_client_wanted(&options->tls);
    if (tls && weir_tls_client_context(&options->tls, alpn, &target->tls, error) < 0)
        return -1;
    if (find_authenticator(target, user, error) < 0)
        return -1;
    target->server_name = or_null(options->tls.server_name_override);
    target->authority = or_null(options->authority);
    if (!target->authority)
        target->authority = tls && target->server_name ? target->server_name : target->endpoint.name;
    target->user_agent = or_null(options->user_agent);
    if (!target->user_agent)
        target->user_agent = weir_user_agent();
    if (weir_proxies_from_environment(&target->proxies, environment, error) < 0)
        return -1;
    if (target->endpoint.transport != WEIR_UNIX)
        target->proxy =
            weir_proxies_pick(&target->proxies, true, target->endpoint.host, target->endpoint.port);
    return weir_encoding_prepare((enum weir_encoding)options->compression, error);
}

struct weir_grpc_target *weir_grpc_target_new(const struct weir_grpc_client_options *options,
                                              struct weir_instance *user, struct weir_error *error)
{
    struct weir_grpc_target *target = weir_xcalloc(1, sizeof *target);
    target->options = options;
    target->pace = weir_xcalloc(1, sizeof *target->pace);
    if (set_up(target, user, error) < 0) {
        weir_grpc_target_free(target);
        return NULL;
    }
    return target;
}

void weir_grpc_target_free(struct weir_grpc_target *target)
{
    if (!target)
        return;
    weir_tls_context_close(target->tls);
    weir_proxies_free(&target->proxies);
    free(target->pace);
    weir_endpoint_free(&target->endpoint);
    free(target);
}

const char *weir_grpc_target_host(const struct weir_grpc_target *target)
{
    return target->endpoint.transport == WEIR_UNIX ? target->endpoint.path : target->endpoint.host;
}

uint16_t weir_grpc_target_port(const struct weir_grpc_target *target)
{
    return target->endpoint.port;
}
