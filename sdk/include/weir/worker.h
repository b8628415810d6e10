// SPDX-License-Identifier: Apache-2.0
/*
 * Workers: threads with an event loop each, that share nothing. What must meet in one place is posted.
 */
#ifndef WEIR_WORKER_H
#define WEIR_WORKER_H

#include <weir/base.h>

struct uv_loop_s;

WEIR_BEGIN

/* One thread with one libuv loop. Worker 0 runs on the main thread. */
struct weir_worker;

/* The worker whose thread this is, NULL on any other thread. */
WEIR_EXPORT struct weir_worker *weir_worker_current(void);

/* 0 to weir_worker_count() - 1. Any thread. */
WEIR_EXPORT unsigned weir_worker_index(const struct weir_worker *worker);

/* The number of workers of this process; constant once components are created. Any thread. */
WEIR_EXPORT unsigned weir_worker_count(void);

/* The loop, for components that use libuv themselves. The worker's thread. */
WEIR_EXPORT struct uv_loop_s *weir_worker_loop(struct weir_worker *worker);

/* Monotonic time in nanoseconds, read once for each turn of the loop; tests own it. The worker's thread. */
WEIR_EXPORT int64_t weir_worker_now(const struct weir_worker *worker);

/* Wall-clock time in nanoseconds since 1970, for timestamps only, never for timers. Any thread. */
WEIR_EXPORT int64_t weir_wall_clock(void);

/*
 * Timers, on the worker's monotonic clock, so that a test can advance them. Embed one, set it up with
 * weir_timer_init, keep it in place while it is active. All on the worker's thread.
 */
struct weir_timer {
    void (*fire)(struct weir_timer *timer); /* may start, stop or free the timer */
    struct weir_worker *worker;
    int64_t deadline;
    size_t slot; /* place in the worker's heap + 1; 0: not active */
};

/* Makes `timer` an inactive one of this worker; it may be thrown away whenever it is not active. */
WEIR_EXPORT void weir_timer_init(struct weir_timer *timer, struct weir_worker *worker,
                                 void (*fire)(struct weir_timer *timer));
/* Fires once, `delay` nanoseconds from now (0 or less: in the next turn); restarts an active timer. */
WEIR_EXPORT void weir_timer_start(struct weir_timer *timer, int64_t delay);
/* `fire` does not come any more. No effect on one that is not active. */
WEIR_EXPORT void weir_timer_stop(struct weir_timer *timer);
static inline bool weir_timer_active(const struct weir_timer *timer)
{
    return timer->slot != 0;
}

/* A call to be made on a worker's thread. Embed one; it is the worker's until `run` is called. */
struct weir_task {
    void (*run)(struct weir_task *task);
    struct weir_task *next;
};

/* Has the worker call task->run soon; tasks of one thread run in the order posted. Lock-free. Any thread; posting to
 * the own worker defers to the end of this turn of the loop. */
WEIR_EXPORT void weir_worker_post(struct weir_worker *worker, struct weir_task *task);

/* Work that blocks: `work` runs on a thread of libuv's pool, then `done` on the worker that asked. Embed one. */
struct weir_job {
    void (*work)(struct weir_job *job);
    void (*done)(struct weir_job *job);
    void *internal;
};

/* Starts the job; the worker's thread. The worker outlives its jobs. */
WEIR_EXPORT void weir_worker_offload(struct weir_worker *worker, struct weir_job *job);

WEIR_END

#endif
