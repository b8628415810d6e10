// SPDX-License-Identifier: Apache-2.0
/*
 * What attributes of a record and its resource say about its labels, tenant and format (contrib-receivers-exporters 6.1).
 */
#ifndef LOKI_HINTS_H
#define LOKI_HINTS_H

#include <weir/telemetry.h>

#include "plugins/exporters/loki/labels.h"

/* Names that one record's hints may list. */
#define LOKI_NAMES_MAX 1024

/* `default_labels_enabled`. */
struct loki_default_labels {
    bool exporter;
    bool job;
    bool instance;
    bool level;
};

/* Adds the default labels, then those of the hints. */
void loki_hints_labels(const struct loki_default_labels *defaults, const struct weir_attributes *resource,
                       const struct weir_log_record *log, struct loki_labels *labels);

/* The tenant that loki.tenant points to; empty when there is none. data is NULL when memory is out. */
struct weir_str loki_hints_tenant(const struct weir_attributes *resource, const struct weir_attributes *log,
                                  struct weir_arena *arena);

/* What loki.format says, "json" without. */
struct weir_str loki_hints_format(const struct weir_attributes *resource, const struct weir_attributes *log,
                                  struct weir_arena *arena);

bool loki_is_hint(struct weir_str key);

/* The value as text, in the arena where it is none already; data is NULL when memory is out. */
struct weir_str loki_text_of(const struct weir_value *value, struct weir_arena *arena);

#endif
