// SPDX-License-Identifier: Apache-2.0
/*
 * Disks that fail: the n-th write, sync, open and so on. What was answered with 0 is there, and once the disk is well the
 * journal goes on without a restart.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sdk/src/journal/tests/disk.h"
#include "sdk/src/journal/tests/rig.h"
#include "tests/unit/suite.h"

#define RECORDS 60
#define MOST 200 /* n goes from 1 to this, or to where the run has no n-th call */

static char *directory;

static struct weir_journal *open_small(void)
{
    struct weir_journal_options options = { .directory = directory, .segment_bytes = 8000, .max_attempts = 50 };
    return rig_open_with(&options);
}

static void setup(void)
{
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_SYSTEM, NULL), 0);
    directory = rig_directory();
}

static void teardown(void)
{
    disk_stop();
    rig_remove(directory);
    weir_workers_destroy();
}

static bool safe[RECORDS + 1], settled[RECORDS + 1];

static void work(struct weir_journal *journal)
{
    struct rig_append appends[3];
    struct rig_take take = { .keep = false };
    for (uint64_t i = 0; i < RECORDS; i += 3) {
        for (uint64_t j = 0; j < 3; j++)
            (i < RECORDS / 2 ? rig_append_take_start : rig_append_start)(journal, &appends[j], i + j, 400 + 20 * i, true);
        for (uint64_t j = 0; j < 3; j++) {
            rig_wait(&appends[j].ended);
            safe[i + j] = appends[j].status == 0;
            if (!appends[j].append.taken)
                continue;
            settled[i + j] = i % 2 == 0;
            weir_journal_settle(journal, appends[j].append.sequence,
                                i % 2 == 0 ? WEIR_JOURNAL_SETTLED : WEIR_JOURNAL_RETURNED);
        }
        struct weir_journal_counts counts;
        weir_journal_counts(journal, &counts);
        if (i % 2 == 0 && counts.records > counts.taken && rig_take(journal, &take)) {
            ck_assert(!take.bad);
            settled[take.number] = true;
            weir_journal_settle(journal, take.sequence, WEIR_JOURNAL_SETTLED);
        }
    }
}

/* False: the run has no n-th call. */
static bool try_fault(enum disk_call call, unsigned n, int errnum, unsigned times)
{
    unsigned seen[RECORDS + 1] = { 0 };
    memset(safe, 0, sizeof(safe));
    memset(settled, 0, sizeof(settled));
    disk_start();
    struct weir_journal *journal = open_small();
    disk_fail(call, n, errnum, times);
    work(journal);
    bool failed = disk_failed();
    disk_fail(call, 1, 0, 0);
    ck_assert_int_eq(rig_append(journal, RECORDS, 100, true), 0); // it has recovered
    safe[RECORDS] = true;
    weir_journal_unref(journal);
    disk_stop();
    journal = open_small();
    rig_drain(journal, seen, RECORDS + 1);
    weir_journal_unref(journal);
    for (int i = 0; i <= RECORDS; i++)
        ck_assert_msg(!safe[i] || settled[i] || seen[i] > 0, "record %d is lost: %s %u, error %d, %u times", i,
                      disk_call_names[call], n, errnum, times);
    ck_assert_uint_eq(rig_files(directory, ".seg"), 0);
    return failed;
}

static unsigned tries;

static void try_all(enum disk_call call, int errnum, unsigned times)
{
    for (unsigned n = 1; n <= MOST; n++, tries++)
        if (!try_fault(call, n, errnum, times))
            break;
}

START_TEST(a_write_fails)
{
    try_all(DISK_WRITE, EIO, 1);
    try_all(DISK_WRITE, ENOSPC, 1);
    try_all(DISK_WRITE, ENOSPC, 5);
    try_all(DISK_WRITE, 0, 1); // short
    printf("%u runs\n", tries);
}
END_TEST

START_TEST(a_sync_fails)
{
    try_all(DISK_SYNC, EIO, 1);
    try_all(DISK_SYNC, EIO, 2);
    try_all(DISK_SYNC, EIO, 9);
    try_all(DISK_SYNC_DIRECTORY, EIO, 1);
    printf("%u runs\n", tries);
}
END_TEST

START_TEST(another_call_fails)
{
    try_all(DISK_OPEN, EMFILE, 1);
    try_all(DISK_OPEN, EIO, 3);
    try_all(DISK_READ, EIO, 1);
    try_all(DISK_READ, 0, 1);
    try_all(DISK_TRUNCATE, EIO, 1);
    try_all(DISK_UNLINK, EIO, 1);
    try_all(DISK_ALLOCATE, ENOSPC, 1);
    printf("%u runs\n", tries);
}
END_TEST

START_TEST(a_torn_write_cannot_be_cut_off)
{
    // A short write followed by an error, and the file cannot be truncated either.
    for (unsigned n = 3; n < 30; n++) {
        try_fault(DISK_WRITE, n, 0, 1);
        try_fault(DISK_WRITE, n, EIO, 2);
    }
}
END_TEST

START_TEST(a_failed_sync_is_not_believed_later)
{
    disk_start();
    struct weir_journal *journal = open_small();
    ck_assert_int_eq(rig_append(journal, 1, 300, true), 0);
    disk_fail(DISK_SYNC, 1, EIO, 2); // the first try and the second one
    ck_assert_int_eq(rig_append(journal, 2, 300, true), EIO);
    ck_assert_int_eq(rig_append(journal, 3, 300, true), 0);
    struct weir_journal_counts counts;
    weir_journal_counts(journal, &counts);
    ck_assert_uint_eq(counts.errors, 2);
    ck_assert_uint_eq(counts.records, 2);
    unsigned seen[4] = { 0 };
    ck_assert_uint_eq(rig_drain(journal, seen, 4), 2);
    ck_assert(seen[1] == 1 && seen[2] == 0 && seen[3] == 1);
    weir_journal_unref(journal);
}
END_TEST

START_TEST(what_is_written_again_comes_once)
{
    disk_start();
    struct weir_journal *journal = open_small();
    struct rig_append append;
    struct rig_take take = { .keep = false };
    disk_fail(DISK_SYNC, 1, EIO, 1);
    rig_append_start(journal, &append, 1, 300, true);
    rig_take_start(journal, &take);
    rig_wait(&append.ended);
    ck_assert_int_eq(append.status, 0);
    rig_wait(&take.ended);
    ck_assert(take.got && take.sequence == append.append.sequence);
    weir_journal_settle(journal, take.sequence, WEIR_JOURNAL_SETTLED);
    ck_assert_uint_eq(rig_drain(journal, NULL, 0), 0);
    struct weir_journal_lost lost;
    ck_assert(!weir_journal_lost(journal, &lost));
    weir_journal_unref(journal);
}
END_TEST

START_TEST(what_is_taken_at_once_is_written_again)
{
    disk_start();
    struct weir_journal *journal = open_small();
    struct rig_append append;
    disk_fail(DISK_SYNC, 1, EIO, 1);
    rig_append_take_start(journal, &append, 1, 300, true);
    rig_wait(&append.ended);
    ck_assert(append.status == 0 && append.append.taken);
    disk_fail(DISK_SYNC, 1, EIO, 2);
    struct rig_append refused;
    rig_append_take_start(journal, &refused, 2, 300, true);
    rig_wait(&refused.ended);
    ck_assert(refused.status == EIO && !refused.append.taken);
    struct weir_journal_counts counts;
    weir_journal_counts(journal, &counts);
    ck_assert(counts.records == 1 && counts.taken == 1);
    weir_journal_settle(journal, append.append.sequence, WEIR_JOURNAL_RETURNED);
    unsigned seen[3] = { 0 };
    ck_assert_uint_eq(rig_drain(journal, seen, 3), 1);
    ck_assert_uint_eq(seen[1], 1);
    struct weir_journal_lost lost;
    ck_assert(!weir_journal_lost(journal, &lost));
    weir_journal_unref(journal);
}
END_TEST

START_TEST(names_are_not_used_twice)
{
    disk_start();
    struct weir_journal *journal = open_small();
    disk_fail(DISK_WRITE, 2, EIO, 1); // the header is written, the first record is not
    ck_assert_int_eq(rig_append(journal, 1, 300, true), 0);
    ck_assert_uint_eq(rig_drain(journal, NULL, 0), 1);
    weir_journal_unref(journal);
}
END_TEST

START_TEST(a_full_disk_refuses_and_recovers)
{
    disk_start();
    struct weir_journal *journal = open_small();
    struct rig_take take = { .keep = false };
    ck_assert_int_eq(rig_append(journal, 1, 300, true), 0);
    ck_assert(rig_take(journal, &take));
    disk_fail(DISK_WRITE, 1, ENOSPC, 1000000);
    ck_assert_int_eq(rig_append(journal, 2, 300, true), ENOSPC);
    weir_journal_settle(journal, take.sequence, WEIR_JOURNAL_SETTLED); // its mark finds no space
    ck_assert_int_eq(rig_append(journal, 3, 300, false), ENOSPC);
    disk_fail(DISK_WRITE, 1, 0, 0);
    ck_assert_int_eq(rig_append(journal, 4, 300, true), 0);
    unsigned seen[5] = { 0 };
    rig_drain(journal, seen, 5);
    ck_assert(seen[1] == 0 && seen[2] == 0 && seen[3] == 0 && seen[4] == 1);
    weir_journal_unref(journal);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal faults");
    TCase *tcase = tcase_create("faults");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, setup, teardown);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_write_fails);
    tcase_add_test(tcase, a_sync_fails);
    tcase_add_test(tcase, another_call_fails);
    tcase_add_test(tcase, a_torn_write_cannot_be_cut_off);
    tcase_add_test(tcase, a_failed_sync_is_not_believed_later);
    tcase_add_test(tcase, what_is_written_again_comes_once);
    tcase_add_test(tcase, what_is_taken_at_once_is_written_again);
    tcase_add_test(tcase, names_are_not_used_twice);
    tcase_add_test(tcase, a_full_disk_refuses_and_recovers);
    return run_suite(suite);
}
