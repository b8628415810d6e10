// SPDX-License-Identifier: Apache-2.0
/*
 * The table of texts of a request of version 2, each of which stands in it once.
 */
#ifndef PROMETHEUSREMOTEWRITE_SYMBOLS_H
#define PROMETHEUSREMOTEWRITE_SYMBOLS_H

#include <weir/arena.h>

/* Zero-initialise, set `arena`. */
struct symbols {
    struct weir_arena *arena;
    struct weir_str *items;
    size_t count, capacity;
    uint32_t *table; /* 1 + index */
    size_t table_size;
};

/* The place of the text, which is borrowed; false when memory is out. */
bool symbols_find(struct symbols *symbols, struct weir_str text, uint32_t *index);

#endif
