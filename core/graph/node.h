// SPDX-License-Identifier: Apache-2.0
/* The life of single nodes, for the files of this folder. */
#ifndef WEIR_CORE_GRAPH_NODE_H
#define WEIR_CORE_GRAPH_NODE_H

#include "core/graph/graph.h"

/* Starts the instance and opens its shards. 0, or -1 with `error` set, which tells where it is configured, and what is open left for node_close. */
int node_start(struct graph_node *node, struct weir_error *error);
/* The same for an extension, with lines in the log. */
int node_start_extension(struct graph_node *node, struct weir_error *error);
/* Tells the component whether the collector is ready. */
void node_announce(struct graph_node *node, bool ready);
/* Has a receiver take no more. */
void node_quiesce(struct graph_node *node);
/* Calls drain on every worker; false when there is nothing to wait for. */
bool node_drain(struct graph_node *node);
/* The same with retire. */
bool node_retire(struct graph_node *node);
/* Closes the shards, if they were opened. */
void node_close(struct graph_node *node);
/* Nanoseconds that are waited for what an instance has under way before it is stopped. */
#define NODE_REST_TIMEOUT (INT64_C(5) * 1000000000)
/* Has the instance close what it opened, once it has nothing under way, or at last all the same. */
void node_stop(struct graph_node *node);
/* Has the component free what it made. */
void node_destroy(struct graph_node *node);
void node_free(struct graph_node *node);

/* What was planned is what it sends to from now on. */
void node_take_targets(struct graph_node *node);

enum weir_kind node_kind(const struct graph_node *node);
bool node_is_among(const struct graph_node *node, struct graph_node *const *nodes, size_t count);

/* True if a node that is on its way out may still send to this one. */
bool node_is_fed(const struct graph_node *node);

/* Has worker 0 call graph_tend soon. Any thread. */
void graph_wake(struct graph *graph);

/* Adds what the node has counted to the numbers of the past. */
void graph_remember(struct graph *graph, const struct graph_node *node);

/* Takes nodes out: they were live, or part of a change that failed. In the order of the data, extensions last. */
void graph_retire(struct graph *graph, struct graph_node **nodes, size_t count);
/* Closes what is retiring, at once. */
void graph_close_retiring(struct graph *graph);
/* Turns the loop until no task of the graph is left in it. */
void graph_await_tasks(struct graph *graph);

#endif
