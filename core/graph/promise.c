// SPDX-License-Identifier: Apache-2.0
/* What a pipeline's answers mean: what its components promise, against what its `ack` asks for. */
#include <config.h>

#include <string.h>

#include "core/graph/build.h"

/* True for the pipeline's own processors and for the exporters and connectors at its end. */
static bool is_behind(const struct graph_node *node, const struct weir_pipeline *pipeline)
{
    if (node->pipeline)
        return strcmp(node->pipeline, pipeline->id.text) == 0;
    return weir_instance_component(node->instance)->kind != WEIR_RECEIVER &&
           uses_include(&pipeline->exporters, weir_instance_id(node->instance));
}

static enum weir_promise promise_of(struct graph_node *const *nodes, size_t count,
                                    const struct weir_pipeline *pipeline, const struct graph_node **link)
{
    enum weir_promise least = WEIR_PROMISE_SINK;
    *link = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct graph_node *node = nodes[i];
        if (!is_behind(node, pipeline))
            continue;
        /* A connector passes on the promise of the pipelines behind it, each of which says its own. */
        enum weir_promise promise = weir_instance_promise(node->instance, pipeline->ack);
        const struct weir_component *component = weir_instance_component(node->instance);
        if (!component->promise && !(component->traits & WEIR_HOLDS))
            promise = WEIR_PROMISE_SINK;
        if (promise < least) {
            least = promise;
            *link = node;
        }
    }
    return least;
}

enum weir_promise graph_promise(const struct graph *graph, const struct weir_pipeline *pipeline,
                                const struct graph_node **link)
{
    return promise_of(graph->nodes, graph->node_count, pipeline, link);
}

static void check_pipeline(struct builder *b, const struct weir_pipeline *pipeline)
{
    const struct graph_node *link;
    enum weir_promise promise = promise_of(b->change->nodes, b->change->node_count, pipeline, &link);
    if (promise >= pipeline->ack)
        return;
    enum weir_kind kind = weir_instance_component(link->instance)->kind;
    bool in_memory = promise == WEIR_PROMISE_MEMORY;
    weir_problem_add(b->problems, pipeline->ack_place, pipeline->path,
                     "ack: %s cannot be kept: %s \"%s\" answers when %s%s", weir_promise_name(pipeline->ack),
                     weir_kind_name(kind, false), weir_instance_id(link->instance),
                     in_memory ? "it holds the data in memory" : "the data is on disk",
                     in_memory && kind == WEIR_EXPORTER ? "; give its sending_queue a storage, or disable it" : "");
}

/* The connector's other pipelines answer for what it passes on. */
static void check_behind(struct builder *b, const struct weir_pipeline *pipeline)
{
    for (size_t i = 0; i < b->config->pipeline_count; i++) {
        const struct weir_pipeline *next = &b->config->pipelines[i];
        const struct weir_use *use = builder_link(b, pipeline, next);
        if (use && next->ack < pipeline->ack)
            weir_problem_add(b->problems, pipeline->ack_place, pipeline->path,
                             "ack: %s cannot be kept: connector \"%s\" leads to pipeline \"%s\", whose ack is %s",
                             weir_promise_name(pipeline->ack), use->id.text, next->id.text,
                             weir_promise_name(next->ack));
    }
}

void builder_check_promises(struct builder *b)
{
    for (size_t i = 0; i < b->config->pipeline_count; i++) {
        check_pipeline(b, &b->config->pipelines[i]);
        check_behind(b, &b->config->pipelines[i]);
    }
}
