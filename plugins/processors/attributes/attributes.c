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

/* Only what is asked for by include or exclude is decoded. Each of these is false when memory is out. */
static bool change_span(struct pass *pass, struct weir_entry *entry)
{
    if (pass->shared->matches && !(pass->item.span = weir_entry_span(entry)))
        return false;
    return !is_meant(pass) || weir_actions_apply_entry(pass->shared->actions, pass->batch, entry);
}

static bool change_record(struct pass *pass, struct weir_entry *entry)
{
    if (pass->shared->matches && !(pass->item.record = weir_entry_log_record(entry)))
        return false;
    return !is_meant(pass) || weir_actions_apply_entry(pass->shared->actions, pass->batch, entry);
}

static bool change_points(const struct pass *pass, struct weir_metric *metric)
{
    for (size_t i = 0; metric && i < metric->point_count; i++) {
        if (!weir_actions_apply(pass->shared->actions, &metric->points[i].attributes, weir_batch_arena(pass->batch),
                                weir_batch_context(pass->batch)))
            return false;
    }
    return metric != NULL;
}

static bool change_metric(struct pass *pass, struct weir_entry *entry)
{
    bool touched = false;
    pass->item.metric = weir_entry_metric(entry);
    if (!pass->item.metric)
        return false;
    if (!is_meant(pass))
        return true;
    for (size_t i = 0; !touched && i < pass->item.metric->point_count; i++)
        touched = weir_actions_touch(pass->shared->actions, &pass->item.metric->points[i].attributes);
    return !touched || change_points(pass, weir_entry_edit_metric(entry));
}

static bool change_entry(struct pass *pass, struct weir_entry *entry)
{
    switch (weir_batch_signal(pass->batch)) {
    case WEIR_TRACES:
        return change_span(pass, entry);
    case WEIR_METRICS:
        return change_metric(pass, entry);
    default:
        return change_record(pass, entry);
    }
}

static bool change_scope(struct pass *pass, struct weir_scope_group *scope)
{
    if (pass->shared->matches && !(pass->item.scope = weir_scope_group_scope(scope)))
        return false;
    for (struct weir_entry *entry = weir_scope_group_first(scope); entry; entry = weir_entry_next(entry))
        if (!change_entry(pass, entry))
            return false;
    return true;
}

static bool change(struct pass *pass)
{
    for (struct weir_group *group = weir_batch_first_group(pass->batch); group; group = weir_group_next(group)) {
        if (pass->shared->matches && !(pass->item.resource = weir_group_resource(group)))
            return false;
        for (struct weir_scope_group *scope = weir_group_first_scope(group); scope;
             scope = weir_scope_group_next(scope))
            if (!change_scope(pass, scope))
                return false;
    }
    weir_batch_commit(pass->batch);
    return true;
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
