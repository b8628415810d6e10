// SPDX-License-Identifier: Apache-2.0
/*
 * The prometheusremotewrite exporter: metrics as series, pushed by remote write (contrib-receivers-exporters 5).
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <weir/compress.h>
#include <weir/storage.h>

#include "plugins/exporters/prometheusremotewrite/send.h"

#define DEFAULT_BATCH_BYTES 3000000
#define SECOND ((int64_t)1000000000)

/* --- life --- */

static void destroy(struct weir_instance *instance)
{
    struct prw_shared *shared = weir_instance_data(instance);
    if (!shared)
        return;
    weir_sender_free(instance);
    weir_url_free(&shared->url);
    prw_rules_free(&shared->rules);
    if (shared->place)
        free((char *)(uintptr_t)shared->place->directory);
    free(shared->place);
    weir_instance_set_data(instance, NULL);
    free(shared);
}

/* Where upstream has its write-ahead log. */
static struct weir_storage_place *wal_place(const struct prw_wal *wal)
{
    struct weir_storage_place *place = weir_xcalloc(1, sizeof(*place));
    place->directory = weir_xasprintf("%s/prom_remotewrite", wal->directory);
    place->directory_mode = 0750;
    place->create = true;
    place->lock_timeout = SECOND;
    return place;
}

/* One batch at a time, so that the samples of a series arrive in the order they came; its requests, each with other series,
 * go side by side. */
static void set_sender_options(struct prw_shared *shared)
{
    const struct prw_config *config = shared->config;
    struct weir_sender_options *options = &shared->sender_options;
    options->ordered = true;
    options->queue_on = config->queue.enabled;
    options->queue.num_consumers = 1;
    options->queue.queue_size = config->queue.queue_size;
    options->queue.sizer = WEIR_SIZER_REQUESTS;
    options->queue.storage = config->queue.storage;
    options->retry = config->retry;
    if (config->wal_on)
        shared->place = wal_place(&config->wal);
    options->queue.place = shared->place;
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
    const struct prw_config *config = weir_instance_config(instance);
    struct prw_shared *shared = weir_xcalloc(1, sizeof(*shared));
    weir_instance_set_data(instance, shared);
    shared->config = config;
    prw_rules_init(&shared->rules, config);
    if (weir_url_parse(config->endpoint, &shared->url, error) < 0)
        return weir_error_prefix(error, "endpoint must be a valid URL");
    add_labels(instance, &shared->url);
    shared->most = config->max_batch_size_bytes > 0 ? (size_t)config->max_batch_size_bytes : DEFAULT_BATCH_BYTES;
    shared->parallel = (size_t)(config->max_batch_request_parallelism ? config->max_batch_request_parallelism
                                                                      : config->queue.num_consumers);
    if (shared->parallel == 0)
        shared->parallel = 1;
    set_sender_options(shared);
    weir_sender_create(instance, &shared->sender_options, prw_send);
    return 0;
}

static int start(struct weir_instance *instance, struct weir_error *error)
{
    struct prw_shared *shared = weir_instance_data(instance);
    if (weir_encoding_prepare(WEIR_ENCODING_SNAPPY, error) < 0)
        return -1;
    return weir_http_exporter_start(instance, &shared->config->client, shared->url.https, error);
}

static const char *const aliases[] = { "prometheus_remote_write", NULL };

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "prometheusremotewrite",
    .aliases = aliases,
    .version = PACKAGE_VERSION,
    .summary = "Sends metrics to Prometheus and others by remote write.",
    .stability = { [WEIR_METRICS] = WEIR_BETA },
    .traits = WEIR_HOLDS,
    .options = &prw_table,
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
