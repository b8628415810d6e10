// SPDX-License-Identifier: Apache-2.0
/* The HTTP endpoints that show the collector's own metrics (service::telemetry::metrics::readers). */
#ifndef WEIR_CORE_SERVICE_ENDPOINT_H
#define WEIR_CORE_SERVICE_ENDPOINT_H

#include "core/config/config.h"
#include "core/graph/graph.h"

struct endpoints;

/* Opens an endpoint for each reader, on worker 0; NULL with `error` set when an address cannot be bound. `config` and
 * `graph` outlive them; `resource` is the collector's own resource as labels, name and value in turn. Main thread. */
struct endpoints *endpoints_open(const struct weir_config *config, const struct graph *graph,
                                 const struct weir_pairs *resource, struct weir_logger *logger,
                                 struct weir_error *error);
/* Closes them; accepts NULL. */
void endpoints_close(struct endpoints *endpoints);

#endif
