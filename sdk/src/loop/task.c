// SPDX-License-Identifier: Apache-2.0
/*
 * Calls from one thread to another: the post queue of a worker, and jobs on libuv's thread pool.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/loop/loop.h"

void weir_worker_post(struct weir_worker *worker, struct weir_task *task)
{
    struct weir_task *head = atomic_load_explicit(&worker->posted, memory_order_relaxed);
    do
        task->next = head;
    while (!atomic_compare_exchange_weak_explicit(&worker->posted, &head, task, memory_order_release,
                                                  memory_order_relaxed));
    // Whoever finds the queue empty wakes the worker; it takes all that has been posted until it looks.
    if (!head)
        uv_async_send(&worker->wake);
}

void weir_tasks_run(struct weir_worker *worker)
{
    struct weir_task *last = atomic_exchange_explicit(&worker->posted, NULL, memory_order_acquire);
    struct weir_task *first = NULL;
    while (last) {
        struct weir_task *next = last->next;
        last->next = first;
        first = last;
        last = next;
    }
    while (first) {
        struct weir_task *next = first->next;
        first->run(first);
        first = next;
    }
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
