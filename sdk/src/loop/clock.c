// SPDX-License-Identifier: Apache-2.0
/*
 * Time: a worker's monotonic clock, and the wall clock.
 */
#include <config.h>

#include <time.h>

#include "sdk/src/loop/loop.h"

int64_t weir_worker_now(const struct weir_worker *worker)
{
    if (worker->manual)
        return worker->now;
    // The loop knows when a turn began, in milliseconds only: the exact time is read once for each value of
    // that.
    uint64_t tag = uv_now(&worker->loop);
    if (tag != worker->now_tag) {
        struct weir_worker *cache = (struct weir_worker *)(uintptr_t)worker;
        cache->now = (int64_t)uv_hrtime();
        cache->now_tag = tag;
    }
    return worker->now;
}

int64_t weir_wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
