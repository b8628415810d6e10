// SPDX-License-Identifier: Apache-2.0
/*
 * The life of a batch: from bytes, shared, merged, freed.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/context.h>
#include <weir/memory.h>

#include "sdk/src/otlp/tree.h"
#include "sdk/src/otlp/validate.h"

struct weir_batch *weir_batch_new(enum weir_signal signal)
{
    struct weir_batch *batch = calloc(1, sizeof(*batch));
    if (!batch)
        return NULL;
    batch->references = 1;
    batch->users = 1;
    batch->signal = signal;
    batch->sized = true;
    return batch;
}

/* Replaces *buffer, *data and *length by an equivalent request that everybody reads alike. */
static int make_usual(enum weir_signal signal, struct weir_buffer **buffer, const void **data, size_t *length,
                      struct otlp_summary *summary, struct weir_error *error)
{
    struct weir_buffer *usual = otlp_normalise(signal, *data, *length);
    if (!usual)
        return weir_error_set(error, "out of memory");
    *buffer = usual;
    *data = usual->data;
    *length = usual->length;
    return otlp_validate(signal, usual->data, usual->length, summary, error) ? 0 : -1;
}

struct weir_batch *weir_batch_from_bytes(enum weir_signal signal, struct weir_buffer *buffer,
                                         const void *data, size_t length, struct weir_error *error)
{
    struct otlp_summary summary;
    if (!otlp_validate(signal, data, length, &summary, error))
        return NULL;
    struct weir_buffer *usual = NULL;
    if (summary.unusual && make_usual(signal, &usual, &data, &length, &summary, error) < 0) {
        weir_buffer_unref(usual);
        return NULL;
    }
    struct weir_batch *batch = weir_batch_new(signal);
    if (!batch) {
        weir_buffer_unref(usual);
        weir_error_set(error, "out of memory");
        return NULL;
    }
    struct otlp_chunk *chunk = otlp_chunk_new(batch);
    chunk->raw = (struct otlp_slice){ data, usual ? usual : weir_buffer_ref(buffer), length };
    chunk->items = summary.items;
    chunk->size = length;
    otlp_chunk_link(batch, chunk);
    return batch;
}

struct weir_batch *weir_batch_from_checked(enum weir_signal signal, struct weir_buffer *buffer, const void *data,
                                           size_t length, size_t items)
{
    struct weir_batch *batch = weir_batch_new(signal);
    if (!batch)
        return NULL;
    struct otlp_chunk *chunk = otlp_chunk_new(batch);
    chunk->raw = (struct otlp_slice){ data, weir_buffer_ref(buffer), length };
    chunk->items = items;
    chunk->size = length;
    otlp_chunk_link(batch, chunk);
    return batch;
}

struct weir_batch *weir_batch_ref(struct weir_batch *batch)
{
    __atomic_add_fetch(&batch->references, 1, __ATOMIC_RELAXED);
    return batch;
}

static bool is_shared(const struct weir_batch *batch)
{
    return __atomic_load_n(&batch->references, __ATOMIC_ACQUIRE) > 1;
}

void weir_batch_unref(struct weir_batch *batch)
{
    if (!batch || __atomic_sub_fetch(&batch->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (struct otlp_chunk *chunk = batch->first; chunk;) {
        struct otlp_chunk *next = chunk->next;
        otlp_chunk_free(chunk);
        chunk = next;
    }
    otlp_batch_leave_pool(batch);
    weir_context_unref(batch->context);
    if (batch->permit > 0)
        weir_memory_release(batch->permit);
    otlp_batch_drop(batch);
}

/* A copy without a permit: the bytes are shared, and reserved once. */
static struct weir_batch *copy_batch(struct weir_batch *batch)
{
    struct weir_batch *copy = weir_batch_new(batch->signal);
    if (!copy)
        return NULL;
    for (struct otlp_chunk *chunk = batch->first; chunk; chunk = chunk->next) {
        struct otlp_chunk *twin = otlp_chunk_copy(chunk, copy);
        if (!twin) {
            weir_batch_unref(copy);
            return NULL;
        }
        otlp_chunk_link(copy, twin);
    }
    weir_batch_set_context(copy, batch->context);
    return copy;
}

struct weir_batch *weir_batch_exclusive(struct weir_batch *batch)
{
    if (!is_shared(batch))
        return batch;
    struct weir_batch *copy = copy_batch(batch);
    if (copy)
        weir_batch_unref(batch);
    return copy;
}

enum weir_signal weir_batch_signal(const struct weir_batch *batch)
{
    return batch->signal;
}

size_t weir_batch_items(const struct weir_batch *batch)
{
    return batch->items;
}

struct weir_context *weir_batch_context(const struct weir_batch *batch)
{
    return batch->context;
}

void weir_batch_set_context(struct weir_batch *batch, struct weir_context *context)
{
    if (context)
        weir_context_ref(context);
    weir_context_unref(batch->context);
    batch->context = context;
}

void weir_batch_add_permit(struct weir_batch *batch, size_t bytes)
{
    batch->permit += bytes;
}

bool weir_batch_append(struct weir_batch *to, struct weir_batch *from)
{
    if (to->signal != from->signal || (to->signal == WEIR_PROFILES && to->first && from->first))
        return false;
    if (from->uncounted)
        weir_batch_commit(from);
    from = weir_batch_exclusive(from);
    if (!from)
        return false;
    if (!to->first)
        weir_batch_set_context(to, from->context);
    else if (from->first && to->context != from->context)
        weir_batch_set_context(to, NULL);
    to->permit += from->permit;
    from->permit = 0;
    while (from->first)
        otlp_chunks_move(from, to, 1);
    weir_batch_unref(from);
    return true;
}
