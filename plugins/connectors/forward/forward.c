// SPDX-License-Identifier: Apache-2.0
/* The forward connector: joins pipelines of the same signal. */
#include <config.h>

#include <weir/component.h>

static int forward_create(struct weir_instance *instance, struct weir_error *error)
{
    (void)instance;
    (void)error;
    return 0;
}

static void forward_consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    weir_shard_send(shard, batch, ack);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_CONNECTOR,
    .type = "forward",
    .version = PACKAGE_VERSION,
    .summary = "Passes telemetry from some pipelines on to others of the same signal.",
    .converts = {
        [WEIR_TRACES][WEIR_TRACES] = WEIR_BETA,
        [WEIR_METRICS][WEIR_METRICS] = WEIR_BETA,
        [WEIR_LOGS][WEIR_LOGS] = WEIR_BETA,
        [WEIR_PROFILES][WEIR_PROFILES] = WEIR_ALPHA,
    },
    .create = forward_create,
    .consume = forward_consume,
};
