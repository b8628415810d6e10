// SPDX-License-Identifier: Apache-2.0
/*
 * Timers: a binary heap for each worker on top of one timer of libuv, so that starting and stopping one
 * (every request does both) is a few moves of pointers, and so that tests can own the clock.
 */
#include <config.h>

#include "sdk/src/loop/loop.h"

#define NS_PER_MS 1000000

static void place(struct weir_worker *worker, size_t at, struct weir_timer *timer)
{
    worker->heap[at] = timer;
    timer->slot = at + 1;
}

static void sift_up(struct weir_worker *worker, size_t at, struct weir_timer *timer)
{
    while (at > 0 && worker->heap[(at - 1) / 2]->deadline > timer->deadline) {
        place(worker, at, worker->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(worker, at, timer);
}

static void sift_down(struct weir_worker *worker, size_t at, struct weir_timer *timer)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= worker->timers)
            break;
        if (child + 1 < worker->timers && worker->heap[child + 1]->deadline < worker->heap[child]->deadline)
            child++;
        if (worker->heap[child]->deadline >= timer->deadline)
            break;
        place(worker, at, worker->heap[child]);
        at = child;
    }
    place(worker, at, timer);
}

static void arm(struct weir_worker *worker)
{
    if (worker->manual || worker->firing || worker->timers == 0)
        return;
    int64_t deadline = worker->heap[0]->deadline;
    if (deadline >= worker->armed)
        return; // it fires early enough, and then looks again
    int64_t now = weir_worker_now(worker);
    uint64_t ms = deadline <= now ? 0 : ((uint64_t)(deadline - now) + NS_PER_MS - 1) / NS_PER_MS;
    uv_timer_start(&worker->timer, weir_timers_wake, ms, 0);
    worker->armed = deadline;
}

void weir_timer_init(struct weir_timer *timer, struct weir_worker *worker,
                     void (*fire)(struct weir_timer *timer))
{
    timer->fire = fire;
    timer->worker = worker;
    timer->deadline = 0;
    timer->slot = 0;
}

void weir_timer_start(struct weir_timer *timer, int64_t delay)
{
    struct weir_worker *worker = timer->worker;
    int64_t deadline;
    if (__builtin_add_overflow(weir_worker_now(worker), delay > 0 ? delay : 0, &deadline))
        deadline = INT64_MAX;
    // "In the next turn": a timer that restarts itself at once must not keep this turn going.
    if (worker->firing && deadline <= worker->firing_limit)
        deadline = worker->firing_limit + 1;
    weir_timer_stop(timer);
    if (worker->timers == worker->heap_capacity) {
        worker->heap_capacity = worker->heap_capacity ? 2 * worker->heap_capacity : 64;
        worker->heap = weir_xrealloc(worker->heap, worker->heap_capacity * sizeof(struct weir_timer *));
    }
    timer->deadline = deadline;
    sift_up(worker, worker->timers++, timer);
    arm(worker);
}

void weir_timer_stop(struct weir_timer *timer)
{
    if (timer->slot == 0)
        return;
    struct weir_worker *worker = timer->worker;
    size_t at = timer->slot - 1;
    timer->slot = 0;
    struct weir_timer *last = worker->heap[--worker->timers];
    if (last == timer)
        return;
    if (at > 0 && worker->heap[(at - 1) / 2]->deadline > last->deadline)
        sift_up(worker, at, last);
    else
        sift_down(worker, at, last);
}

void weir_timers_fire(struct weir_worker *worker)
{
    worker->firing = true;
    worker->firing_limit = weir_worker_now(worker);
    while (worker->timers > 0 && worker->heap[0]->deadline <= worker->firing_limit) {
        struct weir_timer *timer = worker->heap[0];
        weir_timer_stop(timer);
        timer->fire(timer);
    }
    worker->firing = false;
}

void weir_timers_wake(uv_timer_t *timer)
{
    struct weir_worker *worker = timer->data;
    worker->armed = INT64_MAX;
    weir_timers_fire(worker);
    arm(worker);
}

void weir_worker_advance(struct weir_worker *worker, int64_t ns)
{
    int64_t target = worker->now + ns;
    weir_tasks_run(worker);
    while (worker->timers > 0 && worker->heap[0]->deadline <= target) {
        // Each timer sees the time at which it was due, and what it posts comes before the next one.
        if (worker->heap[0]->deadline > worker->now)
            worker->now = worker->heap[0]->deadline;
        weir_timers_fire(worker);
        weir_tasks_run(worker);
    }
    worker->now = target;
}
