// SPDX-License-Identifier: Apache-2.0
/* From a plan to nodes: those of the running graph that stay as they are, and new ones, which are created. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/sys/worker.h>

#include "core/graph/build.h"
#include "core/graph/node.h"

static bool same_pipeline(const struct graph_node *node, const struct plan_node *plan)
{
    if (!node->pipeline || !plan->pipeline)
        return !node->pipeline && !plan->pipeline;
    return strcmp(node->pipeline, plan->pipeline->id.text) == 0;
}

static bool is_same(const struct graph_node *node, const struct plan_node *plan)
{
    return same_pipeline(node, plan) && strcmp(node->identity, plan->identity) == 0 &&
           weir_instance_suits(node->instance, plan->uses);
}

static void match_nodes(struct plan_nodes *plans, struct graph_node **nodes, size_t count)
{
    for (size_t p = 0; p < plans->count; p++)
        for (size_t i = 0; i < count && !plans->items[p]->node; i++)
            if (is_same(nodes[i], plans->items[p]))
                plans->items[p]->node = nodes[i];
}

static bool stays(const struct builder *b, const struct graph_node *node)
{
    for (size_t i = 0; i < b->extensions.count; i++)
        if (b->extensions.items[i]->node == node)
            return true;
    return false;
}

/* A node whose extension goes has to be made anew with the next one. True if something changed. */
static bool drop_orphans(const struct builder *b, struct plan_nodes *plans)
{
    bool changed = false;
    for (size_t p = 0; p < plans->count; p++) {
        struct graph_node *node = plans->items[p]->node;
        for (size_t i = 0; node && i < node->extension_count; i++)
            if (!stays(b, node->extensions[i])) {
                plans->items[p]->node = NULL;
                changed = true;
                break;
            }
    }
    return changed;
}

static void match(struct builder *b)
{
    match_nodes(&b->nodes, b->graph->nodes, b->graph->node_count);
    match_nodes(&b->extensions, b->graph->extensions, b->graph->extension_count);
    while (drop_orphans(b, &b->extensions))
        ;
    drop_orphans(b, &b->nodes);
}

static struct weir_logger *make_logger(enum weir_kind kind, const char *id, const char *pipeline)
{
    struct weir_field fields[] = {
        WEIR_F_TEXT("otelcol.component.id", id),
        WEIR_F_TEXT("otelcol.component.kind", weir_kind_name(kind, false)),
        pipeline ? WEIR_F_TEXT("otelcol.pipeline.id", pipeline) : WEIR_F_END,
        WEIR_F_END,
    };
    return weir_logger_new(fields);
}

static struct graph_node *make_node(struct builder *b, struct plan_node *plan)
{
    struct graph_node *node = weir_xcalloc(1, sizeof *node);
    const struct prepared *prepared = plan->prepared;
    const char *id = prepared->entry->id.text;
    node->graph = b->graph;
    node->config = weir_config_ref(b->config);
    node->pipeline = plan->pipeline ? weir_xstrdup(plan->pipeline->id.text) : NULL;
    node->identity = plan->identity;
    plan->identity = NULL;
    node->logger = make_logger(prepared->entry->kind, id, node->pipeline);
    node->instance = weir_instance_new(prepared->component, id, prepared->options, node->logger, &b->graph->host, node);
    return node;
}

/* Nodes that stay get a plan of their edges. */
static void realise(struct builder *b, struct plan_nodes *plans, struct graph_node ***nodes, size_t *count)
{
    *nodes = weir_xcalloc(plans->count ? plans->count : 1, sizeof **nodes);
    *count = plans->count;
    for (size_t i = 0; i < plans->count; i++) {
        struct plan_node *plan = plans->items[i];
        if (plan->node)
            weir_instance_plan(plan->node->instance);
        else
            plan->node = make_node(b, plan);
        (*nodes)[i] = plan->node;
    }
}

static void connect_node(const struct plan_node *plan)
{
    struct graph_node *node = plan->node;
    struct weir_instance *instance = node->instance;
    node->planned = weir_xcalloc(plan->edge_count ? plan->edge_count : 1, sizeof *node->planned);
    node->planned_count = plan->edge_count;
    for (int signal = 0; signal < WEIR_SIGNALS; signal++)
        if (plan->uses[signal])
            weir_instance_set_uses(instance, (enum weir_signal)signal);
    for (size_t i = 0; i < plan->edge_count; i++) {
        const struct weir_pipeline *pipeline = plan->edges[i].pipeline;
        weir_instance_connect(instance, pipeline->signal, pipeline->id.text, pipeline->ack,
                              plan->edges[i].to->node->instance);
        node->planned[i] = plan->edges[i].to->node;
    }
}

static void create_node(struct builder *b, const struct plan_node *plan)
{
    struct weir_error error = WEIR_ERROR_INIT;
    const struct weir_entry *entry = plan->prepared->entry;
    if (plan->prepared->component->create(plan->node->instance, &error) != 0)
        weir_problem_add(b->problems, entry->place, entry->path, "failed to create \"%s\" %s: %s", entry->id.text,
                         weir_kind_name(entry->kind, false), weir_error_text(&error));
    weir_error_free(&error);
}

static void create_nodes(struct builder *b)
{
    for (size_t i = 0; i < b->extensions.count; i++)
        if (b->extensions.items[i]->node->state == GRAPH_NEW)
            create_node(b, b->extensions.items[i]);
    for (size_t i = b->nodes.count; i-- > 0;)
        if (b->nodes.items[i]->node->state == GRAPH_NEW)
            create_node(b, b->nodes.items[i]);
}

static void build(struct builder *b)
{
    struct graph_change *change = b->change;
    match(b);
    realise(b, &b->nodes, &change->nodes, &change->node_count);
    realise(b, &b->extensions, &change->extensions, &change->extension_count);
    for (size_t i = 0; i < b->nodes.count; i++)
        connect_node(b->nodes.items[i]);
    create_nodes(b);
    if (b->problems->errors == 0)
        builder_check_offers(b);
    if (b->problems->errors == 0)
        builder_check_promises(b);
}

struct graph_change *graph_plan(struct graph *graph, struct weir_config *config, struct weir_problems *problems)
{
    struct builder b = { .config = config, .problems = problems, .graph = graph };
    b.change = weir_xcalloc(1, sizeof *b.change);
    b.change->graph = graph;
    b.change->config = weir_config_ref(config);
    if (builder_lay_out(&b))
        build(&b);
    builder_free(&b);
    if (problems->errors == 0)
        return b.change;
    graph_discard(b.change);
    return NULL;
}

static void shard_drained(struct weir_shard *shard)
{
    struct graph_node *node = weir_instance_host_context(weir_shard_instance(shard));
    atomic_fetch_sub(&node->undrained, 1);
    graph_wake(node->graph);
}

static void shard_idle(struct weir_shard *shard)
{
    struct graph_node *node = weir_instance_host_context(weir_shard_instance(shard));
    atomic_fetch_sub(&node->unsettled, 1);
    graph_wake(node->graph);
}

static void instance_rested(struct weir_instance *instance)
{
    graph_wake(((struct graph_node *)weir_instance_host_context(instance))->graph);
}

static struct weir_instance *find_extension(const struct graph_node *user, struct graph_node **extensions,
                                            size_t count, const char *id, struct graph_node **found)
{
    for (size_t i = 0; i < count; i++)
        if (extensions[i] != user && strcmp(weir_instance_id(extensions[i]->instance), id) == 0) {
            *found = extensions[i];
            return extensions[i]->instance;
        }
    return NULL;
}

/* What a node was given is noted, so that it goes before its extension does. */
static struct weir_instance *give_extension(struct weir_instance *instance, const char *id)
{
    struct graph_node *user = weir_instance_host_context(instance), *found = NULL;
    const struct graph_change *change = user->graph->change;
    struct weir_instance *extension =
        change && user->state == GRAPH_NEW
            ? find_extension(user, change->extensions, change->extension_count, id, &found)
            : find_extension(user, user->graph->extensions, user->graph->extension_count, id, &found);
    for (size_t i = 0; found && i < user->extension_count; i++)
        if (user->extensions[i] == found)
            return extension;
    if (found) {
        user->extensions =
            weir_xrealloc(user->extensions, (user->extension_count + 1) * sizeof *user->extensions);
        user->extensions[user->extension_count++] = found;
    }
    return extension;
}

static void pass_report(struct weir_instance *instance, enum weir_status status, const char *reason)
{
    const struct graph_node *node = weir_instance_host_context(instance);
    if (node->graph->outer->report)
        node->graph->outer->report(instance, status, reason);
}

static void pass_state(struct weir_instance *instance, struct weir_host_state *out)
{
    const struct graph_node *node = weir_instance_host_context(instance);
    node->graph->outer->state(instance, out);
}

void *graph_context(const struct weir_instance *instance)
{
    const struct graph_node *node = weir_instance_host_context(instance);
    return node->graph->context;
}

bool graph_is_live(const struct graph *graph, const struct weir_instance *instance)
{
    for (size_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->instance == instance)
            return true;
    for (size_t i = 0; i < graph->extension_count; i++)
        if (graph->extensions[i]->instance == instance)
            return true;
    return false;
}

static void on_deadline(struct weir_timer *timer)
{
    graph_tend(WEIR_CONTAINER_OF(timer, struct graph, deadline));
}

struct graph *graph_build(struct weir_config *config, struct registry *registry, const struct weir_host *host,
                          void *context, struct weir_problems *problems)
{
    struct graph *graph = weir_xcalloc(1, sizeof *graph);
    graph->registry = registry;
    graph->outer = host;
    graph->context = context;
    graph->host = (struct weir_host){ .drained = shard_drained, .idle = shard_idle, .rested = instance_rested,
                                       .report = pass_report,
                                      .extension = give_extension, .state = pass_state };
    graph->drain_timeout = INT64_C(25) * 1000000000;
    weir_timer_init(&graph->deadline, weir_worker_at(0), on_deadline);
    struct graph_change *change = graph_plan(graph, config, problems);
    if (!change) {
        graph_free(graph);
        return NULL;
    }
    graph->config = change->config;
    graph->nodes = change->nodes;
    graph->node_count = change->node_count;
    graph->extensions = change->extensions;
    graph->extension_count = change->extension_count;
    free(change);
    for (size_t i = 0; i < graph->node_count; i++)
        node_take_targets(graph->nodes[i]);
    return graph;
}

static void free_all(struct graph_node **nodes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        node_free(nodes[i]);
    free(nodes);
}

void graph_free(struct graph *graph)
{
    if (!graph)
        return;
    graph_await_tasks(graph);
    for (size_t i = 0; i < graph->retiring_count; i++)
        node_destroy(graph->retiring[i]);
    for (size_t i = 0; i < graph->node_count; i++)
        node_destroy(graph->nodes[i]);
    for (size_t i = graph->extension_count; i-- > 0;)
        node_destroy(graph->extensions[i]);
    free_all(graph->retiring, graph->retiring_count);
    free_all(graph->nodes, graph->node_count);
    free_all(graph->extensions, graph->extension_count);
    graph_rows_free(&graph->past);
    weir_timer_stop(&graph->deadline);
    weir_config_free(graph->config);
    free(graph);
}
