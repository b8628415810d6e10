// SPDX-License-Identifier: Apache-2.0
/* The resource processor: changes the attributes of every resource; spans, points and records stay undecoded
 * (contrib-processors 3). */
#include <config.h>

#include <weir/action.h>
#include <weir/component.h>

struct config {
    struct weir_groups attributes;
};

static void check(const void *group, struct weir_checker *checker)
{
    const struct config *config = group;
    if (config->attributes.count == 0)
        weir_check_fail(checker, "attributes", "missing required field \"attributes\"");
}

static const struct weir_option options[] = {
    WEIR_OPTION_LIST(struct config, attributes, "attributes", &weir_action_table,
                     .doc = "What is done to each resource's attributes, in order."),
    WEIR_OPTION_END,
};
static const struct weir_option_table table = { options, sizeof(struct config), check };

static int create(struct weir_instance *instance, struct weir_error *error)
{
    const struct config *config = weir_instance_config(instance);
    struct weir_actions *actions = weir_actions_new(&config->attributes, error);
    weir_instance_set_data(instance, actions);
    return actions ? 0 : -1;
}

static void destroy(struct weir_instance *instance)
{
    weir_actions_free(weir_instance_data(instance));
    weir_instance_set_data(instance, NULL);
}

/* False when memory is out. */
static bool change(const struct weir_actions *actions, struct weir_batch *batch)
{
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group))
        if (!weir_actions_apply_resource(actions, batch, group))
            return false;
    weir_batch_commit(batch);
    return true;
}

static void consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    if (change(weir_instance_data(weir_shard_instance(shard)), batch)) {
        weir_shard_send(shard, batch, ack);
        return;
    }
    struct weir_result refused = WEIR_RESULT_RETRYABLE("out of memory");
    weir_batch_unref(batch);
    weir_ack_complete(ack, &refused);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_PROCESSOR,
    .type = "resource",
    .version = PACKAGE_VERSION,
    .summary = "Changes the attributes of resources.",
    .stability = { [WEIR_TRACES] = WEIR_BETA, [WEIR_METRICS] = WEIR_BETA, [WEIR_LOGS] = WEIR_BETA },
    .traits = WEIR_MUTATES,
    .options = &table,
    .create = create,
    .consume = consume,
    .destroy = destroy,
};
