// SPDX-License-Identifier: Apache-2.0
/*
 * Chunks: a request or made nodes, with the memory that goes with them.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/otlp/tree.h"

#define FRESH_LEAST 1024u
#define FRESH_MOST (256u * 1024u)

static void pool_unref(struct otlp_pool *pool)
{
    if (__atomic_sub_fetch(&pool->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    weir_arena_free(&pool->arena);
    free(pool);
}

void otlp_batch_drop(struct weir_batch *batch)
{
    if (__atomic_sub_fetch(&batch->users, 1, __ATOMIC_ACQ_REL) == 0)
        free(batch);
}

struct otlp_chunk *otlp_chunk_new(struct weir_batch *batch)
{
    struct otlp_chunk *chunk;
    if (batch->inside_used) {
        chunk = calloc(1, sizeof(*chunk));
        if (!chunk)
            return NULL;
    } else {
        batch->inside_used = true;
        __atomic_add_fetch(&batch->users, 1, __ATOMIC_RELAXED);
        chunk = &batch->inside;
        chunk->home = batch;
    }
    chunk->batch = batch;
    return chunk;
}

static void let_go(struct otlp_chunk *chunk)
{
    weir_buffer_unref(chunk->raw.buffer);
    weir_buffer_unref(chunk->cut);
    for (struct otlp_buffer_link *link = chunk->buffers; link; link = link->next)
        weir_buffer_unref(link->buffer);
    for (struct otlp_pool_link *link = chunk->pools; link; link = link->next)
        pool_unref(link->pool);
    weir_arena_free(&chunk->arena);
}

void otlp_chunk_free(struct otlp_chunk *chunk)
{
    struct weir_batch *home = chunk->home;
    let_go(chunk);
    if (home)
        otlp_batch_drop(home);
    else
        free(chunk);
}

void otlp_chunk_link(struct weir_batch *batch, struct otlp_chunk *chunk)
{
    chunk->batch = batch;
    chunk->next = NULL;
    if (batch->last)
        batch->last->next = chunk;
    else
        batch->first = chunk;
    batch->last = chunk;
    batch->items += chunk->items;
    batch->size += chunk->size;
    batch->sized = batch->sized && !chunk->unsettled;
}

void otlp_chunk_replace(struct otlp_chunk *chunk, struct weir_buffer *buffer)
{
    struct weir_batch *batch = chunk->batch;
    let_go(chunk);
    chunk->buffers = NULL;
    chunk->pools = NULL;
    chunk->fresh = chunk->cut = NULL;
    chunk->first = chunk->last = NULL;
    chunk->opened = chunk->changed = chunk->unsettled = false;
    chunk->raw = (struct otlp_slice){ buffer->data, buffer, buffer->length };
    batch->size = batch->size - chunk->size + buffer->length; /* of use where `sized` says so */
    chunk->size = buffer->length;
}

void otlp_chunks_move(struct weir_batch *from, struct weir_batch *to, size_t count)
{
    for (; count > 0; count--) {
        struct otlp_chunk *chunk = from->first;
        from->first = chunk->next;
        from->items -= chunk->items;
        from->size -= chunk->size; /* what is not settled spoils the sum, and `sized` says so */
        otlp_chunk_link(to, chunk);
    }
    if (!from->first)
        from->last = NULL;
}

static bool add_buffer(struct otlp_chunk *chunk, struct weir_buffer *buffer)
{
    struct otlp_buffer_link *link = weir_arena_alloc(&chunk->arena, sizeof(*link));
    if (!link)
        return false;
    link->buffer = buffer;
    link->next = chunk->buffers;
    chunk->buffers = link;
    return true;
}

bool otlp_chunk_keep(struct otlp_chunk *chunk, struct weir_buffer *buffer)
{
    if (!add_buffer(chunk, buffer))
        return false;
    weir_buffer_ref(buffer);
    return true;
}

bool otlp_chunk_keep_all(struct otlp_chunk *chunk, const struct otlp_chunk *from)
{
    if (from->raw.buffer && !otlp_chunk_keep(chunk, from->raw.buffer))
        return false;
    if (from->cut && !otlp_chunk_keep(chunk, from->cut))
        return false;
    for (const struct otlp_buffer_link *link = from->buffers; link; link = link->next) {
        if (!otlp_chunk_keep(chunk, link->buffer))
            return false;
    }
    return true;
}

/* Some fresh bytes are an edited resource's; who needs more may be rewriting everything, and need a little more than it. */
static size_t fresh_capacity(const struct otlp_chunk *chunk, size_t size)
{
    size_t capacity = FRESH_LEAST;
    if (chunk->fresh) {
        size_t all = chunk->raw.length + chunk->raw.length / 4;
        capacity = chunk->fresh->capacity * 2;
        capacity = capacity > all ? capacity : all;
    }
    capacity = capacity > FRESH_MOST ? FRESH_MOST : capacity;
    return size > capacity ? size : capacity;
}

uint8_t *otlp_chunk_fresh(struct otlp_chunk *chunk, size_t size, struct weir_buffer **buffer)
{
    struct weir_buffer *fresh = chunk->fresh;
    if (!fresh || fresh->capacity - fresh->length < size) {
        fresh = weir_buffer_new(fresh_capacity(chunk, size));
        if (!fresh)
            return NULL;
        if (!add_buffer(chunk, fresh)) {
            weir_buffer_unref(fresh);
            return NULL;
        }
        chunk->fresh = fresh;
    }
    uint8_t *room = fresh->data + fresh->length;
    fresh->length += size;
    *buffer = fresh;
    return room;
}

/* The pool that edits of this batch allocate from. */
static struct otlp_pool *batch_pool(struct weir_batch *batch)
{
    if (!batch->pool) {
        batch->pool = calloc(1, sizeof(*batch->pool));
        if (batch->pool)
            batch->pool->references = 1;
    }
    return batch->pool;
}

struct weir_arena *weir_batch_arena(struct weir_batch *batch)
{
    struct otlp_pool *pool = batch_pool(batch);
    return pool ? &pool->arena : NULL;
}

bool otlp_chunk_keep_pool(struct otlp_chunk *chunk)
{
    struct otlp_pool *pool = batch_pool(chunk->batch);
    if (!pool)
        return false;
    if (chunk->pools && chunk->pools->pool == pool)
        return true;
    struct otlp_pool_link *link = weir_arena_alloc(&chunk->arena, sizeof(*link));
    if (!link)
        return false;
    link->pool = pool;
    link->next = chunk->pools;
    chunk->pools = link;
    __atomic_add_fetch(&pool->references, 1, __ATOMIC_RELAXED);
    return true;
}

void otlp_batch_leave_pool(struct weir_batch *batch)
{
    if (batch->pool)
        pool_unref(batch->pool);
    batch->pool = NULL;
}
