// SPDX-License-Identifier: Apache-2.0
/* The life of a node: what is called of its component, and where. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/sys/worker.h>

#include "core/graph/node.h"

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

static int start(struct graph_node *node, struct weir_error *error)
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

/* Adds where the component is configured, as for what is wrong with its options. */
static int fail_start(const struct graph_node *node, const char *what, struct weir_error *error)
{
    const struct weir_entry *entry = weir_config_find(node->config, node_kind(node), weir_instance_id(node->instance));
    struct weir_problems problems = { 0 };
    struct weir_text text = { 0 };
    weir_problem_add(&problems, entry->place, entry->path, "%s: %s", what, weir_error_text(error));
    weir_problems_print(&problems, &text);
    weir_error_set(error, "%.*s", (int)strcspn(weir_text_string(&text), "\n"), weir_text_string(&text));
    weir_text_free(&text);
    weir_problems_free(&problems);
    return -1;
}

int node_start(struct graph_node *node, struct weir_error *error)
{
    return start(node, error) == 0 ? 0 : fail_start(node, "cannot start pipelines", error);
}

int node_start_extension(struct graph_node *node, struct weir_error *error)
{
    weir_log(node->logger, WEIR_INFO, "Extension is starting...");
    if (start(node, error) != 0)
        return fail_start(node, "failed to start extensions", error);
    weir_log(node->logger, WEIR_INFO, "Extension started.");
    return 0;
}

void node_announce(struct graph_node *node, bool ready)
{
    const struct weir_component *component = weir_instance_component(node->instance);
    if (component->ready)
        component->ready(node->instance, ready);
}

static void quiesce_shard(struct weir_worker *worker, void *argument)
{
    const struct graph_node *node = argument;
    const struct weir_component *component = weir_instance_component(node->instance);
    component->quiesce(weir_instance_shard(node->instance, weir_worker_index(worker)));
}

void node_quiesce(struct graph_node *node)
{
    if (node->opened && weir_instance_component(node->instance)->quiesce)
        weir_workers_run_all(quiesce_shard, node);
}

static void drain_shard(struct weir_worker *worker, void *argument)
{
    const struct graph_node *node = argument;
    const struct weir_component *component = weir_instance_component(node->instance);
    component->drain(weir_instance_shard(node->instance, weir_worker_index(worker)));
}

bool node_drain(struct graph_node *node)
{
    if (!node->opened || !weir_instance_component(node->instance)->drain)
        return false;
    atomic_store(&node->undrained, (int)weir_worker_count());
    weir_workers_run_all(drain_shard, node);
    return true;
}

static void retire_shard(struct weir_worker *worker, void *argument)
{
    const struct graph_node *node = argument;
    const struct weir_component *component = weir_instance_component(node->instance);
    component->retire(weir_instance_shard(node->instance, weir_worker_index(worker)));
}

bool node_retire(struct graph_node *node)
{
    if (!node->opened || !weir_instance_component(node->instance)->retire)
        return false;
    atomic_store(&node->undrained, (int)weir_worker_count());
    weir_workers_run_all(retire_shard, node);
    return true;
}

void node_close(struct graph_node *node)
{
    if (node->opened)
        weir_workers_run_all(close_shard, node);
    node->opened = false;
}

void node_stop(struct graph_node *node)
{
    const struct weir_component *component = weir_instance_component(node->instance);
    node->stuck = weir_instance_is_busy(node->instance);
    if (node->stuck)
        weir_log(node->logger, WEIR_ERROR, "Stopped while something is under way that does not come to its end");
    if (node->started && component->stop)
        component->stop(node->instance);
    node->started = false;
    weir_instance_report(node->instance, WEIR_STATUS_STOPPED, NULL);
}

void node_take_targets(struct graph_node *node)
{
    if (!node->planned)
        return;
    free(node->targets);
    node->targets = node->planned;
    node->target_count = node->planned_count;
    node->planned = NULL;
    node->planned_count = 0;
}

void node_destroy(struct graph_node *node)
{
    const struct weir_component *component = weir_instance_component(node->instance);
    if (component->destroy && !node->stuck)
        component->destroy(node->instance);
}

enum weir_kind node_kind(const struct graph_node *node)
{
    return weir_instance_component(node->instance)->kind;
}

bool node_is_among(const struct graph_node *node, struct graph_node *const *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (nodes[i] == node)
            return true;
    return false;
}

void node_free(struct graph_node *node)
{
    if (node->stuck)
        return;
    weir_instance_free(node->instance);
    weir_logger_free(node->logger);
    weir_config_free(node->config);
    free(node->pipeline);
    free(node->identity);
    free(node->targets);
    free(node->planned);
    free(node->extensions);
    free(node);
}
