// SPDX-License-Identifier: Apache-2.0
/*
 * The otlp receiver's life: one server for each protocol on each worker.
 */
#include <config.h>

#include <stdlib.h>

#include "plugins/receivers/otlp/receiver.h"

static const char *const services[WEIR_SIGNALS] = {
    [WEIR_TRACES] = "opentelemetry.proto.collector.trace.v1.TraceService",
    [WEIR_METRICS] = "opentelemetry.proto.collector.metrics.v1.MetricsService",
    [WEIR_LOGS] = "opentelemetry.proto.collector.logs.v1.LogsService",
    [WEIR_PROFILES] = "opentelemetry.proto.collector.profiles.v1development.ProfilesService",
};

static int otlp_create(struct weir_instance *instance, struct weir_error *error)
{
    const struct otlp_options *options = weir_instance_config(instance);
    const struct otlp_http_options *http = &options->protocols.http;
    const char *const urls[WEIR_SIGNALS] = {
        [WEIR_TRACES] = http->traces_url_path,
        [WEIR_METRICS] = http->metrics_url_path,
        [WEIR_LOGS] = http->logs_url_path,
        [WEIR_PROFILES] = "/v1development/profiles",
    };
    struct otlp_receiver *receiver = weir_xcalloc(1, sizeof(*receiver));
    size_t method = 0;
    (void)error;
    receiver->options = options;
    for (int signal = 0; signal < WEIR_SIGNALS; signal++) {
        if (!weir_instance_uses(instance, (enum weir_signal)signal))
            continue;
        receiver->methods[method++] = (struct weir_grpc_method){ services[signal], "Export", signal };
        receiver->paths[signal] = otlp_url_path(urls[signal] ? urls[signal] : "");
    }
    weir_instance_set_data(instance, receiver);
    return 0;
}

static int otlp_start(struct weir_instance *instance, struct weir_error *error)
{
    struct otlp_receiver *receiver = weir_instance_data(instance);
    const struct otlp_protocols *protocols = &receiver->options->protocols;
    struct weir_logger *logger = weir_instance_logger(instance);
    if (protocols->grpc_on) {
        receiver->grpc = weir_grpc_site_open(&protocols->grpc.server, receiver->methods, &otlp_grpc_handler,
                                             instance, logger, error);
        if (!receiver->grpc)
            return -1;
        weir_log(logger, WEIR_INFO, "Starting GRPC server",
                 WEIR_F_TEXT("endpoint", weir_grpc_site_address(receiver->grpc)));
    }
    if (protocols->http_on) {
        receiver->http = weir_http_site_open(&protocols->http.server, &otlp_http_handler, instance, logger, error);
        if (!receiver->http)
            return -1;
        weir_log(logger, WEIR_INFO, "Starting HTTP server",
                 WEIR_F_TEXT("endpoint", weir_http_site_address(receiver->http)));
    }
    return 0;
}

static int otlp_worker_start(struct weir_shard *shard, struct weir_error *error)
{
    const struct otlp_receiver *receiver = weir_instance_data(weir_shard_instance(shard));
    struct weir_worker *worker = weir_shard_worker(shard);
    struct otlp_shard *own = weir_xcalloc(1, sizeof(*own));
    own->shard = shard;
    own->receiver = receiver;
    weir_shard_set_data(shard, own);
    if (receiver->grpc && !(own->grpc = weir_grpc_server_start(receiver->grpc, worker, own, error)))
        return -1;
    if (receiver->http && !(own->http = weir_http_server_start(receiver->http, worker, own, error)))
        return -1;
    return 0;
}

static void otlp_quiesce(struct weir_shard *shard)
{
    struct otlp_shard *own = weir_shard_data(shard);
    weir_http_server_quiesce(own->http);
    weir_grpc_server_quiesce(own->grpc);
}

static void server_drained(void *user)
{
    struct otlp_shard *own = user;
    if (--own->draining == 0)
        weir_shard_drained(own->shard);
}

static void otlp_drain(struct weir_shard *shard)
{
    struct otlp_shard *own = weir_shard_data(shard);
    own->draining = 1;
    if (own->http) {
        own->draining++;
        weir_http_server_drain(own->http, server_drained);
    }
    if (own->grpc) {
        own->draining++;
        weir_grpc_server_drain(own->grpc, server_drained);
    }
    server_drained(own);
}

static void otlp_worker_stop(struct weir_shard *shard)
{
    struct otlp_shard *own = weir_shard_data(shard);
    if (!own)
        return;
    weir_http_server_stop(own->http);
    weir_grpc_server_stop(own->grpc);
    weir_shard_set_data(shard, NULL);
    free(own);
}

static void otlp_stop(struct weir_instance *instance)
{
    struct otlp_receiver *receiver = weir_instance_data(instance);
    if (!receiver)
        return;
    weir_http_site_close(receiver->http);
    weir_grpc_site_close(receiver->grpc);
    receiver->http = NULL;
    receiver->grpc = NULL;
}

static void otlp_destroy(struct weir_instance *instance)
{
    struct otlp_receiver *receiver = weir_instance_data(instance);
    if (!receiver)
        return;
    for (size_t i = 0; i < WEIR_SIGNALS; i++)
        free(receiver->paths[i]);
    free(receiver);
    weir_instance_set_data(instance, NULL);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_RECEIVER,
    .type = "otlp",
    .version = PACKAGE_VERSION,
    .summary = "Receives telemetry by OTLP over gRPC and HTTP.",
    .stability = { [WEIR_TRACES] = WEIR_STABLE,
                   [WEIR_METRICS] = WEIR_STABLE,
                   [WEIR_LOGS] = WEIR_STABLE,
                   [WEIR_PROFILES] = WEIR_DEVELOPMENT },
    .options = &otlp_table,
    .create = otlp_create,
    .start = otlp_start,
    .worker_start = otlp_worker_start,
    .quiesce = otlp_quiesce,
    .drain = otlp_drain,
    .worker_stop = otlp_worker_stop,
    .stop = otlp_stop,
    .destroy = otlp_destroy,
};
