// SPDX-License-Identifier: Apache-2.0
/* A collection followed through lists, watches and what may go wrong with them, against a server whose every byte is said. */
#include <config.h>

#include <weir/sys/host.h>

#include "sdk/src/http/tests/peer.h"
#include "sdk/src/kube/kube.h"
#include "tests/unit/suite.h"

#define SECOND INT64_C(1000000000)
#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
#define NAMED(name, version) "{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" version "\"}}"

static const struct weir_component component = { WEIR_COMPONENT_GUARD, .kind = WEIR_EXTENSION, .type = "x" };
static struct weir_kube kube;
static struct weir_kube_watch *watch;
static struct weir_text told;  /* all calls */
static struct weir_text asked; /* the request that came last */
static int listener;
static int peer; /* the client's newest connection; -1: none */
static char *status; /* the instance's fault; NULL: none */

static void report(struct weir_instance *instance, enum weir_status newest, const char *reason)
{
    (void)instance;
    free(status);
    status = newest == WEIR_STATUS_RECOVERABLE_ERROR ? weir_xstrdup(reason) : NULL;
}
static const struct weir_host host = { .report = report };

static void on_listing(void *user)
{
    (void)user;
    weir_text_adds(&told, "[");
}

static void on_listed(void *user)
{
    (void)user;
    weir_text_adds(&told, "]");
}

static void on_object(void *user, const struct weir_kube_object *object)
{
    (void)user;
    weir_text_addf(&told, "+%.*s", WEIR_STR_ARG(object->name));
}

static void on_gone(void *user, const struct weir_kube_object *object)
{
    (void)user;
    weir_text_addf(&told, "-%.*s", WEIR_STR_ARG(object->name));
}

static void setup(void)
{
    static const struct weir_kube_watch_options options = {
        .path = "/api/v1/pods", .labels = "app=x,tier!=y", .timeout = 60 * SECOND,
        .listing = on_listing, .listed = on_listed, .object = on_object, .gone = on_gone,
    };
    uint16_t port;
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_MANUAL, NULL), 0);
    listener = peer_listen(&port);
    kube = (struct weir_kube){ .base = weir_xasprintf("http://127.0.0.1:%u", (unsigned)port) };
    kube.instance = weir_instance_new(&component, "x", NULL, NULL, &host, NULL);
    weir_instance_report(kube.instance, WEIR_STATUS_RUNNING, NULL);
    kube.transport = weir_http_transport_new(&kube.options, false, NULL, NULL);
    watch = weir_kube_watch_new(&kube, weir_worker_at(0), &options);
    peer = -1;
    weir_text_adds(&told, "");
}

static void teardown(void)
{
    weir_kube_watch_free(watch);
    weir_http_transport_free(kube.transport);
    for (int i = 0; i < 20; i++)
        weir_worker_turn(weir_worker_at(0), 1);
    weir_instance_free(kube.instance);
    free(kube.base);
    if (peer >= 0)
        close(peer);
    close(listener);
    weir_workers_destroy();
    weir_text_free(&told);
    weir_text_free(&asked);
    free(status);
    status = NULL;
}

static void expect_told(const char *what)
{
    PEER_WAIT(strcmp(weir_text_string(&told), what) == 0);
}

static void pass(int64_t time)
{
    weir_worker_advance(weir_worker_at(0), time);
}

/* The next request, whose target is this. Time stands still meanwhile. */
static void expect_request(const char *target)
{
    char *line = weir_xasprintf("GET %s HTTP/1.1\r\n", target);
    weir_text_clear(&asked);
    PEER_WAIT((pass(0), peer < 0 ? (peer = peer_try_accept(listener)) >= 0 : 0,
               peer >= 0 && (peer_read(peer, &asked), strstr(weir_text_string(&asked), "\r\n\r\n"))));
    ck_assert_msg(strncmp(asked.data, line, strlen(line)) == 0, "%s", asked.data);
    free(line);
}

static void turn(void)
{
    for (int i = 0; i < 10; i++) {
        weir_worker_turn(weir_worker_at(0), 1);
        pass(0);
    }
}

static void hang_up(void)
{
    close(peer);
    peer = -1;
    turn();
}

static void say_chunk(const char *text)
{
    char *chunk = weir_xasprintf("%zx\r\n%s\r\n", strlen(text), text);
    peer_say(peer, chunk);
    free(chunk);
}

static void answer(const char *text)
{
    peer_say(peer, OK_HEAD);
    say_chunk(text);
    peer_say(peer, "0\r\n\r\n");
}

static void refuse(const char *line, const char *body)
{
    char *text = weir_xasprintf("HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", line, strlen(body), body);
    peer_say(peer, text);
    free(text);
}

#define LIST "/api/v1/pods?labelSelector=app%3Dx%2Ctier%21%3Dy&limit=500&timeoutSeconds=60"
#define LIST_MORE "/api/v1/pods?labelSelector=app%3Dx%2Ctier%21%3Dy&limit=500&continue=a%2Fb%3D&timeoutSeconds=60"
#define WATCH(version)                                                                                             \
    "/api/v1/pods?labelSelector=app%3Dx%2Ctier%21%3Dy&watch=true&allowWatchBookmarks=true&resourceVersion=" version \
    "&timeoutSeconds=60"

static void begin(void)
{
    expect_request(LIST);
    answer("{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[" NAMED("a", "1") "," NAMED("b", "2") "]}");
    expect_told("[+a+b]");
    weir_text_clear(&told);
    expect_request(WATCH("5"));
    peer_say(peer, OK_HEAD);
}

START_TEST(a_list_and_a_watch)
{
    begin();
    ck_assert_ptr_nonnull(strstr(asked.data, "\r\naccept: application/json\r\n"));
    say_chunk("{\"type\":\"ADDED\",\"object\":" NAMED("c", "6") "}\n{\"type\":\"DELETED\",\"object\":" NAMED("a", "7") "}\n{\"ty");
    expect_told("+c-a");
    say_chunk("pe\":\"MODIFIED\",\"object\":" NAMED("b", "8"));
    say_chunk("}\n");
    expect_told("+c-a+b");
    say_chunk("{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"90\"}}}\n");
    pass(60 * SECOND);
    peer_say(peer, "0\r\n\r\n"); /* the server ends it, as it was told: the next begins where this one ended */
    expect_request(WATCH("90"));
    ck_assert_str_eq(weir_text_string(&told), "+c-a+b");
    ck_assert_ptr_null(status);
}
END_TEST

START_TEST(a_list_in_pages)
{
    expect_request(LIST);
    answer("{\"metadata\":{\"resourceVersion\":\"5\",\"continue\":\"a/b=\"},\"items\":[" NAMED("a", "1") "]}");
    expect_request(LIST_MORE);
    answer("{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[" NAMED("b", "2") "]}");
    expect_told("[+a+b]");
    expect_request(WATCH("5"));
}
END_TEST

/* A page that has expired (410): the list begins anew. */
START_TEST(an_expired_page)
{
    expect_request(LIST);
    answer("{\"metadata\":{\"resourceVersion\":\"5\",\"continue\":\"a/b=\"},\"items\":[" NAMED("a", "1") "]}");
    expect_request(LIST_MORE);
    refuse("410 Gone", "{\"kind\":\"Status\",\"code\":410}");
    expect_told("[+a");
    turn();
    pass(SECOND);
    expect_request(LIST);
    answer("{\"metadata\":{\"resourceVersion\":\"6\"},\"items\":[]}");
    expect_told("[+a[]");
    ck_assert_ptr_null(status);
}
END_TEST

START_TEST(a_version_that_is_too_old)
{
    begin();
    say_chunk("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"message\":\"too old\"}}\n");
    peer_wait_closed(peer);
    hang_up();
    pass(SECOND);
    expect_request(LIST);
    ck_assert_ptr_null(status);
}
END_TEST

/* Another error ends the watch too, and is shown; the list comes after a while. */
START_TEST(an_error_within_a_watch)
{
    begin();
    say_chunk("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":500,\"message\":\"etcd is away\"}}\n");
    peer_wait_closed(peer);
    hang_up();
    ck_assert_str_eq(status, "Kubernetes API: the watch ends: etcd is away (500)");
    pass(SECOND);
    expect_request(LIST);
    answer("{\"metadata\":{\"resourceVersion\":\"6\"},\"items\":[]}");
    expect_told("[]");
    ck_assert_ptr_null(status);
}
END_TEST

/* The connection is lost: what was told stays, and the watch goes on where it was. */
START_TEST(a_lost_connection)
{
    begin();
    say_chunk("{\"type\":\"ADDED\",\"object\":" NAMED("c", "6") "}\n{\"type\":\"ADD");
    expect_told("+c");
    hang_up();
    ck_assert_ptr_nonnull(strstr(status, "Kubernetes API: failed to make an HTTP request: Get \"http://127.0.0.1"));
    pass(SECOND);
    expect_request(WATCH("6"));
    ck_assert_ptr_nonnull(status);
    peer_say(peer, OK_HEAD);
    PEER_WAIT(!status);
    ck_assert_str_eq(weir_text_string(&told), "+c");
}
END_TEST

START_TEST(refusals_are_told_and_come_ever_later)
{
    expect_request(LIST);
    refuse("403 Forbidden", "{\"kind\":\"Status\",\"message\":\"pods is forbidden\"}");
    PEER_WAIT(status);
    ck_assert_str_eq(status, "Kubernetes API: /api/v1/pods: HTTP status 403: pods is forbidden");
    static const int64_t waits[] = { 1, 2, 4, 8, 16, 30, 30 };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(waits); i++) {
        pass(waits[i] * SECOND / 2 - 1);
        turn();
        weir_text_clear(&asked);
        peer_read(peer, &asked);
        ck_assert_uint_eq(asked.length, 0);
        pass(waits[i] * SECOND / 2 + 1);
        expect_request(LIST);
        free(status);
        status = NULL;
        refuse("403 Forbidden", "");
        PEER_WAIT(status);
    }
    ck_assert_str_eq(weir_text_string(&told), "");
}
END_TEST

/* A watch that the server ends at once again and again must not become a flood. */
START_TEST(a_watch_that_ends_at_once)
{
    begin();
    peer_say(peer, "0\r\n\r\n");
    PEER_WAIT(status);
    ck_assert_str_eq(status, "Kubernetes API: the watch ended at once");
    pass(SECOND / 2 - 1);
    turn();
    weir_text_clear(&asked);
    peer_read(peer, &asked);
    ck_assert_uint_eq(asked.length, 0);
    pass(SECOND);
    expect_request(WATCH("5"));
}
END_TEST

START_TEST(bad_bytes)
{
    begin();
    say_chunk("{\"type\":\"ADDED\",\"object\":[]}\n");
    peer_wait_closed(peer);
    hang_up();
    ck_assert_msg(strncmp(status, "Kubernetes API: bad event: ", 27) == 0, "%s", status);
    pass(SECOND);
    expect_request(LIST);
    answer("{\"metadata\":{}}");
    PEER_WAIT(strstr(status, "bad list") != NULL);
    ck_assert_str_eq(status, "Kubernetes API: bad list: the list has no resourceVersion");
}
END_TEST

/* A server that is silent for longer than it was told is given up. */
START_TEST(a_silent_server)
{
    begin();
    pass(89 * SECOND);
    turn();
    ck_assert_ptr_null(status);
    pass(SECOND);
    PEER_WAIT(status);
    peer_wait_closed(peer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kube watch");
    TCase *tests = tcase_create("watch");
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_list_and_a_watch);
    tcase_add_test(tests, a_list_in_pages);
    tcase_add_test(tests, an_expired_page);
    tcase_add_test(tests, a_version_that_is_too_old);
    tcase_add_test(tests, an_error_within_a_watch);
    tcase_add_test(tests, a_lost_connection);
    tcase_add_test(tests, refusals_are_told_and_come_ever_later);
    tcase_add_test(tests, a_watch_that_ends_at_once);
    tcase_add_test(tests, bad_bytes);
    tcase_add_test(tests, a_silent_server);
    return run_suite(suite);
}
