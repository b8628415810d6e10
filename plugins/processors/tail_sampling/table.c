// SPDX-License-Identifier: Apache-2.0
/* The table of traces. */
#include <config.h>

#include <stdlib.h>

#include <weir/hash.h>
#include <weir/memory.h>

#include "plugins/processors/tail_sampling/table.h"

#define BLOCK 256u
#define SLOTS_LEAST 256u

uint64_t trace_hash(const uint8_t *id)
{
    uint64_t half = weir_hash(0, weir_str_make((const char *)id + 8, 8));
    uint64_t whole = weir_hash(half, weir_str_make((const char *)id, 8));
    return (half & ~(uint64_t)UINT32_MAX) | (whole & UINT32_MAX);
}

static bool make_slots(struct table *table, uint32_t count)
{
    struct index_slot *slots = malloc(count * sizeof *slots);
    struct index_slot *old = table->slots;
    uint32_t old_count = old ? table->slot_mask + 1 : 0;
    if (!slots)
        return false;
    memset(slots, 0xff, count * sizeof *slots);
    for (uint32_t i = 0; i < old_count; i++) {
        if (old[i].number == NO_TRACE)
            continue;
        uint32_t at = old[i].hash & (count - 1);
        while (slots[at].number != NO_TRACE)
            at = (at + 1) & (count - 1);
        slots[at] = old[i];
    }
    free(old);
    table->slots = slots;
    table->slot_mask = count - 1;
    return true;
}

void table_init(struct table *table, size_t bit_words, bool timed, uint32_t wait, uint32_t expected)
{
    uint32_t slots = SLOTS_LEAST;
    *table = (struct table){
        .stride = sizeof(struct trace) + (bit_words + (timed ? 2 : 0)) * sizeof(uint64_t),
        .bit_words = bit_words,
        .timed = timed,
        .free = NO_TRACE,
        .oldest = NO_TRACE,
        .newest = NO_TRACE,
        .decided = { NO_TRACE, NO_TRACE },
        .ripe = { NO_TRACE, NO_TRACE },
        .wheel_size = wait + 1,
    };
    table->wheel = weir_xmalloc(table->wheel_size * sizeof *table->wheel);
    for (uint32_t i = 0; i < table->wheel_size; i++)
        table->wheel[i] = (struct trace_list){ NO_TRACE, NO_TRACE };
    while (slots / 4 * 3 < expected && slots < UINT32_C(1) << 24)
        slots *= 2;
    store_init(&table->store);
    if (!make_slots(table, slots) && !make_slots(table, SLOTS_LEAST))
        table->slot_mask = 0;
}

void table_free(struct table *table)
{
    while (table->oldest != NO_TRACE && table->blocks)
        table_remove(table, table->oldest);
    for (size_t i = 0; i < table->block_count; i++)
        free(table->blocks[i]);
    free(table->blocks);
    free(table->slots);
    free(table->wheel);
    store_free(&table->store);
    memset(table, 0, sizeof *table);
    table->oldest = NO_TRACE;
}

static uint32_t *slot_of(const struct table *table, const uint8_t *id, uint32_t hash)
{
    for (uint32_t at = hash & table->slot_mask;; at = (at + 1) & table->slot_mask) {
        struct index_slot *slot = &table->slots[at];
        if (slot->number == NO_TRACE)
            return NULL;
        if (slot->hash == hash && memcmp(table_at(table, slot->number)->id, id, 16) == 0)
            return &slot->number;
    }
}

uint32_t table_find(const struct table *table, const uint8_t *id, uint64_t hash)
{
    const uint32_t *slot = table->slots ? slot_of(table, id, (uint32_t)hash) : NULL;
    return slot ? *slot : NO_TRACE;
}

void table_expect_trace(const struct table *table, uint64_t hash)
{
    if (!table->slots)
        return;
    uint32_t at = (uint32_t)hash & table->slot_mask;
    while (table->slots[at].number != NO_TRACE && table->slots[at].hash != (uint32_t)hash)
        at = (at + 1) & table->slot_mask;
    if (table->slots[at].number == NO_TRACE)
        return;
    const uint8_t *trace = (const uint8_t *)table_at(table, table->slots[at].number);
    for (size_t byte = 0; byte < table->stride; byte += 64)
        __builtin_prefetch(trace + byte);
    __builtin_prefetch(trace + table->stride - 1);
}

/* What follows in the same run and may stand here is moved up, so that no gap cuts a run. */
static void close_gap(struct table *table, uint32_t gap)
{
    uint32_t mask = table->slot_mask;
    for (uint32_t at = (gap + 1) & mask; table->slots[at].number != NO_TRACE; at = (at + 1) & mask) {
        uint32_t home = table->slots[at].hash & mask;
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        table->slots[gap] = table->slots[at];
        gap = at;
    }
    table->slots[gap].number = NO_TRACE;
}

static void unindex(struct table *table, const uint8_t *id)
{
    uint32_t *number = slot_of(table, id, (uint32_t)trace_hash(id));
    struct index_slot *slot = WEIR_CONTAINER_OF(number, struct index_slot, number);
    close_gap(table, (uint32_t)(slot - table->slots));
}

static void list_append(struct table *table, struct trace_list *list, uint32_t number)
{
    struct trace *trace = table_at(table, number);
    trace->before = list->last;
    trace->behind = NO_TRACE;
    if (list->last != NO_TRACE)
        table_at(table, list->last)->behind = number;
    else
        list->first = number;
    list->last = number;
}

static void list_remove(struct table *table, struct trace_list *list, uint32_t number)
{
    const struct trace *trace = table_at(table, number);
    if (trace->before != NO_TRACE)
        table_at(table, trace->before)->behind = trace->behind;
    else
        list->first = trace->behind;
    if (trace->behind != NO_TRACE)
        table_at(table, trace->behind)->before = trace->before;
    else
        list->last = trace->before;
}

static struct trace_list *list_of(struct table *table, const struct trace *trace)
{
    if (trace->state != TRACE_PENDING)
        return &table->decided;
    return trace_is_ripe(table, trace) ? &table->ripe : &table->wheel[trace->moment % table->wheel_size];
}

static bool add_block(struct table *table)
{
    uint8_t **blocks = realloc(table->blocks, (table->block_count + 1) * sizeof *blocks);
    if (!blocks)
        return false;
    table->blocks = blocks;
    blocks[table->block_count] = malloc(BLOCK * table->stride);
    if (!blocks[table->block_count])
        return false;
    table->block_count++;
    return true;
}

static uint32_t take_number(struct table *table)
{
    if (table->free != NO_TRACE) {
        uint32_t number = table->free;
        table->free = table_at(table, number)->behind;
        return number;
    }
    if (table->used == table->block_count * BLOCK && !add_block(table))
        return NO_TRACE;
    return table->used++;
}

static void put_index(struct table *table, uint32_t hash, uint32_t number)
{
    uint32_t at = hash & table->slot_mask;
    while (table->slots[at].number != NO_TRACE)
        at = (at + 1) & table->slot_mask;
    table->slots[at] = (struct index_slot){ hash, number };
}

static bool has_slot(struct table *table)
{
    uint32_t slots = table->slots ? table->slot_mask + 1 : 0;
    return (slots > 0 && table->count < slots / 4 * 3) || make_slots(table, slots > 0 ? slots * 2 : SLOTS_LEAST);
}

uint32_t table_add(struct table *table, const uint8_t *id, uint64_t hash, uint32_t second)
{
    uint32_t number = has_slot(table) ? take_number(table) : NO_TRACE;
    if (number == NO_TRACE)
        return NO_TRACE;
    struct trace *trace = table_at(table, number);
    memset(trace, 0, table->stride);
    memcpy(trace->id, id, sizeof trace->id);
    trace->arrived = second;
    trace->moment = table->tick + table->wheel_size;
    trace->older = table->newest;
    trace->newer = NO_TRACE;
    if (table->newest != NO_TRACE)
        table_at(table, table->newest)->newer = number;
    else
        table->oldest = number;
    table->newest = number;
    list_append(table, list_of(table, trace), number);
    put_index(table, (uint32_t)hash, number);
    table->count++;
    weir_memory_reserve(table->stride);
    return number;
}

void table_strip(struct table *table, struct trace *trace)
{
    for (const struct chunk *chunk = trace->first; chunk; chunk = chunk->next)
        table->chunk_bytes -= chunk_cost(chunk);
    chunks_free(&table->store, trace->first);
    trace->first = trace->last = NULL;
    trace->spans = 0;
}

void table_remove(struct table *table, uint32_t number)
{
    struct trace *trace = table_at(table, number);
    table_strip(table, trace);
    unindex(table, trace->id);
    list_remove(table, list_of(table, trace), number);
    if (trace->older != NO_TRACE)
        table_at(table, trace->older)->newer = trace->newer;
    else
        table->oldest = trace->newer;
    if (trace->newer != NO_TRACE)
        table_at(table, trace->newer)->older = trace->older;
    else
        table->newest = trace->older;
    trace->behind = table->free;
    table->free = number;
    table->count--;
    weir_memory_release(table->stride);
}

void table_hasten(struct table *table, uint32_t number, uint32_t tick)
{
    struct trace *trace = table_at(table, number);
    if (trace_is_ripe(table, trace) || (int32_t)(trace->moment - tick) <= 0)
        return;
    list_remove(table, list_of(table, trace), number);
    trace->moment = tick;
    list_append(table, list_of(table, trace), number);
}

void table_tick(struct table *table)
{
    struct trace_list *due = &table->wheel[++table->tick % table->wheel_size], *ripe = &table->ripe;
    if (due->first == NO_TRACE)
        return;
    if (ripe->last != NO_TRACE)
        table_at(table, ripe->last)->behind = due->first;
    else
        ripe->first = due->first;
    table_at(table, due->first)->before = ripe->last;
    ripe->last = due->last;
    *due = (struct trace_list){ NO_TRACE, NO_TRACE };
}

uint32_t table_ripe(const struct table *table)
{
    return table->ripe.first;
}

void table_decide(struct table *table, uint32_t number, enum trace_state state, uint32_t second)
{
    struct trace *trace = table_at(table, number);
    list_remove(table, list_of(table, trace), number);
    trace->state = (uint8_t)state;
    trace->moment = second;
    list_append(table, &table->decided, number);
}

void trace_append(struct table *table, struct trace *trace, struct chunk *chunk)
{
    chunk->next = NULL;
    if (trace->last)
        trace->last->next = chunk;
    else
        trace->first = chunk;
    trace->last = chunk;
    table->chunk_bytes += chunk_cost(chunk);
    trace->spans += chunk->items;
}
