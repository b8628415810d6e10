// SPDX-License-Identifier: Apache-2.0
/*
 * The hash of tables.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include <weir/hash.h>

#include "tests/unit/suite.h"

START_TEST(equal_bytes_have_equal_hashes)
{
    char one[] = "a key of some length", two[] = "xa key of some length";
    ck_assert_uint_eq(weir_hash(0, weir_str_of(one)), weir_hash(0, weir_str_of(two + 1)));
    ck_assert_uint_eq(weir_hash(0, WEIR_STR_NONE), weir_hash(0, WEIR_STR("")));
}
END_TEST

START_TEST(order_length_and_borders_count)
{
    uint64_t ab_c = weir_hash(weir_hash(0, WEIR_STR("ab")), WEIR_STR("c"));
    ck_assert_uint_ne(ab_c, weir_hash(weir_hash(0, WEIR_STR("a")), WEIR_STR("bc")));
    ck_assert_uint_ne(ab_c, weir_hash(weir_hash(0, WEIR_STR("c")), WEIR_STR("ab")));
    ck_assert_uint_ne(weir_hash(0, weir_str_make("x\0", 1)), weir_hash(0, weir_str_make("x\0", 2)));
    ck_assert_uint_ne(weir_hash(0, weir_str_make("\0\0\0\0\0\0\0\0", 8)), weir_hash(0, WEIR_STR_NONE));
}
END_TEST

static int compare(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

/* 65,536 keys in 65,536 slots: of good hashes 0.632 of the slots are used, give or take 0.002 (a standard deviation is
 * 0.0012). Any 16 bits are to be as good as any other. */
START_TEST(any_bits_spread)
{
    static const char *const shapes[] = { "", "service.name=checkout-", "\1\1\1\1\1\1\1\1\1\1\1\1" };
    for (size_t shape = 0; shape < 3; shape++) {
        for (int shift = 0; shift <= 48; shift += 16) {
            uint64_t *slots = calloc(65536, sizeof(*slots));
            size_t used = 0;
            ck_assert_ptr_nonnull(slots);
            for (int i = 0; i < 65536; i++) {
                char key[64];
                int length = snprintf(key, sizeof(key), "%s%d", shapes[shape], i * 8);
                slots[i] = weir_hash(0, weir_str_make(key, (size_t)length)) >> shift & 0xffff;
            }
            qsort(slots, 65536, sizeof(*slots), compare);
            for (int i = 0; i < 65536; i++)
                used += i == 0 || slots[i] != slots[i - 1];
            free(slots);
            ck_assert_msg(used > 65536 * 0.62 && used < 65536 * 0.645, "%zu slots used, shape %zu, shift %d", used,
                          shape, shift);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hash");
    TCase *tests = tcase_create("hash");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, equal_bytes_have_equal_hashes);
    tcase_add_test(tests, order_length_and_borders_count);
    tcase_add_test(tests, any_bits_spread);
    return run_suite(suite);
}
