// SPDX-License-Identifier: Apache-2.0
/* The @name@ connector: counts items, as one gauge point for each batch, and has metrics made of all signals. */
#include <config.h>

#include <weir/component.h>

struct @name@_config {
    char *metric;
};

static const struct weir_option options[] = {
    WEIR_OPTION(struct @name@_config, metric, "metric", .preset = "items", .doc = "Name of the metric."),
    WEIR_OPTION_END,
};
static const struct weir_option_table table = { options, sizeof(struct @name@_config), NULL };

static int create(struct weir_instance *instance, struct weir_error *error)
{
    (void)instance;
    (void)error;
    return 0;
}

/* NULL when memory is out. */
static struct weir_batch *count(const struct @name@_config *config, size_t items)
{
    struct weir_batch *batch = weir_batch_new(WEIR_METRICS);
    struct weir_group *group = batch ? weir_batch_add_group(batch, WEIR_STR_NONE) : NULL;
    struct weir_scope_group *scope = group ? weir_group_add_scope(group, WEIR_STR_NONE) : NULL;
    struct weir_metric *metric = scope ? weir_scope_group_add_metric(scope) : NULL;
    struct weir_data_point *point = metric ? weir_arena_calloc(weir_batch_arena(batch), 1, sizeof *point) : NULL;
    struct weir_str name = point ? weir_arena_copy(weir_batch_arena(batch), weir_str_of(config->metric)) : WEIR_STR_NONE;
    if (!name.data) {
        weir_batch_unref(batch);
        return NULL;
    }
    point->time_unix_nano = (uint64_t)weir_wall_clock();
    point->number = (struct weir_number){ .type = WEIR_NUMBER_INT, .as_int = (int64_t)items };
    metric->name = name;
    metric->type = WEIR_METRIC_GAUGE;
    metric->points = point;
    metric->point_count = 1;
    weir_batch_commit(batch);
    return batch;
}

/* What came in ends here: it is dropped by purpose, and what is made of it is told to the ledger, too. */
static void consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    enum weir_signal signal = weir_batch_signal(batch);
    size_t items = weir_batch_items(batch);
    struct weir_batch *made = count(weir_instance_config(weir_shard_instance(shard)), items);
    struct weir_result refused = WEIR_RESULT_RETRYABLE("out of memory");
    weir_batch_unref(batch);
    if (!made) {
        weir_ack_complete(ack, &refused);
        return;
    }
    weir_ack_ok(ack);
    weir_shard_drop(shard, signal, items, "counted");
    weir_shard_make(shard, WEIR_METRICS, 1);
    weir_shard_send(shard, made, NULL);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_CONNECTOR,
    .type = "@name@",
    .version = PACKAGE_VERSION,
    .summary = "Makes a metric of how many items come.",
    .converts = { [WEIR_TRACES] = { [WEIR_METRICS] = WEIR_DEVELOPMENT },
                  [WEIR_LOGS] = { [WEIR_METRICS] = WEIR_DEVELOPMENT } },
    .options = &table,
    .create = create,
    .consume = consume,
};
