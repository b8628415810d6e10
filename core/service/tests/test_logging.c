// SPDX-License-Identifier: Apache-2.0
/* service::telemetry::resource and ::logs put into effect. */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/sys/host.h>

#include "core/config/tests/support.h"
#include "core/service/logging.h"

#define PLAIN "receivers: {nop: }\nexporters: {nop: }\n"
#define SERVICE(telemetry) \
    PLAIN "service: {telemetry: {" telemetry "}, pipelines: {traces: {receivers: [nop], exporters: [nop]}}}\n"

static struct weir_config *config;
static struct weir_pairs *resource;

static void load(const char *yaml)
{
    struct weir_problems problems = { 0 };
    config = support_load_one(yaml, &problems);
    support_problems(&problems, "");
    char *uuid = resource_make_uuid();
    resource = resource_new(&config->telemetry, uuid);
    free(uuid);
}

static void unload(void)
{
    resource_free(resource);
    weir_config_free(config);
}

static const char *value_of(const char *name)
{
    for (size_t i = 0; i < resource->count; i++)
        if (strcmp(resource->items[i].name, name) == 0)
            return resource->items[i].value;
    return NULL;
}

START_TEST(resource_by_default)
{
    load(SERVICE(""));
    ck_assert_uint_eq(resource->count, 3);
    ck_assert_str_eq(value_of("service.name"), "weir");
    ck_assert_str_eq(value_of("service.version"), PACKAGE_VERSION);
    const char *id = value_of("service.instance.id");
    ck_assert_uint_eq(strlen(id), 36);
    ck_assert_int_eq(id[14], '4');
    ck_assert_ptr_nonnull(strchr("89ab", id[19]));
    char *other = resource_make_uuid();
    ck_assert_str_ne(other, id);
    free(other);
    unload();
}
END_TEST

START_TEST(resource_as_written)
{
    load(SERVICE("resource: {service.name: edge, service.version: null, team: blue}"));
    ck_assert_uint_eq(resource->count, 3);
    ck_assert_str_eq(value_of("service.name"), "edge");
    ck_assert_str_eq(value_of("team"), "blue");
    ck_assert_ptr_null(value_of("service.version"));
    unload();
    load(SERVICE("resource: {attributes: [{name: n, value: 5}, {name: l, value: [a, 2, true]}]}"));
    ck_assert_str_eq(value_of("n"), "5");
    ck_assert_str_eq(value_of("l"), "[\"a\", 2, true]");
    unload();
}
END_TEST

/* The one line of a log that `telemetry` describes, without its time. */
static void expect_line(const char *yaml, const char *expected)
{
    static char line[1024];
    struct weir_error error = WEIR_ERROR_INIT;
    char path[] = "/tmp/weir-test-logging-XXXXXX";
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    setenv("WEIR_TEST_LOG", path, 1);
    load(yaml);
    struct logging *logging = logging_open(&config->telemetry, resource, &error);
    ck_assert_msg(logging != NULL, "%s", weir_error_text(&error));
    logging_use(logging);
    struct weir_logger *logger = weir_logger_new(NULL);
    weir_log(logger, WEIR_INFO, "Hello");
    weir_logger_free(logger);
    logging_use(NULL);
    logging_close(logging);
    ssize_t length = read(file, line, sizeof line - 1);
    ck_assert_int_gt(length, 0);
    line[length] = '\0';
    close(file);
    unlink(path);
    const char *rest = strstr(line, "Hello");
    ck_assert_ptr_nonnull(rest);
    ck_assert_str_eq(rest, expected);
    unload();
}

#define FIXED "resource: {service.instance.id: i, service.version: null}, "

START_TEST(fields)
{
    expect_line(SERVICE(FIXED "logs: {output_paths: ['${env:WEIR_TEST_LOG}']}"),
                "Hello\t{\"resource\": {\"service.name\": \"weir\", \"service.instance.id\": \"i\"}}\n");
    expect_line(SERVICE(FIXED "logs: {output_paths: ['file://${env:WEIR_TEST_LOG}'], disable_zap_resource: true}"),
                "Hello\n");
    expect_line(SERVICE(FIXED "logs: {output_paths: ['${env:WEIR_TEST_LOG}'], disable_zap_resource: true, encoding: "
                              "json, initial_fields: {a: 1, b: x, c: {d: [true, 0.5, null]}, e: {}}}"),
                "Hello\", \"a\": 1, \"b\": \"x\", \"c\": {\"d\": [true, 0.5, null]}, \"e\": {}}\n");
}
END_TEST

START_TEST(output_that_cannot_be_opened)
{
    struct weir_error error = WEIR_ERROR_INIT;
    load(SERVICE("logs: {output_paths: [/nowhere/x]}"));
    ck_assert_ptr_null(logging_open(&config->telemetry, resource, &error));
    ck_assert_str_eq(weir_error_text(&error),
                     "failed to create logger: cannot open /nowhere/x: No such file or directory");
    weir_error_free(&error);
    unload();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("logging");
    TCase *effect = tcase_create("effect");
    tcase_add_test(effect, resource_by_default);
    tcase_add_test(effect, resource_as_written);
    tcase_add_test(effect, fields);
    tcase_add_test(effect, output_that_cannot_be_opened);
    suite_add_tcase(suite, effect);
    return run_suite(suite);
}
