// SPDX-License-Identifier: Apache-2.0
/*
 * The otlp_http exporter: sends each batch as one OTLP/HTTP request (collector-core 6.2).
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <weir/otlp_json.h>

#include "plugins/exporters/otlp_http/otlp_http.h"

/* What all workers share: where each signal goes. */
struct shared {
    struct weir_url urls[WEIR_SIGNALS];
    bool has_url[WEIR_SIGNALS];
};

static const char *const endpoint_keys[WEIR_SIGNALS] = { "traces_endpoint", "metrics_endpoint",
                                                         "logs_endpoint", "profiles_endpoint" };
static const char *const paths[WEIR_SIGNALS] = { "v1/traces", "v1/metrics", "v1/logs",
                                                 "v1development/profiles" };

static bool is_given(const char *text)
{
    return text && *text;
}

/* --- sending --- */

static const struct otlp_http_config *config_of(struct weir_shard *shard)
{
    return weir_instance_config(weir_shard_instance(shard));
}

static void on_done(struct weir_http_request *request, const struct weir_http_response *response)
{
    otlp_http_answered(WEIR_CONTAINER_OF(request, struct otlp_http_transfer, request), response);
}

static int encode(struct otlp_http_transfer *transfer, struct weir_error *error)
{
    struct weir_slices *body = &transfer->request.body;
    if (transfer->config->encoding == WEIR_OTLP_PROTOBUF)
        return weir_batch_encode(transfer->attempt->batch, body) ? 0 : weir_error_set(error, "out of memory");
    struct weir_buffer *json = weir_buffer_new(4096);
    if (!json)
        return weir_error_set(error, "out of memory");
    if (!weir_batch_to_json(transfer->attempt->batch, json, error)) {
        weir_buffer_unref(json);
        return -1;
    }
    bool added = weir_slices_add(body, json, json->data, json->length);
    weir_buffer_unref(json);
    return added ? 0 : weir_error_set(error, "out of memory");
}

static int compress(struct otlp_http_transfer *transfer, struct weir_error *error)
{
    const struct otlp_http_config *config = transfer->config;
    return weir_slices_deflate(&transfer->request.body, (enum weir_encoding)config->compression,
                               (int)config->compression_params.level, error);
}

static void set_headers(struct otlp_http_transfer *transfer)
{
    const struct otlp_http_config *config = transfer->config;
    struct weir_http_header *headers = transfer->headers;
    headers[0].name = WEIR_STR("content-type");
    headers[0].value = config->encoding == WEIR_OTLP_JSON ? WEIR_STR("application/json")
                                                          : WEIR_STR("application/x-protobuf");
    headers[1].name = WEIR_STR("content-encoding");
    headers[1].value = weir_str_of(weir_encoding_name((enum weir_encoding)config->compression));
    transfer->request.headers = headers;
    transfer->request.header_count = config->compression == WEIR_ENCODING_IDENTITY ? 1 : 2;
}

/* weir_send. */
static void send_batch(struct weir_shard *shard, struct weir_attempt *attempt)
{
    const struct shared *shared = weir_instance_data(weir_shard_instance(shard));
    struct otlp_http_transfer *transfer = weir_xcalloc(1, sizeof *transfer);
    struct weir_error error = WEIR_ERROR_INIT;
    transfer->config = config_of(shard);
    transfer->attempt = attempt;
    transfer->request.method = "POST";
    transfer->request.url = &shared->urls[weir_batch_signal(attempt->batch)];
    transfer->request.context = weir_batch_context(attempt->batch);
    transfer->request.timeout = transfer->config->timeout.ns;
    transfer->request.done = on_done;
    set_headers(transfer);
    if (encode(transfer, &error) < 0 || compress(transfer, &error) < 0)
        otlp_http_finish(transfer, &WEIR_RESULT_RETRYABLE(weir_error_text(&error)));
    else
        weir_http_client_send(weir_shard_data(shard), &transfer->request);
    weir_error_free(&error);
}

/* --- life --- */

/* The URL of one signal; 1: there is none. */
static int find_url(const struct otlp_http_config *config, enum weir_signal signal, struct weir_url *out,
                    struct weir_error *error)
{
    if (is_given(config->signal_endpoints[signal]))
        return weir_url_parse(config->signal_endpoints[signal], out, error);
    if (!is_given(config->endpoint))
        return 1;
    size_t length = strlen(config->endpoint);
    char *text = weir_xasprintf("%s%s%s", config->endpoint, config->endpoint[length - 1] == '/' ? "" : "/",
                                paths[signal]);
    int result = weir_url_parse(text, out, error);
    free(text);
    return result;
}

/* Labels say where the telemetry goes, as far as it is one place. */
static void add_labels(struct weir_instance *instance, const struct shared *shared)
{
    const struct weir_url *only = NULL;
    bool same_place = true, same_path = true;
    for (int i = 0; i < WEIR_SIGNALS; i++) {
        const struct weir_url *url = &shared->urls[i];
        if (!shared->has_url[i] || !weir_instance_uses(instance, (enum weir_signal)i))
            continue;
        if (only) {
            same_place = same_place && strcmp(only->host, url->host) == 0 && only->port == url->port;
            same_path = same_path && strcmp(only->target, url->target) == 0;
        }
        only = only ? only : url;
    }
    if (!only || !same_place)
        return;
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)only->port);
    weir_instance_add_label(instance, "server_address", only->host);
    weir_instance_add_label(instance, "server_port", port);
    if (same_path)
        weir_instance_add_label(instance, "url_path", only->target);
}

static void destroy(struct weir_instance *instance)
{
    struct shared *shared = weir_instance_data(instance);
    if (!shared)
        return;
    for (int i = 0; i < WEIR_SIGNALS; i++)
        weir_url_free(&shared->urls[i]);
    weir_sender_free(instance);
    weir_instance_set_data(instance, NULL);
    free(shared);
}

static int create(struct weir_instance *instance, struct weir_error *error)
{
    const struct otlp_http_config *config = weir_instance_config(instance);
    struct shared *shared = weir_xcalloc(1, sizeof *shared);
    weir_instance_set_data(instance, shared);
    for (int i = 0; i < WEIR_SIGNALS; i++) {
        int result = find_url(config, (enum weir_signal)i, &shared->urls[i], error);
        if (result < 0)
            return weir_error_prefix(error, "%s must be a valid URL",
                                     is_given(config->signal_endpoints[i]) ? endpoint_keys[i] : "endpoint");
        shared->has_url[i] = result == 0;
        if (result != 0 && weir_instance_uses(instance, (enum weir_signal)i))
            return weir_error_set(error, "either endpoint or %s must be specified", endpoint_keys[i]);
    }
    add_labels(instance, shared);
    weir_sender_create(instance, &config->sender, send_batch);
    return 0;
}

static int start(struct weir_instance *instance, struct weir_error *error)
{
    const struct otlp_http_config *config = weir_instance_config(instance);
    const struct shared *shared = weir_instance_data(instance);
    bool https = false;
    for (int i = 0; i < WEIR_SIGNALS; i++)
        https = https || (shared->has_url[i] && shared->urls[i].https);
    if (weir_encoding_prepare((enum weir_encoding)config->compression, error) < 0)
        return -1;
    return weir_http_exporter_start(instance, &config->client, https, error);
}

/* --- options --- */

static void check_url(const char *text, const char *key, struct weir_checker *checker)
{
    struct weir_url url;
    struct weir_error error = WEIR_ERROR_INIT;
    if (!is_given(text))
        return;
    if (weir_url_parse(text, &url, &error) < 0)
        weir_check_fail(checker, key, "%s must be a valid URL: %s", key, weir_error_text(&error));
    else
        weir_url_free(&url);
    weir_error_free(&error);
}

static void check(const void *group, struct weir_checker *checker)
{
    const struct otlp_http_config *config = group;
    struct weir_error error = WEIR_ERROR_INIT;
    bool any = is_given(config->endpoint);
    for (int i = 0; i < WEIR_SIGNALS; i++) {
        any = any || is_given(config->signal_endpoints[i]);
        check_url(config->signal_endpoints[i], endpoint_keys[i], checker);
    }
    check_url(config->endpoint, "endpoint", checker);
    if (!any)
        weir_check_fail(checker, NULL, "at least one endpoint must be specified");
    if (weir_encoding_level((enum weir_encoding)config->compression, config->compression_params.level,
                            &error) < 0)
        weir_check_fail(checker, "compression_params", "%s", weir_error_text(&error));
    weir_sender_check_timeout(config->timeout, checker);
    weir_error_free(&error);
}

static const struct weir_option_value encodings[] = {
    { "proto", WEIR_OTLP_PROTOBUF },
    { "json", WEIR_OTLP_JSON },
    { NULL, 0 },
};

static const struct weir_option_value compressions[] = {
    { "gzip", WEIR_ENCODING_GZIP },     { "zstd", WEIR_ENCODING_ZSTD },
    { "snappy", WEIR_ENCODING_SNAPPY }, { "x-snappy-framed", WEIR_ENCODING_SNAPPY_FRAMED },
    { "zlib", WEIR_ENCODING_ZLIB },     { "deflate", WEIR_ENCODING_DEFLATE },
    { "lz4", WEIR_ENCODING_LZ4 },       { "none", WEIR_ENCODING_IDENTITY },
    { "", WEIR_ENCODING_IDENTITY },     { NULL, 0 },
};

static const struct weir_option params_rows[] = {
    WEIR_OPTION(struct otlp_http_compression_params, level, "level", .preset = "0",
                .doc = "Level of the compression; 0: its default."),
    WEIR_OPTION_END,
};
static const struct weir_option_table params_table = { params_rows,
                                                       sizeof(struct otlp_http_compression_params), NULL };

static const struct weir_option options[] = {
    WEIR_OPTION(struct otlp_http_config, endpoint, "endpoint",
                .doc = "Base URL; /v1/traces, /v1/metrics, /v1/logs are added for each signal."),
    WEIR_OPTION(struct otlp_http_config, signal_endpoints[WEIR_TRACES], "traces_endpoint",
                .doc = "Whole URL for traces, used as it is."),
    WEIR_OPTION(struct otlp_http_config, signal_endpoints[WEIR_METRICS], "metrics_endpoint",
                .doc = "Whole URL for metrics, used as it is."),
    WEIR_OPTION(struct otlp_http_config, signal_endpoints[WEIR_LOGS], "logs_endpoint",
                .doc = "Whole URL for logs, used as it is."),
    WEIR_OPTION(struct otlp_http_config, signal_endpoints[WEIR_PROFILES], "profiles_endpoint",
                .doc = "Whole URL for profiles, used as it is."),
    WEIR_OPTION(struct otlp_http_config, encoding, "encoding", .preset = "proto", .values = encodings,
                .doc = "How requests are written."),
    WEIR_OPTION(struct otlp_http_config, timeout, "timeout", .preset = "30s",
                .doc = "How long one request may take, answer included; 0: no limit."),
    WEIR_OPTION(struct otlp_http_config, compression, "compression", .preset = "gzip", .values = compressions,
                .doc = "How requests are compressed."),
    WEIR_OPTION_GROUP(struct otlp_http_config, compression_params, "compression_params", &params_table,
                      .doc = "Settings of the compression."),
    WEIR_OPTION_INLINE(struct otlp_http_config, client, &weir_http_client_table),
    WEIR_OPTION_INLINE(struct otlp_http_config, sender, &weir_sender_table),
    WEIR_OPTION_END,
};
static const struct weir_option_table table = { options, sizeof(struct otlp_http_config), check };
static const char *const aliases[] = { "otlphttp", NULL };

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "otlp_http",
    .aliases = aliases,
    .version = PACKAGE_VERSION,
    .summary = "Sends telemetry as OTLP over HTTP, as protobuf or JSON.",
    .stability = { [WEIR_TRACES] = WEIR_BETA,
                   [WEIR_METRICS] = WEIR_BETA,
                   [WEIR_LOGS] = WEIR_BETA,
                   [WEIR_PROFILES] = WEIR_ALPHA },
    .traits = WEIR_HOLDS,
    .options = &table,
    .metrics = weir_sender_metrics,
    .create = create,
    .start = start,
    .worker_start = weir_http_exporter_worker_start,
    .consume = weir_sender_consume,
    .promise = weir_sender_promise,
    .held = weir_sender_held,
    .drain = weir_sender_drain,
    .worker_stop = weir_http_exporter_worker_stop,
    .stop = weir_http_exporter_stop,
    .destroy = destroy,
    .export_state = weir_sender_export,
    .import_state = weir_sender_import,
    .retire = weir_sender_retire,
};
