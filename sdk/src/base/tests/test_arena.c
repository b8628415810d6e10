// SPDX-License-Identifier: Apache-2.0
/*
 * The bump allocator.
 */
#include <config.h>

#include <weir/arena.h>

#include "tests/unit/suite.h"

#define KIB ((size_t)1024)

START_TEST(takes_nothing_until_asked)
{
    struct weir_arena arena = { 0 };
    ck_assert_uint_eq(arena.held, 0);
    weir_arena_free(&arena);
    ck_assert_ptr_nonnull(weir_arena_alloc(&arena, 0));
    ck_assert_uint_eq(arena.held, KIB);
    weir_arena_free(&arena);
    ck_assert_uint_eq(arena.held, 0);
    ck_assert_ptr_nonnull(weir_arena_alloc(&arena, 1));
    weir_arena_free(&arena);
}
END_TEST

START_TEST(pieces_are_aligned_and_apart)
{
    struct weir_arena arena = { 0 };
    unsigned char *pieces[500];
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(pieces); i++) {
        pieces[i] = weir_arena_alloc(&arena, i);
        ck_assert_ptr_nonnull(pieces[i]);
        ck_assert_uint_eq((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)(i & 0xff), i);
    }
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(pieces); i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_uint_eq(pieces[i][k], i & 0xff);
    weir_arena_free(&arena);
}
END_TEST

START_TEST(blocks_double_to_the_cap)
{
    struct weir_arena arena = { 0 };
    size_t held = 0;
    size_t expected = KIB;
    while (held < 2048 * KIB) {
        ck_assert_ptr_nonnull(weir_arena_alloc(&arena, 64));
        if (arena.held == held)
            continue;
        ck_assert_uint_eq(arena.held - held, expected);
        held = arena.held;
        if (expected < 256 * KIB)
            expected *= 2;
    }
    weir_arena_free(&arena);
}
END_TEST

START_TEST(a_large_piece_leaves_the_current_block)
{
    struct weir_arena arena = { 0 };
    char *small = weir_arena_alloc(&arena, 16);
    char *large = weir_arena_alloc(&arena, 1000 * KIB);
    ck_assert_ptr_nonnull(large);
    memset(large, 1, 1000 * KIB);
    ck_assert_ptr_eq(weir_arena_alloc(&arena, 16), small + 16);
    weir_arena_free(&arena);
    // The very first piece may be large too; the blocks after it start small.
    large = weir_arena_alloc(&arena, 1000 * KIB);
    memset(large, 1, 1000 * KIB);
    size_t held = arena.held;
    ck_assert_ptr_nonnull(weir_arena_alloc(&arena, 16));
    ck_assert_uint_eq(arena.held - held, KIB);
    weir_arena_free(&arena);
}
END_TEST

START_TEST(absurd_sizes_are_refused)
{
    struct weir_arena arena = { 0 };
    ck_assert_ptr_null(weir_arena_alloc(&arena, SIZE_MAX));
    ck_assert_ptr_null(weir_arena_alloc(&arena, SIZE_MAX - 8));
    ck_assert_ptr_null(weir_arena_calloc(&arena, SIZE_MAX / 2, 3));
    ck_assert_ptr_null(weir_arena_copy(&arena, weir_str_make("x", SIZE_MAX)).data);
    ck_assert_ptr_nonnull(weir_arena_alloc(&arena, 1));
    ck_assert_ptr_null(weir_arena_alloc(&arena, SIZE_MAX));
    weir_arena_free(&arena);
}
END_TEST

START_TEST(calloc_zeroes)
{
    struct weir_arena arena = { 0 };
    static const char zeroes[800];
    for (int i = 0; i < 100; i++) {
        char *piece = weir_arena_calloc(&arena, 100, 8);
        ck_assert_mem_eq(piece, zeroes, 800);
        memset(piece, 0xff, 800);
    }
    weir_arena_free(&arena);
}
END_TEST

START_TEST(copies_end_with_nul)
{
    struct weir_arena arena = { 0 };
    struct weir_str copy = weir_arena_copy(&arena, WEIR_STR("sixteen bytes !!"));
    ck_assert_uint_eq(copy.length, 16);
    ck_assert_str_eq(copy.data, "sixteen bytes !!");
    copy = weir_arena_copy(&arena, WEIR_STR_NONE);
    ck_assert_uint_eq(copy.length, 0);
    ck_assert_str_eq(copy.data, "");
    weir_arena_free(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena");
    TCase *tests = tcase_create("arena");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, takes_nothing_until_asked);
    tcase_add_test(tests, pieces_are_aligned_and_apart);
    tcase_add_test(tests, blocks_double_to_the_cap);
    tcase_add_test(tests, a_large_piece_leaves_the_current_block);
    tcase_add_test(tests, absurd_sizes_are_refused);
    tcase_add_test(tests, calloc_zeroes);
    tcase_add_test(tests, copies_end_with_nul);
    return run_suite(suite);
}
