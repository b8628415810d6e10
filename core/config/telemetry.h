// SPDX-License-Identifier: Apache-2.0
/*
 * service::telemetry: the collector's own logs and metrics.
 */
#ifndef WEIR_CORE_CONFIG_TELEMETRY_H
#define WEIR_CORE_CONFIG_TELEMETRY_H

#include <weir/describe.h>

enum weir_telemetry_log_level {
    WEIR_TELEMETRY_DEBUG,
    WEIR_TELEMETRY_INFO,
    WEIR_TELEMETRY_WARN,
    WEIR_TELEMETRY_ERROR, /* also for upstream's dpanic, panic and fatal */
};

/* Per identical level and message: `initial` in each tick, then each `thereafter`-th; 0 drops the rest. */
struct weir_telemetry_sampling {
    bool enabled;
    struct weir_duration tick;
    int64_t initial;
    int64_t thereafter;
};

struct weir_telemetry_logs {
    int level;    /* enum weir_telemetry_log_level */
    int encoding; /* enum weir_telemetry_encoding */
    bool development;
    bool disable_caller;
    bool disable_stacktrace;
    bool disable_zap_resource;
    struct weir_telemetry_sampling sampling;
    struct weir_strings output_paths;       /* paths, file:// URLs, stdout, stderr */
    struct weir_strings error_output_paths; /* for failures of the logger itself */
    struct weir_subtree initial_fields;     /* a map of constant fields; node NULL: none */
};

enum weir_telemetry_encoding {
    WEIR_TELEMETRY_CONSOLE,
    WEIR_TELEMETRY_JSON,
};

enum weir_telemetry_level {
    WEIR_TELEMETRY_NONE,
    WEIR_TELEMETRY_BASIC,
    WEIR_TELEMETRY_NORMAL,
    WEIR_TELEMETRY_DETAILED,
};

/* One Prometheus endpoint. */
struct weir_telemetry_reader {
    const char *host; /* without brackets */
    int64_t port;
    bool without_scope_info;
    bool without_units;
    bool without_type_suffix;
    struct weir_strings constant_included; /* resource attributes copied onto every series */
    struct weir_strings constant_excluded;
    struct weir_place place;
};

struct weir_telemetry_metrics {
    int level; /* enum weir_telemetry_level */
    struct weir_telemetry_reader *readers;
    size_t reader_count;
};

/* One attribute of the collector's own resource. */
struct weir_telemetry_attribute {
    const char *name;
    const struct weir_node *value; /* a scalar or a list of scalars; NULL: a default attribute is removed */
};

struct weir_telemetry {
    struct weir_telemetry_logs logs;
    struct weir_telemetry_metrics metrics;
    struct weir_telemetry_attribute *attributes;
    size_t attribute_count;
    const char *schema_url; /* NULL: none */
    bool flat;              /* the attributes were written in the older form */
};

/* Decodes service::telemetry (NULL: nothing was written). Main thread. */
void telemetry_decode(const struct weir_node *node, struct weir_arena *arena, struct weir_telemetry *out,
                      struct weir_problems *problems);

/* Adds the effective values as a map. */
void telemetry_print(const struct weir_telemetry *telemetry, struct weir_dump *dump);

/* The table behind it all, for reference texts. */
const struct weir_option_table *telemetry_options(void);

#endif
