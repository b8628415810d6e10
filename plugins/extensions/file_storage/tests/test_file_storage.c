// SPDX-License-Identifier: Apache-2.0
/* file_storage: what it refuses, what it tells its clients, and the directory it makes. */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/storage.h>

#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

static const struct weir_component *component;
static char folder[] = "/tmp/test_file_storage.XXXXXX";

static void make_folder(void)
{
    component = weir_harness_load(WEIR_EXTENSION, "file_storage");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char *sub = weir_xasprintf("%s/a/b", folder);
    rmdir(sub);
    *strrchr(sub, '/') = '\0';
    rmdir(sub);
    free(sub);
    rmdir(folder);
}

static const struct weir_storage_place *place_of(struct weir_harness *harness)
{
    struct weir_instance *instance = weir_harness_instance(harness);
    const struct weir_storage *storage = component->offer(instance, WEIR_STORAGE);
    ck_assert_ptr_nonnull(storage);
    ck_assert_uint_eq(storage->struct_size, sizeof *storage);
    return storage->place(instance);
}

START_TEST(defaults)
{
    char *options = weir_xasprintf("{\"directory\": \"%s\"}", folder);
    struct weir_harness *harness = make_harness(component, options, WEIR_TRACES);
    const struct weir_storage_place *place = place_of(harness);
    ck_assert_str_eq(place->directory, folder);
    ck_assert_uint_eq(place->directory_mode, 0750);
    ck_assert(!place->create && !place->sync);
    ck_assert_uint_eq(place->max_bytes, 0);
    ck_assert_int_eq(place->lock_timeout, 1000000000);
    ck_assert_ptr_null(component->offer(weir_harness_instance(harness), "weir.auth.server"));
    weir_harness_free(harness);
    free(options);
}
END_TEST

START_TEST(all_keys_and_a_directory_that_is_made)
{
    char *options = weir_xasprintf(
        "{\"directory\": \"%s/a/b\", \"timeout\": \"10s\", \"max_size\": 1048576, \"fsync\": true, "
        "\"create_directory\": true, \"directory_permissions\": \"0700\", \"recreate\": true, \"compaction\": "
        "{\"on_start\": true, \"on_rebound\": true, \"cleanup_on_start\": true, \"directory\": \"/tmp\", "
        "\"rebound_needed_threshold_mib\": 1, \"rebound_trigger_threshold_mib\": 1, "
        "\"max_transaction_size\": 100, \"check_interval\": \"2s\"}}",
        folder);
    struct weir_harness *harness = make_harness(component, options, WEIR_TRACES);
    const struct weir_storage_place *place = place_of(harness);
    struct stat info;
    ck_assert_uint_eq(place->directory_mode, 0700);
    ck_assert(place->create && place->sync);
    ck_assert_uint_eq(place->max_bytes, 1048576);
    ck_assert_int_eq(place->lock_timeout, INT64_C(10000000000));
    ck_assert_int_eq(stat(place->directory, &info), 0);
    ck_assert(S_ISDIR(info.st_mode));
    ck_assert_uint_eq(info.st_mode & 0777, 0700);
    weir_harness_free(harness);
    free(options);
}
END_TEST

START_TEST(wrong_options)
{
    static const struct bad_options cases[] = {
        { "{\"directory\": \"/no/such/place\"}",
          "directory must exist: /no/such/place: No such file or directory. You can enable the create_directory "
          "option to automatically create it" },
        { "{\"directory\": \"/dev/null\"}", "/dev/null is not a directory" },
        { "{\"directory\": \"/dev/null/x\", \"create_directory\": true}",
          "problem accessing configured directory: /dev/null/x, err: Not a directory" },
        { "{\"directory\": \"/tmp\", \"create_directory\": true, \"directory_permissions\": \"0789\"}",
          "directory_permissions value must be a valid octal representation" },
        { "{\"directory\": \"/tmp\", \"create_directory\": true, \"directory_permissions\": \"\"}",
          "directory_permissions value must be a valid octal representation" },
        { "{\"directory\": \"/tmp\", \"create_directory\": true, \"directory_permissions\": \"1777\"}",
          "directory_permissions contain invalid bits for file access" },
        { "{\"directory\": \"/tmp\", \"create_directory\": true, \"directory_permissions\": \"-1\"}",
          "directory_permissions contain invalid bits for file access" },
        { "{\"directory\": \"/tmp\", \"max_size\": -1}", "max_size cannot be less than 0" },
        { "{\"directory\": \"/tmp\", \"timeout\": \"-1s\"}", "timeout cannot be less than 0" },
        { "{\"directory\": \"/tmp\", \"compaction\": {\"max_transaction_size\": -1}}",
          "max transaction size for compaction cannot be less than 0" },
        { "{\"directory\": \"/tmp\", \"compaction\": {\"on_rebound\": true, \"check_interval\": \"0s\"}}",
          "compaction check interval must be positive when rebound compaction is set" },
        { "{\"directory\": \"/tmp\", \"max_size\": 1048576, \"compaction\": {\"on_rebound\": true}}",
          "must not be less than the rebound thresholds of compaction" },
    };
    assert_refused(component, WEIR_TRACES, cases, WEIR_ARRAY_LENGTH(cases));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("file_storage");
    TCase *tests = tcase_create("options");
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, defaults);
    tcase_add_test(tests, all_keys_and_a_directory_that_is_made);
    tcase_add_test(tests, wrong_options);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
