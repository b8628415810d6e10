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
    // A new turn, or one that waited for something: the loop itself knows the time in milliseconds only.
    uint64_t tag = uv_now(&worker->loop);
    if (tag != worker->now_tag) {
        struct weir_worker *cache = (struct weir_worker *)(uintptr_t)worker;
        cache->now = (int64_t)uv_hrtime();
        cache->now_tag = tag;
    }
    return worker->now;
}

void weir_clock_turn(uv_prepare_t *prepare)
{
    struct weir_worker *worker = prepare->data;
    worker->now_tag = UINT64_MAX;
}

int64_t weir_wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
