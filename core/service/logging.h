// SPDX-License-Identifier: Apache-2.0
/* service::telemetry::logs and ::resource put into effect. */
#ifndef WEIR_CORE_SERVICE_LOGGING_H
#define WEIR_CORE_SERVICE_LOGGING_H

#include "core/config/config.h"

/* A random UUID (RFC 9562, version 4), for service.instance.id. Freed by the caller. */
char *resource_make_uuid(void);
/* The collector's own resource: upstream's default attributes, changed as the config says. */
struct weir_pairs *resource_new(const struct weir_telemetry *telemetry, const char *uuid);
void resource_free(struct weir_pairs *resource);

/* Where a log goes, and how. */
struct logging;

/* Opens the log's outputs; NULL with `error` set when a file cannot be opened. */
struct logging *logging_open(const struct weir_telemetry *telemetry, const struct weir_pairs *resource,
                             struct weir_error *error);
/* Has the process log there from now on; NULL: to stderr. */
void logging_use(const struct logging *logging);
/* Closes what was opened and is not in use; accepts NULL. */
void logging_close(struct logging *logging);

#endif
