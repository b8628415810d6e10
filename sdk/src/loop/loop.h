// SPDX-License-Identifier: Apache-2.0
/*
 * What a worker is made of. Private to libweir.
 */
#ifndef WEIR_LOOP_LOOP_H
#define WEIR_LOOP_LOOP_H

#include <stdatomic.h>

#include <pthread.h>
#include <uv.h>

#include <weir/sys/worker.h>

struct weir_worker {
    uv_loop_t loop;
    unsigned index;
    bool manual;  /* the clock stands still until weir_worker_advance */
    bool started; /* `thread` runs */
    pthread_t thread;

    int64_t now;            /* nanoseconds, as of... */
    uint64_t now_tag;       /* ...this value of uv_now; UINT64_MAX: to be read anew */
    uv_prepare_t next_turn; /* ends its validity */

    uv_timer_t timer; /* fires at the first deadline of the heap */
    int64_t armed;    /* when `timer` fires; INT64_MAX: it does not */
    struct weir_timer **heap;
    size_t timers;
    size_t heap_capacity;
    bool firing;
    int64_t firing_limit; /* timers up to here fire in this turn */

    uv_async_t wake;
    uv_timer_t turn_limit;
    _Atomic(struct weir_task *) posted; /* by other threads; last one first */
    struct weir_task *later, **later_end; /* by its own */
    uv_idle_t turn_over; /* active while there are such: keeps the loop from waiting, and runs them */
    atomic_bool stop;
    size_t jobs; /* requests on libuv's thread pool that this loop must outlive */

    /* State of the connection layer on this worker, made on first use, and what closes its handles. */
    void *net;
    void (*net_close)(struct weir_worker *worker);
};

/* The callback of `next_turn`. */
void weir_clock_turn(uv_prepare_t *prepare);
/* Fires the timers that are due at weir_worker_now. */
void weir_timers_fire(struct weir_worker *worker);
/* The callback of `timer`. */
void weir_timers_wake(uv_timer_t *timer);
/* Runs what was posted before the call: by the worker itself, by other threads, by both. */
void weir_tasks_run_own(struct weir_worker *worker);
void weir_tasks_run_posted(struct weir_worker *worker);
void weir_tasks_run(struct weir_worker *worker);
/* The callback of `turn_over`. */
void weir_tasks_turn_over(uv_idle_t *idle);
/* True while there are tasks to run. */
bool weir_tasks_waiting(const struct weir_worker *worker);

/* The smallest number of CPUs that a quota of the cgroups of this process allows, rounded up; 0: no quota.
 * `root` is put before /proc and /sys (tests have their own). */
unsigned weir_cgroup_cpus(const char *root);
/* The smallest memory limit of the cgroups of this process, in bytes; UINT64_MAX: none. */
uint64_t weir_cgroup_memory(const char *root);

#endif
