// SPDX-License-Identifier: Apache-2.0
/*
 * Builds and changes config trees while a configuration is loaded; afterwards they are read-only.
 */
#ifndef WEIR_YAML_TREE_H
#define WEIR_YAML_TREE_H

#include <weir/node.h>

/* How deep maps and lists may nest. What walks trees may recurse because of it. */
enum { TREE_DEPTH_MAX = 100 };

/* Returns the piece; ends the process, with a message, when it is NULL: memory is out. */
void *tree_must(void *piece);

/* A zeroed node of the type; ends the process when memory is out. */
struct weir_node *tree_new(struct weir_arena *arena, enum weir_node_type type, struct weir_place place);

/* A NUL-terminated copy in the arena; ends the process when memory is out. */
struct weir_str tree_copy_text(struct weir_arena *arena, struct weir_str text);

/* Hangs a child behind the others; in a map its key must be set and not be there yet. */
void tree_append(struct weir_node *parent, struct weir_node *child);

/* The child of a map under the key, for changing; NULL when there is none. */
struct weir_node *tree_find(struct weir_node *map, struct weir_str key);

/* Gives `node` the content of `from`: all but its key and its sibling. */
void tree_become(struct weir_node *node, const struct weir_node *from);

/*
 * A deep copy, children included; NULL if it would stand deeper than TREE_DEPTH_MAX below `depth` or take
 * more than *budget nodes, which goes down by those made.
 */
struct weir_node *tree_copy(struct weir_arena *arena, const struct weir_node *node, unsigned depth,
                            size_t *budget);

/* Levels of maps and lists below the node: 0 for a scalar. */
unsigned tree_depth(const struct weir_node *node);

/*
 * Turns every child of the map whose key has "::" in it into nested maps; what meets there is merged. Two
 * values for one key, and more than 32 parts, are problems.
 */
void tree_split_keys(struct weir_arena *arena, struct weir_node *map, struct weir_problems *problems);

#endif
