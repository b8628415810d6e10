// SPDX-License-Identifier: Apache-2.0
/* Names of the directories that clients of a storage extension have. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/storage.h>
#include <weir/sys/host.h>
#include <weir/sys/worker.h>

#include "tests/unit/suite.h"

static char *path_of(enum weir_kind kind, const char *id, const char *suffix)
{
    static const struct weir_host host;
    struct weir_error error = WEIR_ERROR_INIT;
    const struct weir_storage_place place = { .directory = "/var/q" };
    const struct weir_component component = { WEIR_COMPONENT_GUARD, .kind = kind, .type = "sample" };
    struct weir_instance *instance = weir_instance_new(&component, id, NULL, NULL, &host, NULL);
    char *path = weir_storage_path(&place, instance, suffix, &error);
    ck_assert_msg(path != NULL, "%s", weir_error_text(&error));
    weir_instance_free(instance);
    return path;
}

static void check_path(enum weir_kind kind, const char *id, const char *suffix, const char *expected)
{
    char *path = path_of(kind, id, suffix);
    ck_assert_str_eq(path, expected);
    free(path);
}

START_TEST(names_are_upstreams)
{
    check_path(WEIR_EXPORTER, "otlp", "traces", "/var/q/exporter_otlp__traces");
    check_path(WEIR_EXPORTER, "otlp/gw", "logs", "/var/q/exporter_otlp_gw_logs");
    check_path(WEIR_RECEIVER, "filelog/a", NULL, "/var/q/receiver_filelog_a");
    check_path(WEIR_RECEIVER, "filelog/a", "", "/var/q/receiver_filelog_a");
}
END_TEST

START_TEST(unsafe_characters_are_written_by_number)
{
    check_path(WEIR_EXPORTER, "otlp/a/../~b", NULL, "/var/q/exporter_otlp_a~002F..~002F~007Eb");
    check_path(WEIR_EXPORTER, "otlp/\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", NULL,
               "/var/q/exporter_otlp_~00E4~20AC~1F600");
}
END_TEST

START_TEST(long_names_become_their_digest)
{
    char id[300] = "otlp/";
    memset(id + 5, 'x', 243); /* exporter_otlp_ and 241 make 255 */
    char *path = path_of(WEIR_EXPORTER, id, NULL);
    /* of "exporter_otlp_" and the x (sha256sum) */
    ck_assert_str_eq(path, "/var/q/5ee1e191f4d0b67adaecf0f1b988c0a6ae72d0b0d49257652124ee111af6c635");
    free(path);
    id[5 + 241] = '\0';
    path = path_of(WEIR_EXPORTER, id, NULL);
    ck_assert_uint_eq(strlen(path), strlen("/var/q/") + 255);
    free(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("storage");
    TCase *tests = tcase_create("names");
    tcase_add_test(tests, names_are_upstreams);
    tcase_add_test(tests, unsafe_characters_are_written_by_number);
    tcase_add_test(tests, long_names_become_their_digest);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
