// SPDX-License-Identifier: Apache-2.0
/* Starting, draining and stopping a graph as a whole. */
#include <config.h>

#include <stdlib.h>

#include <weir/sys/worker.h>

#include "core/graph/node.h"

static int start_extensions(struct graph *graph, struct weir_error *error)
{
    for (size_t i = 0; i < graph->extension_count; i++)
        if (node_start_extension(graph->extensions[i], error) != 0)
            return -1;
    return 0;
}

static void set_live(struct graph_node **nodes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        nodes[i]->state = GRAPH_LIVE;
}

int graph_start(struct graph *graph, struct weir_error *error)
{
    set_live(graph->nodes, graph->node_count);
    set_live(graph->extensions, graph->extension_count);
    if (start_extensions(graph, error) != 0)
        return -1;
    for (size_t i = graph->node_count; i-- > 0;)
        if (node_start(graph->nodes[i], error) != 0)
            return -1;
    return 0;
}

void graph_announce(struct graph *graph, bool ready)
{
    for (size_t i = 0; i < graph->extension_count; i++)
        node_announce(graph->extensions[i], ready);
    for (size_t i = 0; i < graph->node_count; i++)
        node_announce(graph->nodes[i], ready);
}

static unsigned count_failing(struct graph_node *const *nodes, size_t count)
{
    unsigned failing = 0;
    for (size_t i = 0; i < count; i++) {
        enum weir_status status = weir_instance_status(nodes[i]->instance, NULL);
        failing += status == WEIR_STATUS_RECOVERABLE_ERROR || status == WEIR_STATUS_PERMANENT_ERROR ||
                   status == WEIR_STATUS_FATAL_ERROR;
    }
    return failing;
}

unsigned graph_count_failing(const struct graph *graph)
{
    return count_failing(graph->nodes, graph->node_count) +
           count_failing(graph->extensions, graph->extension_count);
}

/* Turns the loop until `done` says so; false when the deadline comes first. */
static bool wait_until(bool (*done)(const void *argument), const void *argument, int64_t deadline)
{
    struct weir_worker *own = weir_worker_at(0);
    while (!done(argument)) {
        weir_worker_turn(own, 0);
        int64_t left = deadline - weir_worker_now(own);
        if (left <= 0)
            return false;
        if (!done(argument))
            weir_worker_turn(own, left > 1000000000 ? 1000 : (int)(left / 1000000) + 1);
    }
    return true;
}

static bool is_drained(const void *argument)
{
    const struct graph_node *node = argument;
    return atomic_load(&node->undrained) <= 0;
}

static bool is_source(const void *argument)
{
    return !node_is_fed(argument);
}

/* What retires comes to its end by itself while the loop turns. */
static bool is_settled(const void *argument)
{
    const struct graph *graph = argument;
    return graph->retiring_count == 0;
}

bool graph_drain(struct graph *graph, int64_t timeout)
{
    int64_t deadline = weir_worker_now(weir_worker_at(0)) + timeout;
    graph->ending = true;
    for (size_t i = 0; i < graph->node_count; i++)
        node_quiesce(graph->nodes[i]);
    for (size_t i = 0; i < graph->node_count; i++) {
        struct graph_node *node = graph->nodes[i];
        if (!wait_until(is_source, node, deadline))
            return false;
        if (node_drain(node) && !wait_until(is_drained, node, deadline))
            return false;
    }
    return wait_until(is_settled, graph, deadline);
}

static bool is_at_rest(const void *argument)
{
    const struct graph_node *node = argument;
    return !weir_instance_is_busy(node->instance);
}

static void stop_all(struct graph_node **nodes, size_t count, int64_t deadline)
{
    for (size_t i = 0; i < count; i++) {
        wait_until(is_at_rest, nodes[i], deadline);
        node_stop(nodes[i]);
    }
}

/* Shards close from exporters up, so that each still finds open what it owes an answer to. */
void graph_stop(struct graph *graph)
{
    int64_t deadline = weir_worker_now(weir_worker_at(0)) + NODE_REST_TIMEOUT + NODE_REST_TIMEOUT / 10;
    size_t last = graph->node_count;
    for (; last > 0 && node_kind(graph->nodes[last - 1]) == WEIR_EXPORTER; last--)
        node_close(graph->nodes[last - 1]);
    graph_close_retiring(graph);
    while (last-- > 0)
        node_close(graph->nodes[last]);
    wait_until(is_settled, graph, deadline);
    stop_all(graph->nodes, graph->node_count, deadline);
    for (size_t i = graph->extension_count; i-- > 0;) {
        node_close(graph->extensions[i]);
        stop_all(&graph->extensions[i], 1, deadline);
    }
}
