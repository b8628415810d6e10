// SPDX-License-Identifier: Apache-2.0
/*
 * Bringing bytes and sizes up to date with what was edited, bottom up: each changed leaf is encoded once, and
 * is then as good as one that arrived.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/otlp/write.h"

size_t otlp_entry_size(const struct weir_entry *entry)
{
    return entry->raw.length + (entry->cut ? entry->cut->points.length : 0);
}

size_t otlp_scope_size(const struct weir_scope_group *scope)
{
    return scope->changed ? weir_wire_bytes_size(scope->payload) : scope->raw.length;
}

size_t otlp_group_size(const struct weir_group *group)
{
    return group->changed ? weir_wire_bytes_size(group->payload) : group->raw.length;
}

/* Makes what was written the bytes of field `number`, in memory of the chunk, and empties the writer. */
static bool keep(struct otlp_writer *writer, uint32_t number, struct otlp_chunk *chunk,
                 struct otlp_slice *out)
{
    otlp_write_wrap(writer, number, 0);
    size_t length = otlp_written(writer);
    struct weir_buffer *buffer;
    uint8_t *bytes = writer->failed ? NULL : otlp_chunk_fresh(chunk, length, &buffer);
    if (!bytes)
        return false;
    memcpy(bytes, writer->at, length);
    *out = (struct otlp_slice){ bytes, buffer, length };
    writer->at = writer->end;
    return true;
}

static bool settle_entry(struct otlp_writer *writer, struct weir_entry *entry, struct otlp_chunk *chunk)
{
    if (!entry->changed)
        return true;
    switch (chunk->batch->signal) {
    case WEIR_TRACES:
        otlp_write_span(writer, entry->decoded);
        break;
    case WEIR_METRICS:
        otlp_write_metric(writer, entry->decoded);
        break;
    default:
        otlp_write_log_record(writer, entry->decoded);
        break;
    }
    if (!keep(writer, 2, chunk, &entry->raw))
        return false;
    entry->changed = false;
    return true;
}

static bool settle_scope(struct otlp_writer *writer, struct weir_scope_group *scope, struct otlp_chunk *chunk)
{
    if (scope->scope.changed) {
        otlp_write_scope(writer, scope->scope.decoded);
        if (!keep(writer, 1, chunk, &scope->scope.raw))
            return false;
        scope->scope.changed = false;
    }
    size_t payload = scope->scope.raw.length + scope->schema.length;
    for (struct weir_entry *entry = scope->first; entry; entry = entry->next) {
        if (entry->removed)
            continue;
        if (!settle_entry(writer, entry, chunk))
            return false;
        payload += otlp_entry_size(entry);
    }
    scope->payload = payload;
    return true;
}

static bool settle_group(struct otlp_writer *writer, struct weir_group *group)
{
    if (group->resource.changed) {
        otlp_write_resource(writer, group->resource.decoded);
        if (!keep(writer, 1, group->chunk, &group->resource.raw))
            return false;
        group->resource.changed = false;
    }
    size_t payload = group->resource.raw.length + group->schema.length;
    for (struct weir_scope_group *scope = group->first; scope; scope = scope->next) {
        if (scope->removed)
            continue;
        if (scope->changed && !settle_scope(writer, scope, group->chunk))
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
    struct otlp_writer writer = { NULL, NULL, NULL, false };
    size_t size = 0;
    bool done = true;
    for (struct weir_group *group = chunk->first; group && done; group = group->next) {
        if (group->removed)
            continue;
        done = !group->changed || settle_group(&writer, group);
        size += otlp_group_size(group);
    }
    free(writer.start);
    if (!done)
        return false;
    chunk->size = size;
    chunk->unsettled = false;
    return true;
}
