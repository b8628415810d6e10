// SPDX-License-Identifier: Apache-2.0
/* Lists of users, kinds of hashes, and what is remembered of passwords. */
#include <config.h>

#include <stdlib.h>

#include "plugins/extensions/basicauth/htpasswd.h"
#include "plugins/extensions/basicauth/verified.h"
#include "tests/unit/suite.h"

#define BCRYPT "$2y$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"

/* All of "sesame"; made with openssl passwd and crypt(3). */
static const char *const hashes[] = {
    BCRYPT,
    "$2b$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW",
    "$1$saltsalt$J3RStOYaRn/5Iz9DGbAnx1",
    "$5$rounds=1000$saltsalt$30.yc4HsSpLTxr3NqKw4EhPINDzNTqzxg9qelAitDW2",
    "$6$rounds=1000$saltsalt$5Oji4y.RQw4TBqlwXcGLBsxSL7.Pw5hdIpFnzMJTl.OaKsU3EiPTP5NseI3oKDT8iioErVqshwXGd40hlWBLx1",
    "$y$j75$abcdefgh$vd9GBZ0X.Wgh3dsxBvCnIOYDItsueGfttJXG763.dDA",
    "{SHA}CEo1Ae3vaEXy8eQZjsOiuBz1xrw=",
    "{SSHA}IdfzURG1vYyQ1FyGVPK2qgo4BTpzYWx0",
    "sesame",
};

static struct htpasswd *parse(const char *text)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct htpasswd *list = htpasswd_parse(weir_str_of(text), &error);
    ck_assert_msg(list != NULL, "%s", weir_error_text(&error));
    return list;
}

START_TEST(kinds_of_hashes)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(hashes); i++) {
        char *line = weir_xasprintf("ali:%s", hashes[i]);
        struct htpasswd *list = parse(line);
        const char *hash = htpasswd_find(list, WEIR_STR("ali"));
        ck_assert_str_eq(hash, hashes[i]);
        ck_assert_msg(htpasswd_matches(hash, "sesame"), "%s", hash);
        ck_assert_msg(!htpasswd_matches(hash, "sesam"), "%s", hash);
        ck_assert_msg(!htpasswd_matches(hash, "sesamee"), "%s", hash);
        ck_assert_msg(!htpasswd_matches(hash, ""), "%s", hash);
        ck_assert_msg(i == 8 || !htpasswd_matches(hash, hash), "%s", hash);
        ck_assert_int_eq(htpasswd_is_slow(hash), i < 6);
        htpasswd_free(list);
        free(line);
    }
}
END_TEST

START_TEST(apache_md5)
{
    static const char *const cases[][2] = {
        { "$apr1$r31....$wBK4QazZOYKWp4EEIOXvk.", "myPassword" },
        { "$apr1$saltsalt$Q17bmANhIA7pctgRGqF/S0", "x" },
        { "$apr1$ab$.LysInT6U4y7/ab5ik5ga1", "a password that is longer than sixteen bytes, thirty-two even" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        ck_assert_msg(htpasswd_matches(cases[i][0], cases[i][1]), "%s", cases[i][0]);
        ck_assert(!htpasswd_matches(cases[i][0], "y"));
    }
}
END_TEST

START_TEST(lists)
{
    struct htpasswd *list = parse("# users\n\n  bo:two\r\nali:one\nali:three:four\n#x:y\ncid:five");
    ck_assert_uint_eq(htpasswd_count(list), 3);
    ck_assert_str_eq(htpasswd_find(list, WEIR_STR("ali")), "three:four");
    ck_assert_str_eq(htpasswd_find(list, WEIR_STR("bo")), "two");
    ck_assert_str_eq(htpasswd_find(list, WEIR_STR("cid")), "five");
    ck_assert_ptr_null(htpasswd_find(list, WEIR_STR("al")));
    ck_assert_ptr_null(htpasswd_find(list, WEIR_STR("")));
    ck_assert_ptr_null(htpasswd_find(list, WEIR_STR("# users")));
    htpasswd_free(list);
    list = parse("");
    ck_assert_uint_eq(htpasswd_count(list), 0);
    htpasswd_free(list);
}
END_TEST

/* A hash that is cut off or of an unknown kind is no password. */
START_TEST(bad_lists)
{
    static const char *const bad[] = { "ali",
                                       "ali:",
                                       ":one",
                                       "ali:$9$abc$def",
                                       "ali:{MD5}abc",
                                       "ali:{SHA}",
                                       "ali:{SHA}CEo1Ae3vaEXy8eQZjsOiuBz1xr==",
                                       "ali:{SSHA}CEo1",
                                       "ali:$apr1$ab$.LysInT6U4y7/ab5ik5ga",
                                       "ali:$apr1$",
                                       "ali:$2y$04$",
                                       "ali:$2y$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85R" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(bad); i++) {
        struct weir_error error = WEIR_ERROR_INIT;
        char *text = weir_xasprintf("bo:two\n%s", bad[i]);
        ck_assert_msg(htpasswd_parse(weir_str_of(text), &error) == NULL, "%s", bad[i]);
        ck_assert_str_eq(weir_error_text(&error),
                         "line 2 is no user:hash with a hash that is known and whole");
        weir_error_free(&error);
        free(text);
    }
}
END_TEST

START_TEST(remembered_passwords)
{
    struct verified *verified = verified_new();
    struct weir_str ali = WEIR_STR("ali"), bo = WEIR_STR("bo");
    int64_t now = 1;
    ck_assert_int_eq(verified_check(verified, ali, BCRYPT, "sesame", now), VERIFIED_RIGHT);
    ck_assert_int_eq(verified_check(verified, ali, BCRYPT, "wrong", now), VERIFIED_WRONG);
    // Wrong ones have to wait now, and so have others that are not remembered, but nobody who is.
    ck_assert_int_eq(verified_check(verified, ali, BCRYPT, "other", now), VERIFIED_LATER);
    ck_assert_int_eq(verified_check(verified, bo, BCRYPT, "sesame", now), VERIFIED_LATER);
    ck_assert_int_eq(verified_check(verified, ali, BCRYPT, "sesame", now), VERIFIED_RIGHT);
    ck_assert_int_eq(verified_check(verified, ali, BCRYPT, "wrong", now), VERIFIED_WRONG);
    ck_assert_int_eq(verified_check(verified, ali, "{SHA}CEo1Ae3vaEXy8eQZjsOiuBz1xrw=", "sesame", now),
                     VERIFIED_RIGHT);
    // Another hash is another matter, even for the same password.
    ck_assert_int_eq(verified_check(verified, ali, "$2b$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW",
                                    "sesame", now),
                     VERIFIED_LATER);
    now += INT64_C(60000000000);
    ck_assert_int_eq(verified_check(verified, bo, BCRYPT, "sesame", now), VERIFIED_RIGHT);
    ck_assert_int_eq(verified_check(verified, bo, BCRYPT, "other", now), VERIFIED_WRONG);
    verified_free(verified);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("htpasswd");
    TCase *tests = tcase_create("htpasswd");
    tcase_add_test(tests, kinds_of_hashes);
    tcase_add_test(tests, apache_md5);
    tcase_add_test(tests, lists);
    tcase_add_test(tests, bad_lists);
    tcase_add_test(tests, remembered_passwords);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
