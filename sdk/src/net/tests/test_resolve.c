// SPDX-License-Identifier: Apache-2.0
/*
 * Names to addresses, with a getaddrinfo of our own.
 */
#include <config.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <weir/sys/worker.h>

#include "sdk/src/net/conn.h"
#include "sdk/src/net/resolve.h"
#include "sdk/src/net/state.h"
#include "tests/unit/suite.h"

#define SECOND INT64_C(1000000000)

/* --- the resolver of these tests, in the C library's place --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static const char *zone; /* addresses, ' ' between; NULL: no such host; "hang": no answer until it changes */
static unsigned asked;

/* Only the test's thread sets the zone: there, no lock is needed. */
static bool hangs(void)
{
    return zone && strcmp(zone, "hang") == 0;
}

static struct addrinfo *entry(const char *address, size_t length)
{
    struct addrinfo *info = calloc(1, sizeof(*info) + sizeof(struct sockaddr_in));
    struct sockaddr_in *place = (struct sockaddr_in *)(void *)(info + 1);
    char text[32] = "";
    memcpy(text, address, length);
    inet_pton(AF_INET, text, &place->sin_addr);
    place->sin_family = AF_INET;
    *info = (struct addrinfo){ .ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_addrlen = sizeof(*place) };
    info->ai_addr = (struct sockaddr *)place;
    return info;
}

static int answer_from(const char *addresses, struct addrinfo **list)
{
    if (!addresses)
        return EAI_NONAME;
    *list = NULL;
    for (const char *at = addresses; *at; at += strcspn(at, " "), at += *at == ' ') {
        struct addrinfo *info = entry(at, strcspn(at, " ")), **end = list;
        while (*end)
            end = &(*end)->ai_next;
        *end = info;
    }
    return 0;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    (void)service;
    if (hints && (hints->ai_flags & AI_NUMERICHOST)) {
        if (host && strspn(host, "0123456789.") != strlen(host))
            return EAI_NONAME;
        return answer_from(host ? host : "127.0.0.1", list);
    }
    pthread_mutex_lock(&lock);
    asked++;
    pthread_cond_broadcast(&changed);
    while (hangs())
        pthread_cond_wait(&changed, &lock);
    int result = answer_from(zone, list);
    pthread_mutex_unlock(&lock);
    return result;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}

static void set_zone(const char *addresses)
{
    pthread_mutex_lock(&lock);
    zone = addresses;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static unsigned times_asked(void)
{
    pthread_mutex_lock(&lock);
    unsigned times = asked;
    pthread_mutex_unlock(&lock);
    return times;
}

/* --- those who ask --- */

struct asker {
    struct weir_resolve resolve;
    char got[200], error[50];
    unsigned answers;
    bool ask_again;
};

static struct asker askers[3];

static void on_answer(struct weir_resolve *resolve, const struct weir_sockaddr *addresses, size_t count,
                      const char *error)
{
    struct asker *asker = WEIR_CONTAINER_OF(resolve, struct asker, resolve);
    struct weir_text text = { NULL, 0, 0 };
    asker->answers++;
    for (size_t i = 0; i < count; i++) {
        char *one = weir_sockaddr_text(&addresses[i]);
        weir_text_addf(&text, "%s%s", i ? " " : "", one);
        free(one);
    }
    snprintf(asker->got, sizeof(asker->got), "%s", count ? weir_text_string(&text) : error);
    snprintf(asker->error, sizeof(asker->error), "%s", error ? error : "");
    weir_text_free(&text);
    if (asker->ask_again)
        weir_resolve_start(weir_worker_current(), "weir.example", WEIR_TCP, 80, resolve);
}

static void ask(struct asker *asker, bool once)
{
    *asker = (struct asker){ .resolve = { .answer = on_answer, .once = once } };
    weir_resolve_start(weir_worker_current(), "weir.example", WEIR_TCP, 80, &asker->resolve);
}

#define turn_until(condition)                                               \
    do {                                                                    \
        for (int turns = 0; !(condition); turns++) {                        \
            ck_assert_msg(turns < 2000, "never became true: " #condition); \
            weir_worker_turn(weir_worker_current(), 5);                     \
        }                                                                   \
    } while (0)

static void pass(int64_t time)
{
    weir_worker_advance(weir_worker_current(), time);
}

/* Time passes, and one more lookup with it: the next one's timer runs when its answer was taken. */
static void pass_and_look(int64_t time)
{
    unsigned before = times_asked();
    pass(time);
    turn_until(times_asked() > before);
    turn_until(weir_worker_current()->timers > 0 || hangs());
}

static void setup(void)
{
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_MANUAL, NULL), 0);
    asked = 0;
    memset(askers, 0, sizeof(askers));
    set_zone("10.0.0.1 10.0.0.2");
}

static void teardown(void)
{
    for (size_t i = 0; i < 3; i++)
        weir_resolve_stop(&askers[i].resolve);
    weir_workers_destroy();
    set_zone(NULL);
}

START_TEST(addresses_are_kept)
{
    ask(&askers[0], true);
    ask(&askers[1], true);
    ck_assert_uint_eq(askers[0].answers, 0);
    turn_until(askers[0].answers && askers[1].answers);
    ck_assert_str_eq(askers[0].got, "10.0.0.1:80 10.0.0.2:80");
    ask(&askers[2], true);
    ck_assert_str_eq(askers[2].got, "10.0.0.1:80 10.0.0.2:80"); // at once
    ck_assert_uint_eq(times_asked(), 1);
    ck_assert_ptr_null(askers[2].resolve.name);
}
END_TEST

START_TEST(changes_are_followed)
{
    ask(&askers[0], false);
    turn_until(askers[0].answers == 1);
    set_zone("10.0.0.2 10.0.0.1"); // the order alone is no change
    pass_and_look(33 * SECOND);
    ck_assert_uint_eq(askers[0].answers, 1);
    set_zone("10.0.0.3");
    pass_and_look(33 * SECOND);
    turn_until(askers[0].answers == 2);
    ck_assert_str_eq(askers[0].got, "10.0.0.3:80");
}
END_TEST

/* Who asks for it hears of every lookup, and of those that fail. */
START_TEST(every_lookup_is_told)
{
    askers[0] = (struct asker){ .resolve = { .answer = on_answer, .every = true } };
    weir_resolve_start(weir_worker_current(), "weir.example", WEIR_TCP, 80, &askers[0].resolve);
    turn_until(askers[0].answers == 1);
    pass_and_look(33 * SECOND);
    turn_until(askers[0].answers == 2);
    ck_assert_str_eq(askers[0].error, "");
    set_zone(NULL);
    pass_and_look(33 * SECOND);
    turn_until(askers[0].answers >= 3); // one that fails is repeated after 1 s, 2 s: perhaps in the time that passed
    ck_assert_str_eq(askers[0].got, "10.0.0.1:80 10.0.0.2:80");
    ck_assert_str_eq(askers[0].error, "no such host");
}
END_TEST

START_TEST(the_last_good_addresses_stay)
{
    static const char *const faults[] = { NULL, "" };
    ask(&askers[0], false);
    turn_until(askers[0].answers == 1);
    for (size_t i = 0; i < 2; i++) {
        set_zone(faults[i]);
        pass_and_look(33 * SECOND);
        ask(&askers[1], true);
        ck_assert_str_eq(askers[1].got, "10.0.0.1:80 10.0.0.2:80");
    }
    set_zone("hang");
    pass_and_look(33 * SECOND);
    ask(&askers[1], true);
    ck_assert_str_eq(askers[1].got, "10.0.0.1:80 10.0.0.2:80");
    set_zone("10.0.0.9");
    turn_until(askers[0].answers == 2);
    ck_assert_str_eq(askers[0].got, "10.0.0.9:80");
}
END_TEST

START_TEST(a_suspicion_looks_soon)
{
    ask(&askers[0], false);
    turn_until(askers[0].answers == 1);
    set_zone("10.0.0.3");
    weir_resolve_suspect(weir_worker_current(), "weir.example", WEIR_TCP);
    pass(SECOND / 2);
    ck_assert_uint_eq(times_asked(), 1); // not more than once a second
    pass_and_look(SECOND / 2);
    turn_until(askers[0].answers == 2);
    weir_resolve_suspect(weir_worker_current(), "unknown.example", WEIR_TCP);
    ck_assert_uint_eq(times_asked(), 2);
}
END_TEST

START_TEST(failures_are_told_while_nothing_is_known)
{
    set_zone(NULL);
    ask(&askers[0], true);
    ask(&askers[1], false);
    turn_until(askers[0].answers == 1 && askers[1].answers == 1);
    ck_assert_str_eq(askers[0].got, "no such host");
    ask(&askers[0], true);
    ck_assert_uint_eq(askers[0].answers, 0); // not faster than the pause
    set_zone("");
    pass_and_look(SECOND);
    turn_until(askers[0].answers == 1 && askers[1].answers == 2);
    ck_assert_str_eq(askers[0].got, "no such host");
    set_zone("10.0.0.1");
    pass_and_look(3 * SECOND);
    turn_until(askers[1].answers == 3);
    ck_assert_str_eq(askers[1].got, "10.0.0.1:80");
}
END_TEST

START_TEST(who_asks_again_in_the_answer_waits)
{
    set_zone(NULL);
    ask(&askers[0], true);
    askers[0].ask_again = true;
    turn_until(askers[0].answers == 1);
    for (int i = 0; i < 20; i++)
        weir_worker_turn(weir_worker_current(), 5);
    ck_assert_uint_eq(askers[0].answers, 1);
    askers[0].ask_again = false;
}
END_TEST

START_TEST(a_name_server_that_hangs_holds_up_nothing)
{
    set_zone("hang");
    ask(&askers[0], true);
    turn_until(times_asked() == 1);
    weir_resolve_stop(&askers[0].resolve);
    ck_assert_uint_eq(weir_worker_current()->jobs, 0); // none of libuv's threads
    weir_workers_destroy(); // does not wait for it
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_MANUAL, NULL), 0);
}
END_TEST

START_TEST(names_without_users_are_forgotten)
{
    ask(&askers[0], true);
    turn_until(askers[0].answers == 1);
    for (int i = 0; i < 9; i++)
        pass_and_look(33 * SECOND);
    pass(33 * SECOND);
    unsigned before = times_asked();
    ck_assert_uint_eq(before, 10);
    pass(3600 * SECOND);
    for (int i = 0; i < 10; i++)
        weir_worker_turn(weir_worker_current(), 5);
    ck_assert_uint_eq(times_asked(), before);
}
END_TEST

START_TEST(numbers_are_no_names)
{
    struct weir_sockaddr *addresses = NULL;
    ck_assert_uint_eq(weir_resolve_number("weir.example", WEIR_TCP, 80, &addresses), 0);
    ck_assert_uint_eq(weir_resolve_number("10.1.2.3", WEIR_TCP, 80, &addresses), 1);
    char *text = weir_sockaddr_text(&addresses[0]);
    ck_assert_str_eq(text, "10.1.2.3:80");
    free(text);
    free(addresses);
    ck_assert_uint_ge(weir_resolve_number("LocalHost", WEIR_TCP, 80, &addresses), 1);
    free(addresses);
}
END_TEST

static enum weir_conn_reason reason;
static char why[200];

static void on_closed(struct weir_conn *conn, enum weir_conn_reason because, const char *text)
{
    (void)conn;
    reason = because;
    snprintf(why, sizeof(why), "%s", text);
}

START_TEST(connections_use_it)
{
    static const struct weir_conn_events events = { .closed = on_closed };
    struct weir_endpoint endpoint;
    set_zone(NULL);
    weir_endpoint_set(&endpoint, WEIR_STR("weir.example"), 1);
    struct weir_connect_options options = { .endpoint = &endpoint, .events = &events };
    weir_connect(weir_worker_current(), &options);
    turn_until(why[0]);
    ck_assert_str_eq(why, "dial tcp: lookup weir.example: no such host");
    ck_assert_int_eq(reason, WEIR_CONN_CONNECT);
    set_zone("127.0.0.1");
    why[0] = '\0';
    struct weir_conn *given_up = weir_connect(weir_worker_current(), &options);
    weir_connect(weir_worker_current(), &options);
    weir_conn_close(given_up);
    pass_and_look(SECOND);
    turn_until(strstr(why, "refused"));
    ck_assert_str_eq(why, "dial tcp 127.0.0.1:1: connect: connection refused");
    weir_endpoint_free(&endpoint);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resolve");
    TCase *tests = tcase_create("resolve");
    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, addresses_are_kept);
    tcase_add_test(tests, changes_are_followed);
    tcase_add_test(tests, every_lookup_is_told);
    tcase_add_test(tests, the_last_good_addresses_stay);
    tcase_add_test(tests, a_suspicion_looks_soon);
    tcase_add_test(tests, failures_are_told_while_nothing_is_known);
    tcase_add_test(tests, who_asks_again_in_the_answer_waits);
    tcase_add_test(tests, a_name_server_that_hangs_holds_up_nothing);
    tcase_add_test(tests, names_without_users_are_forgotten);
    tcase_add_test(tests, numbers_are_no_names);
    tcase_add_test(tests, connections_use_it);
    return run_suite(suite);
}
