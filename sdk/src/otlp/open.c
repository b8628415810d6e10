// SPDX-License-Identifier: Apache-2.0
/*
 * Opening the tree level by level. The bytes were validated on arrival, so nothing here can be malformed; all
 * reads go through the bounds-checked cursor all the same.
 */
#include <config.h>

#include "sdk/src/otlp/field.h"
#include "sdk/src/otlp/tree.h"

/* A sub-message that is there twice means both together: one field whose payload is one payload behind the
 * other. */
static bool join_leaf(struct otlp_chunk *chunk, struct otlp_slice *slice, const struct otlp_field *again)
{
    struct weir_str before = otlp_slice_payload(slice);
    size_t payload = before.length + again->payload.length;
    struct weir_buffer *buffer;
    uint8_t *room = otlp_chunk_fresh(chunk, weir_wire_bytes_size(payload), &buffer);
    if (!room)
        return false;
    *slice = (struct otlp_slice){ room, buffer, weir_wire_bytes_size(payload) };
    *room++ = OTLP_KEY_1;
    room = weir_wire_put_varint(room, payload);
    if (before.length > 0)
        memcpy(room, before.data, before.length);
    if (again->payload.length > 0)
        memcpy(room + before.length, again->payload.data, again->payload.length);
    return true;
}

bool otlp_open_chunk(struct otlp_chunk *chunk)
{
    if (chunk->opened)
        return true;
    struct weir_cursor cursor = weir_cursor_make(chunk->raw.data, chunk->raw.length);
    struct weir_group *first = NULL, *last = NULL;
    struct otlp_field field;
    while (otlp_next_field(&cursor, &field)) {
        if (field.number != 1)
            continue;
        struct weir_group *group = weir_arena_calloc(&chunk->arena, 1, sizeof(*group));
        if (!group)
            return false;
        group->chunk = chunk;
        group->raw = otlp_field_slice(&field, chunk->raw.buffer);
        if (last)
            last->next = group;
        else
            first = group;
        last = group;
    }
    chunk->first = first;
    chunk->last = last;
    chunk->opened = true;
    return true;
}

bool otlp_open_group(struct weir_group *group)
{
    if (group->opened)
        return true;
    struct weir_str payload = otlp_slice_payload(&group->raw);
    struct weir_cursor cursor = weir_cursor_make(payload.data, payload.length);
    struct weir_scope_group *first = NULL, *last = NULL;
    struct otlp_slice resource = { NULL, NULL, 0 }, schema = { NULL, NULL, 0 };
    struct otlp_field field;
    while (otlp_next_field(&cursor, &field)) {
        if (field.number == 1 && resource.length > 0) {
            if (!join_leaf(group->chunk, &resource, &field))
                return false;
        } else if (field.number == 1) {
            resource = otlp_field_slice(&field, group->raw.buffer);
        } else if (field.number == 3) {
            schema = otlp_field_slice(&field, group->raw.buffer);
        } else if (field.number == 2) {
            struct weir_scope_group *scope = weir_arena_calloc(&group->chunk->arena, 1, sizeof(*scope));
            if (!scope)
                return false;
            scope->group = group;
            scope->raw = otlp_field_slice(&field, group->raw.buffer);
            if (last)
                last->next = scope;
            else
                first = scope;
            last = scope;
        }
    }
    group->resource.raw = resource;
    group->schema = schema;
    group->first = first;
    group->last = last;
    group->opened = true;
    return true;
}

bool otlp_open_scope(struct weir_scope_group *scope)
{
    if (scope->opened)
        return true;
    struct otlp_chunk *chunk = scope->group->chunk;
    struct weir_str payload = otlp_slice_payload(&scope->raw);
    struct weir_cursor cursor = weir_cursor_make(payload.data, payload.length);
    struct weir_entry *first = NULL, *last = NULL;
    struct otlp_slice head = { NULL, NULL, 0 }, schema = { NULL, NULL, 0 };
    struct otlp_field field;
    while (otlp_next_field(&cursor, &field)) {
        if (field.number == 1 && head.length > 0) {
            if (!join_leaf(chunk, &head, &field))
                return false;
        } else if (field.number == 1) {
            head = otlp_field_slice(&field, scope->raw.buffer);
        } else if (field.number == 3) {
            schema = otlp_field_slice(&field, scope->raw.buffer);
        } else if (field.number == 2) {
            struct weir_entry *entry = weir_arena_alloc(&chunk->arena, sizeof(*entry));
            if (!entry)
                return false;
            *entry =
                (struct weir_entry){ .scope = scope, .raw = otlp_field_slice(&field, scope->raw.buffer) };
            if (last)
                last->next = entry;
            else
                first = entry;
            last = entry;
        }
    }
    scope->scope.raw = head;
    scope->schema = schema;
    scope->first = first;
    scope->last = last;
    scope->opened = true;
    return true;
}
