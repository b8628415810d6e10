// SPDX-License-Identifier: Apache-2.0
/* What the processor counts of itself (contrib-processors 1.8). */
#ifndef TAIL_SAMPLING_METRICS_H
#define TAIL_SAMPLING_METRICS_H

#include <weir/component.h>

#include "plugins/processors/tail_sampling/options.h"

enum decision {
    DECISION_SAMPLED,
    DECISION_NOT_SAMPLED,
    DECISION_DROPPED,
};
#define DECISIONS 3

struct tail_metrics {
    struct weir_series *traces[DECISIONS];
    struct weir_series *early[2]; /* spans that a cache decided: not sampled, sampled */
    struct weir_series *new_traces;
    struct weir_series *timer_latency;
    struct weir_series *late_age;
    struct weir_series *errors;
    struct weir_series *too_early;
    struct weir_series *removal_age;
    struct weir_series *on_memory;
    struct weir_series *too_large;
};

struct voter_metrics {
    struct weir_series *traces[DECISIONS];
    struct weir_series *votes;
    struct weir_series *time;
};

extern const struct weir_instrument tail_instruments[];

/* Main thread, in create. */
void tail_metrics_init(struct tail_metrics *metrics, struct weir_instance *instance);
void voter_metrics_init(struct voter_metrics *metrics, struct weir_instance *instance, const char *policy);

#endif
