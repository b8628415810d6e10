// SPDX-License-Identifier: Apache-2.0
/*
 * The bump allocator's slow path: new blocks.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/arena.h>

#define BLOCK_MIN ((size_t)1024)
#define BLOCK_MAX ((size_t)256 * 1024)
/* A piece above this would leave much of the current block unused. */
#define OWN_BLOCK ((size_t)64 * 1024)

/* The newest shared block is first, so that its size tells the next one's; blocks of single pieces
 * stand behind it. */
struct weir_arena_block {
    _Alignas(16) struct weir_arena_block *next;
    size_t size; /* with this header */
};

static struct weir_arena_block *new_block(struct weir_arena *arena, size_t size)
{
    struct weir_arena_block *block = malloc(size);
    if (!block)
        return NULL;
    block->size = size;
    arena->held += size;
    return block;
}

static void *own_block(struct weir_arena *arena, size_t need)
{
    struct weir_arena_block *block = new_block(arena, sizeof(*block) + need);
    if (!block)
        return NULL;
    if (arena->blocks) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = NULL;
        arena->blocks = block;
    }
    return block + 1;
}

static size_t next_size(const struct weir_arena *arena, size_t need)
{
    const struct weir_arena_block *newest = arena->blocks;
    size_t size = BLOCK_MIN;
    // Without a place to bump, the first block is one of a single piece: its size says nothing.
    if (newest && arena->next)
        size = newest->size < BLOCK_MAX ? newest->size * 2 : BLOCK_MAX;
    while (size < sizeof(*newest) + need)
        size *= 2;
    return size;
}

void *weir_arena_grow(struct weir_arena *arena, size_t size)
{
    if (size > PTRDIFF_MAX / 2)
        return NULL;
    size_t need = (size + 15) & ~(size_t)15;
    if (need > OWN_BLOCK)
        return own_block(arena, need);
    struct weir_arena_block *block = new_block(arena, next_size(arena, need));
    if (!block)
        return NULL;
    block->next = arena->blocks;
    arena->blocks = block;
    char *piece = (char *)(block + 1);
    arena->next = piece + need;
    arena->end = (char *)block + block->size;
    return piece;
}

void *weir_arena_calloc(struct weir_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (!weir_size_mul(count, size, &bytes))
        return NULL;
    void *piece = weir_arena_alloc(arena, bytes);
    if (piece)
        memset(piece, 0, bytes);
    return piece;
}

struct weir_str weir_arena_copy(struct weir_arena *arena, struct weir_str s)
{
    size_t size;
    char *copy = weir_size_add(s.length, 1, &size) ? weir_arena_alloc(arena, size) : NULL;
    if (!copy)
        return WEIR_STR_NONE;
    if (s.length > 0)
        memcpy(copy, s.data, s.length);
    copy[s.length] = '\0';
    return weir_str_make(copy, s.length);
}

void weir_arena_free(struct weir_arena *arena)
{
    struct weir_arena_block *block = arena->blocks;
    while (block) {
        struct weir_arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = (struct weir_arena){ NULL, NULL, NULL, 0 };
}
