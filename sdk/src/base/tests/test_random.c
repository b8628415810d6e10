// SPDX-License-Identifier: Apache-2.0
/*
 * Chance: all of a range is drawn from, however long it is.
 */
#include <config.h>

#include "sdk/src/base/random.h"
#include "tests/unit/suite.h"

#define SECOND INT64_C(1000000000)
#define DRAWS 10000

static const int64_t ranges[] = { 1000, SECOND, 60 * SECOND, 3600 * SECOND };

START_TEST(times_come_from_all_of_the_range)
{
    uint64_t state = 7;
    int64_t below = ranges[_i], least = below, most = -1;
    unsigned upper = 0;
    for (unsigned i = 0; i < DRAWS; i++) {
        int64_t time = random_time(&state, below);
        least = time < least ? time : least;
        most = time > most ? time : most;
        upper += time >= below / 2;
    }
    ck_assert_int_ge(least, 0);
    ck_assert_int_lt(least, below / 100);
    ck_assert_int_ge(most, below - below / 100);
    ck_assert_int_lt(most, below);
    ck_assert_uint_gt(upper, DRAWS * 48 / 100);
    ck_assert_uint_lt(upper, DRAWS * 52 / 100);
}
END_TEST

START_TEST(equal_states_go_the_same_way)
{
    uint64_t one = 1, same = 1, other = 2;
    double first = random_unit(&one);
    ck_assert(first == random_unit(&same));
    ck_assert_uint_eq(one, same);
    ck_assert(first != random_unit(&other));
    ck_assert(first != random_unit(&one));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("random");
    TCase *tests = tcase_create("random");
    suite_add_tcase(suite, tests);
    tcase_add_loop_test(tests, times_come_from_all_of_the_range, 0, sizeof(ranges) / sizeof(ranges[0]));
    tcase_add_test(tests, equal_states_go_the_same_way);
    return run_suite(suite);
}
