// SPDX-License-Identifier: Apache-2.0
/* What the file exporter leaves on disk. */
#include <config.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <weir/compress.h>
#include <weir/sys/worker.h>

#include "plugins/exporters/file/writer.h"
#include "tests/unit/plugin.h"
#include "tests/unit/suite.h"

static const struct weir_component *component;
static char folder[] = "/tmp/weir-file-XXXXXX";

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char *command = weir_xasprintf("rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
    free(command);
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
}

static struct weir_buffer *read_file(const char *name)
{
    char *path = weir_xasprintf("%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    struct weir_buffer *content = weir_buffer_new(0);
    char part[4096];
    for (size_t n = fread(part, 1, sizeof part, file); n > 0; n = fread(part, 1, sizeof part, file))
        ck_assert(weir_buffer_append(content, part, n));
    fclose(file);
    free(path);
    return content;
}

static struct weir_harness *make(const char *more, enum weir_signal signal)
{
    char *options = weir_xasprintf("{\"path\": \"%s/out.json\"%s%s}", folder, *more ? ", " : "", more);
    struct weir_harness *harness = make_harness(component, options, signal);
    free(options);
    return harness;
}

/* Sends a batch and waits until it is answered. */
static const struct weir_result *send(struct weir_harness *harness, struct weir_batch *batch)
{
    size_t request = weir_harness_consume(harness, batch);
    for (int i = 0; i < 1000 && !weir_harness_answered(harness, request); i++)
        weir_worker_turn(weir_worker_at(0), 10);
    ck_assert(weir_harness_answered(harness, request));
    return weir_harness_answer(harness, request);
}

START_TEST(a_line_a_batch)
{
    make_folder();
    struct weir_harness *harness = make("", WEIR_LOGS);
    ck_assert_int_eq(send(harness, weir_harness_batch(WEIR_LOGS, 0, 1))->outcome, WEIR_OK);
    ck_assert_int_eq(send(harness, weir_harness_batch(WEIR_LOGS, 1, 1))->outcome, WEIR_OK);
    struct weir_buffer *content = read_file("out.json");
    static const char expected[] =
        "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":"
        "\"test\"}}]},\"scopeLogs\":[{\"scope\":{},\"logRecords\":[{\"timeUnixNano\":\"1000000000\",\"body\":"
        "{\"stringValue\":\"item-0\"}}]}]}]}\n"
        "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":"
        "\"test\"}}]},\"scopeLogs\":[{\"scope\":{},\"logRecords\":[{\"timeUnixNano\":\"1000000000\",\"body\":"
        "{\"stringValue\":\"item-1\"}}]}]}]}\n";
    ck_assert_msg(weir_str_is(weir_str_make((char *)content->data, content->length), expected), "%.*s",
                  (int)content->length, (char *)content->data);
    weir_buffer_unref(content);
    weir_harness_free(harness);
    remove_folder();
}
END_TEST

START_TEST(protobuf_with_its_length)
{
    make_folder();
    struct weir_harness *harness = make("\"format\": \"proto\"", WEIR_TRACES);
    struct weir_batch *batch = weir_harness_batch(WEIR_TRACES, 0, 5);
    size_t bytes = weir_batch_bytes(batch);
    send(harness, batch);
    struct weir_buffer *content = read_file("out.json");
    ck_assert_uint_eq(content->length, 4 + bytes);
    ck_assert_uint_eq((size_t)content->data[2] << 8 | content->data[3], bytes);
    struct weir_batch *again = weir_batch_from_bytes(WEIR_TRACES, content, content->data + 4, bytes, NULL);
    ck_assert_uint_eq(weir_batch_items(again), 5);
    weir_batch_unref(again);
    weir_buffer_unref(content);
    weir_harness_free(harness);
    remove_folder();
}
END_TEST

START_TEST(compressed_with_its_length)
{
    make_folder();
    struct weir_harness *harness = make("\"format\": \"proto\", \"compression\": \"zstd\"", WEIR_TRACES);
    send(harness, weir_harness_batch(WEIR_TRACES, 0, 50));
    struct weir_buffer *content = read_file("out.json"), *plain = NULL;
    struct weir_inflate_limits limits = { .max_output = 1 << 20 };
    ck_assert_uint_eq((size_t)content->data[2] << 8 | content->data[3], content->length - 4);
    ck_assert_int_eq(weir_inflate(WEIR_ENCODING_ZSTD, weir_str_make((char *)content->data + 4, content->length - 4),
                                  &limits, &plain, NULL),
                     WEIR_INFLATE_OK);
    struct weir_batch *again = weir_batch_from_bytes(WEIR_TRACES, plain, plain->data, plain->length, NULL);
    ck_assert_uint_eq(weir_batch_items(again), 50);
    weir_batch_unref(again);
    weir_buffer_unref(plain);
    weir_buffer_unref(content);
    weir_harness_free(harness);
    remove_folder();
}
END_TEST

START_TEST(append_keeps_and_default_empties)
{
    make_folder();
    size_t lengths[3];
    static const char *const options[] = { "", "\"append\": true", "" };
    for (int i = 0; i < 3; i++) {
        struct weir_harness *harness = make(options[i], WEIR_LOGS);
        send(harness, weir_harness_batch(WEIR_LOGS, 0, 1));
        weir_harness_free(harness);
        struct weir_buffer *content = read_file("out.json");
        lengths[i] = content->length;
        weir_buffer_unref(content);
    }
    ck_assert_uint_eq(lengths[1], 2 * lengths[0]);
    ck_assert_uint_eq(lengths[2], lengths[0]);
    remove_folder();
}
END_TEST

static size_t count_files(void)
{
    size_t count = 0;
    DIR *stream = opendir(folder);
    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream))
        count += entry->d_name[0] != '.';
    closedir(stream);
    return count;
}

static int64_t fake_now;

static int64_t fake_clock(void)
{
    return fake_now += 1000000;
}

START_TEST(rotates_by_size_and_prunes)
{
    make_folder();
    char *path = weir_xasprintf("%s/log.txt", folder);
    char *stranger = weir_xasprintf("%s/log-other.txt", folder);
    fclose(fopen(stranger, "w"));
    struct writer_options options = { .path = path, .rotate = true, .max_bytes = 100, .max_backups = 2,
                                      .wall_clock = fake_clock };
    struct writer *writer = writer_open(&options, NULL);
    struct weir_slices record = { 0 };
    static const char line[] = "0123456789012345678901234567890123456789\n"; /* 41 bytes: two fit */
    ck_assert(weir_slices_add(&record, NULL, line, sizeof line - 1));
    for (int i = 0; i < 11; i++)
        ck_assert_int_eq(writer_append(writer, &record, NULL), 0);
    writer_close(writer);
    struct weir_buffer *content = read_file("log.txt");
    ck_assert_uint_eq(content->length, 41);
    weir_buffer_unref(content);
    ck_assert_uint_eq(count_files(), 4); /* the file, two backups, and what is none */
    weir_slices_free(&record);
    free(stranger);
    free(path);
    remove_folder();
}
END_TEST

static size_t length_of(const char *name)
{
    struct weir_buffer *content = read_file(name);
    size_t length = content->length;
    weir_buffer_unref(content);
    return length;
}

/* An instance and, on reload, its successor. */
START_TEST(writers_of_one_path_share_the_file)
{
    make_folder();
    char *path = weir_xasprintf("%s/log.txt", folder);
    struct writer_options plain = { .path = path, .wall_clock = fake_clock };
    struct writer_options rotating = { .path = path, .rotate = true, .max_bytes = 30, .wall_clock = fake_clock };
    struct weir_slices record = { 0 };
    ck_assert(weir_slices_add(&record, NULL, "0123456789\n", 11));
    struct writer *old = writer_open(&plain, NULL);
    ck_assert_int_eq(writer_append(old, &record, NULL), 0);
    struct writer *new = writer_open(&rotating, NULL);
    ck_assert_int_eq(writer_append(new, &record, NULL), 0);
    ck_assert_uint_eq(length_of("log.txt"), 22);
    ck_assert_int_eq(writer_append(new, &record, NULL), 0); /* rotates */
    ck_assert_int_eq(writer_append(old, &record, NULL), 0);
    writer_close(old);
    ck_assert_int_eq(writer_append(new, &record, NULL), 0); /* rotates */
    ck_assert_uint_eq(length_of("log.txt"), 11);
    ck_assert_uint_eq(count_files(), 3);
    writer_close(new);
    writer_close(writer_open(&plain, NULL));
    ck_assert_uint_eq(length_of("log.txt"), 0);
    weir_slices_free(&record);
    free(path);
    remove_folder();
}
END_TEST

START_TEST(backup_names)
{
    static const struct {
        const char *path, *name;
    } cases[] = {
        { "/var/log/a.json", "/var/log/a-2020-02-11T20-26-13.789.json" },
        { "plain", "plain-2020-02-11T20-26-13.789" },
        { "/x.d/plain", "/x.d/plain-2020-02-11T20-26-13.789" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        char *name = rotate_backup_name(cases[i].path, INT64_C(1581452773789000000), false);
        ck_assert_str_eq(name, cases[i].name);
        free(name);
    }
}
END_TEST

START_TEST(full_disk_is_a_retryable_answer)
{
    struct weir_harness *harness =
        make_harness(component, "{\"path\": \"/dev/full\", \"append\": true}", WEIR_LOGS);
    const struct weir_result *result = send(harness, weir_harness_batch(WEIR_LOGS, 0, 1));
    ck_assert_int_eq(result->outcome, WEIR_RETRYABLE);
    ck_assert_str_eq(result->reason, "write /dev/full: No space left on device");
    weir_harness_free(harness);
}
END_TEST

START_TEST(makes_directories_when_asked)
{
    struct weir_error error = WEIR_ERROR_INIT;
    make_folder();
    char *options = weir_xasprintf("{\"path\": \"%s/a/b/c.json\"}", folder);
    ck_assert_ptr_null(weir_harness_new(component, options, WEIR_LOGS, &error));
    ck_assert_ptr_nonnull(strstr(weir_error_text(&error), "No such file or directory"));
    free(options);
    options = weir_xasprintf("{\"path\": \"%s/a/b/c.json\", \"create_directory\": true}", folder);
    struct weir_harness *harness = make_harness(component, options, WEIR_LOGS);
    weir_harness_free(harness);
    free(options);
    weir_error_free(&error);
    remove_folder();
}
END_TEST

START_TEST(refuses_wrong_options)
{
    static const struct bad_options cases[] = {
        { "{}", "path" },
        { "{\"path\": \"/tmp/x\", \"append\": true, \"rotation\": {}}",
          "append and rotation enabled at the same time is not supported" },
        { "{\"path\": \"/tmp/x\", \"format\": \"xml\"}", "format" },
        { "{\"path\": \"/tmp/x\", \"compression\": \"gzip\"}", "compression" },
        { "{\"path\": \"/tmp/x\", \"create_directory\": true, \"directory_permissions\": \"rwx\"}",
          "\"rwx\" is no octal number" },
        { "{\"path\": \"/tmp/x\", \"group_by\": {}}", "group_by" },
    };
    assert_refused(component, WEIR_LOGS, cases, WEIR_ARRAY_LENGTH(cases));
}
END_TEST

int main(void)
{
    component = weir_harness_load(WEIR_EXPORTER, "file");
    Suite *suite = suite_create("file exporter");
    TCase *tests = tcase_create("file");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, a_line_a_batch);
    tcase_add_test(tests, protobuf_with_its_length);
    tcase_add_test(tests, compressed_with_its_length);
    tcase_add_test(tests, append_keeps_and_default_empties);
    tcase_add_test(tests, rotates_by_size_and_prunes);
    tcase_add_test(tests, writers_of_one_path_share_the_file);
    tcase_add_test(tests, backup_names);
    tcase_add_test(tests, full_disk_is_a_retryable_answer);
    tcase_add_test(tests, makes_directories_when_asked);
    tcase_add_test(tests, refuses_wrong_options);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
