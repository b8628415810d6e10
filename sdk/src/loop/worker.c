// SPDX-License-Identifier: Apache-2.0
/*
 * The workers of this process: made, run, stopped.
 */
#include <config.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "sdk/src/loop/loop.h"

static struct weir_worker **workers;
static unsigned worker_count;
static _Thread_local struct weir_worker *current;

struct weir_worker *weir_worker_current(void)
{
    return current;
}

unsigned weir_worker_index(const struct weir_worker *worker)
{
    return worker->index;
}

unsigned weir_worker_count(void)
{
    return worker_count;
}

struct weir_worker *weir_worker_at(unsigned index)
{
    return index < worker_count ? workers[index] : NULL;
}

struct uv_loop_s *weir_worker_loop(struct weir_worker *worker)
{
    return &worker->loop;
}

static void on_wake(uv_async_t *wake)
{
    struct weir_worker *worker = wake->data;
    weir_tasks_run_posted(worker);
    if (!atomic_load(&worker->stop))
        return;
    weir_tasks_run_own(worker); // there may be no other turn
    uv_stop(&worker->loop);
}

static struct weir_worker *worker_new(unsigned index, enum weir_clock clock, int *error)
{
    struct weir_worker *worker = weir_xcalloc(1, sizeof(*worker));
    worker->index = index;
    worker->manual = clock == WEIR_CLOCK_MANUAL;
    worker->armed = INT64_MAX;
    worker->now = 1000000000; // a manual clock does not start at 0, which users keep for "never"
    worker->now_tag = UINT64_MAX;
    *error = uv_loop_init(&worker->loop);
    if (*error != 0) {
        free(worker);
        return NULL;
    }
    worker->loop.data = worker;
    worker->later_end = &worker->later;
    uv_timer_init(&worker->loop, &worker->timer);
    uv_timer_init(&worker->loop, &worker->turn_limit);
    uv_idle_init(&worker->loop, &worker->turn_over);
    uv_prepare_init(&worker->loop, &worker->next_turn);
    uv_prepare_start(&worker->next_turn, weir_clock_turn);
    uv_unref((uv_handle_t *)&worker->next_turn); // nothing to wait for
    *error = uv_async_init(&worker->loop, &worker->wake, on_wake);
    worker->timer.data = worker->turn_limit.data = worker->turn_over.data = worker->next_turn.data = worker;
    worker->wake.data = worker;
    return worker;
}

/* Lets callbacks of closed handles run; gives up on handles that nobody closed. */
static void settle(struct weir_worker *worker)
{
    for (int turns = 0; turns < 100 && uv_run(&worker->loop, UV_RUN_NOWAIT) != 0; turns++)
        ;
}

/* Runs on the main thread, also for the other workers, whose threads have ended. */
static void worker_free(struct weir_worker *worker)
{
    struct weir_worker *before = current;
    current = worker;
    while (worker->jobs > 0)
        uv_run(&worker->loop, UV_RUN_ONCE);
    while (weir_tasks_waiting(worker))
        weir_tasks_run(worker);
    if (worker->net)
        worker->net_close(worker);
    weir_tasks_run(worker); // what threads of the connection layer posted at the last moment
    uv_close((uv_handle_t *)&worker->timer, NULL);
    uv_close((uv_handle_t *)&worker->turn_limit, NULL);
    uv_close((uv_handle_t *)&worker->turn_over, NULL);
    uv_close((uv_handle_t *)&worker->next_turn, NULL);
    if (uv_handle_get_type((uv_handle_t *)&worker->wake) == UV_ASYNC)
        uv_close((uv_handle_t *)&worker->wake, NULL);
    settle(worker);
    if (uv_loop_close(&worker->loop) != 0) {
        fprintf(stderr, "weir: worker %u ended with open handles:\n", worker->index);
        uv_print_all_handles(&worker->loop, stderr);
    }
    current = before;
    free(worker->heap);
    free(worker);
}

int weir_workers_create(unsigned count, enum weir_clock clock, struct weir_error *error)
{
    if (count == 0 || workers)
        return weir_error_set(error,
                              workers ? "the workers exist already" : "there must be at least one worker");
    workers = weir_xcalloc(count, sizeof(struct weir_worker *));
    for (worker_count = 0; worker_count < count; worker_count++) {
        int failure = 0;
        workers[worker_count] = worker_new(worker_count, clock, &failure);
        if (failure != 0) {
            worker_count += workers[worker_count] != NULL;
            weir_workers_destroy();
            return weir_error_set(error, "cannot make an event loop: %s", uv_strerror(failure));
        }
    }
    current = workers[0];
    return 0;
}

void weir_worker_run(struct weir_worker *worker)
{
    while (!atomic_exchange(&worker->stop, false))
        uv_run(&worker->loop, UV_RUN_DEFAULT);
}

static void turn_over(uv_timer_t *timer)
{
    (void)timer; // waking the loop is all it is for
}

void weir_worker_turn(struct weir_worker *worker, int timeout_ms)
{
    // It repeats, for uv_run fires what is due before it waits: a timer of one shot could be gone by then.
    if (timeout_ms > 0)
        uv_timer_start(&worker->turn_limit, turn_over, (uint64_t)timeout_ms, (uint64_t)timeout_ms);
    uv_run(&worker->loop, timeout_ms == 0 ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    if (timeout_ms > 0)
        uv_timer_stop(&worker->turn_limit);
}

void weir_worker_stop(struct weir_worker *worker)
{
    atomic_store(&worker->stop, true);
    uv_async_send(&worker->wake);
}

static void *thread_main(void *argument)
{
    struct weir_worker *worker = argument;
    current = worker;
    char name[16];
    snprintf(name, sizeof(name), "weir-%u", worker->index);
    pthread_setname_np(pthread_self(), name);
    weir_worker_run(worker);
    return NULL;
}

void weir_workers_start(void)
{
    // Signals are the main thread's.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 1; i < worker_count; i++) {
        if (pthread_create(&workers[i]->thread, NULL, thread_main, workers[i]) != 0) {
            fprintf(stderr, "weir: cannot start the thread of worker %u\n", i);
            abort();
        }
        workers[i]->started = true;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct call_on_worker {
    struct weir_task task;
    struct weir_worker *worker;
    void (*call)(struct weir_worker *worker, void *argument);
    void *argument;
    uv_sem_t *ran;
};

static void run_call(struct weir_task *task)
{
    struct call_on_worker *call = WEIR_CONTAINER_OF(task, struct call_on_worker, task);
    call->call(call->worker, call->argument);
    uv_sem_post(call->ran);
}

void weir_workers_run_all(void (*call)(struct weir_worker *worker, void *argument), void *argument)
{
    struct call_on_worker *calls = weir_xcalloc(worker_count, sizeof(*calls));
    uv_sem_t ran;
    uv_sem_init(&ran, 0);
    for (unsigned i = 1; i < worker_count; i++) {
        calls[i] = (struct call_on_worker){ { run_call, NULL }, workers[i], call, argument, &ran };
        if (workers[i]->started)
            weir_worker_post(workers[i], &calls[i].task);
    }
    call(workers[0], argument);
    for (unsigned i = 1; i < worker_count; i++) {
        if (workers[i]->started) {
            uv_sem_wait(&ran);
            continue;
        }
        // Not started yet: nobody else is on that worker, so this thread stands in for it.
        struct weir_worker *before = current;
        current = workers[i];
        call(workers[i], argument);
        current = before;
    }
    uv_sem_destroy(&ran);
    free(calls);
}

void weir_workers_destroy(void)
{
    for (unsigned i = 1; i < worker_count; i++)
        if (workers[i]->started)
            weir_worker_stop(workers[i]);
    for (unsigned i = 1; i < worker_count; i++)
        if (workers[i]->started)
            pthread_join(workers[i]->thread, NULL);
    for (unsigned i = worker_count; i-- > 0;)
        worker_free(workers[i]);
    free(workers);
    workers = NULL;
    worker_count = 0;
    current = NULL;
}
