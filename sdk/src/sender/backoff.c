// SPDX-License-Identifier: Apache-2.0
/* The waits between tries. */
#include <config.h>

#include "sdk/src/sender/sender.h"

/* Far beyond any sane wait, and safe to add to a clock. */
#define LONGEST ((double)(INT64_MAX / 4))

int64_t backoff_next(struct backoff *backoff, const struct weir_retry_options *options, double random)
{
    double most = (double)options->max_interval.ns;
    double interval = backoff->begun ? backoff->interval : (double)options->initial_interval.ns;
    double next = interval * options->multiplier;
    double reach = interval * options->randomization_factor;
    double wait = interval - reach + random * 2 * reach;
    backoff->interval = next < most ? next : most;
    backoff->begun = true;
    return wait < LONGEST ? (int64_t)wait : (int64_t)LONGEST;
}

double sender_random(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    x ^= x >> 31;
    return (double)(x >> 11) / 9007199254740992.0; /* 2^53 */
}
