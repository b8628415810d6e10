// SPDX-License-Identifier: Apache-2.0
/*
 * What servers and clients make of an authenticator's answers.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/http_server.h>
#include <weir/sys/worker.h>

#include "sdk/src/auth/auth.h"
#include "tests/unit/authenticator.h"
#include "tests/unit/suite.h"

/* An authenticator that lets "open sesame" in as "ali", and sends it. */
static bool check(struct weir_instance *extension, const struct weir_auth_request *request,
                  struct weir_auth_verdict *verdict)
{
    struct weir_str word = WEIR_STR_NONE;
    (void)extension;
    if (!weir_auth_request_header(request, "authorization", &word, verdict))
        return false;
    weir_auth_verdict_add(verdict, WEIR_STR("username"), WEIR_STR("ali"));
    if (weir_str_is(word, "many"))
        for (int i = 0; i < WEIR_AUTH_ATTRIBUTES_MAX; i++)
            weir_auth_verdict_add(verdict, WEIR_STR("a"), WEIR_STR("b"));
    if (weir_str_is(word, "forbidden"))
        verdict->grpc_code = 7;
    return weir_auth_equal(word, WEIR_STR("open sesame")) || weir_str_is(word, "many");
}

static const char *value_to_set = "secret";

static int headers(struct weir_instance *extension, const struct weir_context *context,
                   struct weir_auth_headers *out, struct weir_error *error)
{
    (void)extension;
    if (context)
        return weir_error_set(error, "no caller wanted");
    weir_auth_header_set(out, WEIR_STR("Authorization"), weir_str_of(value_to_set));
    weir_auth_header_remove(out, WEIR_STR("X-Gone"));
    return 0;
}

static const struct weir_auth_server server_functions = { sizeof(struct weir_auth_server), check };
static const struct weir_auth_client client_functions = { sizeof(struct weir_auth_client), false, headers };
static struct weir_instance *const some_extension = (struct weir_instance *)&server_functions;

static const char *params[] = { "authorization" };

/* Whether a request with these headers and query may come in; the verdict's arena is the caller's. */
static bool ask(const char *const *pairs, const char *query, struct weir_arena *arena, struct weir_auth_verdict *out)
{
    struct weir_strings names = { .items = (char **)params, .count = query ? 1 : 0, .present = query };
    struct auth_server auth = { some_extension, &server_functions, &names };
    struct headers list = { .items = NULL };
    for (; pairs[0]; pairs += 2)
        ck_assert(headers_add(&list, weir_str_of(pairs[0]), weir_str_of(pairs[1])));
    bool allowed = auth_server_check(&auth, &list, weir_str_of(query ? query : ""), WEIR_STR("1.2.3.4:5"), arena, out);
    headers_free(&list);
    return allowed;
}

#define ASK(query, ...) ask((const char *const[]){ __VA_ARGS__, NULL }, query, &arena, &verdict)

START_TEST(server_verdicts)
{
    struct weir_arena arena = { 0 };
    struct weir_auth_verdict verdict;
    ck_assert(ASK(NULL, "Authorization", "open sesame"));
    ck_assert_uint_eq(verdict.attribute_count, 1);
    ck_assert(weir_str_is(verdict.attributes[0].key, "username"));
    ck_assert(weir_str_is(verdict.attributes[0].value, "ali"));

    ck_assert(!ASK(NULL, "authorization", "open says me"));
    ck_assert_str_eq(verdict.message, "authentication failed");
    ck_assert_int_eq(verdict.grpc_code, 16);
    ck_assert_uint_eq(verdict.attribute_count, 0);
    ck_assert(!ASK(NULL, "authorization", "forbidden"));
    ck_assert_int_eq(verdict.grpc_code, 7);
    ck_assert(!ASK(NULL, "x-authorization", "open sesame"));
    ck_assert_str_eq(verdict.message, "missing or empty authorization header");
    ck_assert(!ASK(NULL, "authorization", ""));
    ck_assert_str_eq(verdict.message, "missing or empty authorization header");
    ck_assert(!ASK(NULL, "authorization", "open sesame", "authorization", "open sesame"));
    ck_assert_str_eq(verdict.message, "more than one authorization header");
    weir_arena_free(&arena);
}
END_TEST

/* What cannot be kept for the context is no reason to let anybody in without it. */
START_TEST(too_many_attributes_refuse)
{
    struct weir_arena arena = { 0 };
    struct weir_auth_verdict verdict;
    ck_assert(!ASK(NULL, "authorization", "many"));
    weir_arena_free(&arena);
}
END_TEST

START_TEST(request_params)
{
    struct weir_arena arena = { 0 };
    struct weir_auth_verdict verdict;
    ck_assert(ASK("a=b&authorization=open+sesame&c", "x", "y"));
    ck_assert(ASK("authorization=open%20sesame", "authorization", "replaced"));
    ck_assert(ASK("%61uthorization=open%20sesame", "x", "y"));
    ck_assert(!ASK("authorization=wrong", "authorization", "open sesame"));
    ck_assert(!ASK("authorization", "authorization", "open sesame"));
    ck_assert(!ASK("authorization=open+sesame&authorization=open+sesame", "x", "y"));
    ck_assert(!ASK("Authorization=open+sesame", "x", "y"));
    ck_assert(ASK("", "authorization", "open sesame"));
    // Only what the options name counts.
    ck_assert(!ask((const char *const[]){ "x", "y", NULL }, NULL, &arena, &verdict));
    weir_arena_free(&arena);
}
END_TEST

START_TEST(equal)
{
    ck_assert(weir_auth_equal(WEIR_STR("abc"), WEIR_STR("abc")));
    ck_assert(weir_auth_equal(WEIR_STR(""), WEIR_STR("")));
    ck_assert(!weir_auth_equal(WEIR_STR("abc"), WEIR_STR("abd")));
    ck_assert(!weir_auth_equal(WEIR_STR("abcabc"), WEIR_STR("abc")));
    ck_assert(!weir_auth_equal(WEIR_STR("abc"), WEIR_STR("abcabc")));
    ck_assert(!weir_auth_equal(WEIR_STR("abc"), WEIR_STR("")));
    ck_assert(!weir_auth_equal(WEIR_STR(""), WEIR_STR("abc")));
}
END_TEST

START_TEST(client_headers)
{
    struct auth_client auth = { some_extension, &client_functions };
    struct weir_auth_headers out = { 0 };
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert(headers_add(&out.configured, WEIR_STR("authorization"), WEIR_STR("configured")));
    ck_assert(headers_add(&out.configured, WEIR_STR("x-kept"), WEIR_STR("1")));
    ck_assert(headers_add(&out.configured, WEIR_STR("x-gone"), WEIR_STR("2")));
    ck_assert_int_eq(auth_client_apply(&auth, NULL, &out, &error), 0);
    ck_assert_uint_eq(out.configured.count, 1);
    ck_assert(weir_str_is(headers_get(&out.configured, "x-kept"), "1"));
    ck_assert_uint_eq(out.added.count, 1);
    ck_assert(weir_str_is(headers_get(&out.added, "authorization"), "secret"));
    ck_assert(weir_auth_header_has(&out, WEIR_STR("X-KEPT")));
    ck_assert(weir_auth_header_has(&out, WEIR_STR("Authorization")));
    ck_assert(!weir_auth_header_has(&out, WEIR_STR("x-gone")));
    auth_headers_free(&out);
}
END_TEST

START_TEST(client_failures)
{
    struct auth_client auth = { some_extension, &client_functions };
    struct weir_auth_headers out = { 0 };
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_context *context = weir_context_new(NULL, WEIR_STR(""), NULL, 0);
    ck_assert_int_eq(auth_client_apply(&auth, context, &out, &error), -1);
    ck_assert_str_eq(weir_error_text(&error), "no caller wanted");
    weir_error_free(&error);
    auth_headers_free(&out);
    weir_context_unref(context);

    // No value breaks out of its line, and none is shown.
    value_to_set = "a\r\nX-Admin: 1";
    ck_assert_int_eq(auth_client_apply(&auth, NULL, &out, &error), -1);
    ck_assert_str_eq(weir_error_text(&error), "invalid header field value for \"Authorization\"");
    weir_error_free(&error);
    auth_headers_free(&out);
    value_to_set = "secret";

    weir_auth_header_set(&out, WEIR_STR("a b"), WEIR_STR("c"));
    ck_assert_str_eq(out.failure, "invalid header field name \"a b\"");
    auth_headers_free(&out);
}
END_TEST

/* A server or client that cannot have an authenticator does not run without it. */
START_TEST(fails_closed_without_extensions)
{
    struct weir_auth_options options = { .authenticator = { (char *)"bearertokenauth" } };
    struct auth_server server = { 0 };
    struct auth_client client = { 0 };
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_int_eq(auth_server_find(&server, &options, NULL, &error), -1);
    ck_assert_str_eq(weir_error_text(&error),
                     "failed to resolve authenticator \"bearertokenauth\": this server has no extensions");
    weir_error_free(&error);
    ck_assert_int_eq(auth_client_find(&client, &options, NULL, &error), -1);
    ck_assert_str_eq(weir_error_text(&error),
                     "failed to resolve authenticator \"bearertokenauth\": this client has no extensions");
    weir_error_free(&error);
}
END_TEST

START_TEST(fails_closed_without_the_extension)
{
    static char other[] = "other", endpoint[] = "127.0.0.1:0";
    static const struct weir_http_handler handler = { .first_worker_only = true };
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_http_server_options options = { .endpoint = endpoint, .auth_on = true };
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_MANUAL, &error), 0);
    door_make();
    options.auth.authenticator.id = other;
    ck_assert_ptr_null(weir_http_site_open(&options, &handler, door_user, NULL, &error));
    ck_assert_str_eq(weir_error_text(&error),
                     "failed to resolve authenticator \"other\": server authenticator \"other\" not found: it is not "
                     "among service::extensions");
    weir_error_free(&error);
    ck_assert_ptr_null(weir_http_site_open(&options, &handler, NULL, NULL, NULL));
    door_free();
    weir_workers_destroy();
}
END_TEST

START_TEST(context_attributes)
{
    static const struct weir_metadata metadata[] = { { { "b", 1 }, { "2", 1 } }, { { "a", 1 }, { "1", 1 } } };
    static const struct weir_metadata attributes[] = { { { "username", 8 }, { "ali", 3 } }, { { "raw", 3 }, { "", 0 } } };
    struct weir_context *context =
        weir_context_new_authenticated("http", WEIR_STR("peer"), metadata, 2, attributes, 2);
    size_t count = 0;
    const struct weir_metadata *all = weir_context_metadata(context, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert(weir_str_is(all[0].key, "a"));
    all = weir_context_attributes(context, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert(weir_str_is(all[0].key, "username"));
    ck_assert(weir_str_is(all[0].value, "ali"));
    ck_assert(weir_str_is(all[1].key, "raw"));
    weir_context_unref(context);
    ck_assert_ptr_null(weir_context_attributes(NULL, &count));
    ck_assert_uint_eq(count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("auth");
    TCase *tests = tcase_create("auth");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, server_verdicts);
    tcase_add_test(tests, too_many_attributes_refuse);
    tcase_add_test(tests, request_params);
    tcase_add_test(tests, equal);
    tcase_add_test(tests, client_headers);
    tcase_add_test(tests, client_failures);
    tcase_add_test(tests, fails_closed_without_extensions);
    tcase_add_test(tests, fails_closed_without_the_extension);
    tcase_add_test(tests, context_attributes);
    return run_suite(suite);
}
