// SPDX-License-Identifier: Apache-2.0
/*
 * A batch as ranges for writev: slices where nothing changed, fresh keys and lengths around what did. Ranges
 * that meet in memory become one.
 */
#include <config.h>

#include "sdk/src/otlp/tree.h"

#define HEADERS 1024u

struct emit {
    struct weir_slices *out;
    struct otlp_slice run;       /* what waits for its neighbour */
    struct weir_buffer *headers; /* a reference; fresh keys and lengths */
};

static bool flush(struct emit *emit)
{
    struct otlp_slice run = emit->run;
    emit->run = (struct otlp_slice){ NULL, NULL, 0 };
    return weir_slices_add(emit->out, run.buffer, run.data, run.length);
}

static bool emit_slice(struct emit *emit, struct otlp_slice slice)
{
    if (slice.length == 0)
        return true;
    if (emit->run.buffer == slice.buffer && emit->run.length > 0 &&
        emit->run.data + emit->run.length == slice.data) {
        emit->run.length += slice.length;
        return true;
    }
    if (!flush(emit))
        return false;
    emit->run = slice;
    return true;
}

static bool emit_header(struct emit *emit, uint8_t key, size_t payload)
{
    struct weir_buffer *headers = emit->headers;
    size_t size = 1 + weir_wire_varint_size(payload);
    if (!headers || headers->capacity - headers->length < size) {
        headers = weir_buffer_new(HEADERS);
        if (!headers)
            return false;
        /* The run may be in the old one, which lives on only through the ranges. */
        bool flushed = flush(emit);
        weir_buffer_unref(emit->headers);
        emit->headers = headers;
        if (!flushed)
            return false;
    }
    uint8_t *start = headers->data + headers->length;
    *start = key;
    weir_wire_put_varint(start + 1, payload);
    headers->length += size;
    return emit_slice(emit, (struct otlp_slice){ start, headers, size });
}

static bool emit_scope(struct emit *emit, const struct weir_scope_group *scope)
{
    if (!scope->changed)
        return emit_slice(emit, scope->raw);
    if (!emit_header(emit, OTLP_KEY_2, scope->payload) || !emit_slice(emit, scope->scope.raw))
        return false;
    for (const struct weir_entry *entry = scope->first; entry; entry = entry->next) {
        if (entry->removed)
            continue;
        if (!emit_slice(emit, entry->raw) || (entry->cut && !emit_slice(emit, entry->cut->points)))
            return false;
    }
    return emit_slice(emit, scope->schema);
}

static bool emit_group(struct emit *emit, const struct weir_group *group)
{
    if (!group->changed)
        return emit_slice(emit, group->raw);
    if (!emit_header(emit, OTLP_KEY_1, group->payload) || !emit_slice(emit, group->resource.raw))
        return false;
    for (const struct weir_scope_group *scope = group->first; scope; scope = scope->next) {
        if (!scope->removed && !emit_scope(emit, scope))
            return false;
    }
    return emit_slice(emit, group->schema);
}

static bool emit_chunk(struct emit *emit, struct otlp_chunk *chunk)
{
    if (!otlp_settle(chunk))
        return false;
    if (!chunk->changed)
        return emit_slice(emit, chunk->raw);
    for (const struct weir_group *group = chunk->first; group; group = group->next) {
        if (!group->removed && !emit_group(emit, group))
            return false;
    }
    return true;
}

static void take_back(struct weir_slices *out, size_t count)
{
    while (out->count > count) {
        out->count--;
        out->bytes -= out->ranges[out->count].iov_len;
        weir_buffer_unref(out->buffers[out->count]);
    }
}

bool weir_batch_encode(struct weir_batch *batch, struct weir_slices *out)
{
    struct emit emit = { .out = out };
    size_t before = out->count;
    bool done = true;
    for (struct otlp_chunk *chunk = batch->first; chunk && done; chunk = chunk->next)
        done = emit_chunk(&emit, chunk);
    done = done && flush(&emit);
    weir_buffer_unref(emit.headers);
    if (!done)
        take_back(out, before);
    return done;
}

size_t weir_batch_bytes(struct weir_batch *batch)
{
    if (batch->sized)
        return batch->size;
    size_t size = 0;
    bool settled = true;
    for (struct otlp_chunk *chunk = batch->first; chunk; chunk = chunk->next) {
        settled = otlp_settle(chunk) && settled;
        size += chunk->size;
    }
    batch->size = size;
    batch->sized = settled;
    return size;
}
