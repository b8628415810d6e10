// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "plugins/processors/tail_sampling/slab.h"
#include "tests/unit/suite.h"

#define ROOMS 20000u

static struct room {
    uint8_t *at;
    size_t size;
    uint32_t slab;
} rooms[ROOMS];

static uint32_t state = 1;

static uint32_t any(uint32_t below)
{
    state = state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)state * below >> 32);
}

static size_t any_size(void)
{
    return 1 + any(any(8) == 0 ? SLAB_MOST : 100);
}

static void fill(struct slabs *slabs, unsigned i, size_t size)
{
    rooms[i].size = size;
    rooms[i].at = slab_take(slabs, rooms[i].size, &rooms[i].slab);
    ck_assert_ptr_nonnull(rooms[i].at);
    ck_assert_uint_eq((uintptr_t)rooms[i].at % SLAB_STEP, 0);
    memset(rooms[i].at, (int)(i % 251), rooms[i].size);
}

static void empty(struct slabs *slabs, unsigned i)
{
    size_t good = 0;
    while (good < rooms[i].size && rooms[i].at[good] == i % 251)
        good++;
    ck_assert_uint_eq(good, rooms[i].size);
    slab_give(slabs, rooms[i].slab, rooms[i].at);
}

START_TEST(rooms_are_apart_and_aligned)
{
    struct slabs slabs;
    slabs_init(&slabs);
    for (unsigned i = 0; i < ROOMS; i++)
        fill(&slabs, i, any_size());
    for (unsigned turn = 0; turn < 5 * ROOMS; turn++) {
        unsigned i = any(ROOMS);
        empty(&slabs, i);
        fill(&slabs, i, any_size());
    }
    for (unsigned i = 0; i < ROOMS; i++)
        empty(&slabs, i);
    for (size_t i = 0; i < SLAB_CLASSES; i++)
        ck_assert_uint_eq(slabs.open[i], NO_SLAB);
    slabs_free(&slabs);
}
END_TEST

START_TEST(rooms_and_slabs_are_used_again)
{
    struct slabs slabs;
    slabs_init(&slabs);
    for (unsigned i = 0; i < ROOMS; i++)
        fill(&slabs, i, 100);
    uint32_t before = slabs.count;
    for (unsigned i = 0; i < ROOMS; i++) {
        void *at = rooms[i].at;
        empty(&slabs, i);
        fill(&slabs, i, 100);
        ck_assert_ptr_eq(rooms[i].at, at);
    }
    for (unsigned i = 0; i < ROOMS; i++)
        empty(&slabs, i);
    for (unsigned i = 0; i < ROOMS / 2; i++)
        fill(&slabs, i, 100);
    ck_assert_uint_le(slabs.count, before);
    for (unsigned i = 0; i < ROOMS / 2; i++)
        empty(&slabs, i);
    slabs_free(&slabs);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tail_sampling slabs");
    TCase *tests = tcase_create("slabs");
    tcase_add_test(tests, rooms_are_apart_and_aligned);
    tcase_add_test(tests, rooms_and_slabs_are_used_again);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
