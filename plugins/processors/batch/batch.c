// SPDX-License-Identifier: Apache-2.0
/* The batch processor: gathers telemetry into larger batches (collector-core 8.1). */
#include <config.h>

#include <stdlib.h>

#include "plugins/processors/batch/batch.h"

static const struct weir_option batch_options[] = {
    WEIR_OPTION(struct batch_config, timeout, "timeout", .preset = "200ms",
                .doc = "Longest time that telemetry waits for more to join it; 0 sends at once."),
    WEIR_OPTION(struct batch_config, send_batch_size, "send_batch_size", .preset = "8192", .bounded = true,
                .max = UINT32_MAX, .unit = "items",
                .doc = "Spans, data points or log records that make a batch; 0 sends at once."),
    WEIR_OPTION(struct batch_config, send_batch_max_size, "send_batch_max_size", .preset = "0",
                .bounded = true, .max = UINT32_MAX, .unit = "items",
                .doc = "Most items in one batch, larger ones are split; 0 means no limit."),
    WEIR_OPTION(struct batch_config, metadata_keys, "metadata_keys",
                .doc = "Client metadata whose values keep batches apart and go downstream with them."),
    WEIR_OPTION(struct batch_config, metadata_cardinality_limit, "metadata_cardinality_limit",
                .preset = "1000", .bounded = true, .max = UINT32_MAX,
                .doc = "Most combinations of metadata values, on each worker; 0 means no limit."),
    WEIR_OPTION_END,
};

static void batch_check(const void *group, struct weir_checker *checker)
{
    const struct batch_config *config = group;
    if (config->timeout.ns < 0)
        weir_check_fail(checker, "timeout", "timeout must be greater or equal to 0");
    if (config->send_batch_max_size > 0 && config->send_batch_max_size < config->send_batch_size)
        weir_check_fail(checker, "send_batch_max_size",
                        "send_batch_max_size must be greater or equal to send_batch_size");
    weir_check_distinct(checker, "metadata_keys", &config->metadata_keys);
}

static const struct weir_option_table batch_table = { batch_options, sizeof(struct batch_config),
                                                      batch_check };

static const struct weir_instrument batch_metrics[] = {
    [BATCH_SEND_SIZE] = { "processor_batch_batch_send_size", WEIR_HISTOGRAM, WEIR_LEVEL_NORMAL, "{unit}",
                          "Number of units in the batch", weir_bounds_items, WEIR_BOUNDS_ITEMS },
    [BATCH_SEND_SIZE_BYTES] = { "processor_batch_batch_send_size_bytes", WEIR_HISTOGRAM, WEIR_LEVEL_DETAILED,
                                "By", "Number of bytes in batch that was sent", weir_bounds_bytes,
                                WEIR_BOUNDS_BYTES },
    [BATCH_SIZE_TRIGGER] = { "processor_batch_batch_size_trigger_send", WEIR_COUNTER, WEIR_LEVEL_NORMAL,
                             "{time}", "Number of times the batch was sent due to a size trigger", NULL, 0 },
    [BATCH_TIMEOUT_TRIGGER] = { "processor_batch_timeout_trigger_send", WEIR_COUNTER, WEIR_LEVEL_NORMAL,
                                "{time}", "Number of times the batch was sent due to a timeout trigger", NULL,
                                0 },
    [BATCH_CARDINALITY] = { "processor_batch_metadata_cardinality", WEIR_GAUGE, WEIR_LEVEL_NORMAL,
                            "{combination}", "Number of distinct metadata value combinations being processed",
                            NULL, 0 },
    { .name = NULL },
};

static int batch_create(struct weir_instance *instance, struct weir_error *error)
{
    (void)error;
    struct batch_instance *shared = weir_xcalloc(1, sizeof *shared);
    shared->send_size = weir_meter_series(instance, BATCH_SEND_SIZE, NULL, 0);
    shared->send_size_bytes = weir_meter_series(instance, BATCH_SEND_SIZE_BYTES, NULL, 0);
    shared->size_trigger = weir_meter_series(instance, BATCH_SIZE_TRIGGER, NULL, 0);
    shared->timeout_trigger = weir_meter_series(instance, BATCH_TIMEOUT_TRIGGER, NULL, 0);
    shared->cardinality = weir_meter_series(instance, BATCH_CARDINALITY, NULL, 0);
    weir_instance_set_data(instance, shared);
    return 0;
}

static int batch_worker_start(struct weir_shard *shard, struct weir_error *error)
{
    (void)error;
    struct weir_instance *instance = weir_shard_instance(shard);
    struct batch_shard *own = weir_xcalloc(1, sizeof *own);
    own->shard = shard;
    own->config = weir_instance_config(instance);
    own->shared = weir_instance_data(instance);
    weir_shard_set_data(shard, own);
    if (own->config->metadata_keys.count == 0 && weir_worker_index(weir_shard_worker(shard)) == 0)
        weir_series_add(own->shared->cardinality, 1);
    return 0;
}

static void batch_consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    struct batch_shard *own = weir_shard_data(shard);
    if (weir_batch_items(batch) == 0) {
        weir_batch_unref(batch);
        weir_ack_ok(ack);
        return;
    }
    struct batcher *batcher = batch_shard_choose(own, batch);
    if (!batcher) {
        struct weir_result refused = WEIR_RESULT_PERMANENT("too many batcher metadata-value combinations");
        weir_batch_unref(batch);
        weir_ack_complete(ack, &refused);
        return;
    }
    batcher_add(batcher, batch, ack);
}

static uint64_t batch_held(struct weir_shard *shard, enum weir_signal signal)
{
    const struct batch_shard *own = weir_shard_data(shard);
    uint64_t held = 0;
    if (weir_instance_uses(weir_shard_instance(shard), signal))
        for (const struct batcher *batcher = own->batchers; batcher; batcher = batcher->next)
            held += batcher->claims.held;
    return held;
}

/* A batcher answers, before it has passed them on, only those who ask for no more. */
static enum weir_promise batch_promise(struct weir_instance *instance, enum weir_promise asked)
{
    (void)instance;
    return asked;
}

static void batch_drain(struct weir_shard *shard)
{
    struct batch_shard *own = weir_shard_data(shard);
    own->draining = true;
    for (struct batcher *batcher = own->batchers; batcher; batcher = batcher->next)
        batcher_flush(batcher);
    batch_drained_if_empty(own);
}

void batch_drained_if_empty(struct batch_shard *own)
{
    if (!own->draining || own->sending > 0)
        return;
    for (const struct batcher *batcher = own->batchers; batcher; batcher = batcher->next)
        if (batcher->pending)
            return;
    own->draining = false;
    weir_shard_drained(own->shard);
}

static void batch_worker_stop(struct weir_shard *shard)
{
    struct batch_shard *own = weir_shard_data(shard);
    if (!own)
        return;
    while (own->batchers) {
        struct batcher *batcher = own->batchers;
        own->batchers = batcher->next;
        batcher_free(batcher);
    }
    weir_shard_set_data(shard, NULL);
    free(own);
}

static void batch_destroy(struct weir_instance *instance)
{
    struct batch_instance *shared = weir_instance_data(instance);
    if (!shared)
        return;
    free(shared);
    weir_instance_set_data(instance, NULL);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_PROCESSOR,
    .type = "batch",
    .version = PACKAGE_VERSION,
    .summary = "Gathers telemetry into larger batches, by size and by time.",
    .stability = { [WEIR_TRACES] = WEIR_BETA, [WEIR_METRICS] = WEIR_BETA, [WEIR_LOGS] = WEIR_BETA },
    .traits = WEIR_MUTATES | WEIR_HOLDS,
    .options = &batch_table,
    .metrics = batch_metrics,
    .create = batch_create,
    .worker_start = batch_worker_start,
    .consume = batch_consume,
    .promise = batch_promise,
    .held = batch_held,
    .drain = batch_drain,
    .worker_stop = batch_worker_stop,
    .destroy = batch_destroy,
};
