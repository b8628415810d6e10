// SPDX-License-Identifier: Apache-2.0
/*
 * A decision cache: the last so many trace ids, by the lower halves of which (bytes 9 to 16) upstream knows traces. The
 * least recently used goes first. 20 bytes an id.
 */
#ifndef TAIL_SAMPLING_CACHE_H
#define TAIL_SAMPLING_CACHE_H

#include <weir/base.h>

struct cache {
    struct cache_entry *entries;
    uint32_t *slots; /* open table of numbers of entries + 1 */
    uint32_t slot_mask;
    uint32_t size; /* most entries; 0: remembers nothing */
    uint32_t count, capacity;
    uint32_t newest, oldest;
};

void cache_init(struct cache *cache, uint32_t size);
void cache_free(struct cache *cache);
/* True if the id is there, which then is the newest. `hash` is trace_hash of it. */
bool cache_has(struct cache *cache, const uint8_t *id, uint64_t hash);
/* Adds the id as the newest; false if it is not there then: without a size, or when memory is out. */
bool cache_add(struct cache *cache, const uint8_t *id, uint64_t hash);
/* The ids' lower halves from the oldest on: starts with *at 0; false at the end. */
bool cache_next(const struct cache *cache, uint32_t *at, uint64_t *half);

#endif
