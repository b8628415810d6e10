// SPDX-License-Identifier: Apache-2.0
/*
 * Walking a batch: nodes are listed level by level and decoded one by one, as they are asked for.
 */
#include <config.h>

#include "sdk/src/otlp/decode.h"
#include "sdk/src/otlp/field.h"

/* The first group of this chunk or of those behind it. */
static struct weir_group *first_of(struct otlp_chunk *chunk)
{
    for (; chunk; chunk = chunk->next) {
        if (!otlp_open_chunk(chunk))
            return NULL;
        struct weir_group *group = otlp_group_present(chunk->first);
        if (group)
            return group;
    }
    return NULL;
}

struct weir_group *weir_batch_first_group(struct weir_batch *batch)
{
    return batch->signal == WEIR_PROFILES ? NULL : first_of(batch->first);
}

struct weir_group *weir_group_next(const struct weir_group *group)
{
    struct weir_group *next = otlp_group_present(group->next);
    return next ? next : first_of(group->chunk->next);
}

struct weir_scope_group *weir_group_first_scope(struct weir_group *group)
{
    return otlp_open_group(group) ? otlp_scope_present(group->first) : NULL;
}

struct weir_scope_group *weir_scope_group_next(const struct weir_scope_group *scope)
{
    return otlp_scope_present(scope->next);
}

struct weir_entry *weir_scope_group_first(struct weir_scope_group *scope)
{
    return otlp_open_scope(scope) ? otlp_entry_present(scope->first) : NULL;
}

struct weir_entry *weir_entry_next(const struct weir_entry *entry)
{
    return otlp_entry_present(entry->next);
}

struct weir_str weir_group_schema_url(struct weir_group *group)
{
    return otlp_open_group(group) ? otlp_slice_payload(&group->schema) : WEIR_STR_NONE;
}

struct weir_str weir_scope_group_schema_url(struct weir_scope_group *scope)
{
    return otlp_open_scope(scope) ? otlp_slice_payload(&scope->schema) : WEIR_STR_NONE;
}

const struct weir_resource *weir_group_resource(struct weir_group *group)
{
    if (!otlp_open_group(group))
        return NULL;
    struct weir_arena *arena = &group->chunk->arena;
    struct otlp_leaf *leaf = &group->resource;
    if (!leaf->decoded) {
        struct weir_resource *resource = weir_arena_calloc(arena, 1, sizeof(*resource));
        if (!resource || !otlp_decode_resource(arena, otlp_slice_payload(&leaf->raw), resource))
            return NULL;
        leaf->decoded = resource;
    }
    return leaf->decoded;
}

const struct weir_scope *weir_scope_group_scope(struct weir_scope_group *scope)
{
    if (!otlp_open_scope(scope))
        return NULL;
    struct weir_arena *arena = &scope->group->chunk->arena;
    struct otlp_leaf *leaf = &scope->scope;
    if (!leaf->decoded) {
        struct weir_scope *decoded = weir_arena_calloc(arena, 1, sizeof(*decoded));
        if (!decoded || !otlp_decode_scope(arena, otlp_slice_payload(&leaf->raw), decoded))
            return NULL;
        leaf->decoded = decoded;
    }
    return leaf->decoded;
}

static struct weir_arena *arena_of(struct weir_entry *entry)
{
    return &entry->scope->group->chunk->arena;
}

bool otlp_entry_join(struct weir_entry *entry)
{
    struct weir_buffer *buffer;
    if (!entry->cut)
        return true;
    size_t header = entry->raw.length, points = entry->cut->points.length;
    uint8_t *bytes = otlp_chunk_fresh(entry->scope->group->chunk, header + points, &buffer);
    if (!bytes)
        return false;
    memcpy(bytes, entry->raw.data, header);
    memcpy(bytes + header, entry->cut->points.data, points);
    entry->raw = (struct otlp_slice){ bytes, buffer, header + points };
    entry->cut = NULL;
    return true;
}

const struct weir_span *weir_entry_span(struct weir_entry *entry)
{
    if (!entry->decoded) {
        struct weir_arena *arena = arena_of(entry);
        struct weir_span *span = weir_arena_calloc(arena, 1, sizeof(*span));
        if (!span || !otlp_decode_span(arena, otlp_slice_payload(&entry->raw), span))
            return NULL;
        entry->decoded = span;
    }
    return entry->decoded;
}

const struct weir_log_record *weir_entry_log_record(struct weir_entry *entry)
{
    if (!entry->decoded) {
        struct weir_arena *arena = arena_of(entry);
        struct weir_log_record *record = weir_arena_calloc(arena, 1, sizeof(*record));
        if (!record || !otlp_decode_log_record(arena, otlp_slice_payload(&entry->raw), record))
            return NULL;
        entry->decoded = record;
    }
    return entry->decoded;
}

const struct weir_metric *weir_entry_metric(struct weir_entry *entry)
{
    if (!entry->decoded) {
        struct weir_arena *arena = arena_of(entry);
        struct weir_metric *metric = weir_arena_calloc(arena, 1, sizeof(*metric));
        if (!metric || !otlp_entry_join(entry) || !otlp_decode_metric(arena, otlp_slice_payload(&entry->raw), metric))
            return NULL;
        entry->decoded = metric;
    }
    return entry->decoded;
}
