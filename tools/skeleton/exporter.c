// SPDX-License-Identifier: Apache-2.0
/* The @name@ exporter: writes to the collector's log how many items came. */
#include <config.h>

#include <weir/component.h>

struct @name@_config {
    char *message;
};

static const struct weir_option options[] = {
    WEIR_OPTION(struct @name@_config, message, "message", .preset = "Telemetry", .doc = "What each line says."),
    WEIR_OPTION_END,
};
static const struct weir_option_table table = { options, sizeof(struct @name@_config), NULL };

enum { BYTES };
static const struct weir_instrument metrics[] = {
    [BYTES] = { "exporter_@name@_bytes", WEIR_COUNTER, WEIR_LEVEL_NORMAL, "By", "Bytes of the batches that came.",
                NULL, 0 },
    { .name = NULL },
};

static int create(struct weir_instance *instance, struct weir_error *error)
{
    (void)error;
    weir_instance_set_data(instance, weir_meter_series(instance, BYTES, NULL, 0));
    return 0;
}

static void consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    struct weir_instance *instance = weir_shard_instance(shard);
    const struct @name@_config *config = weir_instance_config(instance);
    weir_log(weir_instance_logger(instance), WEIR_INFO, config->message,
             WEIR_F_TEXT("signal", weir_signal_name(weir_batch_signal(batch))),
             WEIR_F_UINT("items", weir_batch_items(batch)));
    weir_series_add(weir_instance_data(instance), (double)weir_batch_bytes(batch));
    weir_batch_unref(batch);
    weir_ack_ok(ack);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "@name@",
    .version = PACKAGE_VERSION,
    .summary = "Writes to the collector's log how many items came.",
    .stability = { [WEIR_TRACES] = WEIR_DEVELOPMENT, [WEIR_METRICS] = WEIR_DEVELOPMENT, [WEIR_LOGS] = WEIR_DEVELOPMENT },
    .options = &table,
    .metrics = metrics,
    .create = create,
    .consume = consume,
};
