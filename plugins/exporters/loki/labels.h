// SPDX-License-Identifier: Apache-2.0
/*
 * The labels of a stream.
 */
#ifndef LOKI_LABELS_H
#define LOKI_LABELS_H

#include <weir/arena.h>
#include <weir/value.h>

/* More labels than any Loki takes (its default is 15). */
#define LOKI_LABELS_MAX 128

struct loki_label {
    struct weir_str key; /* as it was asked for: the name of an attribute */
    struct weir_str value;
    struct weir_str name;
};

/* Zero-initialise, set `arena` and perhaps `named`; all texts stand in it or outlive it. */
struct loki_labels {
    struct weir_arena *arena;
    bool named; /* keys are names of labels already */
    struct loki_label *items;
    size_t count;
    size_t capacity;
    const char *problem; /* why the labels cannot be used */
};

/* Adds a label, or replaces the value of the one that was asked for by the same name. */
void loki_labels_add(struct loki_labels *labels, struct weir_str key, struct weir_str value);

bool loki_labels_has(const struct loki_labels *labels, struct weir_str key);

/* The name as Loki takes it: characters other than letters, digits and underscores become underscores, `key` or `key_` stands
 * before a name that does not begin with a letter. data is NULL when memory is out. */
struct weir_str loki_label_name(struct weir_arena *arena, struct weir_str key);

/* The stream's name: `{a="b", c="d"}`, sorted, values quoted; of labels that come to one name the one added last. Sets
 * `problem` when there is one; the name is empty then. */
struct weir_str loki_labels_finish(struct loki_labels *labels);

#endif
