// SPDX-License-Identifier: Apache-2.0
/* The @name@ processor: sets one attribute of every resource. */
#include <config.h>

#include <weir/component.h>

struct @name@_config {
    char *key;
    char *value;
};

static const struct weir_option options[] = {
    WEIR_OPTION(struct @name@_config, key, "key", .preset = "sample", .doc = "Name of the attribute."),
    WEIR_OPTION(struct @name@_config, value, "value", .required = true, .doc = "Its value."),
    WEIR_OPTION_END,
};
static const struct weir_option_table table = { options, sizeof(struct @name@_config), NULL };

enum { RESOURCES };
static const struct weir_instrument metrics[] = {
    [RESOURCES] = { "processor_@name@_resources", WEIR_COUNTER, WEIR_LEVEL_NORMAL, "{resource}",
                    "Number of resources that were changed.", NULL, 0 },
    { .name = NULL },
};

static int create(struct weir_instance *instance, struct weir_error *error)
{
    (void)error;
    weir_instance_set_data(instance, weir_meter_series(instance, RESOURCES, NULL, 0));
    return 0;
}

/* The number of resources, or -1 when memory is out. The options outlive every batch that goes by, but not those that
 * wait elsewhere when the configuration is reloaded: strings go into the batch's arena. */
static int set_all(const struct @name@_config *config, struct weir_batch *batch)
{
    struct weir_arena *arena = weir_batch_arena(batch);
    struct weir_str key = weir_arena_copy(arena, weir_str_of(config->key));
    struct weir_str value = weir_arena_copy(arena, weir_str_of(config->value));
    int count = 0;
    if (!key.data || !value.data)
        return -1;
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group)) {
        struct weir_resource *resource = weir_group_edit_resource(group);
        if (!resource || !weir_attributes_set(&resource->attributes, arena, key, weir_value_string(value)))
            return -1;
        count++;
    }
    weir_batch_commit(batch);
    return count;
}

static void consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    struct weir_instance *instance = weir_shard_instance(shard);
    int count = set_all(weir_instance_config(instance), batch);
    if (count < 0) {
        struct weir_result refused = WEIR_RESULT_RETRYABLE("out of memory");
        weir_batch_unref(batch);
        weir_ack_complete(ack, &refused);
        return;
    }
    weir_series_add(weir_instance_data(instance), count);
    weir_shard_send(shard, batch, ack);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_PROCESSOR,
    .type = "@name@",
    .version = PACKAGE_VERSION,
    .summary = "Sets one attribute of every resource.",
    .stability = { [WEIR_TRACES] = WEIR_DEVELOPMENT, [WEIR_METRICS] = WEIR_DEVELOPMENT, [WEIR_LOGS] = WEIR_DEVELOPMENT },
    .traits = WEIR_MUTATES,
    .options = &table,
    .metrics = metrics,
    .create = create,
    .consume = consume,
};
