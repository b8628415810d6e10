// SPDX-License-Identifier: Apache-2.0
/* Putting a change into effect: what is new starts beside what runs, then all workers turn to the new edges. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/sys/worker.h>

#include "core/graph/node.h"

struct nodes {
    struct graph_node **items;
    size_t count;
};

/* Calls for every node of the change, those of extensions last. */
static void each_node(const struct graph_change *change, void (*call)(struct graph_node *node))
{
    for (size_t i = 0; i < change->node_count; i++)
        call(change->nodes[i]);
    for (size_t i = 0; i < change->extension_count; i++)
        call(change->extensions[i]);
}

static void add(struct nodes *nodes, struct graph_node *node)
{
    nodes->items = weir_xrealloc(nodes->items, (nodes->count + 1) * sizeof *nodes->items);
    nodes->items[nodes->count++] = node;
}

/* Nodes of the running graph that the change takes out, in the order of the data, extensions last. */
static struct nodes taken_out(const struct graph_change *change)
{
    const struct graph *graph = change->graph;
    struct nodes out = { 0 };
    for (size_t i = 0; i < graph->node_count; i++)
        if (!node_is_among(graph->nodes[i], change->nodes, change->node_count))
            add(&out, graph->nodes[i]);
    for (size_t i = graph->extension_count; i-- > 0;)
        if (!node_is_among(graph->extensions[i], change->extensions, change->extension_count))
            add(&out, graph->extensions[i]);
    return out;
}

static struct nodes brought(const struct graph_change *change)
{
    struct nodes out = { 0 };
    for (size_t i = 0; i < change->node_count; i++)
        if (change->nodes[i]->state == GRAPH_NEW)
            add(&out, change->nodes[i]);
    for (size_t i = change->extension_count; i-- > 0;)
        if (change->extensions[i]->state == GRAPH_NEW)
            add(&out, change->extensions[i]);
    return out;
}

void graph_change_count(const struct graph_change *change, size_t *in, size_t *out)
{
    struct nodes new = brought(change), old = taken_out(change);
    *in = new.count;
    *out = old.count;
    free(new.items);
    free(old.items);
}

bool graph_change_is_empty(const struct graph_change *change)
{
    size_t in, out;
    graph_change_count(change, &in, &out);
    bool same = in == 0 && out == 0;
    for (size_t i = 0; same && i < change->node_count; i++)
        same = !weir_instance_plan_differs(change->nodes[i]->instance);
    return same;
}

static void forget_plan(struct graph_node *node)
{
    free(node->planned);
    node->planned = NULL;
    node->planned_count = 0;
    weir_instance_abandon_plan(node->instance);
}

static void free_change(struct graph_change *change)
{
    free(change->nodes);
    free(change->extensions);
    weir_config_free(change->config);
    free(change);
}

void graph_discard(struct graph_change *change)
{
    struct nodes new = brought(change);
    each_node(change, forget_plan);
    for (size_t i = 0; i < new.count; i++)
        node_destroy(new.items[i]);
    for (size_t i = 0; i < new.count; i++)
        node_free(new.items[i]);
    free(new.items);
    free_change(change);
}

static int start_new(const struct graph_change *change, struct weir_error *error)
{
    for (size_t i = 0; i < change->extension_count; i++)
        if (change->extensions[i]->state == GRAPH_NEW && node_start_extension(change->extensions[i], error) != 0)
            return -1;
    for (size_t i = change->node_count; i-- > 0;)
        if (change->nodes[i]->state == GRAPH_NEW && node_start(change->nodes[i], error) != 0)
            return -1;
    return 0;
}

static void set_yielding(const struct nodes *nodes, bool yields)
{
    for (size_t i = 0; i < nodes->count; i++)
        weir_instance_yield(nodes->items[i]->instance, yields);
}

/* What had been started leaves as any other node does: a receiver may have taken something in already. */
static void roll_back(struct graph_change *change)
{
    struct nodes new = brought(change);
    set_yielding(&new, true);
    for (size_t i = 0; i < new.count; i++)
        node_take_targets(new.items[i]);
    each_node(change, forget_plan);
    graph_retire(change->graph, new.items, new.count);
    free(new.items);
}

static void follow(struct weir_worker *worker, void *argument)
{
    const struct graph_change *change = argument;
    for (size_t i = 0; i < change->node_count; i++)
        weir_shard_follow_plan(weir_instance_shard(change->nodes[i]->instance, weir_worker_index(worker)));
    for (size_t i = 0; i < change->extension_count; i++)
        weir_shard_follow_plan(weir_instance_shard(change->extensions[i]->instance, weir_worker_index(worker)));
}

static void settle(struct graph_node *node)
{
    weir_instance_settle_plan(node->instance);
    node_take_targets(node);
}

/* Each worker turns to all new edges in one step, between two batches: none sees a part of the change. */
static void swap(struct graph_change *change)
{
    struct graph *graph = change->graph;
    weir_workers_run_all(follow, change);
    each_node(change, settle);
    free(graph->nodes);
    free(graph->extensions);
    graph->nodes = change->nodes;
    graph->node_count = change->node_count;
    graph->extensions = change->extensions;
    graph->extension_count = change->extension_count;
    weir_config_free(graph->config);
    graph->config = change->config;
    free(change);
}

static void set_live(const struct nodes *nodes)
{
    for (size_t i = 0; i < nodes->count; i++)
        nodes->items[i]->state = GRAPH_LIVE;
}

int graph_apply(struct graph_change *change, struct weir_error *error)
{
    struct graph *graph = change->graph;
    struct nodes old = taken_out(change), new = brought(change);
    graph->change = change;
    set_yielding(&old, true);
    int result = start_new(change, error);
    graph->change = NULL;
    if (result == 0) {
        swap(change);
        set_live(&new);
        for (size_t i = 0; i < new.count; i++)
            node_announce(new.items[i], true);
        graph_retire(graph, old.items, old.count);
    } else {
        set_yielding(&old, false);
        roll_back(change);
        free_change(change);
    }
    free(old.items);
    free(new.items);
    return result;
}
