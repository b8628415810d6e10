// SPDX-License-Identifier: Apache-2.0
/* The inside of attribute actions. */
#ifndef WEIR_ACTION_ACTION_H
#define WEIR_ACTION_ACTION_H

#include <weir/action.h>
#include <weir/regex.h>

#include "sdk/src/otlp/rewrite.h"

enum conversion {
    CONVERT_STRING,
    CONVERT_INT,
    CONVERT_DOUBLE,
};

struct action {
    enum weir_action_kind kind;
    struct weir_str key; /* no data: none was given (delete and hash by pattern) */
    bool has_value;
    struct weir_value value;
    bool has_default;
    struct weir_value default_value;
    struct weir_str from_attribute; /* length 0: none */
    struct weir_str from_context;
    struct weir_regex *pattern; /* NULL: none */
    enum conversion conversion;
};

struct weir_actions {
    struct weir_arena arena; /* of the literal values */
    struct action *items;
    size_t count;
    struct otlp_rule *rules; /* what all of them come to; NULL: that depends on more than which keys are there */
    size_t rule_count;
};

/* Finds the rules, where there are such; false when memory is out. */
bool action_plan(struct weir_actions *actions);

/* The type that `converted_type` names; false for other words. */
bool action_conversion(const char *name, enum conversion *out);

/* The new value of a hash, convert action, in `arena` where it needs memory; false when memory is out. */
bool action_hash(struct weir_value *value, struct weir_arena *arena);
bool action_convert(struct weir_value *value, enum conversion conversion, struct weir_arena *arena);

/* Copies the value with all that it points to; false when memory is out. */
bool action_copy_value(const struct weir_value *value, struct weir_arena *arena, struct weir_value *out);
/* The same from a node of the config, whose nesting is bounded. */
bool action_value_of_node(const struct weir_node *node, struct weir_arena *arena, struct weir_value *out);

/* What the context knows under `metadata.x`, `auth.x`, `client.address` or `x`: copied into the arena as a string.
 * false: nothing, or memory is out. */
bool action_context_value(const struct weir_context *context, struct weir_str name, struct weir_arena *arena,
                          struct weir_value *out);

#endif
