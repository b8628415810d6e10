// SPDX-License-Identifier: Apache-2.0
/*
 * Attributes put and taken out in the bytes of an entry or resource, without decoding it.
 */
#ifndef WEIR_OTLP_REWRITE_H
#define WEIR_OTLP_REWRITE_H

#include <weir/batch.h>

/* What becomes of the attributes of one key. */
struct otlp_rule {
    struct weir_str key;
    bool remove;           /* all that are there go; else, where there is */
    struct weir_str put;   /* such a KeyValue, it takes the place of the first */
    struct weir_str added; /* a KeyValue that comes behind all others, if none was there or they are removed; no data: none */
};

#define OTLP_RULES_MOST 64u

/* True if the entry is a span or log record whose bytes are the truth, so that otlp_rewrite can work on them. */
bool otlp_can_rewrite(const struct weir_entry *entry);

/* Applies the rules, at most OTLP_RULES_MOST with different keys; the entry's structs end where something changed. false,
 * with nothing changed, when memory is out. The writer of the entry. */
bool otlp_rewrite(struct weir_entry *entry, const struct otlp_rule *rules, size_t count) WEIR_MUST_USE;

/* The same for the resource of a group: one whose bytes are the truth, and the rules applied to it. The writer of the
 * batch. */
bool otlp_can_rewrite_resource(struct weir_group *group);
bool otlp_rewrite_resource(struct weir_group *group, const struct otlp_rule *rules, size_t count) WEIR_MUST_USE;

/* The payload of the KeyValue; NULL data when memory is out. */
struct weir_str otlp_rule_attribute(struct weir_arena *arena, const struct weir_attribute *attribute);

#endif
