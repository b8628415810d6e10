// SPDX-License-Identifier: Apache-2.0
/* Attempts are counted over crashes, and forgotten when one ends. A crash is a process that ends without a word. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/src/sender/disk_attempts.h"
#include "tests/unit/suite.h"

static char folder[] = "/tmp/test_disk_attempts.XXXXXX";

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static char *file_path(void)
{
    return weir_xasprintf("%s/%s", folder, DISK_ATTEMPTS_FILE);
}

static void remove_folder(void)
{
    char *path = file_path();
    unlink(path);
    rmdir(folder);
    free(path);
}

/* A process that sends 7 and 8 when it dies, and has sent 9. */
static void crash(void)
{
    pid_t child = fork();
    if (child == 0) {
        struct disk_attempts *attempts = disk_attempts_open(folder, NULL);
        disk_attempts_begin(attempts, 7);
        disk_attempts_begin(attempts, 8);
        disk_attempts_end(attempts, disk_attempts_begin(attempts, 9));
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

static void assert_counts(unsigned seven, unsigned eight, unsigned nine)
{
    struct disk_attempts *attempts = disk_attempts_open(folder, NULL);
    ck_assert_uint_eq(disk_attempts_of(attempts, 7), seven);
    ck_assert_uint_eq(disk_attempts_of(attempts, 8), eight);
    ck_assert_uint_eq(disk_attempts_of(attempts, 9), nine);
    disk_attempts_close(attempts);
}

START_TEST(crashes_add_up)
{
    assert_counts(0, 0, 0);
    crash();
    assert_counts(1, 1, 0);
    assert_counts(1, 1, 0); /* looking is no attempt */
    crash();
    crash();
    assert_counts(3, 3, 0);
}
END_TEST

START_TEST(an_attempt_that_ends_acquits)
{
    crash();
    crash();
    struct disk_attempts *attempts = disk_attempts_open(folder, NULL);
    disk_attempts_end(attempts, disk_attempts_begin(attempts, 7));
    disk_attempts_forget(attempts, 8);
    ck_assert_uint_eq(disk_attempts_of(attempts, 7), 0);
    ck_assert_uint_eq(disk_attempts_of(attempts, 8), 0);
    disk_attempts_close(attempts);
    assert_counts(0, 0, 0);
    crash();
    assert_counts(1, 1, 0);
}
END_TEST

START_TEST(more_than_there_is_room_for)
{
    struct disk_attempts *attempts = disk_attempts_open(folder, NULL);
    int slots[1023];
    for (int i = 0; i < 1023; i++) {
        slots[i] = disk_attempts_begin(attempts, (uint64_t)i);
        ck_assert_int_ge(slots[i], 0);
    }
    ck_assert_int_eq(disk_attempts_begin(attempts, 5000), -1);
    disk_attempts_end(attempts, -1);
    disk_attempts_end(attempts, slots[5]);
    ck_assert_int_eq(disk_attempts_begin(attempts, 5000), slots[5]);
    disk_attempts_close(attempts);
}
END_TEST

START_TEST(a_file_that_is_none)
{
    char *path = file_path();
    FILE *file = fopen(path, "w");
    fputs("nonsense", file);
    fclose(file);
    assert_counts(0, 0, 0);
    crash();
    assert_counts(1, 1, 0);
    free(path);
}
END_TEST

START_TEST(nowhere_to_keep_them)
{
    struct disk_attempts *attempts = disk_attempts_open("/no/such/place", NULL);
    ck_assert_int_eq(disk_attempts_begin(attempts, 1), -1);
    disk_attempts_end(attempts, -1);
    ck_assert_uint_eq(disk_attempts_of(attempts, 1), 0);
    disk_attempts_close(attempts);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("disk attempts");
    TCase *tests = tcase_create("attempts");
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, crashes_add_up);
    tcase_add_test(tests, an_attempt_that_ends_acquits);
    tcase_add_test(tests, more_than_there_is_room_for);
    tcase_add_test(tests, a_file_that_is_none);
    tcase_add_test(tests, nowhere_to_keep_them);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
