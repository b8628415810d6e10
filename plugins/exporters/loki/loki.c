// SPDX-License-Identifier: Apache-2.0
/*
 * The loki exporter: log records as streams of Loki's push API, or as OTLP for its native intake
 * (contrib-receivers-exporters 6).
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "plugins/exporters/loki/send.h"

/* --- life --- */

static void destroy(struct weir_instance *instance)
{
    struct loki_shared *shared = weir_instance_data(instance);
    if (!shared)
        return;
    weir_sender_free(instance);
    weir_url_free(&shared->url);
    loki_rules_free(&shared->rules);
    free(shared->headers);
    weir_instance_set_data(instance, NULL);
    free(shared);
}

/* The tenant of a record goes before a configured one: so it must not stand in the headers of all requests. */
static void set_client(struct loki_shared *shared)
{
    const struct weir_pairs *configured = &shared->config->client.headers.pairs;
    struct weir_pairs *kept = &shared->client.headers.pairs;
    shared->client = shared->config->client;
    shared->headers = weir_xcalloc(configured->count + 1, sizeof(*shared->headers));
    *kept = (struct weir_pairs){ .items = shared->headers };
    for (size_t i = 0; i < configured->count; i++) {
        if (weir_str_equal_nocase(weir_str_of(configured->items[i].name), WEIR_STR("X-Scope-OrgID")))
            shared->tenant = weir_str_of(configured->items[i].value);
        else
            kept->items[kept->count++] = configured->items[i];
    }
}

/* One batch at a time, so that the entries of a stream arrive in the order they came; its requests, each with another tenant,
 * go side by side. */
static void set_sender_options(struct loki_shared *shared)
{
    struct weir_sender_options *options = &shared->sender_options;
    *options = shared->config->sender;
    shared->parallel = options->queue.num_consumers > 0 ? (size_t)options->queue.num_consumers : 1;
    options->ordered = true;
    options->queue.num_consumers = 1;
}

static int set_url(struct loki_shared *shared, struct weir_error *error)
{
    const char *endpoint = shared->config->endpoint;
    const char *path = shared->rules.mode == LOKI_OTLP ? loki_otlp_path(shared->config) : "";
    char *text = weir_xasprintf("%s%s%s", endpoint, !*path || endpoint[strlen(endpoint) - 1] == '/' ? "" : "/", path);
    int result = weir_url_parse(text, &shared->url, error);
    free(text);
    return result < 0 ? weir_error_prefix(error, "\"endpoint\" must be a valid URL") : 0;
}

static void add_labels(struct weir_instance *instance, const struct weir_url *url)
{
    char port[8];
    snprintf(port, sizeof(port), "%u", (unsigned)url->port);
    weir_instance_add_label(instance, "server_address", url->host);
    weir_instance_add_label(instance, "server_port", port);
    weir_instance_add_label(instance, "url_path", url->target);
}

static int create(struct weir_instance *instance, struct weir_error *error)
{
    const struct loki_config *config = weir_instance_config(instance);
    struct loki_shared *shared = weir_xcalloc(1, sizeof(*shared));
    weir_instance_set_data(instance, shared);
    shared->config = config;
    loki_rules_init(&shared->rules, config);
    if (set_url(shared, error) < 0)
        return -1;
    add_labels(instance, &shared->url);
    set_client(shared);
    shared->compression = loki_compression(config);
    set_sender_options(shared);
    weir_sender_create(instance, &shared->sender_options, loki_send);
    return 0;
}

static int start(struct weir_instance *instance, struct weir_error *error)
{
    struct loki_shared *shared = weir_instance_data(instance);
    if (weir_encoding_prepare(shared->compression, error) < 0)
        return -1;
    return weir_http_exporter_start(instance, &shared->client, shared->url.https, error);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "loki",
    .version = PACKAGE_VERSION,
    .summary = "Sends logs to Grafana Loki.",
    .stability = { [WEIR_LOGS] = WEIR_BETA },
    .traits = WEIR_HOLDS,
    .options = &loki_table,
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
