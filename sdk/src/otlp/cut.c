// SPDX-License-Identifier: Apache-2.0
/*
 * Cutting a chunk at an item border. First everything that can fail: nodes are listed, and the head is built
 * from copies of them. Then the chunk lets go of what went, which cannot fail. Sizes and counts of the
 * remainder are corrected by what went, not summed anew, so that cutting a large request into many small ones
 * stays linear.
 */
#include <config.h>

#include "sdk/src/otlp/tree.h"

/* Where the chunk is cut: everything before these nodes goes. NULL: the cut is before the node one level up.
 */
struct place {
    struct weir_group *group;
    struct weir_scope_group *scope;
    struct weir_entry *entry;
    struct weir_entry tail;    /* what stays of `entry`, if `fresh` */
    struct weir_buffer *fresh; /* keeps the bytes of a metric that was cut */
    size_t items_of_group;     /* that went of the group, and of the scope group */
    size_t items_of_scope;
};

static bool cut_entry(struct weir_entry *entry, size_t points, struct weir_scope_group *to,
                      struct place *place)
{
    struct weir_entry *head = otlp_entry_copy(to, entry);
    return head && otlp_metric_cut(entry, points, to->group->chunk, head, &place->tail, &place->fresh);
}

/* Copies the first `items` items of the scope group, fewer than it has, to a new one in `to`. */
static bool cut_scope(struct weir_scope_group *scope, size_t items, struct weir_group *to,
                      struct place *place)
{
    if (!otlp_open_scope(scope))
        return false;
    struct weir_scope_group *head = otlp_scope_copy_head(to, scope);
    if (!head)
        return false;
    place->items_of_scope = items;
    struct weir_entry *entry = otlp_entry_present(scope->first);
    for (; entry && items > 0; entry = otlp_entry_present(entry->next)) {
        size_t count = weir_entry_items(entry);
        if (count > items) {
            place->entry = entry;
            return cut_entry(entry, items, head, place);
        }
        if (!otlp_entry_copy(head, entry))
            return false;
        items -= count;
    }
    place->entry = entry;
    return true;
}

static bool cut_group(struct weir_group *group, size_t items, struct otlp_chunk *to, struct place *place)
{
    if (!otlp_open_group(group))
        return false;
    struct weir_group *head = otlp_group_copy_head(to, group);
    if (!head)
        return false;
    place->items_of_group = items;
    struct weir_scope_group *scope = otlp_scope_present(group->first);
    for (; scope && items > 0; scope = otlp_scope_present(scope->next)) {
        size_t count = otlp_scope_items(scope);
        if (count > items) {
            place->scope = scope;
            return cut_scope(scope, items, head, place);
        }
        if (!otlp_scope_copy(head, scope))
            return false;
        items -= count;
    }
    place->scope = scope;
    return true;
}

static bool cut_chunk(struct otlp_chunk *chunk, size_t items, struct otlp_chunk *to, struct place *place)
{
    struct weir_group *group = otlp_group_present(chunk->first);
    for (; group && items > 0; group = otlp_group_present(group->next)) {
        size_t count = otlp_group_items(group);
        if (count > items) {
            place->group = group;
            return cut_group(group, items, to, place);
        }
        if (!otlp_group_copy(to, group))
            return false;
        items -= count;
    }
    place->group = group;
    return true;
}

/* The scope group without what is before place->entry. */
static void trim_scope(struct weir_scope_group *scope, struct place *place)
{
    bool known = scope->changed;
    for (struct weir_entry *entry = scope->first; known && entry != place->entry; entry = entry->next)
        scope->payload -= entry->removed ? 0 : otlp_entry_size(entry);
    scope->first = place->entry;
    if (place->fresh) {
        if (known)
            scope->payload -= otlp_entry_size(place->entry);
        place->tail.next = place->entry->next;
        *place->entry = place->tail;
        if (known)
            scope->payload += otlp_entry_size(place->entry);
    }
    if (!known) {
        scope->payload = scope->scope.raw.length + scope->schema.length;
        for (struct weir_entry *entry = scope->first; entry; entry = entry->next)
            scope->payload += otlp_entry_size(entry);
    }
    scope->changed = true;
    scope->items -= place->items_of_scope;
}

static void trim_group(struct weir_group *group, struct place *place)
{
    bool known = group->changed;
    for (struct weir_scope_group *scope = group->first; known && scope != place->scope; scope = scope->next)
        group->payload -= scope->removed ? 0 : otlp_scope_size(scope);
    group->first = place->scope;
    if (place->items_of_scope > 0) {
        size_t before = otlp_scope_size(place->scope);
        trim_scope(place->scope, place);
        if (known)
            group->payload = group->payload - before + otlp_scope_size(place->scope);
    }
    if (!known) {
        group->payload = group->resource.raw.length + group->schema.length;
        for (struct weir_scope_group *scope = group->first; scope; scope = scope->next)
            group->payload += otlp_scope_size(scope);
    }
    group->changed = true;
    group->items -= place->items_of_group;
}

static void trim_chunk(struct otlp_chunk *chunk, struct place *place)
{
    bool known = chunk->changed;
    for (struct weir_group *group = chunk->first; known && group != place->group; group = group->next)
        chunk->size -= group->removed ? 0 : otlp_group_size(group);
    chunk->first = place->group;
    if (place->items_of_group > 0) {
        size_t before = otlp_group_size(place->group);
        trim_group(place->group, place);
        if (known)
            chunk->size = chunk->size - before + otlp_group_size(place->group);
    }
    if (!known) {
        chunk->size = 0;
        for (struct weir_group *group = chunk->first; group; group = group->next)
            chunk->size += otlp_group_size(group);
    }
    if (place->fresh) {
        weir_buffer_unref(chunk->cut);
        chunk->cut = place->fresh;
    }
    chunk->changed = true;
}

struct otlp_chunk *otlp_chunk_cut(struct otlp_chunk *chunk, size_t items, struct weir_batch *batch)
{
    if (!otlp_settle(chunk) || !otlp_open_chunk(chunk))
        return NULL;
    struct otlp_chunk *head = otlp_chunk_new(batch);
    if (!head)
        return NULL;
    head->opened = head->changed = head->unsettled = true;
    head->items = items;
    struct place place = { .group = NULL };
    if (!otlp_chunk_keep_all(head, chunk) || !cut_chunk(chunk, items, head, &place) || !otlp_settle(head)) {
        weir_buffer_unref(place.fresh);
        otlp_chunk_free(head);
        return NULL;
    }
    trim_chunk(chunk, &place);
    chunk->items -= items;
    return head;
}
