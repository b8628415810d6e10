// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "plugins/processors/tail_sampling/table.h"
#include "tests/unit/suite.h"

#define TRACES 5000u

static void make_id(uint8_t *id, uint64_t first, uint64_t second)
{
    memcpy(id, &first, sizeof first);
    memcpy(id + 8, &second, sizeof second);
}

/* Slots from where the trace's search begins to where it stands. */
static uint32_t distance(const struct table *table, uint64_t hash, uint32_t number)
{
    uint32_t steps = 0;
    while (table->slots[((uint32_t)hash + steps) & table->slot_mask].number != number)
        steps++;
    return steps;
}

static void search_is_short(uint64_t first_step, uint64_t second_step)
{
    struct table table;
    uint64_t steps = 0;
    table_init(&table, 1, false, 1, TRACES);
    for (uint64_t i = 0; i < TRACES; i++) {
        uint8_t id[16];
        make_id(id, 1 + i * first_step, 1 + i * second_step);
        uint64_t hash = trace_hash(id);
        ck_assert_uint_eq(table_find(&table, id, hash), NO_TRACE);
        uint32_t number = table_add(&table, id, hash, 0);
        ck_assert_uint_ne(number, NO_TRACE);
        ck_assert_uint_eq(table_find(&table, id, hash), number);
        steps += distance(&table, hash, number);
    }
    ck_assert_uint_lt(steps, 5 * TRACES);
    table_free(&table);
}

START_TEST(ids_with_one_half_in_common_are_found_as_fast)
{
    search_is_short(1, 1);
    search_is_short(1, 0);
    search_is_short(0, 1);
}
END_TEST

static uint32_t add(struct table *table, uint64_t n)
{
    uint8_t id[16];
    make_id(id, n, n);
    return table_add(table, id, trace_hash(id), 0);
}

START_TEST(ripe_traces_stay_in_order)
{
    struct table table;
    table_init(&table, 1, false, 2, TRACES);
    uint32_t numbers[8];
    for (unsigned n = 0; n < 8; n++) {
        numbers[n] = add(&table, 1 + n);
        if (n % 2)
            table_tick(&table); /* 0 and 1 are due at 3, 2 and 3 at 4, and so on */
    }
    ck_assert_uint_eq(table_ripe(&table), numbers[0]); /* at 4 */
    table_hasten(&table, numbers[1], table.tick + 1); /* it is ripe, and stays where it is */
    table_hasten(&table, numbers[7], table.tick + 1); /* with 4 and 5 */
    table_remove(&table, numbers[2]);
    table_decide(&table, numbers[0], TRACE_SAMPLED, 0);
    ck_assert_uint_eq(table_ripe(&table), numbers[1]);
    table_decide(&table, numbers[1], TRACE_SAMPLED, 0);
    ck_assert_uint_eq(table_ripe(&table), numbers[3]);
    table_decide(&table, numbers[3], TRACE_SAMPLED, 0);
    ck_assert_uint_eq(table_ripe(&table), NO_TRACE);
    table_tick(&table);
    table_tick(&table);
    static const unsigned rest[] = { 4, 5, 7, 6 };
    for (unsigned n = 0; n < WEIR_ARRAY_LENGTH(rest); n++) {
        ck_assert_uint_eq(table_ripe(&table), numbers[rest[n]]);
        table_remove(&table, numbers[rest[n]]);
    }
    ck_assert_uint_eq(table_ripe(&table), NO_TRACE);
    table_tick(&table);
    ck_assert_uint_eq(table_ripe(&table), NO_TRACE);
    table_free(&table);
}
END_TEST

START_TEST(the_second_half_alone_chooses_the_worker)
{
    uint8_t one[16], other[16];
    make_id(one, 1, 7);
    make_id(other, 2, 7);
    ck_assert_uint_eq(trace_hash(one) >> 32, trace_hash(other) >> 32);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tail_sampling table");
    TCase *tests = tcase_create("table");
    tcase_add_test(tests, ids_with_one_half_in_common_are_found_as_fast);
    tcase_add_test(tests, ripe_traces_stay_in_order);
    tcase_add_test(tests, the_second_half_alone_chooses_the_worker);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
