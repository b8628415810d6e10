// SPDX-License-Identifier: Apache-2.0
/*
 * Names of labels without a text to grow.
 */
#ifndef WEIR_SRC_PROMETHEUS_LABEL_NAMES_H
#define WEIR_SRC_PROMETHEUS_LABEL_NAMES_H

#include <weir/prometheus.h>

/* How much longer than its key a name may be. */
#define PROMETHEUS_LABEL_MORE 4

/* The name for the key: the key itself, or in `room`, which is PROMETHEUS_LABEL_MORE longer than that. Empty for a key of
 * nothing but underscores. */
struct weir_str prometheus_label_name(enum weir_prometheus_label_rule rule, struct weir_str key, char *room);

#endif
