// SPDX-License-Identifier: Apache-2.0
/* The HTTP endpoints that show the collector's own metrics (service::telemetry::metrics::readers). */
#ifndef WEIR_CORE_SERVICE_ENDPOINT_H
#define WEIR_CORE_SERVICE_ENDPOINT_H

#include "core/config/config.h"
#include "core/graph/graph.h"
#include "core/service/metrics.h"

struct endpoints;

/* What is shown; all of it outlives the endpoints. */
struct endpoint_view {
    const struct graph *graph;
    const struct reload_counts *reloads;
    const struct weir_telemetry *telemetry;
    const struct weir_pairs *resource; /* the collector's own, as labels */
};

/* Opens an endpoint for each reader, on worker 0, except for those at addresses that `before` (NULL: none) has open;
 * NULL with `error` set when an address cannot be bound. Main thread. */
struct endpoints *endpoints_open(const struct endpoint_view *view, const struct endpoints *before,
                                 struct weir_logger *logger, struct weir_error *error);
/* Takes those that endpoints_open left out from `before`, with their connections, and closes the rest of it. */
void endpoints_take_over(struct endpoints *endpoints, struct endpoints *before);
/* Closes them; accepts NULL. */
void endpoints_close(struct endpoints *endpoints);

#endif
