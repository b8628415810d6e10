// SPDX-License-Identifier: Apache-2.0
/*
 * Power cuts: of a recorded run, states are made up in which what was not synced is missing, cut or in any order. Each
 * of them opens, and has all records whose sync had been answered and whose end had not been called for.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "sdk/src/journal/io.h"
#include "sdk/src/journal/tests/disk.h"
#include "sdk/src/journal/tests/rig.h"
#include "tests/unit/suite.h"

#define RECORDS 160
#define NEVER SIZE_MAX

static size_t safe_at[RECORDS];    /* calls that had been made when the append was answered */
static size_t settled_at[RECORDS]; /* ...before its end was called for */
static char *directory, *made_up;

static struct weir_journal *open_in(const char *path)
{
    struct weir_journal_options options = { .directory = path, .segment_bytes = 15000, .max_attempts = 50 };
    return rig_open_with(&options);
}

static void setup(void)
{
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_SYSTEM, NULL), 0);
    directory = rig_directory();
    made_up = rig_directory();
    for (int i = 0; i < RECORDS; i++)
        safe_at[i] = settled_at[i] = NEVER;
}

static void teardown(void)
{
    disk_stop();
    rig_remove(directory);
    rig_remove(made_up);
    weir_workers_destroy();
}

static void take_and_settle(struct weir_journal *journal)
{
    struct rig_take take = { .keep = false };
    if (!rig_take(journal, &take))
        return;
    settled_at[take.number] = disk_length();
    weir_journal_settle(journal, take.sequence,
                        take.number % 13 == 0 ? WEIR_JOURNAL_DEAD : WEIR_JOURNAL_SETTLED);
}

static void run_half(uint64_t from, uint64_t to)
{
    struct rig_append appends[4];
    struct weir_journal *journal = open_in(directory);
    for (uint64_t i = from; i < to; i += 4) {
        for (uint64_t j = 0; j < 4; j++)
            (i < from + 20 ? rig_append_take_start : rig_append_start)(journal, &appends[j], i + j,
                                                                        300 + 40 * (i % 50), j != 2);
        for (uint64_t j = 0; j < 4; j++) {
            rig_wait(&appends[j].ended);
            ck_assert_int_eq(appends[j].status, 0);
            if (j != 2)
                safe_at[i + j] = disk_length();
            if (appends[j].append.taken && j != 3) {
                settled_at[i + j] = disk_length();
                weir_journal_settle(journal, appends[j].append.sequence, WEIR_JOURNAL_SETTLED);
            }
        }
        if (i < from + 20)
            continue;
        for (int j = 0; j < 3; j++)
            take_and_settle(journal);
    }
    weir_journal_unref(journal);
}

static void check_state(size_t length, size_t block, uint64_t seed)
{
    unsigned seen[RECORDS] = { 0 };
    disk_synthesize(length, block, seed, made_up);
    struct weir_journal *journal = open_in(made_up); // reads through the system, and is not recorded
    rig_drain(journal, seen, RECORDS);
    weir_journal_unref(journal);
    for (int i = 0; i < RECORDS; i++)
        if (safe_at[i] <= length && settled_at[i] > length)
            ck_assert_msg(seen[i] > 0, "record %d is lost in the state %zu/%zu/%llu", i, length, block,
                          (unsigned long long)seed);
}

START_TEST(what_was_synced_is_there)
{
    disk_start();
    run_half(0, RECORDS / 2);
    run_half(RECORDS / 2, RECORDS);
    size_t length = disk_length(), states = 0;
    journal_io = &journal_system_io;
    size_t step = length / 300 + 1;
    for (size_t at = 1; at <= length; at += step)
        for (uint64_t luck = 0; luck < 4; luck++, states++)
            check_state(at, at % 2 ? 512 : 4096, at * 4 + luck);
    printf("%zu states of %zu calls\n", states, length);
    ck_assert_uint_ge(states, 500);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal power");
    TCase *tcase = tcase_create("power");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, setup, teardown);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, what_was_synced_is_there);
    return run_suite(suite);
}
