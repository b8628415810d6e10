// SPDX-License-Identifier: Apache-2.0
/*
 * One attempt a second: all workers together do not knock oftener at an endpoint that is down.
 */
#ifndef WEIR_NET_PACE_H
#define WEIR_NET_PACE_H

#include <stdatomic.h>
#include <stdint.h>

#define WEIR_PACE INT64_C(1000000000)

/* When the next attempt may begin, on the workers' clock. */
typedef _Atomic int64_t weir_pace;

/* An attempt has failed just now. Any worker. */
static inline void weir_pace_failed(weir_pace *pace, int64_t now)
{
    int64_t next = atomic_load(pace);
    while (next < now + WEIR_PACE && !atomic_compare_exchange_weak(pace, &next, now + WEIR_PACE))
        ;
}

/* Takes the next turn; nanoseconds until it comes. Any worker. */
static inline int64_t weir_pace_take(weir_pace *pace, int64_t now)
{
    int64_t next = atomic_load(pace), turn;
    do
        turn = next > now ? next : now;
    while (!atomic_compare_exchange_weak(pace, &next, turn + WEIR_PACE));
    return turn - now;
}

#endif
