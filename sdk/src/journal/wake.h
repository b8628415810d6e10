// SPDX-License-Identifier: Apache-2.0
/* Waking the journal's thread. Private to libweir. */
#ifndef WEIR_JOURNAL_WAKE_H
#define WEIR_JOURNAL_WAKE_H

#include <stdatomic.h>

#include <semaphore.h>

#include <weir/worker.h>

struct wake;

/* With room for the workers that there are. */
struct wake *wake_new(void);
void wake_free(struct wake *wake);

/* Any thread. */
void wake_now(struct wake *wake);
/* At the end of the turn of the worker whose thread this is; at once on any other thread. */
void wake_soon(struct wake *wake);

/* Waits to be woken; false: the time `until` (CLOCK_MONOTONIC, in nanoseconds; 0: never) came first. What was asked for
 * before the waking is seen afterwards. The journal's thread. */
bool wake_wait(struct wake *wake, int64_t until);

#endif
