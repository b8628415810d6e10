// SPDX-License-Identifier: Apache-2.0
/*
 * Calls from one thread to another: the post queue of a worker, and jobs on libuv's thread pool.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/loop/loop.h"

/* libuv calls idle handles before it writes and waits for what comes next, but after all that this turn brought: the
 * worker's own tasks need nobody to be woken. */
static void post_here(struct weir_worker *worker, struct weir_task *task)
{
    if (!worker->later)
        uv_idle_start(&worker->turn_over, weir_tasks_turn_over);
    task->next = NULL;
    *worker->later_end = task;
    worker->later_end = &task->next;
}

void weir_worker_post(struct weir_worker *worker, struct weir_task *task)
{
    if (worker == weir_worker_current()) {
        post_here(worker, task);
        return;
    }
    struct weir_task *head = atomic_load_explicit(&worker->posted, memory_order_relaxed);
    do
        task->next = head;
    while (!atomic_compare_exchange_weak_explicit(&worker->posted, &head, task, memory_order_release,
                                                  memory_order_relaxed));
    // Whoever finds the queue empty wakes the worker; it takes all that has been posted until it looks.
    if (!head)
        uv_async_send(&worker->wake);
}

static void run_all(struct weir_task *first)
{
    while (first) {
        struct weir_task *next = first->next;
        first->run(first);
        first = next;
    }
}

void weir_tasks_run_own(struct weir_worker *worker)
{
    struct weir_task *first = worker->later;
    worker->later = NULL;
    worker->later_end = &worker->later;
    run_all(first);
    if (!worker->later)
        uv_idle_stop(&worker->turn_over);
}

void weir_tasks_turn_over(uv_idle_t *idle)
{
    weir_tasks_run_own(idle->data);
}

bool weir_tasks_waiting(const struct weir_worker *worker)
{
    return worker->later || atomic_load(&worker->posted);
}

void weir_tasks_run_posted(struct weir_worker *worker)
{
    struct weir_task *last = atomic_exchange_explicit(&worker->posted, NULL, memory_order_acquire);
    struct weir_task *first = NULL;
    while (last) {
        struct weir_task *next = last->next;
        last->next = first;
        first = last;
        last = next;
    }
    run_all(first);
}

void weir_tasks_run(struct weir_worker *worker)
{
    weir_tasks_run_own(worker);
    weir_tasks_run_posted(worker);
}

struct running_job {
    uv_work_t request;
    struct weir_job *job;
};

static void work(uv_work_t *request)
{
    struct running_job *running = WEIR_CONTAINER_OF(request, struct running_job, request);
    running->job->work(running->job);
}

static void done(uv_work_t *request, int status)
{
    (void)status; // jobs are never cancelled
    struct running_job *running = WEIR_CONTAINER_OF(request, struct running_job, request);
    struct weir_job *job = running->job;
    ((struct weir_worker *)request->loop->data)->jobs--;
    free(running);
    job->internal = NULL;
    job->done(job);
}

void weir_worker_offload(struct weir_worker *worker, struct weir_job *job)
{
    struct running_job *running = weir_xcalloc(1, sizeof(*running));
    running->job = job;
    job->internal = running;
    worker->jobs++;
    uv_queue_work(&worker->loop, &running->request, work, done);
}
