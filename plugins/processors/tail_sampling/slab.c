// SPDX-License-Identifier: Apache-2.0
/* Slabs. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "plugins/processors/tail_sampling/slab.h"

/* What is free is out of bounds under AddressSanitizer. */
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

#define LINE 64u
#define LINES_EXPECTED 8 /* the hardware sees where a longer slot goes on */
#define NO_SLOT UINT16_MAX

struct slab {
    uint8_t *memory;
    uint32_t size; /* of a slot */
    uint16_t slots, used;
    uint16_t fresh; /* slots from here on have never been taken */
    uint16_t free;  /* first slot that was given back; each holds the number of the next */
    uint32_t before, behind; /* among the open ones of its size; `behind` also links entries without memory */
};

void slabs_init(struct slabs *slabs)
{
    *slabs = (struct slabs){ .unused = NO_SLAB };
    for (size_t i = 0; i < SLAB_CLASSES; i++)
        slabs->open[i] = NO_SLAB;
}

void slabs_free(struct slabs *slabs)
{
    free(slabs->all);
    slabs_init(slabs);
}

static uint32_t *open_of(struct slabs *slabs, uint32_t size)
{
    if (size <= SLAB_SMALL)
        return &slabs->open[size / SLAB_STEP];
    return &slabs->open[SLAB_SMALL / SLAB_STEP + (size - SLAB_SMALL) / SLAB_STEP_LARGE];
}

/* What a slab of such slots takes. */
static uint32_t bytes_of(uint32_t size)
{
    return size <= SLAB_SMALL ? 32 * 1024 : 64 * 1024;
}

static void link_open(struct slabs *slabs, uint32_t number)
{
    struct slab *slab = &slabs->all[number];
    uint32_t *first = open_of(slabs, slab->size);
    slab->before = NO_SLAB;
    slab->behind = *first;
    if (*first != NO_SLAB)
        slabs->all[*first].before = number;
    *first = number;
}

static void unlink_open(struct slabs *slabs, const struct slab *slab)
{
    if (slab->before != NO_SLAB)
        slabs->all[slab->before].behind = slab->behind;
    else
        *open_of(slabs, slab->size) = slab->behind;
    if (slab->behind != NO_SLAB)
        slabs->all[slab->behind].before = slab->before;
}

/* An entry without memory; NO_SLAB when memory is out. */
static uint32_t take_entry(struct slabs *slabs)
{
    uint32_t number = slabs->unused;
    if (number != NO_SLAB) {
        slabs->unused = slabs->all[number].behind;
        return number;
    }
    if (slabs->count == slabs->capacity) {
        uint32_t capacity = slabs->capacity ? slabs->capacity * 2 : 16;
        struct slab *all = realloc(slabs->all, capacity * sizeof *all);
        if (!all)
            return NO_SLAB;
        slabs->all = all;
        slabs->capacity = capacity;
    }
    return slabs->count++;
}

static void put_entry(struct slabs *slabs, uint32_t number)
{
    slabs->all[number].behind = slabs->unused;
    slabs->unused = number;
}

static uint32_t new_slab(struct slabs *slabs, uint32_t size)
{
    uint32_t number = take_entry(slabs);
    if (number == NO_SLAB)
        return NO_SLAB;
    uint8_t *memory = malloc(bytes_of(size));
    if (!memory) {
        put_entry(slabs, number);
        return NO_SLAB;
    }
    ASAN_POISON_MEMORY_REGION(memory, bytes_of(size));
    slabs->all[number] = (struct slab){
        .memory = memory,
        .size = size,
        .slots = (uint16_t)(bytes_of(size) / size),
        .free = NO_SLOT,
    };
    link_open(slabs, number);
    return number;
}

static uint8_t *slot_at(const struct slab *slab, uint16_t slot)
{
    return slab->memory + (size_t)slot * slab->size;
}

/* Asks the memory for the slot that will be taken next. */
static void expect_slot(const struct slab *slab)
{
    const uint8_t *next = slot_at(slab, slab->free != NO_SLOT ? slab->free : slab->fresh);
    for (uint32_t at = 0; at < slab->size && at < LINES_EXPECTED * LINE; at += LINE)
        __builtin_prefetch(next + at, 1);
}

void *slab_take(struct slabs *slabs, size_t size, uint32_t *out)
{
    uint32_t rounded = slab_slot(size);
    uint32_t number = *open_of(slabs, rounded);
    if (number == NO_SLAB && (number = new_slab(slabs, rounded)) == NO_SLAB)
        return NULL;
    struct slab *slab = &slabs->all[number];
    bool fresh = slab->free == NO_SLOT;
    uint8_t *room = slot_at(slab, fresh ? slab->fresh++ : slab->free);
    ASAN_UNPOISON_MEMORY_REGION(room, slab->size);
    if (!fresh)
        memcpy(&slab->free, room, sizeof slab->free);
    if (++slab->used == slab->slots) {
        unlink_open(slabs, slab);
        if (slab->behind != NO_SLAB)
            expect_slot(&slabs->all[slab->behind]);
    } else {
        expect_slot(slab);
    }
    *out = number;
    return room;
}

void slab_give(struct slabs *slabs, uint32_t number, void *room)
{
    struct slab *slab = &slabs->all[number];
    uint16_t slot = (uint16_t)((uint32_t)((uint8_t *)room - slab->memory) / slab->size);
    memcpy(room, &slab->free, sizeof slab->free);
    ASAN_POISON_MEMORY_REGION(room, slab->size);
    slab->free = slot;
    if (slab->used-- == slab->slots)
        link_open(slabs, number);
    if (slab->used > 0)
        return;
    unlink_open(slabs, slab);
    ASAN_UNPOISON_MEMORY_REGION(slab->memory, bytes_of(slab->size));
    free(slab->memory);
    put_entry(slabs, number);
}
