// SPDX-License-Identifier: Apache-2.0
/* Which items `include` and `exclude` mean (contrib-processors 3.2). */
#ifndef ATTRIBUTES_MATCH_H
#define ATTRIBUTES_MATCH_H

#include <weir/component.h>

/* `attributes` and `resources`: one of their entries. */
struct match_attribute {
    char *key;
    struct weir_subtree value;
};

struct match_library {
    char *name;
    struct weir_subtree version;
};

struct match_regexp {
    bool cacheenabled;
    bool unused;
};

struct match_severity {
    int64_t min;
    bool match_undefined;
};

/* `include:` or `exclude:`. */
struct match_options {
    int match_type;
    bool regexp_on;
    struct match_regexp regexp;
    struct weir_strings services;
    struct weir_strings span_names;
    struct weir_strings span_kinds;
    struct weir_strings log_bodies;
    struct weir_strings log_severity_texts;
    bool severity_on;
    struct match_severity severity;
    struct weir_strings metric_names;
    struct weir_groups attributes;
    struct weir_groups resources;
    struct weir_groups libraries;
};
extern const struct weir_option_table match_table;

/* A matcher for one signal; unchanging. */
struct match;

/* NULL with `error` set: a field that the signal does not have, no field at all, a bad expression. Main thread. */
struct match *match_new(const struct match_options *options, enum weir_signal signal, struct weir_error *error);
/* Accepts NULL. */
void match_free(struct match *match);

/* What an item is asked by; members that the signal does not have are NULL. */
struct match_item {
    const struct weir_resource *resource;
    const struct weir_scope *scope;
    const struct weir_span *span;
    const struct weir_log_record *record;
    const struct weir_metric *metric;
};
bool match_test(const struct match *match, const struct match_item *item);

#endif
