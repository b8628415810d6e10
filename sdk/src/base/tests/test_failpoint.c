// SPDX-License-Identifier: Apache-2.0
/*
 * Fail points: what arms one, and that they are not there unless configured.
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/src/base/failpoint.h"
#include "tests/unit/suite.h"

static int pass(void)
{
    return WEIR_FAILPOINT("test.here");
}

#ifdef WEIR_FAILPOINTS

static int pass_with(const char *text, size_t length)
{
    return WEIR_FAILPOINT_BYTES("test.bytes", text, length);
}

START_TEST(errors_come_at_the_passing_named)
{
    weir_failpoint_arm("other=error:EIO,test.here=error:ENOSPC@2");
    ck_assert_int_eq(pass(), 0);
    ck_assert_int_eq(pass(), ENOSPC);
    ck_assert_int_eq(pass(), 0);
    weir_failpoint_arm("test.here=error:EIO@2+");
    ck_assert_int_eq(pass(), 0);
    ck_assert_int_eq(pass(), EIO);
    ck_assert_int_eq(pass(), EIO);
    weir_failpoint_arm("test.here=error:EIO");
    ck_assert_int_eq(pass(), EIO);
    weir_failpoint_arm(NULL);
    ck_assert_int_eq(pass(), 0);
}
END_TEST

START_TEST(bytes_can_choose)
{
    weir_failpoint_arm("test.bytes=error:EIO~poison@2");
    ck_assert_int_eq(pass_with("a poison b", 10), 0);
    ck_assert_int_eq(pass_with("harmless", 8), 0);
    ck_assert_int_eq(pass_with("poison", 5), 0);
    ck_assert_int_eq(pass_with("poison", 6), EIO);
}
END_TEST

START_TEST(a_crash_is_sigkill)
{
    pid_t child = fork();
    if (child == 0) {
        weir_failpoint_arm("test.here=crash@2");
        pass();
        pass();
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
END_TEST

#else

START_TEST(none_without_being_configured)
{
    ck_assert_int_eq(setenv("WEIR_FAILPOINTS", "test.here=error:EIO", 1), 0);
    ck_assert_int_eq(pass(), 0);
}
END_TEST

#endif

int main(void)
{
    Suite *suite = suite_create("failpoint");
    TCase *tcase = tcase_create("failpoint");
    suite_add_tcase(suite, tcase);
#ifdef WEIR_FAILPOINTS
    tcase_add_test(tcase, errors_come_at_the_passing_named);
    tcase_add_test(tcase, bytes_can_choose);
    tcase_add_test(tcase, a_crash_is_sigkill);
#else
    tcase_add_test(tcase, none_without_being_configured);
#endif
    return run_suite(suite);
}
