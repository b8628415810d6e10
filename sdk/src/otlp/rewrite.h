// SPDX-License-Identifier: Apache-2.0
/*
 * Attributes put and taken out in the bytes of an entry, a resource or a whole batch, without decoding it.
 */
#ifndef WEIR_OTLP_REWRITE_H
#define WEIR_OTLP_REWRITE_H

#include "sdk/src/otlp/rules.h"

/* True if the entry is a span or log record whose bytes are the truth, so that otlp_rewrite can work on them. */
bool otlp_can_rewrite(const struct weir_entry *entry);

/* Applies the rules, as otlp_pass_start takes them; the entry's structs end where something changed. false, with nothing
 * changed, when memory is out. The writer of the entry. */
bool otlp_rewrite(struct weir_entry *entry, const struct otlp_rule *rules, size_t count) WEIR_MUST_USE;

/* The same for the resource of a group: one whose bytes are the truth, and the rules applied to it. The writer of the
 * batch. */
bool otlp_can_rewrite_resource(struct weir_group *group);
bool otlp_rewrite_resource(struct weir_group *group, const struct otlp_rule *rules, size_t count) WEIR_MUST_USE;

/* The same for all spans, log records or data points of the batch, whose nodes and structs end. Each request becomes one
 * piece of fresh bytes, as if it had come like that, and those that came are let go. false when memory is out: some
 * requests have been changed then. The writer of the batch. */
bool otlp_rewrite_all(struct weir_batch *batch, const struct otlp_rule *rules, size_t count) WEIR_MUST_USE;

/* The payload of the KeyValue; NULL data when memory is out. */
struct weir_str otlp_rule_attribute(struct weir_arena *arena, const struct weir_attribute *attribute);

#endif
