// SPDX-License-Identifier: Apache-2.0
/* Bodies that other tools have compressed, round trips, caps, and damage. */
#include <config.h>

#include <string.h>

#include <weir/compress.h>

#include "tests/unit/suite.h"

static const char hello[] = "hello hello hello hello\n";

/* Made with gzip 1.12, zlib 1.2.13, zstd 1.5.4, lz4 1.9.4 and snappy 1.1.9. */
static const struct fixture {
    enum weir_encoding encoding;
    size_t length;
    const char *bytes;
} fixtures[] = {
    { WEIR_ENCODING_GZIP, 29,
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\xb9\x00\x00"
      "\x88\x59\x0b\x18\x00\x00\x00" },
    { WEIR_ENCODING_ZLIB, 17,
      "\x78\x9c\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\xb9\x00\x70\xbe\x08\xbb" },
    { WEIR_ENCODING_DEFLATE, 17,
      "\x78\xda\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\xb9\x00\x70\xbe\x08\xbb" },
    { WEIR_ENCODING_ZSTD, 26,
      "\x28\xb5\x2f\xfd\x24\x18\x6d\x00\x00\x38\x68\x65\x6c\x6c\x6f\x20\x0a\x01\x00\x99\x4b\x11"
      "\xa8\x7c\x2e\xa8" },
    { WEIR_ENCODING_LZ4, 34,
      "\x04\x22\x4d\x18\x64\x40\xa7\x0f\x00\x00\x00\x69\x68\x65\x6c\x6c\x6f\x20\x06\x00\x50\x65"
      "\x6c\x6c\x6f\x0a\x00\x00\x00\x00\xe2\xff\x03\x42" },
    { WEIR_ENCODING_SNAPPY, 13,
      "\x18\x14\x68\x65\x6c\x6c\x6f\x20\x42\x06\x00\x00\x0a" },
    { WEIR_ENCODING_SNAPPY_FRAMED, 37,
      "\xff\x06\x00\x00\x73\x4e\x61\x50\x70\x59\x00\x11\x00\x00\xfb\xe4\xec\xa5\x18\x14\x68\x65"
      "\x6c\x6c\x6f\x20\x42\x06\x00\x00\x0a\x80\x02\x00\x00\x78\x78" },
};

static const struct weir_inflate_limits no_limits = { .max_output = (size_t)1 << 30 };

static struct weir_str view(const struct weir_buffer *buffer)
{
    return weir_str_make((const char *)buffer->data, buffer->length);
}

START_TEST(inflates_what_others_made)
{
    const struct fixture *fixture = &fixtures[_i];
    struct weir_buffer *out = NULL;
    struct weir_error error = WEIR_ERROR_INIT;
    int status = weir_inflate(fixture->encoding, weir_str_make(fixture->bytes, fixture->length), &no_limits, &out,
                              &error);
    ck_assert_msg(status == WEIR_INFLATE_OK, "%s", weir_error_text(&error));
    ck_assert(weir_str_is(view(out), hello));
    weir_buffer_unref(out);
}
END_TEST

START_TEST(refuses_what_is_cut_off)
{
    const struct fixture *fixture = &fixtures[_i];
    for (size_t length = 0; length < fixture->length; length++) {
        /* a copy of just so many bytes, so that reading beyond them is seen */
        struct weir_buffer *part = weir_buffer_copy(fixture->bytes, length);
        struct weir_buffer *out = NULL;
        struct weir_error error = WEIR_ERROR_INIT;
        int status = weir_inflate(fixture->encoding, view(part), &no_limits, &out, &error);
        /* a framed stream may end behind any chunk */
        bool whole_chunks = fixture->encoding == WEIR_ENCODING_SNAPPY_FRAMED && (length == 10 || length == fixture->length - 6);
        ck_assert_msg(whole_chunks ? status == WEIR_INFLATE_OK : status == WEIR_INFLATE_BAD,
                      "%s cut to %zu bytes: %d", weir_encoding_name(fixture->encoding), length, status);
        if (!whole_chunks)
            ck_assert_uint_gt(strlen(weir_error_text(&error)), 0);
        weir_error_free(&error);
        weir_buffer_unref(out);
        weir_buffer_unref(part);
    }
}
END_TEST

START_TEST(survives_flipped_bits)
{
    const struct fixture *fixture = &fixtures[_i];
    for (size_t bit = 0; bit < fixture->length * 8; bit++) {
        struct weir_buffer *copy = weir_buffer_copy(fixture->bytes, fixture->length);
        struct weir_buffer *out = NULL;
        copy->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct weir_inflate_limits limits = { .max_output = 100000 };
        int status = weir_inflate(fixture->encoding, view(copy), &limits, &out, NULL);
        ck_assert(status == WEIR_INFLATE_OK || status == WEIR_INFLATE_BAD || status == WEIR_INFLATE_TOO_LARGE);
        ck_assert((status == WEIR_INFLATE_OK) == (out != NULL));
        weir_buffer_unref(out);
        weir_buffer_unref(copy);
    }
}
END_TEST

/* A body of text-like bytes that compress by about four. */
static struct weir_buffer *make_body(size_t length)
{
    struct weir_buffer *body = weir_buffer_new(length + 1);
    uint32_t seed = (uint32_t)length + 1;
    while (body->length < length) {
        seed = seed * 1664525u + 1013904223u;
        size_t run = 1 + (seed >> 24) % 16;
        for (size_t i = 0; i < run && body->length < length; i++)
            body->data[body->length++] = (uint8_t)(seed >> 28 | 0x40);
    }
    return body;
}

static const size_t lengths[] = { 0, 1, 2, 100, 1023, 4096, 65535, 65536, 65537, 300000, 3000000 };

/* Compresses in three pieces, inflates with a cap of exactly the right size, and one less. */
static void round_trip(enum weir_encoding encoding, int level, size_t length)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_buffer *body = make_body(length), *packed = NULL, *out = NULL;
    struct weir_slices slices = { 0 };
    size_t third = length / 3;
    ck_assert(weir_slices_add(&slices, body, body->data, third));
    ck_assert(weir_slices_add(&slices, body, body->data + third, third));
    ck_assert(weir_slices_add(&slices, body, body->data + 2 * third, length - 2 * third));
    ck_assert_msg(weir_deflate(encoding, level, &slices, &packed, &error) == 0, "%s", weir_error_text(&error));
    struct weir_inflate_limits limits = { .max_output = length };
    int status = weir_inflate(encoding, view(packed), &limits, &out, &error);
    ck_assert_msg(status == WEIR_INFLATE_OK, "%s of %zu: %d %s", weir_encoding_name(encoding), length, status,
                  weir_error_text(&error));
    ck_assert(weir_str_equal(view(out), view(body)));
    weir_buffer_unref(out);
    if (length > 0) {
        limits.max_output = length - 1;
        out = NULL;
        ck_assert_int_eq(weir_inflate(encoding, view(packed), &limits, &out, NULL), WEIR_INFLATE_TOO_LARGE);
        ck_assert_ptr_null(out);
    }
    if (length >= 65536 && encoding != WEIR_ENCODING_IDENTITY)
        ck_assert_uint_lt(packed->length, length);
    weir_slices_free(&slices);
    weir_buffer_unref(packed);
    weir_buffer_unref(body);
}

START_TEST(comes_back_as_it_was)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(lengths); i++)
        round_trip((enum weir_encoding)_i, 0, lengths[i]);
}
END_TEST

START_TEST(every_level_works)
{
    for (int level = -2; level <= 9; level++) {
        round_trip(WEIR_ENCODING_GZIP, level, 100000);
        round_trip(WEIR_ENCODING_ZSTD, level, 100000);
    }
    round_trip(WEIR_ENCODING_ZSTD, 11, 100000);
}
END_TEST

START_TEST(several_members_are_one_body)
{
    static const enum weir_encoding several[] = { WEIR_ENCODING_GZIP, WEIR_ENCODING_ZSTD };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(several); i++) {
        const struct fixture *fixture = fixtures;
        while (fixture->encoding != several[i])
            fixture++;
        struct weir_buffer *twice = weir_buffer_copy(fixture->bytes, fixture->length), *out = NULL;
        ck_assert(weir_buffer_append(twice, fixture->bytes, fixture->length));
        ck_assert_int_eq(weir_inflate(several[i], view(twice), &no_limits, &out, NULL), WEIR_INFLATE_OK);
        ck_assert_uint_eq(out->length, 2 * strlen(hello));
        weir_buffer_unref(out);
        weir_buffer_unref(twice);
    }
}
END_TEST

START_TEST(garbage_behind_the_end_is_an_error)
{
    const struct fixture *fixture = &fixtures[_i];
    struct weir_buffer *longer = weir_buffer_copy(fixture->bytes, fixture->length), *out = NULL;
    ck_assert(weir_buffer_append(longer, "garbage!", 8));
    ck_assert_int_eq(weir_inflate(fixture->encoding, view(longer), &no_limits, &out, NULL), WEIR_INFLATE_BAD);
    weir_buffer_unref(longer);
}
END_TEST

struct grants {
    size_t granted;
    size_t most;
};

static bool grant(void *user, size_t more)
{
    struct grants *grants = user;
    if (more > grants->most - grants->granted)
        return false;
    grants->granted += more;
    return true;
}

/* 64 MiB of zeros, compressed: nothing near that is ever asked for. */
START_TEST(bombs_stop_at_the_cap)
{
    struct weir_buffer *zeros = weir_buffer_new((size_t)64 << 20), *packed = NULL, *out = NULL;
    struct weir_slices slices = { 0 };
    memset(zeros->data, 0, (size_t)64 << 20);
    zeros->length = (size_t)64 << 20;
    ck_assert(weir_slices_add(&slices, zeros, zeros->data, zeros->length));
    ck_assert_int_eq(weir_deflate((enum weir_encoding)_i, 0, &slices, &packed, NULL), 0);

    struct grants grants = { .most = SIZE_MAX };
    struct weir_inflate_limits limits = { .max_output = 1000000, .grow = grant, .user = &grants };
    ck_assert_int_eq(weir_inflate((enum weir_encoding)_i, view(packed), &limits, &out, NULL),
                     WEIR_INFLATE_TOO_LARGE);
    ck_assert_uint_le(grants.granted, 1000001);

    grants = (struct grants){ .most = 100000 };
    limits.max_output = (size_t)128 << 20;
    ck_assert_int_eq(weir_inflate((enum weir_encoding)_i, view(packed), &limits, &out, NULL),
                     WEIR_INFLATE_REFUSED);

    limits = (struct weir_inflate_limits){ .max_output = (size_t)128 << 20, .max_ratio = 2 };
    int status = weir_inflate((enum weir_encoding)_i, view(packed), &limits, &out, NULL);
    ck_assert_int_eq(status, packed->length * 2 < zeros->length ? WEIR_INFLATE_TOO_LARGE : WEIR_INFLATE_OK);
    weir_buffer_unref(status == WEIR_INFLATE_OK ? out : NULL);
    weir_slices_free(&slices);
    weir_buffer_unref(packed);
    weir_buffer_unref(zeros);
}
END_TEST

START_TEST(names_and_levels)
{
    enum weir_encoding encoding = WEIR_ENCODING_GZIP;
    ck_assert(weir_encoding_find(WEIR_STR("x-snappy-framed"), &encoding));
    ck_assert_int_eq(encoding, WEIR_ENCODING_SNAPPY_FRAMED);
    ck_assert(!weir_encoding_find(WEIR_STR("GZIP"), &encoding));
    ck_assert(!weir_encoding_find(WEIR_STR("identity"), &encoding));
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_int_eq(weir_encoding_level(WEIR_ENCODING_GZIP, 9, &error), 0);
    ck_assert_int_eq(weir_encoding_level(WEIR_ENCODING_GZIP, 10, &error), -1);
    ck_assert_str_eq(weir_error_text(&error), "unsupported parameters {Level:10} for compression type \"gzip\"");
    ck_assert_int_eq(weir_encoding_level(WEIR_ENCODING_SNAPPY, 1, &error), -1);
    ck_assert_int_eq(weir_encoding_level(WEIR_ENCODING_ZSTD, 11, &error), 0);
    weir_error_free(&error);
}
END_TEST

int main(void)
{
    const int count = (int)WEIR_ARRAY_LENGTH(fixtures);
    Suite *suite = suite_create("compress");
    TCase *tests = tcase_create("compress");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, inflates_what_others_made, 0, count);
    tcase_add_loop_test(tests, refuses_what_is_cut_off, 0, count);
    tcase_add_loop_test(tests, survives_flipped_bits, 0, count);
    tcase_add_loop_test(tests, comes_back_as_it_was, 0, WEIR_ENCODINGS);
    tcase_add_test(tests, every_level_works);
    tcase_add_test(tests, several_members_are_one_body);
    tcase_add_loop_test(tests, garbage_behind_the_end_is_an_error, 0, count);
    tcase_add_loop_test(tests, bombs_stop_at_the_cap, WEIR_ENCODING_GZIP, WEIR_ENCODINGS);
    tcase_add_test(tests, names_and_levels);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
