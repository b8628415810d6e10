// SPDX-License-Identifier: Apache-2.0
/*
 * The journal as its users see it: what goes in comes out, in order, until it is settled, also after a restart.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/src/journal/format.h"
#include "sdk/src/journal/io.h"
#include "sdk/src/journal/tests/rig.h"
#include "tests/unit/suite.h"

static char *directory;

static void setup(void)
{
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_SYSTEM, NULL), 0);
    directory = rig_directory();
}

static void teardown(void)
{
    rig_remove(directory);
    weir_workers_destroy();
}

static struct weir_journal_counts counts_of(const struct weir_journal *journal)
{
    struct weir_journal_counts counts;
    weir_journal_counts(journal, &counts);
    return counts;
}

/* Waits until what has been settled is gone from the counts. */
static void wait_records(const struct weir_journal *journal, uint64_t records)
{
    for (int i = 0; i < 5000 && counts_of(journal).records != records; i++)
        weir_worker_turn(weir_worker_current(), 1);
    ck_assert_uint_eq(counts_of(journal).records, records);
}

START_TEST(records_come_in_order_and_leave_when_settled)
{
    struct weir_journal *journal = rig_open(directory);
    for (uint64_t i = 0; i < 100; i++)
        ck_assert_int_eq(rig_append(journal, i, 10 + i * 97, i % 10 == 0), 0);
    struct weir_journal_counts counts = counts_of(journal);
    ck_assert_uint_eq(counts.records, 100);
    ck_assert_uint_eq(counts.items, 14 * 28 + 1 + 2);
    ck_assert_uint_eq(counts.bytes, 100 * 10 + 97 * 4950);
    for (uint64_t i = 0; i < 100; i++) {
        struct rig_take take = { .keep = false };
        ck_assert(rig_take(journal, &take));
        ck_assert(!take.bad);
        ck_assert_uint_eq(take.number, i);
        ck_assert_uint_eq(take.attempts, 0);
        weir_journal_settle(journal, take.sequence, WEIR_JOURNAL_SETTLED);
    }
    wait_records(journal, 0);
    counts = counts_of(journal);
    ck_assert_uint_eq(counts.items, 0);
    ck_assert_uint_eq(counts.bytes, 0);
    ck_assert_uint_eq(counts.taken, 0);
    weir_journal_unref(journal);
    ck_assert_uint_eq(rig_files(directory, ".seg"), 0);
    ck_assert_uint_eq(rig_files(directory, ".marks"), 0);
}
END_TEST

START_TEST(a_take_waits_for_its_record)
{
    struct weir_journal *journal = rig_open(directory);
    struct rig_take first = { .keep = false }, second = { .keep = false };
    rig_take_start(journal, &first);
    rig_take_start(journal, &second);
    ck_assert_int_eq(rig_append(journal, 7, 500, false), 0);
    rig_wait(&first.ended);
    ck_assert(first.got && !first.bad && first.number == 7);
    ck_assert(!second.ended);
    weir_journal_take_cancel(journal, &second.take);
    rig_wait(&second.ended);
    ck_assert(!second.got);
    weir_journal_settle(journal, first.sequence, WEIR_JOURNAL_SETTLED);
    weir_journal_unref(journal);
}
END_TEST

START_TEST(what_is_not_settled_comes_again_after_a_restart)
{
    struct weir_journal *journal = rig_open(directory);
    for (uint64_t i = 0; i < 10; i++)
        ck_assert_int_eq(rig_append(journal, i, 1000, true), 0);
    struct rig_take takes[4] = { { .keep = false } };
    for (int i = 0; i < 4; i++)
        ck_assert(rig_take(journal, &takes[i]));
    weir_journal_settle(journal, takes[0].sequence, WEIR_JOURNAL_SETTLED);
    weir_journal_settle(journal, takes[2].sequence, WEIR_JOURNAL_SETTLED);
    weir_journal_settle(journal, takes[3].sequence, WEIR_JOURNAL_RETURNED);
    weir_journal_unref(journal);

    journal = rig_open(directory);
    struct weir_journal_counts counts = counts_of(journal);
    ck_assert_uint_eq(counts.found_records, 8);
    ck_assert_uint_eq(counts.found_items, 2 + 4 + 5 + 6 + 7 + 1 + 2 + 3);
    ck_assert_uint_eq(counts.bytes, 8000);
    const uint64_t expected[8] = { 1, 3, 4, 5, 6, 7, 8, 9 };
    for (int i = 0; i < 8; i++) {
        struct rig_take take = { .keep = false };
        ck_assert(rig_take(journal, &take));
        ck_assert_uint_eq(take.number, expected[i]);
        ck_assert_uint_eq(take.attempts, i == 0 ? 1 : 0);
        weir_journal_settle(journal, take.sequence, WEIR_JOURNAL_SETTLED);
    }
    wait_records(journal, 0);
    weir_journal_unref(journal);
    ck_assert_uint_eq(rig_files(directory, ".seg"), 0);
}
END_TEST

START_TEST(a_returned_record_comes_before_later_ones)
{
    struct weir_journal *journal = rig_open(directory);
    struct rig_take a = { .keep = false }, b = { .keep = false }, c = { .keep = false };
    for (uint64_t i = 0; i < 3; i++)
        ck_assert_int_eq(rig_append(journal, i, 100, false), 0);
    ck_assert(rig_take(journal, &a) && rig_take(journal, &b));
    weir_journal_settle(journal, b.sequence, WEIR_JOURNAL_RETURNED);
    weir_journal_settle(journal, a.sequence, WEIR_JOURNAL_RETURNED);
    for (uint64_t i = 0; i < 3; i++) {
        ck_assert(rig_take(journal, &c));
        ck_assert_uint_eq(c.number, i);
        ck_assert_uint_eq(c.attempts, 0);
        weir_journal_settle(journal, c.sequence, WEIR_JOURNAL_SETTLED);
    }
    weir_journal_unref(journal);
}
END_TEST

static bool note_number(const struct weir_journal_found *found, void *user)
{
    uint64_t *numbers = user;
    numbers[numbers[2]++] = found->record.data[0];
    return true;
}

START_TEST(what_is_given_up_goes_to_the_dead_letter_file)
{
    struct weir_journal *journal = rig_open(directory);
    struct rig_take take = { .keep = false };
    for (uint64_t i = 0; i < 3; i++)
        ck_assert_int_eq(rig_append(journal, i, 100, false), 0);
    ck_assert(rig_take(journal, &take));
    weir_journal_settle(journal, take.sequence, WEIR_JOURNAL_DEAD);
    wait_records(journal, 2);
    ck_assert_uint_eq(counts_of(journal).dead_records, 1);
    ck_assert_uint_eq(counts_of(journal).dead_items, 1);
    ck_assert(rig_take(journal, &take));
    ck_assert_uint_eq(take.number, 1);
    weir_journal_settle(journal, take.sequence, WEIR_JOURNAL_DEAD);
    wait_records(journal, 1);
    weir_journal_unref(journal);
    uint64_t numbers[3] = { 9, 9, 0 };
    ck_assert_int_eq(weir_journal_walk(directory, WEIR_JOURNAL_DEAD_LETTER, note_number, numbers, NULL), 0);
    ck_assert_uint_eq(numbers[2], 2);
    ck_assert_uint_eq(numbers[0], 0);
    ck_assert_uint_eq(numbers[1], 1);
}
END_TEST

/* A process that dies with a record in its hands. */
static void die_with_a_record(void)
{
    pid_t child = fork();
    if (child == 0) {
        struct weir_journal *journal = rig_open(directory);
        struct rig_take take = { .keep = false };
        _exit(rig_take(journal, &take) ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

START_TEST(a_record_that_kills_is_poison)
{
    struct weir_journal *journal = rig_open(directory);
    for (uint64_t i = 5; i < 7; i++)
        ck_assert_int_eq(rig_append(journal, i, 100, true), 0);
    weir_journal_unref(journal);
    for (int i = 0; i < 3; i++)
        die_with_a_record();
    journal = rig_open(directory);
    struct rig_take take = { .keep = false };
    ck_assert(rig_take(journal, &take));
    ck_assert_uint_eq(take.number, 6);
    ck_assert_uint_eq(take.attempts, 0);
    ck_assert_uint_eq(counts_of(journal).dead_records, 1);
    ck_assert_uint_eq(counts_of(journal).dead_items, 6);
    ck_assert_uint_eq(counts_of(journal).records, 1);
    weir_journal_unref(journal);
}
END_TEST

START_TEST(a_record_that_was_survived_is_no_poison)
{
    struct weir_journal *journal = rig_open(directory);
    ck_assert_int_eq(rig_append(journal, 1, 100, true), 0);
    weir_journal_unref(journal);
    for (int i = 0; i < 5; i++) {
        pid_t child = fork();
        if (child == 0) {
            journal = rig_open(directory);
            struct rig_take take = { .keep = false };
            if (!rig_take(journal, &take) || take.attempts != 0)
                _exit(1);
            weir_journal_survived(journal, take.sequence);
            weir_journal_unref(journal); // what is taken stays taken; the marks are written
            _exit(0);
        }
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}
END_TEST

static bool note_found(const struct weir_journal_found *found, void *user)
{
    char **text = user;
    char *more = weir_xasprintf("%s%llu%c%u ", *text, (unsigned long long)found->record.sequence,
                                "wsd"[found->state], found->record.attempts);
    free(*text);
    *text = more;
    return true;
}

START_TEST(a_walk_changes_nothing)
{
    struct weir_journal *journal = rig_open(directory);
    struct rig_take take = { .keep = false };
    for (uint64_t i = 0; i < 4; i++)
        ck_assert_int_eq(rig_append(journal, i, 100, false), 0);
    ck_assert(rig_take(journal, &take));
    weir_journal_settle(journal, take.sequence, WEIR_JOURNAL_SETTLED);
    ck_assert(rig_take(journal, &take));
    weir_journal_unref(journal);
    char *path = rig_file(directory, ".seg", false);
    int fd = open(path, O_WRONLY);
    ck_assert_int_eq(pwrite(fd, "x", 1, SEGMENT_HEADER + 2 * (RECORD_HEADER + 100) + RECORD_HEADER + 9), 1);
    close(fd);
    char *text = weir_xstrdup("");
    ck_assert_int_eq(weir_journal_walk(directory, NULL, note_found, &text, NULL), 0);
    ck_assert_str_eq(text, "1s1 2w1 3d0 4w0 ");
    ck_assert_uint_eq(rig_files(directory, ".seg"), 1);
    free(text);
    free(path);
}
END_TEST

START_TEST(segments_are_let_go_one_by_one)
{
    struct weir_journal_options options = { .directory = directory, .segment_bytes = 100000 };
    struct weir_journal *journal = rig_open_with(&options);
    for (uint64_t i = 0; i < 50; i++)
        ck_assert_int_eq(rig_append(journal, i, 20000, false), 0);
    ck_assert_uint_eq(counts_of(journal).segments, 13);
    ck_assert_uint_eq(rig_files(directory, ".seg"), 13);
    struct rig_take takes[12] = { { .keep = true } };
    for (int i = 0; i < 12; i++) {
        takes[i].keep = true;
        ck_assert(rig_take(journal, &takes[i]));
    }
    for (int i = 4; i < 8; i++) // the second segment, with the first one still held
        weir_journal_settle(journal, takes[i].sequence, WEIR_JOURNAL_SETTLED);
    wait_records(journal, 46);
    ck_assert_uint_eq(rig_files(directory, ".seg"), 12);
    for (int i = 0; i < 4; i++)
        weir_journal_settle(journal, takes[i].sequence, WEIR_JOURNAL_SETTLED);
    wait_records(journal, 42);
    ck_assert_uint_eq(rig_files(directory, ".seg"), 11);
    for (int i = 0; i < 12; i++)
        weir_buffer_unref(takes[i].buffer);
    weir_journal_unref(journal);
}
END_TEST

static ssize_t no_read(int fd, void *out, size_t length, off_t offset)
{
    (void)fd, (void)out, (void)length, (void)offset;
    ck_abort_msg("the journal reads");
    return -1;
}

START_TEST(what_is_held_is_not_handed_out_again)
{
    struct weir_journal_options options = { .directory = directory, .segment_bytes = 100000 };
    struct weir_journal *journal = rig_open_with(&options);
    struct rig_take held = { .keep = false }, take = { .keep = false };
    for (uint64_t i = 0; i < 6; i++) // four fill the first segment
        ck_assert_int_eq(rig_append(journal, i, 20000, false), 0);
    ck_assert(rig_take(journal, &held));
    for (uint64_t i = 1; i < 6; i++) {
        ck_assert(rig_take(journal, &take));
        weir_journal_settle(journal, take.sequence, WEIR_JOURNAL_SETTLED);
    }
    for (int i = 0; i < 5000 && counts_of(journal).segments > 1; i++) // the second one goes
        weir_worker_turn(weir_worker_current(), 1);
    ck_assert_uint_eq(counts_of(journal).segments, 1);
    ck_assert_int_eq(rig_append(journal, 6, 20000, false), 0);
    ck_assert(rig_take(journal, &take));
    ck_assert_uint_eq(take.number, 6);
    weir_journal_unref(journal);
}
END_TEST

static struct rig_append append_and_take(struct weir_journal *journal, uint64_t number, bool sync)
{
    struct rig_append append;
    rig_append_take_start(journal, &append, number, 1000, sync);
    rig_wait(&append.ended);
    ck_assert_int_eq(append.status, 0);
    return append;
}

START_TEST(what_is_appended_can_be_taken_without_being_read)
{
    struct journal_io io = journal_system_io;
    io.pread = no_read;
    journal_io = &io;
    struct weir_journal_options options = { .directory = directory, .segment_bytes = 10000 };
    struct weir_journal *journal = rig_open_with(&options);
    for (uint64_t i = 0; i < 30; i++) { // over several segments, some taken, some settled
        struct rig_append append = append_and_take(journal, i, i % 3 == 0);
        ck_assert(append.append.taken);
        ck_assert_uint_eq(append.append.sequence, 1 + i);
        if (i % 4 != 0)
            weir_journal_settle(journal, append.append.sequence, WEIR_JOURNAL_SETTLED);
    }
    wait_records(journal, 8);
    ck_assert_uint_eq(counts_of(journal).taken, 8);
    weir_journal_unref(journal);
    journal_io = &journal_system_io;

    journal = rig_open(directory);
    for (uint64_t i = 0; i < 30; i += 4) {
        struct rig_take take = { .keep = false };
        ck_assert(rig_take(journal, &take));
        ck_assert(!take.bad && take.number == i);
        ck_assert_uint_eq(take.attempts, 1);
    }
    weir_journal_unref(journal);
}
END_TEST

START_TEST(what_is_appended_is_taken_in_its_turn_only)
{
    struct weir_journal *journal = rig_open(directory);
    ck_assert_int_eq(rig_append(journal, 0, 1000, false), 0);
    ck_assert(!append_and_take(journal, 1, true).append.taken); // record 0 is first
    struct rig_take take = { .keep = false };
    ck_assert(rig_take(journal, &take) && take.number == 0);
    ck_assert(!append_and_take(journal, 2, false).append.taken);
    ck_assert(rig_take(journal, &take) && take.number == 1);
    ck_assert(rig_take(journal, &take) && take.number == 2);
    struct rig_append append = append_and_take(journal, 3, true);
    ck_assert(append.append.taken);
    weir_journal_settle(journal, append.append.sequence, WEIR_JOURNAL_RETURNED);
    ck_assert(!append_and_take(journal, 4, false).append.taken); // what was returned is first
    for (uint64_t i = 3; i < 5; i++) {
        ck_assert(rig_take(journal, &take));
        ck_assert(!take.bad && take.number == i && take.attempts == 0);
    }
    weir_journal_unref(journal);
}
END_TEST

START_TEST(without_a_limit_attempts_are_not_counted)
{
    struct weir_journal_options options = { .directory = directory, .max_attempts = UINT32_MAX };
    struct weir_journal *journal = rig_open_with(&options);
    struct rig_take take = { .keep = false };
    ck_assert(append_and_take(journal, 0, true).append.taken);
    ck_assert_int_eq(rig_append(journal, 1, 1000, false), 0);
    ck_assert(rig_take(journal, &take));
    weir_journal_unref(journal);
    ck_assert_uint_eq(rig_files(directory, ".marks"), 0);
    journal = rig_open_with(&options);
    for (uint64_t i = 0; i < 2; i++) {
        ck_assert(rig_take(journal, &take));
        ck_assert(take.number == i && take.attempts == 0);
    }
    weir_journal_unref(journal);
}
END_TEST

START_TEST(an_idle_journal_takes_next_to_nothing)
{
    struct weir_journal *journal = rig_open(directory);
    for (uint64_t i = 0; i < 50; i++)
        ck_assert_int_eq(rig_append(journal, i, 20000, false), 0);
    ck_assert_uint_eq(rig_drain(journal, NULL, 0), 50);
    for (int i = 0; i < 5000 && counts_of(journal).segments > 0; i++)
        weir_worker_turn(weir_worker_current(), 1);
    ck_assert_uint_eq(counts_of(journal).segments, 0);
    ck_assert_uint_eq(counts_of(journal).disk_bytes, 0);
    ck_assert_int_eq(rig_append(journal, 99, 20000, true), 0);
    ck_assert_uint_eq(rig_drain(journal, NULL, 0), 1);
    weir_journal_unref(journal);
}
END_TEST

START_TEST(too_much_is_refused)
{
    struct weir_journal_options options = { .directory = directory, .max_bytes = 100000 };
    struct weir_journal *journal = rig_open_with(&options);
    struct rig_append appends[8];
    for (uint64_t i = 0; i < 8; i++)
        rig_append_start(journal, &appends[i], i, 20000, false);
    for (int i = 0; i < 8; i++) {
        rig_wait(&appends[i].ended);
        ck_assert_int_eq(appends[i].status, i < 4 ? 0 : EFBIG);
    }
    ck_assert_uint_eq(rig_drain(journal, NULL, 0), 4);
    wait_records(journal, 0);
    ck_assert_int_eq(rig_append(journal, 9, 20000, false), 0);
    weir_journal_unref(journal);
}
END_TEST

static int syncs;
static int slow_sync(int fd)
{
    syncs++;
    usleep(50000);
    return journal_system_io.fdatasync(fd);
}

static atomic_bool all_wait;
static int sync_when_all_wait(int fd)
{
    syncs++;
    while (!atomic_load(&all_wait))
        usleep(1000);
    return journal_system_io.fdatasync(fd);
}

START_TEST(one_sync_is_for_all_that_wait)
{
    struct journal_io io = journal_system_io;
    io.fdatasync = sync_when_all_wait;
    journal_io = &io;
    syncs = 0;
    struct weir_journal *journal = rig_open(directory);
    struct rig_append appends[64];
    for (uint64_t i = 0; i < 64; i++)
        rig_append_start(journal, &appends[i], i, 35000, true);
    atomic_store(&all_wait, true);
    for (int i = 0; i < 64; i++) {
        rig_wait(&appends[i].ended);
        ck_assert_int_eq(appends[i].status, 0);
        ck_assert_uint_eq(appends[i].append.sequence, 1 + (uint64_t)i);
    }
    ck_assert_int_ge(syncs, 1);
    ck_assert_int_le(syncs, 3);
    syncs = 0;
    ck_assert_int_eq(rig_append(journal, 64, 100, false), 0);
    ck_assert_int_eq(syncs, 0);
    weir_journal_unref(journal);
    journal_io = &journal_system_io;
}
END_TEST

START_TEST(a_record_is_taken_once_it_is_safe)
{
    struct journal_io io = journal_system_io;
    io.fdatasync = slow_sync;
    journal_io = &io;
    struct weir_journal *journal = rig_open(directory);
    struct rig_append append;
    struct rig_take take = { .keep = false };
    rig_append_start(journal, &append, 1, 100, true);
    rig_take_start(journal, &take);
    while (!append.ended) {
        ck_assert(!take.ended);
        weir_worker_turn(weir_worker_current(), 1);
    }
    rig_wait(&take.ended);
    ck_assert(take.got);
    weir_journal_unref(journal);
    journal_io = &journal_system_io;
}
END_TEST

START_TEST(a_directory_is_one_process_s)
{
    struct weir_journal *journal = rig_open(directory), *again = rig_open(directory);
    ck_assert_ptr_eq(journal, again);
    weir_journal_unref(again);
    ck_assert_int_eq(rig_append(journal, 1, 100, false), 0);
    weir_journal_unref(journal);

    int ready[2], end[2];
    ck_assert(pipe(ready) == 0 && pipe(end) == 0);
    pid_t child = fork();
    if (child == 0) {
        rig_open(directory);
        char byte = 'x';
        if (write(ready[1], &byte, 1) == 1 && read(end[0], &byte, 1) == 1)
            _exit(0);
        _exit(1);
    }
    char byte;
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_journal_options options = { .directory = directory, .lock_timeout = 50000000 };
    ck_assert_int_eq(weir_journal_open(&options, &journal, &error), -1);
    char *expected = weir_xasprintf("%s is in use by another process (%ld)", directory, (long)child);
    ck_assert_str_eq(weir_error_text(&error), expected);
    free(expected);
    weir_error_free(&error);
    ck_assert_int_eq(write(end[1], &byte, 1), 1);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    journal = rig_open(directory); // the lock went with the process
    ck_assert_uint_eq(counts_of(journal).found_records, 1);
    weir_journal_unref(journal);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal");
    TCase *tcase = tcase_create("journal");
    tcase_add_checked_fixture(tcase, setup, teardown);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, records_come_in_order_and_leave_when_settled);
    tcase_add_test(tcase, a_take_waits_for_its_record);
    tcase_add_test(tcase, what_is_not_settled_comes_again_after_a_restart);
    tcase_add_test(tcase, a_returned_record_comes_before_later_ones);
    tcase_add_test(tcase, what_is_given_up_goes_to_the_dead_letter_file);
    tcase_add_test(tcase, a_record_that_kills_is_poison);
    tcase_add_test(tcase, a_record_that_was_survived_is_no_poison);
    tcase_add_test(tcase, a_walk_changes_nothing);
    tcase_add_test(tcase, segments_are_let_go_one_by_one);
    tcase_add_test(tcase, what_is_held_is_not_handed_out_again);
    tcase_add_test(tcase, what_is_appended_can_be_taken_without_being_read);
    tcase_add_test(tcase, what_is_appended_is_taken_in_its_turn_only);
    tcase_add_test(tcase, without_a_limit_attempts_are_not_counted);
    tcase_add_test(tcase, an_idle_journal_takes_next_to_nothing);
    tcase_add_test(tcase, too_much_is_refused);
    tcase_add_test(tcase, one_sync_is_for_all_that_wait);
    tcase_add_test(tcase, a_record_is_taken_once_it_is_safe);
    tcase_add_test(tcase, a_directory_is_one_process_s);
    return run_suite(suite);
}
