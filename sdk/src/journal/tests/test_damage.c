// SPDX-License-Identifier: Apache-2.0
/*
 * Damaged directories: the journal always opens, soon, loses no record that is not in the damaged place, and counts what
 * it lost.
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sdk/src/journal/format.h"
#include "sdk/src/journal/tests/rig.h"
#include "tests/unit/suite.h"

#define RECORDS 200
#define LENGTH 997
#define IN_SEGMENT 19 /* what fits into one of SEGMENT bytes */
#define SEGMENT 20000
#define SETTLED 30
#define CASES 40 /* of each kind */
#define PAGE 4096

static uint64_t seed;

static uint64_t any(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static char *original, *copy;

static struct weir_journal *open_in(const char *directory)
{
    struct weir_journal_options options = { .directory = directory, .segment_bytes = SEGMENT };
    return rig_open_with(&options);
}

static void setup(void)
{
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_SYSTEM, NULL), 0);
    original = rig_directory();
    copy = rig_directory();
    struct weir_journal *journal = open_in(original);
    struct rig_take take = { .keep = false };
    for (uint64_t i = 0; i < RECORDS; i++)
        ck_assert_int_eq(rig_append(journal, i, LENGTH, false), 0);
    for (int i = 0; i < SETTLED; i++) {
        ck_assert(rig_take(journal, &take));
        weir_journal_settle(journal, take.sequence, WEIR_JOURNAL_SETTLED);
    }
    weir_journal_unref(journal);
}

static void teardown(void)
{
    rig_remove(original);
    rig_remove(copy);
    weir_workers_destroy();
}

/* A file of the copy, by chance. */
static char *pick(const char *ending)
{
    unsigned at = (unsigned)any(rig_files(copy, ending));
    char *path = rig_file(copy, ending, false);
    uint64_t number = strtoull(strrchr(path, '/') + 1, NULL, 16);
    for (unsigned i = 0; i < at; i++) {
        free(path);
        do
            path = weir_xasprintf("%s/%016llx%s", copy, (unsigned long long)++number, ending);
        while (access(path, F_OK) != 0 && (free(path), true));
    }
    return path;
}

static uint64_t size_of(const char *path)
{
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    return (uint64_t)status.st_size;
}

static void change(const char *path, uint64_t offset, const void *data, size_t length)
{
    int fd = open(path, O_WRONLY);
    ck_assert_int_eq(pwrite(fd, data, length, (off_t)offset), (ssize_t)length);
    close(fd);
}

/* Each does its damage and says how many records may be lost by it. */
static unsigned flip_bit(const char *path)
{
    uint8_t byte;
    uint64_t offset = any(size_of(path));
    int fd = open(path, O_RDONLY);
    ck_assert_int_eq(pread(fd, &byte, 1, (off_t)offset), 1);
    close(fd);
    byte = (uint8_t)(byte ^ 1u << any(8));
    change(path, offset, &byte, 1);
    return 1;
}

static unsigned zero_page(const char *path)
{
    static const uint8_t zeros[PAGE];
    uint64_t size = size_of(path), offset = any(size / PAGE + 1) * PAGE;
    size_t length = size - offset < PAGE ? (size_t)(size - offset) : PAGE;
    change(path, offset, zeros, length);
    return PAGE / (LENGTH + RECORD_HEADER) + 2;
}

static unsigned write_noise(const char *path)
{
    uint8_t noise[3000];
    uint64_t size = size_of(path), offset = any(size);
    size_t length = size - offset < sizeof(noise) ? (size_t)(size - offset) : sizeof(noise);
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)any(256);
    change(path, offset, noise, length);
    return sizeof(noise) / (LENGTH + RECORD_HEADER) + 2;
}

static unsigned shorten(const char *path)
{
    uint64_t size = any(size_of(path));
    ck_assert_int_eq(truncate(path, (off_t)size), 0);
    uint64_t whole = size < SEGMENT_HEADER ? 0 : (size - SEGMENT_HEADER) / (LENGTH + RECORD_HEADER);
    return IN_SEGMENT - (unsigned)(whole < IN_SEGMENT ? whole : IN_SEGMENT);
}

static unsigned take_away(const char *path)
{
    ck_assert_int_eq(unlink(path), 0);
    return IN_SEGMENT;
}

static unsigned foreign(const char *path)
{
    uint8_t header[SEGMENT_HEADER];
    struct segment_header future = { 99, 1, 2 };
    segment_header_write(&future, header);
    change(path, 0, header, sizeof(header));
    return IN_SEGMENT;
}

/* What was counted at the start has come, or is told to be lost. */
static void check_all_told(struct weir_journal *journal, size_t came, const unsigned *seen)
{
    struct weir_journal_counts counts;
    struct weir_journal_lost lost = { 0, 0, 0 };
    uint64_t items = 0;
    for (uint64_t i = 0; i < RECORDS; i++)
        items += seen[i] * (i % 7 + 1);
    weir_journal_counts(journal, &counts);
    weir_journal_lost(journal, &lost);
    ck_assert_uint_eq(counts.found_records, came + lost.records);
    ck_assert_uint_eq(counts.found_items, items + lost.items);
    ck_assert(!weir_journal_lost(journal, &lost));
}

static void open_and_check(unsigned allowed, bool told, uint64_t number)
{
    unsigned seen[RECORDS] = { 0 }, lost = 0;
    struct timespec start, now;
    struct weir_journal_counts counts;
    clock_gettime(CLOCK_MONOTONIC, &start);
    struct weir_journal *journal = open_in(copy);
    clock_gettime(CLOCK_MONOTONIC, &now);
    ck_assert_int_lt((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000, 2000);
    check_all_told(journal, rig_drain(journal, seen, RECORDS), seen);
    for (int i = SETTLED; i < RECORDS; i++)
        lost += seen[i] == 0;
    ck_assert_msg(lost <= allowed, "case %llu: %u records are lost, not %u", (unsigned long long)number, lost,
                  allowed);
    ck_assert_int_eq(rig_append(journal, 5, 100, true), 0);
    ck_assert_uint_eq(rig_drain(journal, seen, RECORDS), 1);
    weir_journal_counts(journal, &counts);
    if (told && lost > 0)
        ck_assert_msg(counts.damaged + counts.set_aside > 0, "case %llu: not counted", (unsigned long long)number);
    weir_journal_unref(journal);
    ck_assert_uint_eq(rig_files(copy, ".seg"), 0);
}

static unsigned cases;

static void damage(const char *ending, unsigned (*how)(const char *path), bool told, bool marks)
{
    for (uint64_t number = 1; number <= CASES; number++, cases++) {
        seed = number * 0x9e3779b97f4a7c15u;
        rig_copy(original, copy);
        char *path = pick(ending);
        unsigned allowed = how(path);
        free(path);
        open_and_check(marks ? 0 : allowed, told, number);
    }
}

START_TEST(one_damage)
{
    damage(".seg", flip_bit, true, false);
    damage(".seg", zero_page, true, false);
    damage(".seg", write_noise, true, false);
    damage(".seg", shorten, true, false);
    damage(".seg", take_away, false, false);
    damage(".seg", foreign, true, false);
    damage(".marks", flip_bit, true, true);
    damage(".marks", zero_page, true, true);
    damage(".marks", write_noise, true, true);
    damage(".marks", shorten, true, true);
    damage(".marks", take_away, true, true);
    printf("%u cases\n", cases);
    ck_assert_uint_ge(cases, 200);
}
END_TEST

START_TEST(other_files_are_left_alone)
{
    char *path = weir_xasprintf("%s/%s", original, "0000000000000001.seg.bak"), *noise;
    ck_assert_int_eq(mkdir(path, 0700), 0);
    noise = weir_xasprintf("%s/%s", original, "00000000000000ff.seg");
    ck_assert_int_eq(close(open(noise, O_CREAT | O_WRONLY, 0600)), 0); // as a crash leaves it: empty
    struct weir_journal *journal = open_in(original);
    ck_assert_uint_eq(rig_drain(journal, NULL, 0), RECORDS - SETTLED);
    weir_journal_unref(journal);
    ck_assert_int_eq(access(noise, F_OK), -1);
    ck_assert_int_eq(rmdir(path), 0);
    free(path);
    free(noise);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal damage");
    TCase *tcase = tcase_create("damage");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, setup, teardown);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, one_damage);
    tcase_add_test(tcase, other_files_are_left_alone);
    return run_suite(suite);
}
