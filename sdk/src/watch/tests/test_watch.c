// SPDX-License-Identifier: Apache-2.0
/*
 * Followed files.
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/stat.h>

#include <weir/sys/worker.h>
#include <weir/watch.h>

#include "sdk/src/loop/loop.h"
#include "tests/unit/suite.h"

#define SECOND INT64_C(1000000000)

static char folder[64];
static struct weir_watch *watch;
static struct weir_text told;
static int calls;
static bool free_in_call;

static char *in_folder(const char *name)
{
    static char paths[8][128];
    static int turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *content)
{
    FILE *file = fopen(in_folder(name), "w");
    ck_assert_ptr_nonnull(file);
    fputs(content, file);
    ck_assert_int_eq(fclose(file), 0);
}

/* Makes the file look old, so that its times alone say that it is unchanged. */
static void make_old(const char *name)
{
    char *path = in_folder(name);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, (struct timespec[]){ { 1000, 0 }, { 1000, 0 } }, 0), 0);
}

static void on_change(void *user, struct weir_str content)
{
    ck_assert_ptr_eq(user, &calls);
    calls++;
    weir_text_clear(&told);
    weir_text_add(&told, content.data, content.length);
    if (free_in_call) {
        weir_watch_free(watch);
        watch = NULL;
    }
}

static void follow(const char *name, int64_t interval)
{
    watch = weir_watch_new(in_folder(name), interval, on_change, &calls);
}

static void pass(int64_t time)
{
    struct weir_worker *worker = weir_worker_current();
    weir_worker_advance(worker, time);
    while (worker->jobs > 0)
        weir_worker_turn(worker, 100);
}

static void setup(void)
{
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_MANUAL, &error), 0);
    snprintf(folder, sizeof(folder), "/tmp/weir-watch-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    calls = 0;
    free_in_call = false;
}

static void teardown(void)
{
    weir_watch_free(watch);
    watch = NULL;
    weir_workers_destroy();
    weir_text_free(&told);
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(a_change_is_told_once_it_stays)
{
    put("f", "one");
    follow("f", 0);
    pass(SECOND);
    pass(SECOND);
    ck_assert_int_eq(calls, 0);
    put("f", "two");
    pass(SECOND);
    ck_assert_int_eq(calls, 0);
    pass(SECOND);
    ck_assert_int_eq(calls, 1);
    ck_assert_str_eq(weir_text_string(&told), "two");
    pass(SECOND);
    pass(SECOND);
    ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(what_is_still_being_written_is_not)
{
    put("f", "one");
    follow("f", 0);
    put("f", "t");
    pass(SECOND);
    put("f", "tw");
    pass(SECOND);
    put("f", "two");
    pass(SECOND);
    ck_assert_int_eq(calls, 0);
    pass(SECOND);
    ck_assert_int_eq(calls, 1);
    ck_assert_str_eq(weir_text_string(&told), "two");
}
END_TEST

START_TEST(the_same_length_is_no_excuse)
{
    put("f", "one");
    follow("f", 0);
    pass(SECOND);
    FILE *file = fopen(in_folder("f"), "r+");
    fputs("ONE", file);
    fclose(file);
    pass(SECOND);
    pass(SECOND);
    ck_assert_int_eq(calls, 1);
    ck_assert_str_eq(weir_text_string(&told), "ONE");
}
END_TEST

START_TEST(a_touch_is_no_change)
{
    put("f", "one");
    follow("f", 0);
    pass(SECOND);
    make_old("f");
    pass(SECOND);
    pass(SECOND);
    put("f2", "one");
    ck_assert_int_eq(rename(in_folder("f2"), in_folder("f")), 0);
    pass(SECOND);
    pass(SECOND);
    ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(a_short_visit_of_another_content_is_no_change)
{
    put("f", "one");
    follow("f", 0);
    put("f", "two");
    pass(SECOND);
    put("f", "one");
    pass(SECOND);
    put("f", "two");
    pass(SECOND);
    ck_assert_int_eq(calls, 0); // it has to stay anew
    pass(SECOND);
    ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(replacements_are_followed)
{
    put("f", "one");
    follow("f", 0);
    put("f2", "two");
    ck_assert_int_eq(rename(in_folder("f2"), in_folder("f")), 0);
    pass(SECOND);
    pass(SECOND);
    ck_assert_str_eq(weir_text_string(&told), "two");
}
END_TEST

/* As Kubernetes lays out a mounted secret: tls.crt -> ..data/tls.crt, ..data -> ..<time>, swapped by a rename. */
START_TEST(swapped_links_are_followed)
{
    ck_assert_int_eq(mkdir(in_folder("..1"), 0700), 0);
    ck_assert_int_eq(mkdir(in_folder("..2"), 0700), 0);
    put("..1/tls.crt", "one");
    put("..2/tls.crt", "two");
    ck_assert_int_eq(symlink("..1", in_folder("..data")), 0);
    ck_assert_int_eq(symlink("..data/tls.crt", in_folder("tls.crt")), 0);
    follow("tls.crt", 0);
    pass(SECOND);
    ck_assert_int_eq(symlink("..2", in_folder("..tmp")), 0);
    ck_assert_int_eq(rename(in_folder("..tmp"), in_folder("..data")), 0);
    pass(SECOND);
    pass(SECOND);
    ck_assert_int_eq(calls, 1);
    ck_assert_str_eq(weir_text_string(&told), "two");
}
END_TEST

START_TEST(a_file_that_is_gone_is_no_change)
{
    put("f", "one");
    follow("f", 0);
    ck_assert_int_eq(unlink(in_folder("f")), 0);
    pass(SECOND);
    pass(SECOND);
    ck_assert_int_eq(mkdir(in_folder("f"), 0700), 0);
    pass(SECOND);
    pass(SECOND);
    ck_assert_int_eq(rmdir(in_folder("f")), 0);
    put("f", "one");
    pass(SECOND);
    pass(SECOND);
    ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(a_file_may_come_later)
{
    follow("f", 0);
    pass(SECOND);
    put("f", "one");
    pass(SECOND);
    pass(SECOND);
    ck_assert_int_eq(calls, 1);
    ck_assert_str_eq(weir_text_string(&told), "one");
}
END_TEST

START_TEST(a_long_interval_has_a_short_second_look)
{
    put("f", "one");
    follow("f", 60 * SECOND);
    put("f", "two");
    pass(59 * SECOND);
    ck_assert_int_eq(calls, 0);
    pass(SECOND);
    ck_assert_int_eq(calls, 0);
    pass(SECOND);
    ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(old_files_are_seen_to_change_too)
{
    put("f", "one");
    // The time of the last status change cannot be set back: it has to become old.
    struct stat info;
    do {
        ck_assert_int_eq(stat(in_folder("f"), &info), 0);
        usleep(50000);
    } while (weir_wall_clock() - (int64_t)info.st_ctim.tv_sec * SECOND - info.st_ctim.tv_nsec < 5 * SECOND / 2);
    follow("f", 0);
    pass(SECOND);
    put("f", "two");
    pass(SECOND);
    pass(SECOND);
    ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(it_may_be_freed_in_its_call)
{
    put("f", "one");
    follow("f", 0);
    free_in_call = true;
    put("f", "two");
    pass(SECOND);
    pass(SECOND);
    pass(SECOND);
    ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(it_may_be_freed_while_it_looks)
{
    put("f", "one");
    follow("f", 0);
    put("f", "two");
    pass(SECOND);
    weir_worker_advance(weir_worker_current(), SECOND);
    ck_assert_uint_eq(weir_worker_current()->jobs, 1);
    weir_watch_free(watch);
    watch = NULL;
    pass(0);
    ck_assert_int_eq(calls, 0);
}
END_TEST

static void read_fails(const char *what, const char *path, const char *why)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_text text = { NULL, 0, 0 };
    char expected[256];
    snprintf(expected, sizeof(expected), "%s %s: %s", what, path, why);
    ck_assert_int_eq(weir_file_read(path, 99, &text, &error), -1);
    ck_assert_str_eq(weir_error_text(&error), expected);
    ck_assert_uint_eq(text.length, 0);
    weir_error_free(&error);
}

START_TEST(files_are_read_whole)
{
    struct weir_text text = { NULL, 0, 0 };
    struct weir_text large = { NULL, 0, 0 };
    while (large.length < 100000)
        weir_text_addf(&large, "%zu,", large.length);
    put("f", weir_text_string(&large));
    ck_assert_int_eq(weir_file_read(in_folder("f"), large.length, &text, NULL), 0);
    ck_assert(weir_str_equal(weir_text_view(&text), weir_text_view(&large)));
    put("empty", "");
    ck_assert_int_eq(weir_file_read(in_folder("empty"), 10, &text, NULL), 0);
    ck_assert_uint_eq(text.length, 0);
    weir_text_free(&text);
    read_fails("read", in_folder("f"), "the file is larger than 99 bytes");
    read_fails("open", in_folder("none"), "no such file or directory");
    read_fails("read", folder, "is a directory");
    weir_text_free(&large);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("watch");
    TCase *tests = tcase_create("watch");
    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_change_is_told_once_it_stays);
    tcase_add_test(tests, what_is_still_being_written_is_not);
    tcase_add_test(tests, the_same_length_is_no_excuse);
    tcase_add_test(tests, a_touch_is_no_change);
    tcase_add_test(tests, a_short_visit_of_another_content_is_no_change);
    tcase_add_test(tests, replacements_are_followed);
    tcase_add_test(tests, swapped_links_are_followed);
    tcase_add_test(tests, a_file_that_is_gone_is_no_change);
    tcase_add_test(tests, a_file_may_come_later);
    tcase_add_test(tests, a_long_interval_has_a_short_second_look);
    tcase_add_test(tests, old_files_are_seen_to_change_too);
    tcase_add_test(tests, it_may_be_freed_in_its_call);
    tcase_add_test(tests, it_may_be_freed_while_it_looks);
    tcase_add_test(tests, files_are_read_whole);
    return run_suite(suite);
}
