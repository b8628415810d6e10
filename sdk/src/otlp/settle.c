// SPDX-License-Identifier: Apache-2.0
/*
 * Sizes of what was changed, bottom up.
 */
#include <config.h>

#include "sdk/src/otlp/tree.h"

size_t otlp_entry_size(const struct weir_entry *entry)
{
    return entry->raw.length + (entry->cut ? entry->cut->points.length : 0);
}

size_t otlp_scope_size(const struct weir_scope_group *scope)
{
    return scope->changed ? otlp_field_size(scope->payload) : scope->raw.length;
}

size_t otlp_group_size(const struct weir_group *group)
{
    return group->changed ? otlp_field_size(group->payload) : group->raw.length;
}

static bool settle_scope(struct weir_scope_group *scope)
{
    size_t payload = scope->scope.raw.length + scope->schema.length;
    for (struct weir_entry *entry = scope->first; entry; entry = entry->next) {
        if (!entry->removed)
            payload += otlp_entry_size(entry);
    }
    scope->payload = payload;
    return true;
}

static bool settle_group(struct weir_group *group)
{
    size_t payload = group->resource.raw.length + group->schema.length;
    for (struct weir_scope_group *scope = group->first; scope; scope = scope->next) {
        if (scope->removed)
            continue;
        if (scope->changed && !settle_scope(scope))
            return false;
        payload += otlp_scope_size(scope);
    }
    group->payload = payload;
    return true;
}

bool otlp_settle(struct otlp_chunk *chunk)
{
    if (!chunk->unsettled)
        return true;
    size_t size = 0;
    for (struct weir_group *group = chunk->first; group; group = group->next) {
        if (group->removed)
            continue;
        if (group->changed && !settle_group(group))
            return false;
        size += otlp_group_size(group);
    }
    chunk->size = size;
    chunk->unsettled = false;
    return true;
}
