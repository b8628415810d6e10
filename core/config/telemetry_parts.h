// SPDX-License-Identifier: Apache-2.0
/*
 * What the keys of service::telemetry are decoded into, before they become struct weir_telemetry. Private to
 * core/config.
 */
#ifndef WEIR_CORE_CONFIG_TELEMETRY_PARTS_H
#define WEIR_CORE_CONFIG_TELEMETRY_PARTS_H

#include "core/config/telemetry.h"

struct constant_labels {
    struct weir_strings included;
    struct weir_strings excluded;
};

struct prometheus {
    char *host;
    int64_t port;
    bool without_scope_info;
    bool without_units;
    bool without_type_suffix;
    struct constant_labels labels;
};

struct pull {
    bool on;
    struct prometheus prometheus;
};

struct pull_reader {
    struct pull exporter;
};

struct reader {
    bool on;
    struct pull_reader pull;
};

struct metrics {
    int level;
    struct weir_groups readers; /* struct reader */
    char *address;
};

struct traces {
    int level;
    struct weir_strings propagators;
    struct weir_subtree processors;
};

struct sections {
    struct weir_telemetry_logs logs;
    struct metrics metrics;
    struct traces traces;
    struct weir_subtree resource;
};

/* Decodes service::telemetry::resource (NULL: nothing was written), in its declarative or its older, flat
 * form. */
void telemetry_resource(const struct weir_node *node, struct weir_arena *arena, struct weir_telemetry *out,
                        struct weir_problems *problems);

#endif
