// SPDX-License-Identifier: Apache-2.0
/* What the steps of making a graph share. */
#ifndef WEIR_CORE_GRAPH_BUILD_H
#define WEIR_CORE_GRAPH_BUILD_H

#include "core/graph/graph.h"

/* An entry of the config with the component that it names. */
struct prepared {
    const struct weir_entry *entry;
    const struct weir_component *component; /* NULL: could not be loaded */
    void *options;
    struct graph_node *node; /* once something uses it; processors have one for each pipeline elsewhere */
};

struct builder {
    struct weir_config *config;
    struct registry *registry;
    struct weir_problems *problems;
    struct graph *graph;
    struct prepared *prepared[WEIR_KINDS];
};

struct prepared *builder_find(struct builder *b, enum weir_kind kind, const char *id);

/* True if the id is among the uses. */
bool uses_include(const struct weir_uses *uses, const char *id);

/* The connector that leads from one pipeline into another, NULL when none does. */
const struct weir_use *builder_link(struct builder *b, const struct weir_pipeline *from,
                                    const struct weir_pipeline *to);

/* Reports connectors that are used on one side only. */
void builder_check_connectors(struct builder *b);

/* Reports components that cannot keep what a pipeline's `ack` promises. After create. */
void builder_check_promises(struct builder *b);

/* Sorts the graph's nodes in the order of the data; false, with a problem added, when there is a cycle. */
bool builder_order(struct builder *b);

#endif
