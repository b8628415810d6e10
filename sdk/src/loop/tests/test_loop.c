// SPDX-License-Identifier: Apache-2.0
/*
 * Workers, timers, posting between threads, jobs.
 */
#include <config.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include <weir/sys/worker.h>

#include "tests/unit/suite.h"

#define MS 1000000

static void create(unsigned count, enum weir_clock clock)
{
    struct weir_error error = WEIR_ERROR_INIT;
    ck_assert_msg(weir_workers_create(count, clock, &error) == 0, "%s", weir_error_text(&error));
}

struct named_timer {
    struct weir_timer timer;
    char name;
    int restarts;
};

static char fired[64];
static int64_t fired_at[64];
static size_t fired_count;

static void note(struct weir_timer *timer)
{
    struct named_timer *named = WEIR_CONTAINER_OF(timer, struct named_timer, timer);
    fired[fired_count] = named->name;
    fired_at[fired_count++] = weir_worker_now(timer->worker);
    fired[fired_count] = '\0';
    if (named->restarts-- > 0)
        weir_timer_start(timer, 10);
}

START_TEST(a_manual_clock_fires_in_order)
{
    create(1, WEIR_CLOCK_MANUAL);
    struct weir_worker *worker = weir_worker_current();
    struct named_timer timers[5];
    const int64_t delays[5] = { 50, 10, 30, 20, 40 };
    for (int i = 0; i < 5; i++) {
        timers[i] = (struct named_timer){ .name = (char)('a' + i) };
        weir_timer_init(&timers[i].timer, worker, note);
        weir_timer_start(&timers[i].timer, delays[i]);
    }
    weir_timer_stop(&timers[2].timer);
    ck_assert(!weir_timer_active(&timers[2].timer));
    timers[1].restarts = 2; // 10, 20, 30
    fired_count = 0;
    int64_t start = weir_worker_now(worker);
    weir_worker_advance(worker, 9);
    ck_assert_uint_eq(fired_count, 0);
    weir_worker_advance(worker, 41);
    ck_assert_str_eq(fired, "bdbbea");
    ck_assert_int_eq(fired_at[0] - start, 10);
    ck_assert_int_eq(fired_at[3] - start, 30);
    ck_assert_int_eq(fired_at[5] - start, 50);
    ck_assert_int_eq(weir_worker_now(worker) - start, 50);
    weir_workers_destroy();
}
END_TEST

static int64_t last_deadline;
static size_t in_order;

static void check_order(struct weir_timer *timer)
{
    ck_assert_int_ge(timer->deadline, last_deadline);
    last_deadline = timer->deadline;
    in_order++;
}

START_TEST(many_timers_keep_their_order)
{
    create(1, WEIR_CLOCK_MANUAL);
    struct weir_worker *worker = weir_worker_current();
    static struct weir_timer timers[1000];
    unsigned seed = 7;
    for (int i = 0; i < 1000; i++)
        weir_timer_init(&timers[i], worker, check_order);
    for (int i = 0; i < 5000; i++) {
        struct weir_timer *timer = &timers[rand_r(&seed) % 1000];
        if (rand_r(&seed) % 4 == 0)
            weir_timer_stop(timer);
        else
            weir_timer_start(timer, rand_r(&seed) % 100000);
    }
    size_t active = 0;
    for (int i = 0; i < 1000; i++)
        active += weir_timer_active(&timers[i]);
    last_deadline = 0;
    in_order = 0;
    weir_worker_advance(worker, 50000);
    weir_worker_advance(worker, 50000);
    ck_assert_uint_eq(in_order, active);
    weir_workers_destroy();
}
END_TEST

START_TEST(a_system_clock_fires_not_too_early)
{
    create(1, WEIR_CLOCK_SYSTEM);
    struct weir_worker *worker = weir_worker_current();
    struct named_timer slow = { .name = 's' }, fast = { .name = 'f' };
    weir_timer_init(&slow.timer, worker, note);
    weir_timer_init(&fast.timer, worker, note);
    fired_count = 0;
    int64_t start = weir_worker_now(worker);
    weir_timer_start(&slow.timer, 20 * MS);
    weir_timer_start(&fast.timer, 5 * MS);
    for (int turns = 0; fired_count < 2 && turns < 1000; turns++)
        weir_worker_turn(worker, 1000);
    ck_assert_str_eq(fired, "fs");
    ck_assert_int_ge(fired_at[0] - start, 5 * MS);
    ck_assert_int_ge(fired_at[1] - start, 20 * MS);
    weir_workers_destroy();
}
END_TEST

static int spins;

static void restart_at_once(struct weir_timer *timer)
{
    if (++spins < 100)
        weir_timer_start(timer, 0);
}

struct look {
    struct weir_task task;
    int64_t now;
};

static void note_time(struct weir_task *task)
{
    ((struct look *)task)->now = weir_worker_now(weir_worker_current());
}

/* Within a millisecond, too: what is counted from an earlier turn would be over too early. */
START_TEST(every_turn_has_its_own_time)
{
    create(1, WEIR_CLOCK_SYSTEM);
    struct look look = { { note_time, NULL }, 0 };
    for (int i = 0; i < 1000; i++) {
        int64_t before = (int64_t)uv_hrtime();
        weir_worker_post(weir_worker_current(), &look.task);
        weir_worker_turn(weir_worker_current(), 0);
        ck_assert_int_ge(look.now, before);
    }
    weir_workers_destroy();
}
END_TEST

START_TEST(a_timer_restarted_with_no_delay_waits_for_the_next_turn)
{
    create(1, WEIR_CLOCK_SYSTEM);
    struct weir_worker *worker = weir_worker_current();
    struct weir_timer timer;
    spins = 0;
    weir_timer_init(&timer, worker, restart_at_once);
    weir_timer_start(&timer, 0);
    weir_worker_turn(worker, 0);
    ck_assert_int_eq(spins, 1);
    weir_timer_stop(&timer);
    weir_workers_destroy();
}
END_TEST

#define POSTERS 3
#define POSTS 20000

struct numbered {
    struct weir_task task;
    unsigned poster, number;
};

static unsigned next_of[POSTERS];
static unsigned seen;

static void check_number(struct weir_task *task)
{
    struct numbered *numbered = WEIR_CONTAINER_OF(task, struct numbered, task);
    ck_assert_uint_eq(numbered->number, next_of[numbered->poster]++);
    seen++;
    free(numbered);
}

static void *post_many(void *argument)
{
    unsigned poster = (unsigned)(uintptr_t)argument;
    for (unsigned i = 0; i < POSTS; i++) {
        struct numbered *numbered = malloc(sizeof(*numbered));
        *numbered = (struct numbered){ { check_number, NULL }, poster, i };
        weir_worker_post(weir_worker_at(0), &numbered->task);
    }
    return NULL;
}

START_TEST(posts_of_one_thread_stay_in_order)
{
    create(1, WEIR_CLOCK_SYSTEM);
    pthread_t threads[POSTERS];
    seen = 0;
    for (unsigned i = 0; i < POSTERS; i++) {
        next_of[i] = 0;
        pthread_create(&threads[i], NULL, post_many, (void *)(uintptr_t)i);
    }
    while (seen < POSTERS * POSTS)
        weir_worker_turn(weir_worker_current(), -1);
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    weir_workers_destroy();
}
END_TEST

static char order[16];

struct named_task {
    struct weir_task task;
    char name;
    bool again;
};

static void note_task(struct weir_task *task)
{
    struct named_task *named = WEIR_CONTAINER_OF(task, struct named_task, task);
    order[strlen(order)] = named->name;
    if (named->again)
        weir_worker_post(weir_worker_current(), task);
    named->again = false;
}

static void note_poll(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    order[strlen(order)] = 'p';
    weir_worker_post(weir_worker_current(), poll->data);
    uv_poll_stop(poll);
}

static void note_check(uv_check_t *check)
{
    order[strlen(order)] = 'c';
    uv_check_stop(check);
}

/* What a worker posts to itself comes in order, after what else this turn brings, and the loop does not wait for it. */
START_TEST(own_tasks_come_when_the_turn_is_over)
{
    create(1, WEIR_CLOCK_SYSTEM);
    struct weir_worker *worker = weir_worker_current();
    struct named_task first = { { note_task, NULL }, '1', true }, second = { { note_task, NULL }, '2', false };
    weir_worker_post(worker, &first.task);
    weir_worker_post(worker, &second.task);
    ck_assert_str_eq(order, "");
    weir_worker_turn(worker, -1);
    ck_assert_str_eq(order, "12");
    weir_worker_turn(worker, -1);
    ck_assert_str_eq(order, "121");

    int ends[2];
    uv_poll_t poll;
    uv_check_t check;
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    uv_poll_init(weir_worker_loop(worker), &poll, ends[0]);
    uv_check_init(weir_worker_loop(worker), &check);
    poll.data = &first.task;
    uv_poll_start(&poll, UV_READABLE, note_poll);
    uv_check_start(&check, note_check);
    weir_worker_turn(worker, -1);
    ck_assert_str_eq(order, "121pc");
    weir_worker_turn(worker, -1);
    ck_assert_str_eq(order, "121pc1");
    uv_close((uv_handle_t *)&poll, NULL);
    uv_close((uv_handle_t *)&check, NULL);
    weir_worker_post(worker, &second.task);
    weir_workers_destroy();
    ck_assert_str_eq(order, "121pc12");
    close(ends[0]);
    close(ends[1]);
}
END_TEST

struct ball {
    struct weir_task task;
    unsigned hops;
};

static void bounce(struct weir_task *task)
{
    struct ball *ball = WEIR_CONTAINER_OF(task, struct ball, task);
    unsigned here = weir_worker_index(weir_worker_current());
    if (++ball->hops == 3000)
        weir_worker_stop(weir_worker_at(0));
    else
        weir_worker_post(weir_worker_at((here + 1) % weir_worker_count()), task);
}

START_TEST(workers_pass_a_task_around)
{
    create(3, WEIR_CLOCK_SYSTEM);
    weir_workers_start();
    struct ball ball = { { bounce, NULL }, 0 };
    weir_worker_post(weir_worker_at(1), &ball.task);
    weir_worker_run(weir_worker_at(0));
    ck_assert_uint_eq(ball.hops, 3000);
    weir_workers_destroy();
}
END_TEST

static atomic_uint visited;

static void visit(struct weir_worker *worker, void *argument)
{
    ck_assert_ptr_eq(worker, weir_worker_current());
    ck_assert_ptr_eq(argument, &visited);
    atomic_fetch_or(&visited, 1u << weir_worker_index(worker));
}

START_TEST(run_all_visits_every_worker)
{
    create(4, WEIR_CLOCK_SYSTEM);
    weir_workers_run_all(visit, &visited); // the threads have not started
    ck_assert_uint_eq(visited, 15);
    weir_workers_start();
    visited = 0;
    weir_workers_run_all(visit, &visited);
    ck_assert_uint_eq(visited, 15);
    ck_assert_ptr_eq(weir_worker_current(), weir_worker_at(0));
    weir_workers_destroy();
    ck_assert_ptr_null(weir_worker_current());
    ck_assert_uint_eq(weir_worker_count(), 0);
}
END_TEST

struct sum {
    struct weir_job job;
    pthread_t worked_on;
    bool done;
};

static void work(struct weir_job *job)
{
    WEIR_CONTAINER_OF(job, struct sum, job)->worked_on = pthread_self();
}

static void done(struct weir_job *job)
{
    ck_assert_ptr_nonnull(weir_worker_current());
    WEIR_CONTAINER_OF(job, struct sum, job)->done = true;
}

START_TEST(a_job_runs_elsewhere_and_comes_back)
{
    create(1, WEIR_CLOCK_SYSTEM);
    struct sum sum = { .job = { work, done, NULL } };
    weir_worker_offload(weir_worker_current(), &sum.job);
    while (!sum.done)
        weir_worker_turn(weir_worker_current(), -1);
    ck_assert(!pthread_equal(sum.worked_on, pthread_self()));
    struct sum late = { .job = { work, done, NULL } };
    weir_worker_offload(weir_worker_current(), &late.job);
    weir_workers_destroy();
    ck_assert_msg(late.done, "the worker outlives its jobs");
}
END_TEST

START_TEST(workers_exist_once)
{
    struct weir_error error = WEIR_ERROR_INIT;
    create(1, WEIR_CLOCK_SYSTEM);
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_SYSTEM, &error), -1);
    ck_assert_str_eq(weir_error_text(&error), "the workers exist already");
    weir_workers_destroy();
    ck_assert_int_eq(weir_workers_create(0, WEIR_CLOCK_SYSTEM, &error), -1);
    weir_error_free(&error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loop");
    TCase *tests = tcase_create("loop");
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, a_manual_clock_fires_in_order);
    tcase_add_test(tests, many_timers_keep_their_order);
    tcase_add_test(tests, a_system_clock_fires_not_too_early);
    tcase_add_test(tests, every_turn_has_its_own_time);
    tcase_add_test(tests, a_timer_restarted_with_no_delay_waits_for_the_next_turn);
    tcase_add_test(tests, posts_of_one_thread_stay_in_order);
    tcase_add_test(tests, own_tasks_come_when_the_turn_is_over);
    tcase_add_test(tests, workers_pass_a_task_around);
    tcase_add_test(tests, run_all_visits_every_worker);
    tcase_add_test(tests, a_job_runs_elsewhere_and_comes_back);
    tcase_add_test(tests, workers_exist_once);
    return run_suite(suite);
}
