// SPDX-License-Identifier: Apache-2.0
/*
 * Running workers: for the collector's own main program and for test harnesses, not for components.
 */
#ifndef WEIR_SYS_WORKER_H
#define WEIR_SYS_WORKER_H

#include <weir/error.h>
#include <weir/worker.h>

WEIR_BEGIN

enum weir_clock {
    WEIR_CLOCK_SYSTEM,
    WEIR_CLOCK_MANUAL, /* stands still until weir_worker_advance; for tests */
};

/* Makes `count` workers (at least 1) with their loops; worker 0 belongs to the calling thread, the threads of the
 * others start with weir_workers_start. Once in a process at a time. 0, or -1 with `error` set. */
WEIR_EXPORT int weir_workers_create(unsigned count, enum weir_clock clock, struct weir_error *error);
WEIR_EXPORT struct weir_worker *weir_worker_at(unsigned index);

/* Starts the threads of workers 1 and up. Main thread. */
WEIR_EXPORT void weir_workers_start(void);

/* Runs worker 0's loop on the calling thread until weir_worker_stop(worker 0); may then be called again. */
WEIR_EXPORT void weir_worker_run(struct weir_worker *worker);
/* One turn of worker 0's loop; waits for an event at most `timeout_ms` (0: does not wait, -1: without limit). */
WEIR_EXPORT void weir_worker_turn(struct weir_worker *worker, int timeout_ms);
/* Ends the worker's loop once this turn is over. Any thread. */
WEIR_EXPORT void weir_worker_stop(struct weir_worker *worker);

/* Calls call(worker, argument) on each worker's thread and returns when all have run. Main thread, whose own call is
 * made directly. */
WEIR_EXPORT void weir_workers_run_all(void (*call)(struct weir_worker *worker, void *argument), void *argument);

/* Stops the threads, joins them, closes all loops. Everything that was on them has been closed before. */
WEIR_EXPORT void weir_workers_destroy(void);

/* Moves a manual clock on and fires, in order, what falls due; runs posted tasks. The worker's thread. */
WEIR_EXPORT void weir_worker_advance(struct weir_worker *worker, int64_t ns);

/* The CPUs that affinity and the cgroup's quota (v1 and v2) leave to this process, rounded up, at least 1. */
WEIR_EXPORT unsigned weir_cpu_limit(void);

WEIR_END

#endif
