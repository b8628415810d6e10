// SPDX-License-Identifier: Apache-2.0
/* Names of the directories that clients of a storage extension have. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/storage.h>
#include <weir/sys/host.h>
#include <weir/sys/worker.h>

#include "sdk/src/storage/sha256.h"
#include "tests/unit/suite.h"

static char *path_of(enum weir_kind kind, const char *id, const char *suffix)
{
    static const struct weir_host host;
    const struct weir_storage_place place = { .directory = "/var/q" };
    const struct weir_component component = { WEIR_COMPONENT_GUARD, .kind = kind, .type = "sample" };
    struct weir_instance *instance = weir_instance_new(&component, id, NULL, NULL, &host, NULL);
    char *path = weir_storage_path(&place, instance, suffix);
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
    ck_assert_uint_eq(strlen(path), strlen("/var/q/") + 64);
    ck_assert_uint_eq(strspn(path + 7, "0123456789abcdef"), 64);
    free(path);
    id[5 + 241] = '\0';
    path = path_of(WEIR_EXPORTER, id, NULL);
    ck_assert_uint_eq(strlen(path), strlen("/var/q/") + 255);
    free(path);
}
END_TEST

/* FIPS 180-4's examples, and lengths around the padding's edge (from coreutils' sha256sum). */
START_TEST(digests)
{
    static const struct {
        size_t length;
        const char *hex;
    } zeros[] = {
        { 55, "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7" },
        { 56, "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb" },
        { 64, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b" },
        { 119, "f616b0d54e78571a9611f343c9f8e022e859e920381ab0e4d3da01e193a7bd7e" },
    };
    static const char block[128];
    char hex[SHA256_HEX];
    sha256_hex("abc", 3, hex);
    ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_hex("", 0, hex);
    ck_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(zeros); i++) {
        sha256_hex(block, zeros[i].length, hex);
        ck_assert_str_eq(hex, zeros[i].hex);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("storage");
    TCase *tests = tcase_create("names");
    tcase_add_test(tests, names_are_upstreams);
    tcase_add_test(tests, unsafe_characters_are_written_by_number);
    tcase_add_test(tests, long_names_become_their_digest);
    tcase_add_test(tests, digests);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
