// SPDX-License-Identifier: Apache-2.0
/*
 * Attribute actions: the lists of insert, update, upsert, delete, hash, extract and convert that the processors
 * `resource` and `attributes` have (contrib-processors 3.1).
 */
#ifndef WEIR_ACTION_H
#define WEIR_ACTION_H

#include <weir/batch.h>
#include <weir/context.h>
#include <weir/option.h>
#include <weir/value.h>

WEIR_BEGIN

enum weir_action_kind {
    WEIR_ACTION_INSERT,
    WEIR_ACTION_UPDATE,
    WEIR_ACTION_UPSERT,
    WEIR_ACTION_DELETE,
    WEIR_ACTION_HASH,
    WEIR_ACTION_EXTRACT,
    WEIR_ACTION_CONVERT,
};

/* One action as it is written. */
struct weir_action_options {
    char *key;
    int action; /* enum weir_action_kind */
    struct weir_subtree value;
    char *from_attribute;
    char *from_context;
    struct weir_subtree default_value;
    char *pattern;
    char *converted_type;
};

/* For WEIR_OPTION_LIST rows, whose elements are struct weir_action_options. */
WEIR_EXPORT extern const struct weir_option_table weir_action_table;

/* A list of actions, ready; unchanging, so that any thread may apply it. */
struct weir_actions;

/* `groups` are decoded by weir_action_table and outlive the result. NULL with `error` set. In create; main thread. */
WEIR_EXPORT struct weir_actions *weir_actions_new(const struct weir_groups *groups, struct weir_error *error)
    WEIR_MUST_USE;
/* Accepts NULL. Main thread. */
WEIR_EXPORT void weir_actions_free(struct weir_actions *actions);

/* False if applying would leave these attributes as they are, which costs less to find out than to apply. Any thread that
 * may read them. */
WEIR_EXPORT bool weir_actions_touch(const struct weir_actions *actions, const struct weir_attributes *attributes);

/* Applies the actions in order; new keys and values are copied into `arena`. `context` is the batch's (NULL: none).
 * false when memory is out: some have been applied then. The attributes' writer. */
WEIR_EXPORT bool weir_actions_apply(const struct weir_actions *actions, struct weir_attributes *attributes,
                                    struct weir_arena *arena, const struct weir_context *context) WEIR_MUST_USE;

/* Applies the actions to the attributes of a span, log record or all data points of a metric, in an exclusive batch; a span
 * or record that nobody has changed yet is not decoded where the actions only put and delete under fixed keys. Ends the use
 * of the entry's structs, as weir_batch_commit does. false when memory is out. The owner's worker. */
WEIR_EXPORT bool weir_actions_apply_entry(const struct weir_actions *actions, struct weir_batch *batch,
                                          struct weir_entry *entry) WEIR_MUST_USE;

/* The same for every entry, at a fraction of the cost where nothing is to be decoded. Ends the use of all nodes and structs
 * of the batch. */
WEIR_EXPORT bool weir_actions_apply_all(const struct weir_actions *actions, struct weir_batch *batch) WEIR_MUST_USE;

/* Applies the actions to the attributes of a group's resource, as weir_actions_apply_entry does to an entry's. */
WEIR_EXPORT bool weir_actions_apply_resource(const struct weir_actions *actions, struct weir_batch *batch,
                                             struct weir_group *group) WEIR_MUST_USE;

WEIR_END

#endif
