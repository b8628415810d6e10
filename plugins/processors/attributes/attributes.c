// SPDX-License-Identifier: Apache-2.0
/* The attributes processor: changes the attributes of spans, log records and data points (contrib-processors 3). */
#include <config.h>

#include <stdlib.h>

#include <weir/action.h>

#include "plugins/processors/attributes/match.h"

struct config {
    struct weir_groups actions;
    bool include_on;
    struct match_options include;
    bool exclude_on;
    struct match_options exclude;
};

struct shared {
    struct weir_actions *actions;
    struct match *include; /* NULL: everything */
    struct match *exclude; /* NULL: nothing */
    bool matches;          /* there is one of them */
};

/* One batch being changed. */
struct pass {
    const struct shared *shared;
    struct weir_batch *batch;
    struct match_item item;
};

static void check(const void *group, struct weir_checker *checker)
{
    const struct config *config = group;
    if (config->actions.count == 0)
        weir_check_fail(checker, "actions", "missing required field \"actions\"");
}

static const struct weir_option options[] = {
    WEIR_OPTION_LIST(struct config, actions, "actions", &weir_action_table,
                     .doc = "What is done to the attributes, in order."),
    WEIR_OPTION_OPTIONAL(struct config, include, include_on, "include", &match_table, WEIR_NONE_OFF,
                         .doc = "Only items that match are changed."),
    WEIR_OPTION_OPTIONAL(struct config, exclude, exclude_on, "exclude", &match_table, WEIR_NONE_OFF,
                         .doc = "Items that match are not changed."),
    WEIR_OPTION_END,
};
static const struct weir_option_table table = { options, sizeof(struct config), check };

static int create(struct weir_instance *instance, struct weir_error *error)
{
    const struct config *config = weir_instance_config(instance);
    enum weir_signal signal = weir_instance_signal(instance);
    struct shared *shared = weir_xcalloc(1, sizeof *shared);
    weir_instance_set_data(instance, shared);
    if (config->include_on && !(shared->include = match_new(&config->include, signal, error)))
        return weir_error_prefix(error, "include");
    if (config->exclude_on && !(shared->exclude = match_new(&config->exclude, signal, error)))
        return weir_error_prefix(error, "exclude");
    shared->matches = config->include_on || config->exclude_on;
    shared->actions = weir_actions_new(&config->actions, error);
    return shared->actions ? 0 : -1;
}

static void destroy(struct weir_instance *instance)
{
    struct shared *shared = weir_instance_data(instance);
    if (!shared)
        return;
    weir_actions_free(shared->actions);
    match_free(shared->include);
    match_free(shared->exclude);
    free(shared);
    weir_instance_set_data(instance, NULL);
}

static bool is_meant(const struct pass *pass)
{
    return (!pass->shared->include || match_test(pass->shared->include, &pass->item)) &&
           !(pass->shared->exclude && match_test(pass->shared->exclude, &pass->item));
}

/* Only what is asked for by include or exclude is decoded. False when memory is out. */
static bool look(struct pass *pass, struct weir_entry *entry)
{
    switch (weir_batch_signal(pass->batch)) {
    case WEIR_TRACES:
        return (pass->item.span = weir_entry_span(entry)) != NULL;
    case WEIR_METRICS:
        return (pass->item.metric = weir_entry_metric(entry)) != NULL;
    default:
        return (pass->item.record = weir_entry_log_record(entry)) != NULL;
    }
}

static bool change_scope(struct pass *pass, struct weir_scope_group *scope)
{
    if (!(pass->item.scope = weir_scope_group_scope(scope)))
        return false;
    for (struct weir_entry *entry = weir_scope_group_first(scope); entry; entry = weir_entry_next(entry)) {
        if (!look(pass, entry))
            return false;
        if (is_meant(pass) && !weir_actions_apply_entry(pass->shared->actions, pass->batch, entry))
            return false;
    }
    return true;
}

static bool change_some(struct pass *pass)
{
    for (struct weir_group *group = weir_batch_first_group(pass->batch); group; group = weir_group_next(group)) {
        if (!(pass->item.resource = weir_group_resource(group)))
            return false;
        for (struct weir_scope_group *scope = weir_group_first_scope(group); scope;
             scope = weir_scope_group_next(scope))
            if (!change_scope(pass, scope))
                return false;
    }
    return true;
}

static bool change(struct pass *pass)
{
    bool done = pass->shared->matches ? change_some(pass)
                                      : weir_actions_apply_all(pass->shared->actions, pass->batch);
    weir_batch_commit(pass->batch);
    return done;
}

static void consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    struct pass pass = { .shared = weir_instance_data(weir_shard_instance(shard)), .batch = batch };
    if (change(&pass)) {
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
    .type = "attributes",
    .version = PACKAGE_VERSION,
    .summary = "Changes the attributes of spans, log records and data points.",
    .stability = { [WEIR_TRACES] = WEIR_BETA, [WEIR_METRICS] = WEIR_BETA, [WEIR_LOGS] = WEIR_BETA },
    .traits = WEIR_MUTATES,
    .options = &table,
    .create = create,
    .consume = consume,
    .destroy = destroy,
};
