// SPDX-License-Identifier: Apache-2.0
/*
 * Reference-counted bytes and lists of ranges.
 */
#include <config.h>

#include <pthread.h>

#include <weir/buffer.h>

#include "tests/unit/suite.h"

START_TEST(appends_grow)
{
    struct weir_buffer *buffer = weir_buffer_new(0);
    for (int i = 0; i < 1000; i++)
        ck_assert(weir_buffer_append(buffer, "abc", 3));
    ck_assert_uint_eq(buffer->length, 3000);
    ck_assert_mem_eq(buffer->data + 2997, "abc", 3);
    ck_assert(weir_buffer_append(buffer, NULL, 0));
    ck_assert_uint_eq(buffer->length, 3000);
    weir_buffer_unref(buffer);
}
END_TEST

START_TEST(reserve_doubles_or_does_nothing)
{
    struct weir_buffer *buffer = weir_buffer_copy("12345678", 8);
    ck_assert_uint_eq(buffer->capacity, 8);
    ck_assert(weir_buffer_reserve(buffer, 0));
    ck_assert_uint_eq(buffer->capacity, 8);
    ck_assert(weir_buffer_reserve(buffer, 1));
    ck_assert_uint_eq(buffer->capacity, 16);
    ck_assert(weir_buffer_reserve(buffer, 100));
    ck_assert_uint_eq(buffer->capacity, 108);
    ck_assert(!weir_buffer_reserve(buffer, SIZE_MAX - 4));
    ck_assert_uint_eq(buffer->length, 8);
    ck_assert_mem_eq(buffer->data, "12345678", 8);
    weir_buffer_unref(buffer);
}
END_TEST

static void *take_and_drop(void *argument)
{
    for (int i = 0; i < 10000; i++)
        weir_buffer_unref(weir_buffer_ref(argument));
    weir_buffer_unref(argument);
    return NULL;
}

START_TEST(references_from_many_threads)
{
    struct weir_buffer *buffer = weir_buffer_copy("x", 1);
    pthread_t threads[4];
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(threads); i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, take_and_drop, weir_buffer_ref(buffer)), 0);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(threads); i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(buffer->references, 1);
    weir_buffer_unref(buffer);
    weir_buffer_unref(NULL);
}
END_TEST

START_TEST(slices_keep_order_and_references)
{
    struct weir_slices slices = { 0 };
    struct weir_buffer *buffer = weir_buffer_copy("0123456789", 10);
    for (size_t i = 0; i < 10; i++)
        ck_assert(weir_slices_add(&slices, buffer, buffer->data + 9 - i, 1));
    ck_assert(weir_slices_add(&slices, NULL, "xyz", 3));
    ck_assert(weir_slices_add(&slices, buffer, buffer->data, 0));
    ck_assert_uint_eq(slices.count, 11);
    ck_assert_uint_eq(slices.bytes, 13);
    ck_assert_uint_eq(buffer->references, 11);

    struct weir_buffer *joined = weir_slices_join(&slices);
    ck_assert_uint_eq(joined->length, 13);
    ck_assert_mem_eq(joined->data, "9876543210xyz", 13);
    weir_buffer_unref(joined);

    weir_slices_clear(&slices);
    ck_assert_uint_eq(slices.count, 0);
    ck_assert_uint_eq(slices.bytes, 0);
    ck_assert_uint_eq(buffer->references, 1);
    ck_assert_ptr_nonnull(slices.ranges);

    ck_assert(weir_slices_add(&slices, buffer, buffer->data, 10));
    // The list keeps the bytes alive after the last other reference.
    weir_buffer_unref(buffer);
    char copy[10];
    weir_slices_copy(&slices, copy);
    ck_assert_mem_eq(copy, "0123456789", 10);
    weir_slices_free(&slices);
    ck_assert_ptr_null(slices.ranges);
}
END_TEST

START_TEST(an_empty_list_joins_to_nothing)
{
    struct weir_slices slices = { 0 };
    struct weir_buffer *joined = weir_slices_join(&slices);
    ck_assert_uint_eq(joined->length, 0);
    weir_buffer_unref(joined);
    weir_slices_free(&slices);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("buffer");
    TCase *tests = tcase_create("buffer");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, appends_grow);
    tcase_add_test(tests, reserve_doubles_or_does_nothing);
    tcase_add_test(tests, references_from_many_threads);
    tcase_add_test(tests, slices_keep_order_and_references);
    tcase_add_test(tests, an_empty_list_joins_to_nothing);
    return run_suite(suite);
}
