// SPDX-License-Identifier: Apache-2.0
/* What the steps of making a graph share. */
#ifndef WEIR_CORE_GRAPH_BUILD_H
#define WEIR_CORE_GRAPH_BUILD_H

#include "core/graph/graph.h"

struct plan_node;

/* An entry of the config with the component that it names. */
struct prepared {
    const struct weir_entry *entry;
    const struct weir_component *component; /* NULL: could not be loaded */
    void *options;
    struct plan_node *node; /* once something uses it; processors have one for each pipeline elsewhere */
};

/* A node as the configuration wants it. */
struct plan_node {
    struct prepared *prepared;
    const struct weir_pipeline *pipeline; /* processors; NULL for the others */
    bool uses[WEIR_SIGNALS];
    struct plan_edge {
        const struct weir_pipeline *pipeline; /* that the edge enters */
        struct plan_node *to;
    } *edges;
    size_t edge_count;
    char *identity;
    struct graph_node *node; /* what stands for it in the graph */
};

struct plan_nodes {
    struct plan_node **items;
    size_t count;
};

struct builder {
    struct weir_config *config;
    struct weir_problems *problems;
    struct graph *graph;
    struct graph_change *change; /* in the making */
    struct prepared *prepared[WEIR_KINDS];
    struct plan_nodes nodes;
    struct plan_nodes extensions;
};

/* Fills `nodes` and `extensions` with what the pipelines and service::extensions list; false, with problems added, when
 * that makes no graph. */
bool builder_lay_out(struct builder *b);
void builder_free(struct builder *b);

struct prepared *builder_find(struct builder *b, enum weir_kind kind, const char *id);

/* What makes a node what it is, as text: equal for two configurations if the component sees no difference. Freed by the
 * caller. */
char *builder_identity(const struct plan_node *node);

/* True if the id is among the uses. */
bool uses_include(const struct weir_uses *uses, const char *id);

/* The connector that leads from one pipeline into another, NULL when none does. */
const struct weir_use *builder_link(struct builder *b, const struct weir_pipeline *from,
                                    const struct weir_pipeline *to);

/* Reports connectors that are used on one side only. */
void builder_check_connectors(struct builder *b);

/* Reports extensions that components name and service::extensions does not; those that do not offer what is asked of
 * them, after create. */
void builder_check_references(struct builder *b);
void builder_check_offers(struct builder *b);

/* Reports components that cannot keep what a pipeline's `ack` promises. After create. */
void builder_check_promises(struct builder *b);

/* Sorts the nodes in the order of the data; false, with a problem added, when there is a cycle. */
bool builder_order(struct builder *b);

#endif
