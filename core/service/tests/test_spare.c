// SPDX-License-Identifier: Apache-2.0
/* When memory goes back to the system. */
#include <config.h>

#include "core/service/spare.h"
#include "tests/unit/suite.h"

#define MIB ((size_t)1 << 20)

/* Looks as often as a stretch has; what the last one said. */
static bool stretch(struct spare *spare, const size_t mib[4])
{
    for (int i = 0; i < 3; i++)
        ck_assert(!spare_look(spare, mib[i] * MIB));
    return spare_look(spare, mib[3] * MIB);
}

START_TEST(what_is_spare_all_the_time_goes_back)
{
    struct spare spare = { 0 };
    ck_assert(stretch(&spare, (size_t[]){ 50, 40, 50, 50 }));
    spare_returned(&spare, MIB);
    ck_assert(!stretch(&spare, (size_t[]){ 1, 1, 1, 1 }));
    ck_assert(stretch(&spare, (size_t[]){ 3, 3, 3, 3 }));
}
END_TEST

START_TEST(what_is_needed_now_and_then_stays)
{
    struct spare spare = { 0 };
    ck_assert(!stretch(&spare, (size_t[]){ 50, 1, 50, 50 }));
    ck_assert(!stretch(&spare, (size_t[]){ 50, 50, 50, 1 }));
    ck_assert(stretch(&spare, (size_t[]){ 50, 50, 50, 50 }));
}
END_TEST

START_TEST(what_cannot_go_back_is_not_asked_for_again)
{
    struct spare spare = { 0 };
    ck_assert(stretch(&spare, (size_t[]){ 30, 30, 30, 30 }));
    spare_returned(&spare, 20 * MIB);
    ck_assert(!stretch(&spare, (size_t[]){ 20, 21, 20, 21 }));
    ck_assert(stretch(&spare, (size_t[]){ 23, 22, 23, 24 }));
    spare_returned(&spare, 20 * MIB);
    ck_assert(!stretch(&spare, (size_t[]){ 2, 5, 5, 5 }));
    ck_assert(stretch(&spare, (size_t[]){ 5, 5, 5, 5 }));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spare");
    TCase *looks = tcase_create("looks");
    tcase_add_test(looks, what_is_spare_all_the_time_goes_back);
    tcase_add_test(looks, what_is_needed_now_and_then_stays);
    tcase_add_test(looks, what_cannot_go_back_is_not_asked_for_again);
    suite_add_tcase(suite, looks);
    return run_suite(suite);
}
