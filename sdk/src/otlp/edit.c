// SPDX-License-Identifier: Apache-2.0
/*
 * Changing nodes: the decoded struct becomes the truth, and every node above no longer equals its bytes.
 */
#include <config.h>

#include "sdk/src/otlp/tree.h"

static void mark_group(struct weir_group *group)
{
    struct otlp_chunk *chunk = group->chunk;
    group->changed = true;
    chunk->changed = chunk->unsettled = true;
    chunk->batch->sized = false;
}

static bool touch_group(struct weir_group *group)
{
    if (!otlp_chunk_keep_pool(group->chunk))
        return false;
    mark_group(group);
    return true;
}

static bool touch_scope(struct weir_scope_group *scope)
{
    if (!touch_group(scope->group))
        return false;
    scope->changed = true;
    return true;
}

static bool touch_entry(struct weir_entry *entry)
{
    if (!touch_scope(entry->scope))
        return false;
    entry->changed = true;
    return true;
}

void otlp_entry_replace(struct weir_entry *entry, struct otlp_slice raw)
{
    entry->raw = raw;
    entry->decoded = NULL;
    entry->scope->changed = true;
    mark_group(entry->scope->group);
}

void otlp_resource_replace(struct weir_group *group, struct otlp_slice raw)
{
    group->resource.raw = raw;
    group->resource.decoded = NULL;
    mark_group(group);
}

static void uncount_group(struct weir_group *group)
{
    group->counted = false;
    group->chunk->uncounted = true;
    group->chunk->batch->uncounted = true;
}

static void uncount_scope(struct weir_scope_group *scope)
{
    scope->counted = false;
    uncount_group(scope->group);
}

struct weir_resource *weir_group_edit_resource(struct weir_group *group)
{
    if (!weir_group_resource(group) || !touch_group(group))
        return NULL;
    group->resource.changed = true;
    return group->resource.decoded;
}

struct weir_scope *weir_scope_group_edit_scope(struct weir_scope_group *scope)
{
    if (!weir_scope_group_scope(scope) || !touch_scope(scope))
        return NULL;
    scope->scope.changed = true;
    return scope->scope.decoded;
}

struct weir_span *weir_entry_edit_span(struct weir_entry *entry)
{
    return weir_entry_span(entry) && touch_entry(entry) ? entry->decoded : NULL;
}

struct weir_log_record *weir_entry_edit_log_record(struct weir_entry *entry)
{
    return weir_entry_log_record(entry) && touch_entry(entry) ? entry->decoded : NULL;
}

struct weir_metric *weir_entry_edit_metric(struct weir_entry *entry)
{
    if (!weir_entry_metric(entry) || !touch_entry(entry))
        return NULL;
    entry->counted = false;
    uncount_scope(entry->scope);
    return entry->decoded;
}

/* Removing takes no memory, so it does not go through touch_. */
static void spoil_chunk(struct otlp_chunk *chunk)
{
    chunk->changed = chunk->unsettled = chunk->uncounted = true;
    chunk->batch->sized = false;
    chunk->batch->uncounted = true;
}

void weir_group_remove(struct weir_group *group)
{
    group->removed = true;
    spoil_chunk(group->chunk);
}

void weir_scope_group_remove(struct weir_scope_group *scope)
{
    scope->removed = true;
    scope->group->changed = true;
    scope->group->counted = false;
    spoil_chunk(scope->group->chunk);
}

void weir_entry_remove(struct weir_entry *entry)
{
    entry->removed = true;
    entry->scope->changed = true;
    entry->scope->counted = false;
    entry->scope->group->changed = true;
    entry->scope->group->counted = false;
    spoil_chunk(entry->scope->group->chunk);
}

/* The field `schema_url` = 3 in bytes of the chunk. */
static bool set_schema(struct otlp_chunk *chunk, struct weir_str url, struct otlp_slice *out)
{
    struct weir_buffer *buffer;
    size_t size = weir_wire_bytes_size(url.length);
    if (url.length == 0)
        return true;
    uint8_t *bytes = otlp_chunk_fresh(chunk, size, &buffer);
    if (!bytes)
        return false;
    bytes[0] = OTLP_KEY_3;
    memcpy(weir_wire_put_varint(bytes + 1, url.length), url.data, url.length);
    *out = (struct otlp_slice){ bytes, buffer, size };
    return true;
}

/* The last chunk if it was made here, else a new one. */
static struct otlp_chunk *made_chunk(struct weir_batch *batch)
{
    struct otlp_chunk *chunk = batch->last;
    if (chunk && !chunk->raw.data && chunk->opened)
        return chunk;
    chunk = otlp_chunk_new(batch);
    if (!chunk)
        return NULL;
    chunk->opened = chunk->changed = chunk->unsettled = true;
    otlp_chunk_link(batch, chunk);
    return chunk;
}

struct weir_group *weir_batch_add_group(struct weir_batch *batch, struct weir_str schema_url)
{
    struct otlp_chunk *chunk = made_chunk(batch);
    struct weir_group *group = chunk ? weir_arena_calloc(&chunk->arena, 1, sizeof(*group)) : NULL;
    if (!group)
        return NULL;
    group->chunk = chunk;
    group->opened = true;
    if (!set_schema(chunk, schema_url, &group->schema) || !touch_group(group))
        return NULL;
    OTLP_APPEND(chunk, group);
    return group;
}

struct weir_scope_group *weir_group_add_scope(struct weir_group *group, struct weir_str schema_url)
{
    struct otlp_chunk *chunk = group->chunk;
    struct weir_scope_group *scope =
        otlp_open_group(group) ? weir_arena_calloc(&chunk->arena, 1, sizeof(*scope)) : NULL;
    if (!scope)
        return NULL;
    scope->group = group;
    scope->opened = true;
    if (!set_schema(chunk, schema_url, &scope->schema) || !touch_scope(scope))
        return NULL;
    OTLP_APPEND(group, scope);
    return scope;
}

/* A new entry whose struct has `size` zero bytes. */
static void *add_entry(struct weir_scope_group *scope, size_t size)
{
    struct weir_arena *arena = &scope->group->chunk->arena;
    struct weir_entry *entry = otlp_open_scope(scope) ? weir_arena_calloc(arena, 1, sizeof(*entry)) : NULL;
    if (!entry)
        return NULL;
    entry->scope = scope;
    entry->decoded = weir_arena_calloc(arena, 1, size);
    if (!entry->decoded || !touch_entry(entry))
        return NULL;
    uncount_scope(scope);
    OTLP_APPEND(scope, entry);
    return entry->decoded;
}

struct weir_span *weir_scope_group_add_span(struct weir_scope_group *scope)
{
    return add_entry(scope, sizeof(struct weir_span));
}

struct weir_metric *weir_scope_group_add_metric(struct weir_scope_group *scope)
{
    return add_entry(scope, sizeof(struct weir_metric));
}

struct weir_log_record *weir_scope_group_add_log_record(struct weir_scope_group *scope)
{
    return add_entry(scope, sizeof(struct weir_log_record));
}

void weir_batch_commit(struct weir_batch *batch)
{
    if (!batch->uncounted)
        return;
    for (struct otlp_chunk *chunk = batch->first; chunk; chunk = chunk->next) {
        if (!chunk->uncounted)
            continue;
        size_t items = 0;
        for (struct weir_group *group = chunk->first; group; group = group->next)
            items += group->removed ? 0 : otlp_group_items(group);
        batch->items = batch->items - chunk->items + items;
        chunk->items = items;
        chunk->uncounted = false;
    }
    batch->uncounted = false;
}
