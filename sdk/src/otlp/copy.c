// SPDX-License-Identifier: Apache-2.0
/*
 * Copies of nodes that share the bytes; what was decoded is decoded anew where it is wanted. The chunk that
 * is copied from must be settled, and the one copied to must keep its buffers.
 */
#include <config.h>

#include "sdk/src/otlp/tree.h"

struct weir_entry *otlp_entry_copy(struct weir_scope_group *to, const struct weir_entry *entry)
{
    struct weir_entry *copy = weir_arena_alloc(&to->group->chunk->arena, sizeof(*copy));
    if (!copy)
        return NULL;
    *copy = (struct weir_entry){ .scope = to, .raw = entry->raw };
    copy->items = entry->items;
    copy->counted = entry->counted;
    if (entry->cut) {
        copy->cut = weir_arena_alloc(&to->group->chunk->arena, sizeof(*copy->cut));
        if (!copy->cut)
            return NULL;
        *copy->cut = *entry->cut;
    }
    OTLP_APPEND(to, copy);
    return copy;
}

static struct weir_scope_group *new_scope(struct weir_group *to, const struct weir_scope_group *scope)
{
    struct weir_scope_group *copy = weir_arena_calloc(&to->chunk->arena, 1, sizeof(*copy));
    if (!copy)
        return NULL;
    copy->group = to;
    copy->raw = scope->raw;
    OTLP_APPEND(to, copy);
    return copy;
}

struct weir_scope_group *otlp_scope_copy_head(struct weir_group *to, const struct weir_scope_group *scope)
{
    struct weir_scope_group *copy = new_scope(to, scope);
    if (!copy)
        return NULL;
    copy->scope.raw = scope->scope.raw;
    copy->schema = scope->schema;
    copy->opened = copy->changed = true;
    return copy;
}

struct weir_scope_group *otlp_scope_copy(struct weir_group *to, const struct weir_scope_group *scope)
{
    if (!scope->changed)
        return new_scope(to, scope);
    struct weir_scope_group *copy = otlp_scope_copy_head(to, scope);
    if (!copy)
        return NULL;
    for (const struct weir_entry *entry = scope->first; entry; entry = entry->next) {
        if (!entry->removed && !otlp_entry_copy(copy, entry))
            return NULL;
    }
    return copy;
}

static struct weir_group *new_group(struct otlp_chunk *to, const struct weir_group *group)
{
    struct weir_group *copy = weir_arena_calloc(&to->arena, 1, sizeof(*copy));
    if (!copy)
        return NULL;
    copy->chunk = to;
    copy->raw = group->raw;
    OTLP_APPEND(to, copy);
    return copy;
}

struct weir_group *otlp_group_copy_head(struct otlp_chunk *to, const struct weir_group *group)
{
    struct weir_group *copy = new_group(to, group);
    if (!copy)
        return NULL;
    copy->resource.raw = group->resource.raw;
    copy->schema = group->schema;
    copy->opened = copy->changed = true;
    return copy;
}

struct weir_group *otlp_group_copy(struct otlp_chunk *to, const struct weir_group *group)
{
    if (!group->changed)
        return new_group(to, group);
    struct weir_group *copy = otlp_group_copy_head(to, group);
    if (!copy)
        return NULL;
    for (const struct weir_scope_group *scope = group->first; scope; scope = scope->next) {
        if (!scope->removed && !otlp_scope_copy(copy, scope))
            return NULL;
    }
    return copy;
}

static bool copy_changed(struct otlp_chunk *copy, struct otlp_chunk *chunk)
{
    if (!otlp_settle(chunk) || !otlp_chunk_keep_all(copy, chunk))
        return false;
    for (const struct weir_group *group = chunk->first; group; group = group->next) {
        if (!group->removed && !otlp_group_copy(copy, group))
            return false;
    }
    copy->opened = copy->changed = copy->unsettled = true;
    return otlp_settle(copy);
}

struct otlp_chunk *otlp_chunk_copy(struct otlp_chunk *chunk, struct weir_batch *batch)
{
    struct otlp_chunk *copy = otlp_chunk_new(batch);
    if (!copy)
        return NULL;
    copy->items = chunk->items;
    if (chunk->changed) {
        if (copy_changed(copy, chunk))
            return copy;
        otlp_chunk_free(copy);
        return NULL;
    }
    copy->raw = chunk->raw;
    copy->size = chunk->size;
    if (copy->raw.buffer)
        weir_buffer_ref(copy->raw.buffer);
    return copy;
}
