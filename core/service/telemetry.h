// SPDX-License-Identifier: Apache-2.0
/* service::telemetry put into effect: the log, the metrics' endpoints, the collector's own resource. */
#ifndef WEIR_CORE_SERVICE_TELEMETRY_H
#define WEIR_CORE_SERVICE_TELEMETRY_H

#include "core/service/endpoint.h"

struct telemetry;

/* What outlives any one configuration. */
struct telemetry_context {
    const struct graph *graph;
    const struct reload_counts *reloads;
    struct weir_logger *logger;
    const char *uuid; /* service.instance.id where nothing else is written */
};

/* Opens the outputs of the log; nothing changes yet. NULL with `error` set when one cannot be opened. Holds the
 * configuration. Main thread. */
struct telemetry *telemetry_open(struct weir_config *config, const struct telemetry_context *context,
                                 struct weir_error *error);
/* Has the process log there from now on. */
void telemetry_use_log(const struct telemetry *telemetry);
/* Opens the endpoints that `before` (NULL: nothing runs) does not have. 0, or -1 with `error` set. */
int telemetry_open_endpoints(struct telemetry *telemetry, const struct telemetry_context *context,
                             const struct telemetry *before, struct weir_error *error);
/* Puts it into effect and closes what `before` had. */
void telemetry_use(struct telemetry *telemetry, struct telemetry *before);
/* True if the configuration says the same of service::telemetry as the one that is in effect. */
bool telemetry_is_same(const struct telemetry *telemetry, const struct weir_config *config);
/* Stops showing metrics. */
void telemetry_close_endpoints(struct telemetry *telemetry);
/* Closes what it opened; if it is `in_use`, the log goes to stderr again. Accepts NULL. */
void telemetry_close(struct telemetry *telemetry, bool in_use);

#endif
