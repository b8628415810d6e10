// SPDX-License-Identifier: Apache-2.0
/*
 * Chance, for waits that are not to end together. Not for secrets.
 */
#ifndef WEIR_BASE_RANDOM_H
#define WEIR_BASE_RANDOM_H

#include <stdint.h>

/* A number in [0, 1) from the state, which it moves on (splitmix64). */
static inline double random_unit(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return (double)(x >> 11) / 9007199254740992.0; /* 2^53 */
}

/* A number of nanoseconds in [0, below). */
static inline int64_t random_time(uint64_t *state, int64_t below)
{
    return (int64_t)(random_unit(state) * (double)below);
}

#endif
