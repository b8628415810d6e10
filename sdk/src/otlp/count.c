// SPDX-License-Identifier: Apache-2.0
/*
 * Counting the items below a node: on its bytes where it is as it arrived, on its children where it was
 * changed.
 */
#include <config.h>

#include "sdk/src/otlp/field.h"

static size_t count_metric(struct weir_str metric)
{
    struct weir_cursor cursor = otlp_fields(metric);
    struct otlp_field field;
    size_t items = 0;
    while (otlp_next_field(&cursor, &field)) {
        if (!otlp_is_metric_data(field.number))
            continue;
        struct weir_cursor data = otlp_fields(field.payload);
        struct otlp_field point;
        while (otlp_next_field(&data, &point))
            items += point.number == 1;
    }
    return items;
}

static size_t count_scope(enum weir_signal signal, struct weir_str bytes)
{
    struct weir_cursor cursor = otlp_fields(bytes);
    struct otlp_field field;
    size_t items = 0;
    while (otlp_next_field(&cursor, &field)) {
        if (field.number == 2)
            items += signal == WEIR_METRICS ? count_metric(field.payload) : 1;
    }
    return items;
}

static size_t count_group(enum weir_signal signal, struct weir_str bytes)
{
    struct weir_cursor cursor = otlp_fields(bytes);
    struct otlp_field field;
    size_t items = 0;
    while (otlp_next_field(&cursor, &field)) {
        if (field.number == 2)
            items += count_scope(signal, field.payload);
    }
    return items;
}

size_t weir_entry_items(const struct weir_entry *entry)
{
    if (entry->scope->group->chunk->batch->signal != WEIR_METRICS)
        return 1;
    if (entry->changed)
        return ((const struct weir_metric *)entry->decoded)->point_count;
    return entry->counted ? entry->items : count_metric(otlp_slice_payload(&entry->raw));
}

size_t otlp_scope_items(struct weir_scope_group *scope)
{
    if (scope->counted)
        return scope->items;
    size_t items = 0;
    if (scope->changed) {
        for (struct weir_entry *entry = scope->first; entry; entry = entry->next)
            items += entry->removed ? 0 : weir_entry_items(entry);
    } else {
        items = count_scope(scope->group->chunk->batch->signal, otlp_slice_payload(&scope->raw));
    }
    scope->items = items;
    scope->counted = true;
    return items;
}

size_t otlp_group_items(struct weir_group *group)
{
    if (group->counted)
        return group->items;
    size_t items = 0;
    if (group->changed) {
        for (struct weir_scope_group *scope = group->first; scope; scope = scope->next)
            items += scope->removed ? 0 : otlp_scope_items(scope);
    } else {
        items = count_group(group->chunk->batch->signal, otlp_slice_payload(&group->raw));
    }
    group->items = items;
    group->counted = true;
    return items;
}
