// SPDX-License-Identifier: Apache-2.0
/*
 * The watchdog: a worker whose callback does not return ends the process, with a line that says whose it was, so
 * that whoever supervises it starts it again.
 */
#ifndef WEIR_CORE_WATCHDOG_H
#define WEIR_CORE_WATCHDOG_H

#include <stdint.h>

#define WATCHDOG_SHORTEST (INT64_C(2) * 1000000000)

/* Watches all workers from now on; main thread, after weir_workers_start and supervisor_open: a supervisor that waits
 * for signs of life gets them while every worker turns, or nothing is watched, also with a limit of 0. A callback that takes longer than `limit`
 * (nanoseconds, WATCHDOG_SHORTEST or more, or 0: however long it takes) ends the process with EXIT_HUNG, one that takes
 * a second and a half less does not. Time that a worker waits for a CPU or for a disk does not count. */
void watchdog_start(int64_t limit);

/* Until the calls are even again nothing is watched: for work on the main thread that may take long. Main thread. */
void watchdog_pause(void);
void watchdog_resume(void);

/* Main thread, while all workers still turn. */
void watchdog_stop(void);

#endif
