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
