// SPDX-License-Identifier: Apache-2.0
/*
 * A configuration: loaded, merged, expanded, and checked as far as that needs no component.
 */
#ifndef WEIR_CORE_CONFIG_CONFIG_H
#define WEIR_CORE_CONFIG_CONFIG_H

#include <weir/component.h>
#include <weir/id.h>

#include "core/config/telemetry.h"

/* One component of the configuration. */
struct weir_entry {
    enum weir_kind kind;
    struct weir_id id;
    const struct weir_node *node; /* its keys; may be null */
    struct weir_place place;      /* of its id */
    const char *path;             /* receivers::otlp/eu */
};

struct weir_entries {
    struct weir_entry *items;
    size_t count;
};

/* An id where something refers to a component. */
struct weir_use {
    struct weir_id id;
    struct weir_place place;
};

struct weir_uses {
    struct weir_use *items;
    size_t count;
};

struct weir_pipeline {
    struct weir_id id;
    enum weir_signal signal;
    struct weir_place place;      /* of its id */
    const struct weir_node *node; /* as written */
    const char *path;             /* service::pipelines::traces */
    struct weir_uses receivers;   /* receivers and connectors; each id once */
    struct weir_uses processors;
    struct weir_uses exporters; /* exporters and connectors; each id once */
    enum weir_promise ack;        /* what its answers must mean at least */
    struct weir_place ack_place;  /* of the key's value; the pipeline's own place where it was not written */
};

/* "memory", "disk", "sink": as the key `ack` spells it. Any thread. */
const char *weir_promise_name(enum weir_promise promise);

/* Feature gates that change how a configuration is read. */
struct weir_config_gates {
    bool append_lists;       /* confmap.enableMergeAppendOption */
    bool allow_no_pipelines; /* service.AllowNoPipelines */
    bool profiles;           /* service.profilesSupport */
};

struct weir_config_source {
    const char *const *uris; /* --config, in order; a path is a URI too */
    size_t uri_count;
    const char *const *sets; /* --set KEY=VALUE, in order */
    size_t set_count;
    struct weir_config_gates gates;
    bool closed; /* refuse file:, http: and https:, also in ${...} */
};

struct weir_config {
    unsigned references;
    struct weir_arena arena; /* of everything below, and of what its components' options point to */
    struct weir_config_gates gates;
    const struct weir_node *root; /* NULL when no tree could be made */
    struct weir_entries entries[WEIR_KINDS];
    struct weir_uses extensions; /* to be started, in order */
    struct weir_pipeline *pipelines;
    size_t pipeline_count;
    struct weir_telemetry telemetry;
};

/*
 * Loads and checks a configuration. Everything that is wrong is added to `problems`; the result is never
 * NULL, so that the caller can go on and decode what is there, but must not run while problems->errors is not
 * 0. The caller frees with weir_config_free. Main thread.
 */
struct weir_config *weir_config_load(const struct weir_config_source *source, struct weir_problems *problems);

/* One more holder of the configuration, who gives it back with weir_config_free. Main thread. */
struct weir_config *weir_config_ref(struct weir_config *config);

/* Frees the configuration with everything decoded from it once its last holder has; accepts NULL. Main thread. */
void weir_config_free(struct weir_config *config);

/* Adds a part of a configuration (NULL: one that was not written) as text that is the same for another one exactly if no
 * component can see a difference: the order of keys, comments, and where the values come from do not count. A scalar is
 * its text as written and the type it was read as, for a string field takes the one and a number the other. As deep as
 * the tree. Any thread. */
void weir_config_canonical(const struct weir_node *node, struct weir_text *text);

/* The entry of that kind and id; NULL when there is none. */
const struct weir_entry *weir_config_find(const struct weir_config *config, enum weir_kind kind,
                                          const char *id);

/*
 * Decodes the keys of an entry with the option table of its component (NULL: it takes no keys) into memory of
 * the configuration. Returns the group (never NULL), valid if no error was added to `problems`. Main thread.
 */
void *weir_config_decode_component(struct weir_config *config, const struct weir_entry *entry,
                                   const struct weir_option_table *table, struct weir_problems *problems);

#endif
