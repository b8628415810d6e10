// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheusremotewrite/symbols.h"

#include <weir/hash.h>

/* Where the text is, or should be, in the table. */
static size_t slot_of(const struct symbols *symbols, struct weir_str text)
{
    size_t at = weir_hash(0, text) & (symbols->table_size - 1);
    while (symbols->table[at] && !weir_str_equal(symbols->items[symbols->table[at] - 1], text))
        at = (at + 1) & (symbols->table_size - 1);
    return at;
}

static bool grow(struct symbols *symbols)
{
    size_t capacity = symbols->capacity ? symbols->capacity * 2 : 128;
    struct weir_str *items = weir_arena_calloc(symbols->arena, capacity, sizeof(*items));
    uint32_t *table = weir_arena_calloc(symbols->arena, capacity * 2, sizeof(*table));
    if (!items || !table)
        return false;
    if (symbols->count)
        memcpy(items, symbols->items, symbols->count * sizeof(*items));
    symbols->items = items;
    symbols->capacity = capacity;
    symbols->table = table;
    symbols->table_size = capacity * 2;
    for (size_t i = 0; i < symbols->count; i++)
        table[slot_of(symbols, items[i])] = (uint32_t)i + 1;
    return true;
}

bool symbols_find(struct symbols *symbols, struct weir_str text, uint32_t *index)
{
    if (symbols->count == symbols->capacity && !grow(symbols))
        return false;
    size_t at = slot_of(symbols, text);
    if (!symbols->table[at]) {
        symbols->items[symbols->count++] = text;
        symbols->table[at] = (uint32_t)symbols->count;
    }
    *index = symbols->table[at] - 1;
    return true;
}
