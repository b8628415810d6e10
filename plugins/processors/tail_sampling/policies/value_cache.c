// SPDX-License-Identifier: Apache-2.0
/* A table of lists, and one list of all in the order of their use. */
#include <config.h>

#include <stdlib.h>

#include <weir/hash.h>

#include "plugins/processors/tail_sampling/policies/value_cache.h"

#define LONGEST 1024

struct known {
    struct known *next;            /* in its list of the table */
    struct known *newer, *older;   /* by use */
    size_t list;
    size_t length;
    bool matched;
    char value[];
};

struct value_cache {
    struct known *newest, *oldest;
    size_t count, size, mask;
    struct known *lists[];
};

struct value_cache *value_cache_new(size_t size)
{
    size_t lists = 16;
    while (lists < size && lists < (size_t)1 << 24)
        lists *= 2;
    struct value_cache *cache = weir_xcalloc(1, sizeof *cache + lists * sizeof(struct known *));
    cache->size = size;
    cache->mask = lists - 1;
    return cache;
}

void value_cache_free(struct value_cache *cache)
{
    while (cache && cache->newest) {
        struct known *known = cache->newest;
        cache->newest = known->older;
        free(known);
    }
    free(cache);
}

static size_t list_of(const struct value_cache *cache, struct weir_str value)
{
    return (size_t)weir_hash(0, value) & cache->mask;
}

static void unlink_use(struct value_cache *cache, struct known *known)
{
    *(known->newer ? &known->newer->older : &cache->newest) = known->older;
    *(known->older ? &known->older->newer : &cache->oldest) = known->newer;
}

static void link_newest(struct value_cache *cache, struct known *known)
{
    known->newer = NULL;
    known->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = known;
    cache->newest = known;
}

bool value_cache_get(struct value_cache *cache, struct weir_str value, bool *matched)
{
    struct known *known = cache->lists[list_of(cache, value)];
    while (known && !weir_str_equal(weir_str_make(known->value, known->length), value))
        known = known->next;
    if (!known)
        return false;
    unlink_use(cache, known);
    link_newest(cache, known);
    *matched = known->matched;
    return true;
}

static void drop_oldest(struct value_cache *cache)
{
    struct known *known = cache->oldest, **at = &cache->lists[known->list];
    while (*at != known)
        at = &(*at)->next;
    *at = known->next;
    unlink_use(cache, known);
    free(known);
    cache->count--;
}

void value_cache_put(struct value_cache *cache, struct weir_str value, bool matched)
{
    if (value.length > LONGEST)
        return;
    if (cache->count == cache->size)
        drop_oldest(cache);
    struct known *known = weir_xmalloc(sizeof *known + value.length);
    known->list = list_of(cache, value);
    known->next = cache->lists[known->list];
    known->length = value.length;
    known->matched = matched;
    if (value.length > 0)
        memcpy(known->value, value.data, value.length);
    cache->lists[known->list] = known;
    link_newest(cache, known);
    cache->count++;
}
