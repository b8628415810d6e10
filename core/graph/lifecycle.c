// SPDX-License-Identifier: Apache-2.0
/* Starting, draining and stopping a graph on all workers. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/sys/worker.h>

#include "core/graph/graph.h"

/* One call made on every worker, with the first error that any of them met. */
struct open_call {
    struct graph_node *node;
    struct weir_error error;
    _Atomic int failed;
};

static void open_shard(struct weir_worker *worker, void *argument)
{
    struct open_call *call = argument;
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_shard *shard = weir_instance_shard(call->node->instance, weir_worker_index(worker));
    int none = 0;
    if (weir_shard_open(shard, &error) != 0 && atomic_compare_exchange_strong(&call->failed, &none, 1)) {
        call->error = error; /* read after weir_workers_run_all has seen every worker return */
        return;
    }
    weir_error_free(&error);
}

static void close_shard(struct weir_worker *worker, void *argument)
{
    const struct graph_node *node = argument;
    weir_shard_close(weir_instance_shard(node->instance, weir_worker_index(worker)));
}

static int open_shards(struct graph_node *node, struct weir_error *error)
{
    struct open_call call = { .node = node };
    node->opened = true;
    weir_workers_run_all(open_shard, &call);
    if (!atomic_load(&call.failed))
        return 0;
    weir_error_set(error, "%s", weir_error_text(&call.error));
    weir_error_free(&call.error);
    return -1;
}

static int start_node(struct graph_node *node, struct weir_error *error)
{
    const struct weir_component *component = weir_instance_component(node->instance);
    node->started = true;
    if (weir_instance_start(node->instance, error) != 0 || open_shards(node, error) != 0) {
        weir_instance_report(node->instance, WEIR_STATUS_PERMANENT_ERROR, weir_error_text(error));
        return weir_error_prefix(error, "failed to start \"%s\" %s", weir_instance_id(node->instance),
                                 weir_kind_name(component->kind, false));
    }
    if (weir_instance_status(node->instance, NULL) == WEIR_STATUS_STARTING)
        weir_instance_report(node->instance, WEIR_STATUS_RUNNING, NULL);
    return 0;
}

struct weir_instance *graph_extension(const struct graph *graph, const char *id)
{
    for (size_t i = 0; i < graph->extension_count; i++)
        if (strcmp(weir_instance_id(graph->extensions[i]->instance), id) == 0)
            return graph->extensions[i]->instance;
    return NULL;
}

static int start_extensions(struct graph *graph, struct weir_error *error)
{
    for (size_t i = 0; i < graph->extension_count; i++) {
        struct graph_node *node = graph->extensions[i];
        weir_log(node->logger, WEIR_INFO, "Extension is starting...");
        if (start_node(node, error) != 0)
            return weir_error_prefix(error, "failed to start extensions");
        weir_log(node->logger, WEIR_INFO, "Extension started.");
    }
    return 0;
}

int graph_start(struct graph *graph, struct weir_error *error)
{
    if (start_extensions(graph, error) != 0)
        return -1;
    for (size_t i = graph->node_count; i-- > 0;)
        if (start_node(graph->nodes[i], error) != 0)
            return weir_error_prefix(error, "cannot start pipelines");
    return 0;
}

static void announce_to(struct graph_node *node, bool ready)
{
    const struct weir_component *component = weir_instance_component(node->instance);
    if (component->ready)
        component->ready(node->instance, ready);
}

void graph_announce(struct graph *graph, bool ready)
{
    for (size_t i = 0; i < graph->extension_count; i++)
        announce_to(graph->extensions[i], ready);
    for (size_t i = 0; i < graph->node_count; i++)
        announce_to(graph->nodes[i], ready);
}

/* Shards that have not reported weir_shard_drained yet. Worker 0 waits for zero; the others wake it. */
static _Atomic unsigned undrained;

static void woken(struct weir_task *task)
{
    free(task);
}

void graph_shard_drained(void)
{
    atomic_fetch_sub(&undrained, 1);
    struct weir_task *task = weir_xcalloc(1, sizeof *task);
    task->run = woken;
    weir_worker_post(weir_worker_at(0), task);
}

static void quiesce_shard(struct weir_worker *worker, void *argument)
{
    const struct graph_node *node = argument;
    const struct weir_component *component = weir_instance_component(node->instance);
    component->quiesce(weir_instance_shard(node->instance, weir_worker_index(worker)));
}

static void drain_shard(struct weir_worker *worker, void *argument)
{
    const struct graph_node *node = argument;
    const struct weir_component *component = weir_instance_component(node->instance);
    component->drain(weir_instance_shard(node->instance, weir_worker_index(worker)));
}

static bool wait_drained(int64_t deadline)
{
    struct weir_worker *own = weir_worker_at(0);
    while (atomic_load(&undrained) > 0) {
        weir_worker_turn(own, 0);
        int64_t left = deadline - weir_worker_now(own);
        if (left <= 0)
            return false;
        if (atomic_load(&undrained) > 0)
            weir_worker_turn(own, left > 1000000000 ? 1000 : (int)(left / 1000000) + 1);
    }
    return true;
}

static bool drain_node(struct graph_node *node, int64_t deadline)
{
    if (!node->opened || !weir_instance_component(node->instance)->drain)
        return true;
    atomic_store(&undrained, weir_worker_count());
    weir_workers_run_all(drain_shard, node);
    return wait_drained(deadline);
}

bool graph_drain(struct graph *graph, int64_t timeout)
{
    int64_t deadline = weir_worker_now(weir_worker_at(0)) + timeout;
    for (size_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->opened && weir_instance_component(graph->nodes[i]->instance)->quiesce)
            weir_workers_run_all(quiesce_shard, graph->nodes[i]);
    for (size_t i = 0; i < graph->node_count; i++)
        if (!drain_node(graph->nodes[i], deadline))
            return false;
    return true;
}

static void close_node(struct graph_node *node)
{
    if (node->opened)
        weir_workers_run_all(close_shard, node);
    node->opened = false;
}

static void stop_node(struct graph_node *node)
{
    const struct weir_component *component = weir_instance_component(node->instance);
    if (node->started && component->stop)
        component->stop(node->instance);
    node->started = false;
    weir_instance_report(node->instance, WEIR_STATUS_STOPPED, NULL);
}

/* Shards close from exporters up, so that each still finds open what it owes an answer to. */
void graph_stop(struct graph *graph)
{
    for (size_t i = graph->node_count; i-- > 0;)
        close_node(graph->nodes[i]);
    for (size_t i = 0; i < graph->node_count; i++)
        stop_node(graph->nodes[i]);
    for (size_t i = graph->extension_count; i-- > 0;) {
        close_node(graph->extensions[i]);
        stop_node(graph->extensions[i]);
    }
}
