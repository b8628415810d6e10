// SPDX-License-Identifier: Apache-2.0
/* The decision cache. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "plugins/processors/tail_sampling/cache.h"

#define NONE UINT32_MAX

struct cache_entry {
    uint64_t half;
    uint32_t newer, older;
    uint32_t hash;
};

static uint64_t half_of(const uint8_t *id)
{
    uint64_t half;
    memcpy(&half, id + 8, sizeof half);
    return half;
}

void cache_init(struct cache *cache, uint32_t size)
{
    *cache = (struct cache){ .size = size, .newest = NONE, .oldest = NONE };
}

void cache_free(struct cache *cache)
{
    free(cache->entries);
    free(cache->slots);
    cache_init(cache, cache->size);
}

static uint32_t *find(const struct cache *cache, uint64_t half, uint32_t hash)
{
    for (uint32_t at = hash & cache->slot_mask; cache->slots; at = (at + 1) & cache->slot_mask) {
        uint32_t *slot = &cache->slots[at];
        if (*slot == 0)
            return NULL;
        if (cache->entries[*slot - 1].half == half)
            return slot;
    }
    return NULL;
}

static void unlink_entry(struct cache *cache, const struct cache_entry *entry)
{
    *(entry->newer != NONE ? &cache->entries[entry->newer].older : &cache->newest) = entry->older;
    *(entry->older != NONE ? &cache->entries[entry->older].newer : &cache->oldest) = entry->newer;
}

static void link_newest(struct cache *cache, uint32_t number)
{
    cache->entries[number].newer = NONE;
    cache->entries[number].older = cache->newest;
    *(cache->newest != NONE ? &cache->entries[cache->newest].newer : &cache->oldest) = number;
    cache->newest = number;
}

bool cache_has(struct cache *cache, const uint8_t *id, uint64_t hash)
{
    const uint32_t *slot = cache->count > 0 ? find(cache, half_of(id), (uint32_t)(hash >> 32)) : NULL;
    if (!slot)
        return false;
    unlink_entry(cache, &cache->entries[*slot - 1]);
    link_newest(cache, *slot - 1);
    return true;
}

static void put_slot(uint32_t *slots, uint32_t mask, uint32_t hash, uint32_t number)
{
    uint32_t at = hash & mask;
    while (slots[at] != 0)
        at = (at + 1) & mask;
    slots[at] = number + 1;
}

/* Grows with what it holds: a large size costs nothing until it is used. */
static bool grow(struct cache *cache)
{
    uint32_t capacity = cache->capacity ? cache->capacity * 2 : 64, slots = 128;
    if (capacity > cache->size)
        capacity = cache->size;
    while (slots / 2 < capacity)
        slots *= 2;
    struct cache_entry *entries = realloc(cache->entries, capacity * sizeof *entries);
    if (!entries)
        return false;
    cache->entries = entries;
    uint32_t *table = calloc(slots, sizeof *table);
    if (!table)
        return false;
    for (uint32_t i = 0; i < cache->count; i++)
        put_slot(table, slots - 1, entries[i].hash, i);
    free(cache->slots);
    cache->slots = table;
    cache->slot_mask = slots - 1;
    cache->capacity = capacity;
    return true;
}

static void close_gap(struct cache *cache, uint32_t gap)
{
    uint32_t mask = cache->slot_mask;
    for (uint32_t at = (gap + 1) & mask; cache->slots[at] != 0; at = (at + 1) & mask) {
        uint32_t home = cache->entries[cache->slots[at] - 1].hash & mask;
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        cache->slots[gap] = cache->slots[at];
        gap = at;
    }
    cache->slots[gap] = 0;
}

/* The number of an entry that is free now. */
static uint32_t drop_oldest(struct cache *cache)
{
    uint32_t number = cache->oldest;
    const struct cache_entry *entry = &cache->entries[number];
    close_gap(cache, (uint32_t)(find(cache, entry->half, entry->hash) - cache->slots));
    unlink_entry(cache, entry);
    return number;
}

bool cache_add(struct cache *cache, const uint8_t *id, uint64_t hash)
{
    if (cache->size == 0 || cache_has(cache, id, hash))
        return cache->size > 0;
    if (cache->count < cache->size && cache->count == cache->capacity && !grow(cache))
        return false;
    uint32_t number = cache->count < cache->size ? cache->count++ : drop_oldest(cache);
    cache->entries[number].half = half_of(id);
    cache->entries[number].hash = (uint32_t)(hash >> 32);
    link_newest(cache, number);
    put_slot(cache->slots, cache->slot_mask, (uint32_t)(hash >> 32), number);
    return true;
}

bool cache_next(const struct cache *cache, uint32_t *at, uint64_t *half)
{
    uint32_t number = *at == 0 ? cache->oldest : cache->entries[*at - 1].newer;
    if (number == NONE)
        return false;
    *half = cache->entries[number].half;
    *at = number + 1;
    return true;
}
