// SPDX-License-Identifier: Apache-2.0
/* What the supervisor's socket hears, and when it hears nothing more. */
#include <config.h>

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <weir/sys/worker.h>

#include "core/service/supervisor.h"
#include "core/service/watchdog.h"
#include "tests/unit/suite.h"

#define SECOND INT64_C(1000000000)

static int heard = -1;
static char path[64];

/* Listens at a name that nobody else has, and sets NOTIFY_SOCKET to it. */
static void listen_at(char first)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(path, sizeof(path), "%stmp/weir-test-supervisor-%d", first == '@' ? "@" : "/", (int)getpid());
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    memcpy(address.sun_path, path, strlen(path));
    if (first == '@')
        address.sun_path[0] = '\0';
    heard = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(heard, 0);
    ck_assert_int_eq(bind(heard, (struct sockaddr *)&address, length), 0);
    setenv("NOTIFY_SOCKET", path, 1);
}

static void stop_listening(void)
{
    close(heard);
    if (path[0] == '/')
        unlink(path);
}

static bool hear(char *out, size_t size)
{
    ssize_t length = recv(heard, out, size - 1, 0);
    out[length > 0 ? length : 0] = '\0';
    return length > 0;
}

START_TEST(tells)
{
    char text[256];
    listen_at(_i == 0 ? '/' : '@');
    ck_assert_int_eq(supervisor_open(), 0);
    ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
    ck_assert(supervisor_patience() == 0);
    supervisor_tell("READY=1", "two\nlines, %d", 1);
    ck_assert(hear(text, sizeof(text)));
    ck_assert_str_eq(text, "READY=1\nSTATUS=two lines, 1");
    supervisor_tell("", "more");
    ck_assert(hear(text, sizeof(text)));
    ck_assert_str_eq(text, "STATUS=more");
    supervisor_close();
    supervisor_tell("READY=1", "nobody hears that");
    ck_assert(!hear(text, sizeof(text)));
    stop_listening();
}
END_TEST

START_TEST(needs_a_socket_that_can_be)
{
    static const char *const names[] = { "relative", "vsock:2:1234", "/" };
    char name[200] = "/";
    if (_i == 2)
        memset(name, '/', sizeof(name) - 1);
    setenv("NOTIFY_SOCKET", _i == 2 ? name : names[_i], 1);
    setenv("WATCHDOG_USEC", "1000000", 1);
    ck_assert_int_eq(supervisor_open(), -1);
    supervisor_tell("READY=1", "nobody hears that");
    ck_assert(supervisor_patience() == 0);
    supervisor_close();
    ck_assert_int_eq(supervisor_open(), 0); /* without any */
    supervisor_alive();
}
END_TEST

START_TEST(waits_for_signs_of_life)
{
    static const struct {
        const char *usec, *pid;
        int64_t patience;
    } cases[] = {
        { "30000000", NULL, 30 * SECOND }, { "30000000", "1", 0 }, { "30000000", "x", 0 },
        { "-1", NULL, 0 },                 { "", NULL, 0 },        { "99999999999999999999", NULL, 0 },
    };
    listen_at('@');
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        setenv("NOTIFY_SOCKET", path, 1);
        setenv("WATCHDOG_USEC", cases[i].usec, 1);
        if (cases[i].pid)
            setenv("WATCHDOG_PID", cases[i].pid, 1);
        ck_assert_int_eq(supervisor_open(), 0);
        ck_assert_msg(supervisor_patience() == cases[i].patience, "%zu", i);
        ck_assert_ptr_null(getenv("WATCHDOG_PID"));
        supervisor_close();
    }
    stop_listening();
}
END_TEST

static atomic_bool hangs;

static void hang(struct weir_task *task)
{
    (void)task;
    while (atomic_load(&hangs))
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

/* Turns worker 0 until a sign of life comes, or for so long: true if one came. */
static bool lives(int64_t patience)
{
    char text[64];
    for (int64_t end = now() + patience; now() < end;) {
        weir_worker_turn(weir_worker_at(0), 50);
        if (hear(text, sizeof(text))) {
            ck_assert_str_eq(text, "WATCHDOG=1");
            return true;
        }
    }
    return false;
}

START_TEST(lives_while_all_workers_turn)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_task task = { .run = hang };
    listen_at('@');
    setenv("WATCHDOG_USEC", "1000000", 1);
    ck_assert_int_eq(supervisor_open(), 0);
    ck_assert_int_eq(weir_workers_create(2, WEIR_CLOCK_SYSTEM, &error), 0);
    weir_workers_start();
    watchdog_start(0);
    for (int i = 0; i < 3; i++)
        ck_assert(lives(10 * SECOND));
    atomic_store(&hangs, true);
    weir_worker_post(weir_worker_at(1), &task);
    int64_t end = now() + 20 * SECOND;
    while (lives(2 * SECOND))
        ck_assert_msg(now() < end, "signs of life while a worker hangs");
    /* What takes long on purpose is not a hang. */
    watchdog_pause();
    ck_assert(lives(10 * SECOND));
    watchdog_resume();
    atomic_store(&hangs, false);
    ck_assert(lives(10 * SECOND));
    watchdog_stop();
    weir_workers_destroy();
    supervisor_close();
    stop_listening();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("supervisor");
    TCase *tests = tcase_create("supervisor");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, tells, 0, 2);
    tcase_add_loop_test(tests, needs_a_socket_that_can_be, 0, 3);
    tcase_add_test(tests, waits_for_signs_of_life);
    tcase_add_test(tests, lives_while_all_workers_turn);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
