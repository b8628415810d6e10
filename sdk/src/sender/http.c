// SPDX-License-Identifier: Apache-2.0
/* The life of an exporter over HTTP. */
#include <config.h>

#include <weir/http_exporter.h>

#include "sdk/src/flow/instance.h"
#include "sdk/src/sender/sender.h"

int weir_http_exporter_start(struct weir_instance *instance, const struct weir_http_client_options *options, bool https,
                             struct weir_error *error)
{
    struct weir_http_transport *transport = weir_http_transport_new(options, https, instance, error);
    instance->sender->transport = transport;
    return transport ? weir_sender_open(instance, error) : -1;
}

int weir_http_exporter_worker_start(struct weir_shard *shard, struct weir_error *error)
{
    weir_shard_set_data(shard, weir_http_client_new(shard->worker, shard->instance->sender->transport));
    return weir_sender_worker_start(shard, error);
}

void weir_http_exporter_worker_stop(struct weir_shard *shard)
{
    struct weir_http_client *client = weir_shard_data(shard);
    if (!client)
        return;
    weir_sender_worker_stop(shard);
    weir_http_client_free(client);
    weir_shard_set_data(shard, NULL);
}

void weir_http_exporter_stop(struct weir_instance *instance)
{
    if (!instance->sender)
        return;
    weir_sender_close(instance);
    weir_http_transport_free(instance->sender->transport);
    instance->sender->transport = NULL;
}
