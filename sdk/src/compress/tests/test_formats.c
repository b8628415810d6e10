// SPDX-License-Identifier: Apache-2.0
/*
 * Bodies compressed by others are inflated, ours come back as they were, and the caps hold.
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/compress.h>

#include "sdk/src/compress/tests/fixtures.h"
#include "tests/unit/suite.h"

#define TEXT 457
#define LARGE ((size_t)1500000)

static uint8_t text[TEXT];
static size_t asked; /* how much memory was asked for */
static size_t allowed;

static const struct fixture {
    const char *name;
    enum weir_encoding encoding;
    const unsigned char *data;
    size_t length;
} fixtures[] = {
    { "gzip", WEIR_ENCODING_GZIP, by_gzip, sizeof(by_gzip) },
    { "gzip with a name", WEIR_ENCODING_GZIP, by_gzip_with_name, sizeof(by_gzip_with_name) },
    { "zlib", WEIR_ENCODING_ZLIB, by_zlib, sizeof(by_zlib) },
    { "deflate", WEIR_ENCODING_DEFLATE, by_zlib, sizeof(by_zlib) },
    { "zstd", WEIR_ENCODING_ZSTD, by_zstd, sizeof(by_zstd) },
    { "zstd with size", WEIR_ENCODING_ZSTD, by_zstd_with_size, sizeof(by_zstd_with_size) },
    { "snappy", WEIR_ENCODING_SNAPPY, by_snappy, sizeof(by_snappy) },
    { "snappy, framed", WEIR_ENCODING_SNAPPY, by_snappy_framed, sizeof(by_snappy_framed) },
    { "x-snappy-framed", WEIR_ENCODING_SNAPPY_FRAMED, by_snappy_framed, sizeof(by_snappy_framed) },
    { "lz4", WEIR_ENCODING_LZ4, by_lz4, sizeof(by_lz4) },
};
#define FIXTURES ((int)WEIR_ARRAY_LENGTH(fixtures))

static void setup(void)
{
    for (int i = 0; i < 40; i++)
        memcpy(text + 5 * i, "weir ", 5);
    text[200] = '\n';
    for (int i = 0; i < 256; i++)
        text[201 + i] = (uint8_t)i;
    asked = 0;
    allowed = SIZE_MAX;
}

static bool grow(void *user, size_t more)
{
    ck_assert_ptr_eq(user, text);
    if (more > allowed - asked)
        return false;
    asked += more;
    return true;
}

/* From memory of exactly that size, so that a sanitizer sees one byte too far. */
static enum weir_inflate_status inflate(enum weir_encoding encoding, const void *data, size_t length,
                                        size_t max, uint64_t ratio, struct weir_buffer **out)
{
    char *copy = malloc(length ? length : 1);
    if (length > 0)
        memcpy(copy, data, length);
    struct weir_inflate_limits limits = { max, ratio, grow, text };
    struct weir_error error = WEIR_ERROR_INIT;
    enum weir_inflate_status status =
        weir_inflate(encoding, weir_str_make(copy, length), &limits, out, &error);
    ck_assert_int_eq(weir_error_is_set(&error), status != WEIR_INFLATE_OK);
    weir_error_free(&error);
    free(copy);
    return status;
}

START_TEST(what_others_compressed)
{
    const struct fixture *f = &fixtures[_i];
    struct weir_buffer *out = NULL;
    ck_assert_int_eq(inflate(f->encoding, f->data, f->length, 1 << 20, 0, &out), WEIR_INFLATE_OK);
    ck_assert_uint_eq(out->length, TEXT);
    ck_assert_mem_eq(out->data, text, TEXT);
    ck_assert_uint_ge(asked, TEXT);
    weir_buffer_unref(out);
}
END_TEST

START_TEST(the_size_cap_is_exact)
{
    const struct fixture *f = &fixtures[_i];
    struct weir_buffer *out = NULL;
    ck_assert_int_eq(inflate(f->encoding, f->data, f->length, TEXT, 0, &out), WEIR_INFLATE_OK);
    ck_assert_uint_eq(out->length, TEXT);
    ck_assert_uint_le(asked, TEXT + 1); // one byte more tells whether the body ends here
    weir_buffer_unref(out);
    ck_assert_int_eq(inflate(f->encoding, f->data, f->length, TEXT - 1, 0, &out), WEIR_INFLATE_TOO_LARGE);
}
END_TEST

START_TEST(refused_memory_is_not_taken)
{
    const struct fixture *f = &fixtures[_i];
    struct weir_buffer *out = NULL;
    allowed = 0;
    ck_assert_int_eq(inflate(f->encoding, f->data, f->length, 1 << 20, 0, &out), WEIR_INFLATE_REFUSED);
    ck_assert_uint_eq(asked, 0);
}
END_TEST

START_TEST(truncated_anywhere_is_bad)
{
    const struct fixture *f = &fixtures[_i];
    // Where a stream may end because whole frames have come: nothing at all, or the stream's identifier
    // alone.
    bool framed = f->encoding == WEIR_ENCODING_SNAPPY_FRAMED || f->data == by_snappy_framed;
    bool frames = framed || f->encoding == WEIR_ENCODING_ZSTD || f->encoding == WEIR_ENCODING_LZ4;
    for (size_t length = 0; length < f->length; length++) {
        if ((frames && length == 0) || (framed && length == 10))
            continue;
        struct weir_buffer *out = NULL;
        ck_assert_msg(inflate(f->encoding, f->data, length, 1 << 20, 0, &out) == WEIR_INFLATE_BAD,
                      "%s cut at %zu", f->name, length);
    }
}
END_TEST

START_TEST(garbage_behind_is_bad)
{
    const struct fixture *f = &fixtures[_i];
    uint8_t *data = malloc(f->length + 4);
    memcpy(data, f->data, f->length);
    memcpy(data + f->length, "\x01junk", 4);
    struct weir_buffer *out = NULL;
    ck_assert_int_eq(inflate(f->encoding, data, f->length + 1, 1 << 20, 0, &out), WEIR_INFLATE_BAD);
    ck_assert_int_eq(inflate(f->encoding, data, f->length + 4, 1 << 20, 0, &out), WEIR_INFLATE_BAD);
    free(data);
}
END_TEST

START_TEST(flipped_bits_do_no_harm)
{
    const struct fixture *f = &fixtures[_i];
    uint8_t *data = malloc(f->length);
    memcpy(data, f->data, f->length);
    for (size_t bit = 0; bit < f->length * 8; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct weir_buffer *out = NULL;
        asked = 0;
        if (inflate(f->encoding, data, f->length, 1 << 16, 0, &out) == WEIR_INFLATE_OK) {
            ck_assert_uint_le(out->length, 1 << 16);
            weir_buffer_unref(out);
        }
        ck_assert_uint_le(asked, (1 << 16) + 1);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(data);
}
END_TEST

/* Bytes that compress by about a half. */
static uint8_t *large_body(void)
{
    uint8_t *body = malloc(LARGE);
    unsigned seed = 5;
    for (size_t i = 0; i < LARGE; i++)
        body[i] = i % 32 < 16 ? (uint8_t)('a' + i / 1000 % 26) : (uint8_t)rand_r(&seed);
    return body;
}

static struct weir_buffer *deflate_ranges(enum weir_encoding encoding, int level, const uint8_t *body,
                                          size_t length, size_t range)
{
    struct weir_slices slices = { 0 };
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_buffer *out = NULL;
    for (size_t at = 0; at < length; at += range)
        ck_assert(weir_slices_add(&slices, NULL, body + at, length - at < range ? length - at : range));
    ck_assert_msg(weir_deflate(encoding, level, &slices, &out, &error) == 0, "%s", weir_error_text(&error));
    weir_slices_free(&slices);
    return out;
}

START_TEST(our_own_comes_back)
{
    enum weir_encoding encoding = (enum weir_encoding)_i;
    uint8_t *body = large_body();
    const size_t lengths[] = { 0, 1, 65535, 65536, 65537, LARGE };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(lengths); i++) {
        struct weir_buffer *deflated = deflate_ranges(encoding, 0, body, lengths[i], 9999), *again = NULL;
        ck_assert_int_eq(inflate(encoding, deflated->data, deflated->length, lengths[i], 0, &again),
                         WEIR_INFLATE_OK);
        ck_assert_uint_eq(again->length, lengths[i]);
        if (lengths[i] > 0)
            ck_assert_mem_eq(again->data, body, lengths[i]);
        if (lengths[i] == LARGE && encoding != WEIR_ENCODING_IDENTITY)
            ck_assert_uint_lt(deflated->length, LARGE * 3 / 4);
        weir_buffer_unref(again);
        weir_buffer_unref(deflated);
    }
    free(body);
}
END_TEST

START_TEST(levels_make_a_difference)
{
    uint8_t *body = large_body();
    const int levels[] = { -2, -1, 0, 1, 5, 9 };
    size_t fastest = 0, last = 0;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(levels); i++) {
        struct weir_buffer *deflated = deflate_ranges(WEIR_ENCODING_GZIP, levels[i], body, LARGE, LARGE),
                           *again = NULL;
        ck_assert_int_eq(inflate(WEIR_ENCODING_GZIP, deflated->data, deflated->length, LARGE, 0, &again),
                         WEIR_INFLATE_OK);
        ck_assert_mem_eq(again->data, body, LARGE);
        fastest = i == 0 ? deflated->length : fastest;
        last = deflated->length;
        weir_buffer_unref(again);
        weir_buffer_unref(deflated);
    }
    ck_assert_uint_lt(last, fastest);
    free(body);
}
END_TEST

START_TEST(gzip_of_several_members)
{
    uint8_t two[2 * sizeof(by_gzip)];
    memcpy(two, by_gzip, sizeof(by_gzip));
    memcpy(two + sizeof(by_gzip), by_gzip, sizeof(by_gzip));
    struct weir_buffer *out = NULL;
    ck_assert_int_eq(inflate(WEIR_ENCODING_GZIP, two, sizeof(two), 2 * TEXT, 0, &out), WEIR_INFLATE_OK);
    ck_assert_uint_eq(out->length, 2 * TEXT);
    ck_assert_mem_eq(out->data + TEXT, text, TEXT);
    weir_buffer_unref(out);
    ck_assert_int_eq(inflate(WEIR_ENCODING_GZIP, two, sizeof(two), 2 * TEXT - 1, 0, &out),
                     WEIR_INFLATE_TOO_LARGE);
    ck_assert_int_eq(inflate(WEIR_ENCODING_GZIP, two, sizeof(two) - 1, 2 * TEXT, 0, &out), WEIR_INFLATE_BAD);
}
END_TEST

START_TEST(bombs_are_capped)
{
    enum weir_encoding encoding = (enum weir_encoding)_i;
    uint8_t *zeros = calloc(1, LARGE * 10);
    struct weir_buffer *bomb = deflate_ranges(encoding, 0, zeros, LARGE * 10, LARGE), *out = NULL;
    ck_assert_int_eq(inflate(encoding, bomb->data, bomb->length, LARGE, 0, &out), WEIR_INFLATE_TOO_LARGE);
    ck_assert_uint_le(asked, LARGE + 1);
    asked = 0;
    ck_assert_int_eq(inflate(encoding, bomb->data, bomb->length, SIZE_MAX, 5, &out), WEIR_INFLATE_TOO_LARGE);
    size_t five_times = bomb->length * 5 < 65536 ? 65536 : bomb->length * 5;
    ck_assert_uint_le(asked, five_times + 1);
    weir_buffer_unref(bomb);
    free(zeros);
}
END_TEST

START_TEST(small_bodies_may_have_any_ratio)
{
    uint8_t *zeros = calloc(1, 65536);
    struct weir_buffer *small = deflate_ranges(WEIR_ENCODING_GZIP, 0, zeros, 65536, 65536), *out = NULL;
    ck_assert_int_eq(inflate(WEIR_ENCODING_GZIP, small->data, small->length, SIZE_MAX, 2, &out),
                     WEIR_INFLATE_OK);
    weir_buffer_unref(out);
    weir_buffer_unref(small);
    free(zeros);
}
END_TEST

START_TEST(names)
{
    enum weir_encoding encoding = WEIR_ENCODING_IDENTITY;
    for (int i = 0; i < WEIR_ENCODINGS; i++) {
        ck_assert(weir_encoding_find(weir_str_of(weir_encoding_name((enum weir_encoding)i)), &encoding));
        ck_assert_int_eq(encoding, i);
    }
    ck_assert(weir_encoding_find(WEIR_STR("x-snappy-framed"), &encoding));
    ck_assert_int_eq(encoding, WEIR_ENCODING_SNAPPY_FRAMED);
    ck_assert(!weir_encoding_find(WEIR_STR("GZIP"), &encoding));
    ck_assert(!weir_encoding_find(WEIR_STR("identity"), &encoding));
}
END_TEST

START_TEST(valid_levels)
{
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_int_eq(weir_encoding_level(WEIR_ENCODING_GZIP, -2, NULL), 0);
    ck_assert_int_eq(weir_encoding_level(WEIR_ENCODING_ZLIB, 9, NULL), 0);
    ck_assert_int_eq(weir_encoding_level(WEIR_ENCODING_ZSTD, 22, NULL), 0);
    ck_assert_int_eq(weir_encoding_level(WEIR_ENCODING_SNAPPY, 0, NULL), 0);
    ck_assert_int_eq(weir_encoding_level(WEIR_ENCODING_GZIP, 10, &error), -1);
    ck_assert_str_eq(weir_error_text(&error),
                     "unsupported parameters {Level:10} for compression type \"gzip\"");
    ck_assert_int_eq(weir_encoding_level(WEIR_ENCODING_LZ4, 1, &error), -1);
    weir_error_free(&error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("formats");
    TCase *tests = tcase_create("formats");
    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_loop_test(tests, what_others_compressed, 0, FIXTURES);
    tcase_add_loop_test(tests, the_size_cap_is_exact, 0, FIXTURES);
    tcase_add_loop_test(tests, refused_memory_is_not_taken, 0, FIXTURES);
    tcase_add_loop_test(tests, truncated_anywhere_is_bad, 0, FIXTURES);
    tcase_add_loop_test(tests, garbage_behind_is_bad, 0, FIXTURES);
    tcase_add_loop_test(tests, flipped_bits_do_no_harm, 0, FIXTURES);
    tcase_add_loop_test(tests, our_own_comes_back, 0, WEIR_ENCODINGS);
    tcase_add_loop_test(tests, bombs_are_capped, WEIR_ENCODING_GZIP, WEIR_ENCODINGS);
    tcase_add_test(tests, levels_make_a_difference);
    tcase_add_test(tests, gzip_of_several_members);
    tcase_add_test(tests, small_bodies_may_have_any_ratio);
    tcase_add_test(tests, names);
    tcase_add_test(tests, valid_levels);
    return run_suite(suite);
}
