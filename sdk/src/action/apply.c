// SPDX-License-Identifier: Apache-2.0
/* Applying a list of actions to the attributes of one thing. */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/action/action.h"

/* What an application works on. */
struct subject {
    struct weir_attributes *attributes;
    struct weir_arena *arena;
    const struct weir_context *context;
};

enum found {
    FOUND_NOTHING,
    FOUND_VALUE,
    NO_MEMORY,
};

static enum found copied(const struct weir_value *value, struct weir_arena *arena, struct weir_value *out)
{
    return action_copy_value(value, arena, out) ? FOUND_VALUE : NO_MEMORY;
}

/* The order is upstream's: value, from_context, from_attribute, default_value. */
static enum found find_value(const struct action *action, const struct subject *subject, struct weir_value *out)
{
    if (action->has_value)
        return copied(&action->value, subject->arena, out);
    if (action->from_context.length > 0 &&
        action_context_value(subject->context, action->from_context, subject->arena, out))
        return FOUND_VALUE;
    const struct weir_value *source = action->from_attribute.length > 0
                                          ? weir_attributes_get(subject->attributes, action->from_attribute)
                                          : NULL;
    if (source) {
        *out = *source; /* of the same batch */
        return FOUND_VALUE;
    }
    return action->has_default ? copied(&action->default_value, subject->arena, out) : FOUND_NOTHING;
}

static bool set(const struct subject *subject, struct weir_str key, struct weir_value value)
{
    if (!weir_attributes_get(subject->attributes, key)) {
        key = weir_arena_copy(subject->arena, key);
        if (!key.data)
            return false;
    }
    return weir_attributes_set(subject->attributes, subject->arena, key, value);
}

static bool assign(const struct action *action, const struct subject *subject)
{
    bool present = weir_attributes_get(subject->attributes, action->key) != NULL;
    struct weir_value value;
    if ((action->kind == WEIR_ACTION_INSERT && present) || (action->kind == WEIR_ACTION_UPDATE && !present))
        return true;
    enum found found = find_value(action, subject, &value);
    return found == FOUND_VALUE ? set(subject, action->key, value) : found != NO_MEMORY;
}

static bool is_meant(const struct action *action, struct weir_str key)
{
    return (action->key.data && weir_str_equal(action->key, key)) ||
           (action->pattern && weir_regex_matches(action->pattern, key));
}

static bool delete(const struct action *action, const struct subject *subject)
{
    struct weir_attributes *attributes = subject->attributes;
    size_t kept = 0;
    for (size_t i = 0; i < attributes->count; i++)
        if (!is_meant(action, attributes->items[i].key))
            attributes->items[kept++] = attributes->items[i];
    attributes->count = kept;
    return true;
}

static bool hash(const struct action *action, const struct subject *subject)
{
    for (size_t i = 0; i < subject->attributes->count; i++) {
        struct weir_attribute *attribute = &subject->attributes->items[i];
        if (is_meant(action, attribute->key) && !action_hash(&attribute->value, subject->arena))
            return false;
    }
    return true;
}

static bool extract(const struct action *action, const struct subject *subject)
{
    const struct weir_value *value = weir_attributes_get(subject->attributes, action->key);
    if (!value || value->type != WEIR_VALUE_STRING)
        return true;
    size_t count = weir_regex_group_count(action->pattern);
    struct weir_str *groups = weir_xcalloc(count, sizeof *groups);
    bool good = true;
    if (weir_regex_search(action->pattern, value->string, groups))
        for (size_t i = 0; good && i < count; i++)
            good = set(subject, weir_str_of(weir_regex_group_name(action->pattern, i)),
                       weir_value_string(groups[i]));
    free(groups);
    return good;
}

static bool convert(const struct action *action, const struct subject *subject)
{
    for (size_t i = 0; i < subject->attributes->count; i++)
        if (weir_str_equal(subject->attributes->items[i].key, action->key))
            return action_convert(&subject->attributes->items[i].value, action->conversion, subject->arena);
    return true;
}

static bool apply(const struct action *action, const struct subject *subject)
{
    switch (action->kind) {
    case WEIR_ACTION_DELETE:
        return delete (action, subject);
    case WEIR_ACTION_HASH:
        return hash(action, subject);
    case WEIR_ACTION_EXTRACT:
        return extract(action, subject);
    case WEIR_ACTION_CONVERT:
        return convert(action, subject);
    default:
        return assign(action, subject);
    }
}

bool weir_actions_apply(const struct weir_actions *actions, struct weir_attributes *attributes,
                        struct weir_arena *arena, const struct weir_context *context)
{
    struct subject subject = { attributes, arena, context };
    for (size_t i = 0; i < actions->count; i++)
        if (!apply(&actions->items[i], &subject))
            return false;
    return true;
}

/* Only what needs the key to be there, or not to be there, can be told without applying it. */
static bool touches(const struct action *action, const struct weir_attributes *attributes)
{
    if (action->pattern && action->kind != WEIR_ACTION_EXTRACT) {
        for (size_t i = 0; i < attributes->count; i++)
            if (is_meant(action, attributes->items[i].key))
                return true;
        return false;
    }
    bool present = weir_attributes_get(attributes, action->key) != NULL;
    return action->kind == WEIR_ACTION_UPSERT || (action->kind == WEIR_ACTION_INSERT ? !present : present);
}

/* An action that does nothing leaves the next one what it found, so the first that does something decides. */
bool weir_actions_touch(const struct weir_actions *actions, const struct weir_attributes *attributes)
{
    for (size_t i = 0; i < actions->count; i++)
        if (touches(&actions->items[i], attributes))
            return true;
    return false;
}

static bool apply_to_span(const struct weir_actions *actions, struct weir_batch *batch, struct weir_entry *entry)
{
    const struct weir_span *span = weir_entry_span(entry);
    if (!span || !weir_actions_touch(actions, &span->attributes))
        return span != NULL;
    struct weir_span *own = weir_entry_edit_span(entry);
    return own && weir_actions_apply(actions, &own->attributes, weir_batch_arena(batch), weir_batch_context(batch));
}

static bool apply_to_record(const struct weir_actions *actions, struct weir_batch *batch, struct weir_entry *entry)
{
    const struct weir_log_record *record = weir_entry_log_record(entry);
    if (!record || !weir_actions_touch(actions, &record->attributes))
        return record != NULL;
    struct weir_log_record *own = weir_entry_edit_log_record(entry);
    return own && weir_actions_apply(actions, &own->attributes, weir_batch_arena(batch), weir_batch_context(batch));
}

static bool apply_to_metric(const struct weir_actions *actions, struct weir_batch *batch, struct weir_entry *entry)
{
    const struct weir_metric *metric = weir_entry_metric(entry);
    bool touched = false;
    for (size_t i = 0; metric && !touched && i < metric->point_count; i++)
        touched = weir_actions_touch(actions, &metric->points[i].attributes);
    if (!touched)
        return metric != NULL;
    struct weir_metric *own = weir_entry_edit_metric(entry);
    bool done = own != NULL;
    for (size_t i = 0; done && i < own->point_count; i++)
        done = weir_actions_apply(actions, &own->points[i].attributes, weir_batch_arena(batch),
                                  weir_batch_context(batch));
    return done;
}

bool weir_actions_apply_entry(const struct weir_actions *actions, struct weir_batch *batch, struct weir_entry *entry)
{
    if (actions->rules && otlp_can_rewrite(entry))
        return otlp_rewrite(entry, actions->rules, actions->rule_count);
    switch (weir_batch_signal(batch)) {
    case WEIR_TRACES:
        return apply_to_span(actions, batch, entry);
    case WEIR_METRICS:
        return apply_to_metric(actions, batch, entry);
    default:
        return apply_to_record(actions, batch, entry);
    }
}

static bool apply_to_scope(const struct weir_actions *actions, struct weir_batch *batch, struct weir_scope_group *scope)
{
    for (struct weir_entry *entry = weir_scope_group_first(scope); entry; entry = weir_entry_next(entry))
        if (!weir_actions_apply_entry(actions, batch, entry))
            return false;
    return true;
}

bool weir_actions_apply_all(const struct weir_actions *actions, struct weir_batch *batch)
{
    if (actions->rules)
        return otlp_rewrite_all(batch, actions->rules, actions->rule_count);
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group))
        for (struct weir_scope_group *scope = weir_group_first_scope(group); scope;
             scope = weir_scope_group_next(scope))
            if (!apply_to_scope(actions, batch, scope))
                return false;
    return true;
}

bool weir_actions_apply_resource(const struct weir_actions *actions, struct weir_batch *batch, struct weir_group *group)
{
    if (actions->rules && otlp_can_rewrite_resource(group))
        return otlp_rewrite_resource(group, actions->rules, actions->rule_count);
    const struct weir_resource *resource = weir_group_resource(group);
    if (!resource || !weir_actions_touch(actions, &resource->attributes))
        return resource != NULL;
    struct weir_resource *own = weir_group_edit_resource(group);
    return own && weir_actions_apply(actions, &own->attributes, weir_batch_arena(batch), weir_batch_context(batch));
}
