// SPDX-License-Identifier: Apache-2.0
/* service::telemetry::logs and ::resource put into effect. */
#ifndef WEIR_CORE_SERVICE_LOGGING_H
#define WEIR_CORE_SERVICE_LOGGING_H

#include "core/config/config.h"

/* The collector's own resource: upstream's default attributes, changed as the config says. */
struct weir_pairs *resource_new(const struct weir_telemetry *telemetry);
void resource_free(struct weir_pairs *resource);

/* Opens the log's outputs and configures the log; -1 with `error` set when a file cannot be opened. */
int logging_start(const struct weir_telemetry *telemetry, const struct weir_pairs *resource,
                  struct weir_error *error);
/* Back to stderr; closes what was opened. */
void logging_stop(void);

#endif
