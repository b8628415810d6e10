// SPDX-License-Identifier: Apache-2.0
/* Digests against published ones. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/base.h>
#include <weir/digest.h>

#include "tests/unit/suite.h"

static void prepare(void)
{
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_msg(weir_digest_prepare(&error) == 0, "%s", weir_error_text(&error));
    ck_assert_int_eq(weir_digest_prepare(&error), 0);
}

static void check_digest(const void *data, size_t length, const char *expected)
{
    char hex[WEIR_SHA256_HEX];
    ck_assert(weir_sha256_hex(data, length, hex));
    ck_assert_str_eq(hex, expected);
}

/* NIST's examples for FIPS 180-4 (SHA256.pdf, SHA2_Additional.pdf). */
START_TEST(nist_examples)
{
    static const struct {
        size_t length;
        int byte;
        const char *hex;
    } runs[] = {
        { 1, 0xbd, "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b" },
        { 55, 0, "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7" },
        { 56, 0, "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb" },
        { 57, 0, "65a16cb7861335d5ace3c60718b5052e44660726da4cd13bb745381b235a1785" },
        { 64, 0, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b" },
        { 1000, 0, "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53" },
        { 1000, 0x41, "c2e686823489ced2017f6059b8b239318b6364f6dcd835d0a519105a1eadd6e4" },
        { 1005, 0x55, "f4d62ddec0f3dd90ea1380fa16a5ff8dc4c54b21740650f24afc4120903552b0" },
    };
    prepare();
    check_digest("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(runs); i++) {
        char *bytes = weir_xcalloc(1, runs[i].length);
        memset(bytes, runs[i].byte, runs[i].length);
        check_digest(bytes, runs[i].length, runs[i].hex);
        free(bytes);
    }
}
END_TEST

START_TEST(nothing)
{
    prepare();
    check_digest("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_digest(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

START_TEST(not_prepared)
{
    char hex[WEIR_SHA256_HEX] = "?";
    ck_assert(!weir_sha256_hex("abc", 3, hex));
    ck_assert_str_eq(hex, "?");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("digest");
    TCase *tests = tcase_create("sha256");
    tcase_add_test(tests, not_prepared); /* the first: without forks the others have prepared it */
    tcase_add_test(tests, nist_examples);
    tcase_add_test(tests, nothing);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
