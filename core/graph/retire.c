// SPDX-License-Identifier: Apache-2.0
/*
 * Nodes on their way out. Each waits until nothing that is on its way out sends to it any more, sends on what it holds,
 * waits for the answers, closes, hands what is left to its successor, and stops once nothing is under way in it. That
 * takes as long as destinations and disks take, so it happens beside the work of the running graph, moved on by whatever
 * reports (graph_tend).
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/sys/worker.h>

#include "core/graph/node.h"

/* Once closed, a node sends nothing. */
bool node_is_fed(const struct graph_node *node)
{
    const struct graph *graph = node->graph;
    for (size_t i = 0; i < graph->retiring_count; i++) {
        const struct graph_node *other = graph->retiring[i];
        if (other != node && other->state < GRAPH_CLOSED && node_is_among(node, other->targets, other->target_count))
            return true;
    }
    return false;
}

static bool is_used(const struct graph_node *extension)
{
    const struct graph *graph = extension->graph;
    for (size_t i = 0; i < graph->retiring_count; i++) {
        const struct graph_node *other = graph->retiring[i];
        if (other != extension && node_is_among(extension, other->extensions, other->extension_count))
            return true;
    }
    return false;
}

/* The running node that takes over what this one leaves. At the end of the collector there is none: it leaves, too. */
static struct graph_node *successor_of(const struct graph_node *node)
{
    const struct weir_component *component = weir_instance_component(node->instance);
    const struct graph *graph = node->graph;
    bool takes_over = component->export_state && component->import_state && !graph->ending;
    for (size_t i = 0; takes_over && i < graph->node_count; i++) {
        struct graph_node *other = graph->nodes[i];
        if (weir_instance_component(other->instance) == component &&
            strcmp(weir_instance_id(other->instance), weir_instance_id(node->instance)) == 0 &&
            (!node->pipeline || strcmp(node->pipeline, other->pipeline) == 0))
            return other;
    }
    return NULL;
}

static bool is_overdue(const struct graph_node *node)
{
    return weir_worker_now(weir_worker_at(0)) >= node->deadline;
}

static void settle_shard(struct weir_worker *worker, void *argument)
{
    struct graph_node *node = argument;
    if (weir_shard_await_idle(weir_instance_shard(node->instance, weir_worker_index(worker))))
        atomic_fetch_sub(&node->unsettled, 1);
}

static void begin_settling(struct graph_node *node)
{
    node->state = GRAPH_SETTLING;
    if (!node->opened)
        return;
    atomic_store(&node->unsettled, (int)weir_worker_count());
    weir_workers_run_all(settle_shard, node);
}

/* What a successor takes over need not be sent first, but what is on its way shall arrive, and arrive once. */
static void begin_draining(struct graph_node *node)
{
    node->retired = successor_of(node) != NULL;
    if (node->retired ? node_retire(node) : node_drain(node))
        node->state = GRAPH_DRAINING;
    else
        begin_settling(node);
}

/* It has kept things for a successor that was taken out meanwhile, and sends them itself. */
static bool is_bereft(const struct graph_node *node)
{
    return node->retired && !successor_of(node);
}

static void hand_over(const struct graph_node *node)
{
    const struct graph_node *successor = successor_of(node);
    struct weir_error error = WEIR_ERROR_INIT;
    if (!successor)
        return;
    void *state = weir_instance_component(node->instance)->export_state(node->instance);
    if (state && weir_instance_component(successor->instance)->import_state(successor->instance, state, &error) != 0)
        weir_log(successor->logger, WEIR_ERROR, "Failed to take over from the instance before",
                 WEIR_F_TEXT("error", weir_error_text(&error)));
    weir_error_free(&error);
}

static void say_farewell(struct weir_task *task)
{
    struct graph_node *node = WEIR_CONTAINER_OF(task, struct graph_node, farewell);
    node->farewell_posted = false;
    node->state = GRAPH_GONE;
    graph_tend(node->graph);
}

static void nothing(struct weir_worker *worker, void *argument)
{
    (void)worker;
    (void)argument;
}

static void close_now(struct graph_node *node)
{
    bool opened = node->opened;
    node_close(node);
    if (opened)
        hand_over(node);
    weir_meter_forget(node->instance);
    node->state = GRAPH_CLOSED;
    node->deadline = weir_worker_now(weir_worker_at(0)) + NODE_REST_TIMEOUT;
    /* Behind what the shards have posted to each other and to worker 0. */
    weir_workers_run_all(nothing, NULL);
    node->farewell.run = say_farewell;
    node->farewell_posted = true;
    weir_worker_post(weir_worker_at(0), &node->farewell);
}

/* True if the node got further. */
static bool move_on(struct graph_node *node)
{
    enum graph_state before = node->state;
    bool overdue = is_overdue(node);
    if (node_kind(node) == WEIR_EXTENSION && before < GRAPH_CLOSED && is_used(node))
        return false;
    if (before < GRAPH_CLOSED && overdue)
        close_now(node);
    else if (before == GRAPH_WAITING && !node_is_fed(node))
        begin_draining(node);
    else if (before == GRAPH_DRAINING && atomic_load(&node->undrained) <= 0)
        is_bereft(node) ? begin_draining(node) : begin_settling(node);
    else if (before == GRAPH_SETTLING && atomic_load(&node->unsettled) <= 0)
        is_bereft(node) ? begin_draining(node) : close_now(node);
    return node->state != before;
}

static void let_go(struct graph *graph, size_t at)
{
    struct graph_node *node = graph->retiring[at];
    node_stop(node);
    graph_remember(graph, node);
    memmove(graph->retiring + at, graph->retiring + at + 1,
            (--graph->retiring_count - at) * sizeof(*graph->retiring));
    node_destroy(node);
    node_free(node);
}

static void set_deadline(struct graph *graph)
{
    int64_t now = weir_worker_now(weir_worker_at(0)), first = INT64_MAX;
    for (size_t i = 0; i < graph->retiring_count; i++)
        if (graph->retiring[i]->state != GRAPH_CLOSED && graph->retiring[i]->deadline < first)
            first = graph->retiring[i]->deadline;
    weir_timer_stop(&graph->deadline);
    if (first < INT64_MAX && first > now)
        weir_timer_start(&graph->deadline, first - now);
}

/* Those behind come first, so that at the deadline each still finds open what it owes an answer to. */
void graph_tend(struct graph *graph)
{
    bool moved = true;
    while (moved) {
        moved = false;
        for (size_t i = graph->retiring_count; i-- > 0;) {
            struct graph_node *node = graph->retiring[i];
            if (node->state != GRAPH_GONE) {
                moved |= move_on(node);
            } else if (!weir_instance_is_busy(node->instance) || is_overdue(node)) {
                let_go(graph, i);
                moved = true;
            }
        }
    }
    set_deadline(graph);
}

void graph_retire(struct graph *graph, struct graph_node **nodes, size_t count)
{
    int64_t deadline = weir_worker_now(weir_worker_at(0)) + graph->drain_timeout;
    for (size_t i = 0; i < count; i++) {
        nodes[i]->state = GRAPH_WAITING;
        nodes[i]->deadline = deadline;
        graph->retiring =
            weir_xrealloc(graph->retiring, (graph->retiring_count + 1) * sizeof *graph->retiring);
        graph->retiring[graph->retiring_count++] = nodes[i];
    }
    for (size_t i = 0; i < count; i++)
        node_quiesce(nodes[i]);
    graph_tend(graph);
}

void graph_close_retiring(struct graph *graph)
{
    for (size_t i = graph->retiring_count; i-- > 0;)
        if (graph->retiring[i]->state < GRAPH_CLOSED && node_kind(graph->retiring[i]) != WEIR_EXTENSION)
            close_now(graph->retiring[i]);
    for (size_t i = 0; i < graph->retiring_count; i++)
        if (graph->retiring[i]->state < GRAPH_CLOSED)
            close_now(graph->retiring[i]);
    weir_timer_stop(&graph->deadline);
}

static void woken(struct weir_task *task)
{
    struct graph *graph = WEIR_CONTAINER_OF(task, struct graph, wake);
    atomic_store(&graph->wake_posted, false);
    graph_tend(graph);
}

void graph_wake(struct graph *graph)
{
    if (atomic_exchange(&graph->wake_posted, true))
        return;
    graph->wake.run = woken;
    weir_worker_post(weir_worker_at(0), &graph->wake);
}

static bool has_tasks(struct graph *graph)
{
    for (size_t i = 0; i < graph->retiring_count; i++)
        if (graph->retiring[i]->farewell_posted)
            return true;
    return atomic_load(&graph->wake_posted);
}

void graph_await_tasks(struct graph *graph)
{
    while (has_tasks(graph))
        weir_worker_turn(weir_worker_at(0), 0);
}
