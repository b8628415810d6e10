// SPDX-License-Identifier: Apache-2.0
/*
 * Upstream's metrics of this exporter (contrib-processors 9).
 */
#ifndef LOAD_BALANCING_METRICS_H
#define LOAD_BALANCING_METRICS_H

#include <weir/component.h>

enum lb_metric {
    LB_BACKEND_LATENCY,
    LB_BACKEND_OUTCOME,
    LB_NUM_BACKENDS,
    LB_NUM_BACKEND_UPDATES,
    LB_NUM_RESOLUTIONS,
};

extern const struct weir_instrument lb_metrics[];

/* What is fed of one backend. */
struct backend_metrics {
    struct weir_series *latency, *succeeded, *failed;
};

void backend_metrics_make(struct backend_metrics *metrics, struct weir_instance *instance, const char *endpoint);
/* No worker feeds them any longer. Main thread. */
void backend_metrics_release(struct backend_metrics *metrics);
/* A call to the backend has ended after `time` nanoseconds. Any worker. */
void backend_metrics_count(const struct backend_metrics *metrics, int64_t time, bool success);

#endif
