// SPDX-License-Identifier: Apache-2.0
/* Hash tables: the hash itself, tail_sampling's traces and its cache of decisions. */
#include <config.h>

#include <weir/hash.h>

#include "bench/micro/steps.h"
#include "plugins/processors/tail_sampling/cache.h"
#include "plugins/processors/tail_sampling/table.h"

#define TRACES 20000u

static uint8_t ids[2 * TRACES][16];
static struct table table;
static struct cache cache;

static void prepare(int variant)
{
    (void)variant;
    for (uint64_t i = 0; i < 2 * TRACES; i++) {
        uint64_t id[2] = { (i + 1) * UINT64_C(0xd6e8feb86659fd93), (i + 1) * UINT64_C(0xff51afd7ed558ccd) };
        memcpy(ids[i], id, sizeof id);
    }
    table_init(&table, 1, true, 10, TRACES);
    cache_init(&cache, TRACES);
    for (uint32_t i = 0; i < TRACES; i++)
        if (table_add(&table, ids[i], trace_hash(ids[i]), 0) == NO_TRACE ||
            !cache_add(&cache, ids[i], trace_hash(ids[i])))
            abort();
}

static void finish(int variant)
{
    (void)variant;
    table_free(&table);
    cache_free(&cache);
}

static uint64_t hash(int variant)
{
    uint64_t sum = 0;
    (void)variant;
    for (uint32_t i = 0; i < TRACES; i++)
        sum += weir_hash(0, weir_str_make((const char *)ids[i], sizeof ids[i]));
    return sum == 0 ? 0 : TRACES;
}

static uint64_t find(int first)
{
    for (uint32_t i = 0; i < TRACES; i++) {
        const uint8_t *id = ids[(uint32_t)first + i];
        if ((table_find(&table, id, trace_hash(id)) == NO_TRACE) != (first > 0))
            abort();
    }
    return TRACES;
}

static uint64_t replace(int variant)
{
    (void)variant;
    for (uint32_t i = 0; i < TRACES; i++) {
        const uint8_t *id = table_at(&table, table.oldest)->id;
        uint8_t copy[16];
        memcpy(copy, id, sizeof copy);
        table_remove(&table, table.oldest);
        if (table_add(&table, copy, trace_hash(copy), 0) == NO_TRACE)
            abort();
    }
    return TRACES;
}

static uint64_t remember(int variant)
{
    static uint32_t at;
    (void)variant;
    for (uint32_t i = 0; i < TRACES; i++) {
        at = (at + 1) % (2 * TRACES);
        if (!cache_add(&cache, ids[at], trace_hash(ids[at])))
            abort();
    }
    return TRACES;
}

static uint64_t look_up(int first)
{
    for (uint32_t i = 0; i < TRACES; i++) {
        const uint8_t *id = ids[(uint32_t)first + i];
        if (cache_has(&cache, id, trace_hash(id)) != (first == 0))
            abort();
    }
    return TRACES;
}

const struct step table_steps[] = {
    { "hash: 16 bytes", 0, prepare, hash, finish },
    { "trace table: find", 0, prepare, find, finish },
    { "trace table: miss", TRACES, prepare, find, finish },
    { "trace table: remove and add", 0, prepare, replace, finish },
    { "decision cache: find", 0, prepare, look_up, finish },
    { "decision cache: miss", TRACES, prepare, look_up, finish },
    { "decision cache: add and forget", 0, prepare, remember, finish },
    { .name = NULL },
};
