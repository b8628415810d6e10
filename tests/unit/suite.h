// SPDX-License-Identifier: Apache-2.0
/* The end of every test program's main. */
#ifndef WEIR_TESTS_SUITE_H
#define WEIR_TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Runs and frees the suite; returns the program's exit status. CK_VERBOSITY, CK_FORK and CK_RUN_CASE count. */
static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
