// SPDX-License-Identifier: Apache-2.0
/*
 * The keys of the otlp receiver (collector-core, section 4).
 */
#include <config.h>

#include <stdlib.h>

#include "plugins/receivers/otlp/receiver.h"

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool valid_url(struct weir_str url)
{
    for (size_t i = 0; i < url.length; i++) {
        unsigned char c = (unsigned char)url.data[i];
        if (c < 0x20 || c == 0x7f)
            return false;
        if (c == '%' && (url.length - i < 3 || !is_hex(url.data[i + 1]) || !is_hex(url.data[i + 2])))
            return false;
    }
    return true;
}

char *otlp_url_path(const char *url)
{
    struct weir_str rest = weir_str_of(url);
    if (!valid_url(rest))
        return NULL;
    const char *scheme = strstr(url, "://");
    if (scheme) {
        const char *slash = strchr(scheme + 3, '/');
        rest = slash ? weir_str_of(slash) : WEIR_STR("/");
    }
    size_t length = 0;
    while (length < rest.length && rest.data[length] != '?' && rest.data[length] != '#')
        length++;
    const char *slash = length > 0 && rest.data[0] == '/' ? "" : "/";
    return weir_xasprintf("%s%.*s", slash, (int)length, rest.data);
}

static void check_path(const char *url, const char *key, struct weir_checker *checker)
{
    char *path = otlp_url_path(url ? url : "");
    if (!path)
        weir_check_fail(checker, key, "invalid HTTP URL path set for signal: \"%s\"", url);
    free(path);
}

static void check_http(const void *group, struct weir_checker *checker)
{
    const struct otlp_http_options *http = group;
    check_path(http->traces_url_path, "traces_url_path", checker);
    check_path(http->metrics_url_path, "metrics_url_path", checker);
    check_path(http->logs_url_path, "logs_url_path", checker);
}

static const struct weir_option http_options[] = {
    WEIR_HTTP_SERVER_OPTIONS(struct otlp_http_options, server, "localhost:4318", "true"),
    WEIR_OPTION(struct otlp_http_options, traces_url_path, "traces_url_path", .preset = "/v1/traces",
                .doc = "Path that takes traces."),
    WEIR_OPTION(struct otlp_http_options, metrics_url_path, "metrics_url_path", .preset = "/v1/metrics",
                .doc = "Path that takes metrics."),
    WEIR_OPTION(struct otlp_http_options, logs_url_path, "logs_url_path", .preset = "/v1/logs",
                .doc = "Path that takes logs."),
    WEIR_OPTION_END,
};
static const struct weir_option_table http_table = { http_options, sizeof(struct otlp_http_options),
                                                     check_http };

static const struct weir_option grpc_options[] = {
    WEIR_GRPC_SERVER_OPTIONS(struct otlp_grpc_options, server, "localhost:4317"),
    WEIR_OPTION_END,
};
static const struct weir_option_table grpc_table = {
    grpc_options,
    sizeof(struct otlp_grpc_options),
    NULL,
};

static const struct weir_option protocol_options[] = {
    WEIR_OPTION_OPTIONAL(struct otlp_protocols, grpc, grpc_on, "grpc", &grpc_table, WEIR_DEFAULT_OFF,
                         .doc = "OTLP/gRPC; off when absent."),
    WEIR_OPTION_OPTIONAL(struct otlp_protocols, http, http_on, "http", &http_table, WEIR_DEFAULT_OFF,
                         .doc = "OTLP/HTTP, with protobuf or JSON; off when absent."),
    WEIR_OPTION_END,
};
static const struct weir_option_table protocol_table = { protocol_options, sizeof(struct otlp_protocols),
                                                         NULL };

static void check(const void *group, struct weir_checker *checker)
{
    const struct otlp_options *options = group;
    if (!options->protocols.grpc_on && !options->protocols.http_on)
        weir_check_fail(checker, NULL, "must specify at least one protocol when using the OTLP receiver");
}

static const struct weir_option options[] = {
    WEIR_OPTION_GROUP(struct otlp_options, protocols, "protocols", &protocol_table,
                      .doc = "What to listen for: grpc, http, or both."),
    WEIR_OPTION_END,
};
const struct weir_option_table otlp_table = { options, sizeof(struct otlp_options), check };
