// SPDX-License-Identifier: Apache-2.0
/* The nop exporter: takes everything and does nothing with it. */
#include <config.h>

#include <weir/component.h>

static int nop_create(struct weir_instance *instance, struct weir_error *error)
{
    (void)instance;
    (void)error;
    return 0;
}

static void nop_consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    (void)shard;
    weir_batch_unref(batch);
    weir_ack_ok(ack);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "nop",
    .version = PACKAGE_VERSION,
    .summary = "Takes telemetry and drops it; for tests and measurements.",
    .stability = { WEIR_STABLE, WEIR_STABLE, WEIR_STABLE, WEIR_ALPHA },
    .create = nop_create,
    .consume = nop_consume,
};
