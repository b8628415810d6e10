// SPDX-License-Identifier: Apache-2.0
/* The @name@ receiver: a log record in each interval. */
#include <config.h>

#include <stdlib.h>

#include <weir/component.h>

struct @name@_config {
    struct weir_duration interval;
    char *body;
};

static const struct weir_option options[] = {
    WEIR_OPTION(struct @name@_config, interval, "interval", .preset = "10s", .min = 1000000,
                .doc = "Time between two records."),
    WEIR_OPTION(struct @name@_config, body, "body", .preset = "tick", .doc = "What they say."),
    WEIR_OPTION_END,
};
static const struct weir_option_table table = { options, sizeof(struct @name@_config), NULL };

/* A shard's. Only the one of worker 0 has a timer: there shall be one record, not one for each worker. */
struct ticker {
    struct weir_timer timer;
    struct weir_shard *shard;
};

static int create(struct weir_instance *instance, struct weir_error *error)
{
    (void)instance;
    (void)error;
    return 0;
}

/* NULL when memory is out. */
static struct weir_batch *make_record(const char *body)
{
    struct weir_batch *batch = weir_batch_new(WEIR_LOGS);
    struct weir_group *group = batch ? weir_batch_add_group(batch, WEIR_STR_NONE) : NULL;
    struct weir_scope_group *scope = group ? weir_group_add_scope(group, WEIR_STR_NONE) : NULL;
    struct weir_log_record *record = scope ? weir_scope_group_add_log_record(scope) : NULL;
    struct weir_str text = record ? weir_arena_copy(weir_batch_arena(batch), weir_str_of(body)) : WEIR_STR_NONE;
    if (!text.data) {
        weir_batch_unref(batch);
        return NULL;
    }
    record->time_unix_nano = record->observed_time_unix_nano = (uint64_t)weir_wall_clock();
    record->body = weir_value_string(text);
    weir_batch_commit(batch);
    return batch;
}

/* Nobody waits for an answer: a record that is refused is gone, as the ledger shows. */
static void tick(struct weir_timer *timer)
{
    struct ticker *ticker = WEIR_CONTAINER_OF(timer, struct ticker, timer);
    const struct @name@_config *config = weir_instance_config(weir_shard_instance(ticker->shard));
    struct weir_batch *batch = make_record(config->body);
    if (batch)
        weir_shard_send(ticker->shard, batch, NULL);
    weir_timer_start(timer, config->interval.ns);
}

static int worker_start(struct weir_shard *shard, struct weir_error *error)
{
    const struct @name@_config *config = weir_instance_config(weir_shard_instance(shard));
    (void)error;
    if (weir_worker_index(weir_shard_worker(shard)) != 0)
        return 0;
    struct ticker *ticker = weir_xcalloc(1, sizeof *ticker);
    ticker->shard = shard;
    weir_timer_init(&ticker->timer, weir_shard_worker(shard), tick);
    weir_timer_start(&ticker->timer, config->interval.ns);
    weir_shard_set_data(shard, ticker);
    return 0;
}

static void quiesce(struct weir_shard *shard)
{
    struct ticker *ticker = weir_shard_data(shard);
    if (ticker)
        weir_timer_stop(&ticker->timer);
}

static void worker_stop(struct weir_shard *shard)
{
    quiesce(shard);
    free(weir_shard_data(shard));
    weir_shard_set_data(shard, NULL);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_RECEIVER,
    .type = "@name@",
    .version = PACKAGE_VERSION,
    .summary = "Makes a log record in each interval.",
    .stability = { [WEIR_LOGS] = WEIR_DEVELOPMENT },
    .options = &table,
    .create = create,
    .worker_start = worker_start,
    .quiesce = quiesce,
    .worker_stop = worker_stop,
};
