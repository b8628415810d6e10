// SPDX-License-Identifier: Apache-2.0
/*
 * Finding how many items fit into so many bytes, in one pass that ends where they do. The sizes are those
 * that encoding will have, lengths in front of what is cut included.
 */
#include <config.h>

#include "sdk/src/otlp/field.h"

/* What is left to spend, and the items that were paid for. */
struct budget {
    size_t room;
    size_t items;
};

static bool spend(struct budget *budget, size_t size, size_t items)
{
    if (size > budget->room)
        return false;
    budget->room -= size;
    budget->items += items;
    return true;
}

/* The longest payload of a field that takes at most `room` bytes with its one-byte key and its length. */
static size_t payload_room(size_t room)
{
    size_t payload = room > 2 ? room - 2 : 0;
    while (payload > 0 && weir_wire_bytes_size(payload) > room)
        payload--;
    return payload;
}

/* Sizes of a metric's own fields and of its data's, and where its points are. */
static void measure_metric(const struct weir_entry *entry, size_t *identity, size_t *data_fields,
                           struct weir_str *points)
{
    if (entry->cut) {
        *identity = entry->cut->identity.length;
        *data_fields = entry->cut->data_fields.length;
        *points = weir_str_make((const char *)entry->cut->points.data, entry->cut->points.length);
        return;
    }
    struct weir_cursor cursor = otlp_fields(otlp_slice_payload(&entry->raw));
    struct otlp_field field;
    *identity = *data_fields = 0;
    *points = WEIR_STR_NONE;
    while (otlp_next_field(&cursor, &field)) {
        if (otlp_is_metric_data(field.number))
            *points = field.payload;
        else
            *identity += field.length;
    }
    cursor = otlp_fields(*points);
    while (otlp_next_field(&cursor, &field))
        *data_fields += field.number == 1 ? 0 : field.length;
}

/* The items that went into `inner`, of a container that does not fit as a whole and has `all`: where these
 * are all of them (what did not fit is empty), one less, for a split takes a container whole once it takes
 * all its items. */
static void settle_for(struct budget *budget, const struct budget *inner, size_t all)
{
    size_t items = inner->items - budget->items;
    budget->items += items == all && items > 0 ? items - 1 : items;
}

static void fit_points(const struct weir_entry *entry, struct budget *budget)
{
    size_t identity, data_fields;
    struct weir_str points;
    measure_metric(entry, &identity, &data_fields, &points);
    struct budget inner = { payload_room(budget->room), budget->items };
    if (!spend(&inner, identity, 0))
        return;
    inner.room = payload_room(inner.room);
    if (!spend(&inner, data_fields, 0))
        return;
    struct weir_cursor cursor = otlp_fields(points);
    struct otlp_field field;
    while (otlp_next_field(&cursor, &field)) {
        if (field.number == 1 && !spend(&inner, field.length, 1))
            break;
    }
    settle_for(budget, &inner, weir_entry_items(entry));
}

static bool fit_scope(struct weir_scope_group *scope, struct budget *budget)
{
    if (!otlp_open_scope(scope))
        return false;
    struct budget inner = { payload_room(budget->room), budget->items };
    struct weir_entry *entry = otlp_entry_present(scope->first);
    if (!spend(&inner, scope->scope.raw.length + scope->schema.length, 0))
        return true;
    for (; entry; entry = otlp_entry_present(entry->next)) {
        if (!spend(&inner, otlp_entry_size(entry), weir_entry_items(entry))) {
            if (scope->group->chunk->batch->signal == WEIR_METRICS)
                fit_points(entry, &inner);
            break;
        }
    }
    settle_for(budget, &inner, otlp_scope_items(scope));
    return true;
}

static bool fit_group(struct weir_group *group, struct budget *budget)
{
    if (!otlp_open_group(group))
        return false;
    struct budget inner = { payload_room(budget->room), budget->items };
    struct weir_scope_group *scope = otlp_scope_present(group->first);
    bool done = true;
    if (!spend(&inner, group->resource.raw.length + group->schema.length, 0))
        return true;
    for (; scope; scope = otlp_scope_present(scope->next)) {
        if (!spend(&inner, otlp_scope_size(scope), otlp_scope_items(scope))) {
            done = fit_scope(scope, &inner);
            break;
        }
    }
    settle_for(budget, &inner, otlp_group_items(group));
    return done;
}

static bool fit_chunk(struct otlp_chunk *chunk, struct budget *budget)
{
    if (!otlp_open_chunk(chunk))
        return false;
    struct budget inner = *budget;
    struct weir_group *group = otlp_group_present(chunk->first);
    bool done = true;
    for (; group; group = otlp_group_present(group->next)) {
        if (!spend(&inner, otlp_group_size(group), otlp_group_items(group))) {
            done = fit_group(group, &inner);
            break;
        }
    }
    settle_for(budget, &inner, chunk->items);
    return done;
}

struct weir_batch *weir_batch_split_bytes(struct weir_batch *batch, size_t bytes)
{
    if (batch->uncounted)
        weir_batch_commit(batch);
    if (weir_batch_bytes(batch) <= bytes)
        return NULL;
    struct budget budget = { bytes, 0 };
    struct otlp_chunk *chunk = batch->first;
    while (chunk && spend(&budget, chunk->size, chunk->items))
        chunk = chunk->next;
    if (chunk && !fit_chunk(chunk, &budget))
        return NULL;
    size_t items = budget.items < batch->items ? budget.items : batch->items - 1;
    return weir_batch_split(batch, items > 0 ? items : 1);
}
