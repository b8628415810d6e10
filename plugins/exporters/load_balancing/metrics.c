// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/load_balancing/metrics.h"

#define MILLISECOND 1000000

static const double milliseconds[] = { 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000 };

#define COUNTER(name, unit, doc) { (name), WEIR_COUNTER, WEIR_LEVEL_BASIC, (unit), (doc), NULL, 0 }
const struct weir_instrument lb_metrics[] = {
    [LB_BACKEND_LATENCY] = { "loadbalancer_backend_latency", WEIR_HISTOGRAM, WEIR_LEVEL_BASIC, "ms",
                             "Response latency in ms for the backends.", milliseconds, WEIR_ARRAY_LENGTH(milliseconds) },
    [LB_BACKEND_OUTCOME] = COUNTER("loadbalancer_backend_outcome", "{outcomes}",
                                   "Number of successes and failures for each endpoint."),
    [LB_NUM_BACKENDS] = { "loadbalancer_num_backends", WEIR_GAUGE, WEIR_LEVEL_BASIC, "{backends}",
                          "Current number of backends in use.", NULL, 0 },
    [LB_NUM_BACKEND_UPDATES] = COUNTER("loadbalancer_num_backend_updates", "{updates}",
                                       "Number of times the list of backends was updated."),
    [LB_NUM_RESOLUTIONS] = COUNTER("loadbalancer_num_resolutions", "{resolutions}",
                                   "Number of times the resolver has triggered new resolutions."),
    { .name = NULL },
};

void backend_metrics_make(struct backend_metrics *metrics, struct weir_instance *instance, const char *endpoint)
{
    const struct weir_label good[] = { { "endpoint", endpoint }, { "success", "true" } };
    const struct weir_label bad[] = { { "endpoint", endpoint }, { "success", "false" } };
    metrics->latency = weir_meter_series(instance, LB_BACKEND_LATENCY, good, 1);
    metrics->succeeded = weir_meter_series(instance, LB_BACKEND_OUTCOME, good, 2);
    metrics->failed = weir_meter_series(instance, LB_BACKEND_OUTCOME, bad, 2);
}

void backend_metrics_release(struct backend_metrics *metrics)
{
    weir_meter_release(metrics->latency);
    weir_meter_release(metrics->succeeded);
    weir_meter_release(metrics->failed);
}

void backend_metrics_count(const struct backend_metrics *metrics, int64_t time, bool success)
{
    weir_series_observe(metrics->latency, (double)(time / MILLISECOND));
    weir_series_add(success ? metrics->succeeded : metrics->failed, 1);
}
