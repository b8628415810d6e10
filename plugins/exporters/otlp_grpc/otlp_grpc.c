// SPDX-License-Identifier: Apache-2.0
/*
 * The otlp_grpc exporter: sends each batch as one OTLP/gRPC call (collector-core 6.1).
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <weir/net.h>
#include <weir/otlp_call.h>
#include <weir/sender.h>

struct config {
    struct weir_grpc_client_options client;
    struct weir_sender_options sender;
    struct weir_duration timeout;
};

/* What all workers share. */
struct shared {
    struct weir_grpc_target *target;
};

/* A worker's part. */
struct shard {
    struct weir_grpc_client *client;
};

/* One batch under way. */
struct transfer {
    struct weir_otlp_call call;
    struct weir_attempt *attempt;
};

static const struct config *config_of(struct weir_shard *shard)
{
    return weir_instance_config(weir_shard_instance(shard));
}

static void on_done(struct weir_otlp_call *call, const struct weir_result *result,
                    const struct weir_partial_success *partial)
{
    struct transfer *transfer = WEIR_CONTAINER_OF(call, struct transfer, call);
    struct weir_attempt *attempt = transfer->attempt;
    free(transfer);
    if (result->outcome == WEIR_OK)
        weir_attempt_rejected(attempt, partial);
    weir_attempt_done(attempt, result);
}

/* weir_send. */
static void send_batch(struct weir_shard *shard, struct weir_attempt *attempt)
{
    struct shard *own = weir_shard_data(shard);
    const struct config *config = config_of(shard);
    struct transfer *transfer = weir_xcalloc(1, sizeof *transfer);
    transfer->attempt = attempt;
    transfer->call.done = on_done;
    weir_otlp_call_send(&transfer->call, own->client, &config->client, attempt->batch, config->timeout.ns);
}

static int create(struct weir_instance *instance, struct weir_error *error)
{
    const struct config *config = weir_instance_config(instance);
    struct weir_endpoint endpoint = { 0 };
    if (weir_endpoint_parse(weir_str_of(config->client.endpoint), &endpoint, error) < 0)
        return weir_error_prefix(error, "endpoint");
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)endpoint.port);
    weir_instance_add_label(instance, "server_address", endpoint.path ? endpoint.path : endpoint.host);
    if (!endpoint.path)
        weir_instance_add_label(instance, "server_port", port);
    weir_endpoint_free(&endpoint);
    struct shared *shared = weir_xcalloc(1, sizeof *shared);
    weir_instance_set_data(instance, shared);
    weir_sender_create(instance, &config->sender, send_batch);
    return 0;
}

static int start(struct weir_instance *instance, struct weir_error *error)
{
    const struct config *config = weir_instance_config(instance);
    struct shared *shared = weir_instance_data(instance);
    shared->target = weir_grpc_target_new(&config->client, instance, error);
    return shared->target ? weir_sender_open(instance, error) : -1;
}

static int worker_start(struct weir_shard *shard, struct weir_error *error)
{
    const struct shared *shared = weir_instance_data(weir_shard_instance(shard));
    struct shard *own = weir_xcalloc(1, sizeof *own);
    own->client = weir_grpc_client_new(weir_shard_worker(shard), shared->target);
    weir_shard_set_data(shard, own);
    return weir_sender_worker_start(shard, error);
}

static void worker_stop(struct weir_shard *shard)
{
    struct shard *own = weir_shard_data(shard);
    if (!own)
        return;
    weir_sender_worker_stop(shard);
    weir_grpc_client_free(own->client);
    weir_shard_set_data(shard, NULL);
    free(own);
}

static void stop(struct weir_instance *instance)
{
    struct shared *shared = weir_instance_data(instance);
    if (!shared)
        return;
    weir_sender_close(instance);
    weir_grpc_target_free(shared->target);
    shared->target = NULL;
}

static void destroy(struct weir_instance *instance)
{
    struct shared *shared = weir_instance_data(instance);
    if (!shared)
        return;
    weir_sender_free(instance);
    weir_instance_set_data(instance, NULL);
    free(shared);
}

static void check(const void *group, struct weir_checker *checker)
{
    weir_sender_check_timeout(((const struct config *)group)->timeout, checker);
}

static const struct weir_option options[] = {
    WEIR_OPTION_INLINE(struct config, client, &weir_grpc_client_table),
    WEIR_OPTION(struct config, timeout, "timeout", .preset = "5s",
                .doc = "How long one call may take, connecting included; 0: no limit."),
    WEIR_OPTION_INLINE(struct config, sender, &weir_sender_table),
    WEIR_OPTION_END,
};
static const struct weir_option_table table = { options, sizeof(struct config), check };
static const char *const aliases[] = { "otlp", NULL };

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "otlp_grpc",
    .aliases = aliases,
    .version = PACKAGE_VERSION,
    .summary = "Sends telemetry as OTLP over gRPC.",
    .stability = { [WEIR_TRACES] = WEIR_BETA,
                   [WEIR_METRICS] = WEIR_BETA,
                   [WEIR_LOGS] = WEIR_BETA,
                   [WEIR_PROFILES] = WEIR_ALPHA },
    .traits = WEIR_HOLDS,
    .options = &table,
    .metrics = weir_sender_metrics,
    .create = create,
    .start = start,
    .worker_start = worker_start,
    .consume = weir_sender_consume,
    .promise = weir_sender_promise,
    .held = weir_sender_held,
    .drain = weir_sender_drain,
    .worker_stop = worker_stop,
    .stop = stop,
    .destroy = destroy,
    .export_state = weir_sender_export,
    .import_state = weir_sender_import,
    .retire = weir_sender_retire,
};
