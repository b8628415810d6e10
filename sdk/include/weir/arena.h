// SPDX-License-Identifier: Apache-2.0
/*
 * A bump allocator: many small pieces, freed together.
 */
#ifndef WEIR_ARENA_H
#define WEIR_ARENA_H

#include <weir/str.h>

WEIR_BEGIN

struct weir_arena_block;

/* Zero-initialise to start (no memory is taken until the first piece); weir_arena_free to end. One thread at a
 * time. Blocks grow from 1 KiB by doubling up to 256 KiB; a larger piece gets a block of its own. */
struct weir_arena {
    struct weir_arena_block *blocks;
    char *next;
    char *end;
    size_t held; /* bytes taken from the system */
};

/* `size` bytes aligned for any type; NULL when memory is out or size is absurd. Not zeroed. */
WEIR_EXPORT void *weir_arena_grow(struct weir_arena *arena, size_t size) WEIR_MUST_USE;

/* The fast path of every allocation. As weir_arena_grow. */
static inline void *weir_arena_alloc(struct weir_arena *arena, size_t size)
{
    size_t room = (size_t)(arena->end - arena->next);
    size_t need = (size + 15) & ~(size_t)15;
    if (need < size || need > room || arena->next == NULL)
        return weir_arena_grow(arena, size);
    void *piece = arena->next;
    arena->next += need;
    return piece;
}

/* count * size zeroed bytes; NULL when memory is out or the product overflows. */
WEIR_EXPORT void *weir_arena_calloc(struct weir_arena *arena, size_t count, size_t size) WEIR_MUST_USE;

/* A copy of the bytes, with a NUL behind; data is NULL when memory is out. */
WEIR_EXPORT struct weir_str weir_arena_copy(struct weir_arena *arena, struct weir_str s);

/* Frees every piece; the arena can be used again. */
WEIR_EXPORT void weir_arena_free(struct weir_arena *arena);

WEIR_END

#endif
