// SPDX-License-Identifier: Apache-2.0
/*
 * Waking the journal's thread. A worker does so at the end of its turn, once for all that it has asked for in it: so
 * what came in one turn is written with one call.
 *
 * The tasks that do it may run when the journal is gone already; so they, and the semaphore, have a life of their own.
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "sdk/src/journal/wake.h"

struct turn {
    struct weir_task task;
    struct wake *wake;
    bool posted; /* the worker's own */
};

struct wake {
    _Atomic unsigned references; /* the journal's, and one for each task that is posted */
    sem_t semaphore;
    atomic_bool woken; /* since the thread last began to look around */
    unsigned turn_count;
    struct turn turns[]; /* by worker */
};

static void unref(struct wake *wake)
{
    if (atomic_fetch_sub(&wake->references, 1) != 1)
        return;
    sem_destroy(&wake->semaphore);
    free(wake);
}

static void turn_over(struct weir_task *task)
{
    struct turn *turn = WEIR_CONTAINER_OF(task, struct turn, task);
    turn->posted = false;
    wake_now(turn->wake);
    unref(turn->wake);
}

struct wake *wake_new(void)
{
    const unsigned workers = weir_worker_count();
    struct wake *wake = weir_xcalloc(1, sizeof(*wake) + workers * sizeof(struct turn));
    atomic_init(&wake->references, 1);
    sem_init(&wake->semaphore, 0, 0);
    wake->turn_count = workers;
    for (unsigned i = 0; i < workers; i++)
        wake->turns[i] = (struct turn){ .task.run = turn_over, .wake = wake };
    return wake;
}

void wake_free(struct wake *wake)
{
    unref(wake);
}

void wake_now(struct wake *wake)
{
    if (!atomic_exchange(&wake->woken, true))
        sem_post(&wake->semaphore);
}

void wake_soon(struct wake *wake)
{
    struct weir_worker *worker = weir_worker_current();
    if (!worker || weir_worker_index(worker) >= wake->turn_count) {
        wake_now(wake);
        return;
    }
    struct turn *turn = &wake->turns[weir_worker_index(worker)];
    if (turn->posted)
        return;
    turn->posted = true;
    atomic_fetch_add(&wake->references, 1);
    weir_worker_post(worker, &turn->task);
}

bool wake_wait(struct wake *wake, int64_t until)
{
    const struct timespec deadline = { until / 1000000000, until % 1000000000 };
    bool late = false;
    if (until == 0)
        sem_wait(&wake->semaphore);
    else
        late = sem_clockwait(&wake->semaphore, CLOCK_MONOTONIC, &deadline) != 0 && errno == ETIMEDOUT;
    (void)atomic_exchange(&wake->woken, false); /* an exchange: what was asked for before it is seen after it */
    return !late;
}
