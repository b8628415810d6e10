// SPDX-License-Identifier: Apache-2.0
/* Making a graph: load plugins, decode options, instantiate what pipelines use, connect, create. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "core/graph/build.h"

/* The component of an entry and its decoded options. */
static const struct weir_component *prepare_entry(struct builder *b, const struct weir_entry *entry, void **options)
{
    struct weir_error error = WEIR_ERROR_INIT;
    const struct weir_component *component = registry_find(b->registry, entry->kind, entry->id.type, &error);
    if (!component) {
        weir_problem_add(b->problems, entry->place, entry->path, "%s (for id: \"%s\")", weir_error_text(&error),
                         entry->id.text);
        weir_error_free(&error);
        return NULL;
    }
    if (strcmp(component->type, entry->id.type) != 0)
        weir_warning_add(b->problems, entry->place, entry->path, "\"%s\" alias is deprecated; use \"%s\" instead",
                         entry->id.type, component->type);
    *options = weir_config_decode_component(b->config, entry, component->options, b->problems);
    return component;
}

static void prepare_entries(struct builder *b)
{
    for (int kind = 0; kind < WEIR_KINDS; kind++) {
        const struct weir_entries *entries = &b->config->entries[kind];
        b->prepared[kind] = weir_xcalloc(entries->count ? entries->count : 1, sizeof(struct prepared));
        for (size_t i = 0; i < entries->count; i++) {
            struct prepared *prepared = &b->prepared[kind][i];
            prepared->entry = &entries->items[i];
            prepared->component = prepare_entry(b, prepared->entry, &prepared->options);
        }
    }
}

struct prepared *builder_find(struct builder *b, enum weir_kind kind, const char *id)
{
    for (size_t i = 0; i < b->config->entries[kind].count; i++)
        if (strcmp(b->prepared[kind][i].entry->id.text, id) == 0)
            return &b->prepared[kind][i];
    return NULL;
}

/* A receiver or exporter position of a pipeline may name a connector. */
static struct prepared *find_end(struct builder *b, enum weir_kind kind, const char *id)
{
    struct prepared *found = builder_find(b, kind, id);
    return found || kind == WEIR_PROCESSOR ? found : builder_find(b, WEIR_CONNECTOR, id);
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

static struct graph_node *make_node(struct builder *b, const struct prepared *prepared, const char *pipeline)
{
    struct graph_node *node = weir_xcalloc(1, sizeof *node);
    const char *id = prepared->entry->id.text;
    node->logger = make_logger(prepared->entry->kind, id, pipeline);
    node->pipeline = pipeline;
    node->instance = weir_instance_new(prepared->component, id, prepared->options, node->logger, b->graph->host,
                                       b->graph->host_context);
    return node;
}

static void add_node(struct graph_node ***nodes, size_t *count, struct graph_node *node)
{
    *nodes = weir_xrealloc(*nodes, (*count + 1) * sizeof **nodes);
    (*nodes)[(*count)++] = node;
}

/* Receivers, exporters and connectors: one instance for each id, made when the first pipeline names it. */
static struct graph_node *shared_node(struct builder *b, struct prepared *prepared)
{
    if (!prepared->node) {
        prepared->node = make_node(b, prepared, NULL);
        add_node(&b->graph->nodes, &b->graph->node_count, prepared->node);
    }
    return prepared->node;
}

static bool takes_signal(const struct prepared *prepared, enum weir_signal signal)
{
    if (prepared->entry->kind != WEIR_CONNECTOR)
        return prepared->component->stability[signal] != WEIR_UNSUPPORTED;
    for (int other = 0; other < WEIR_SIGNALS; other++)
        if (prepared->component->converts[signal][other] || prepared->component->converts[other][signal])
            return true;
    return false;
}

static bool check_signal(struct builder *b, const struct prepared *prepared, const struct weir_pipeline *pipeline,
                         const struct weir_use *use)
{
    if (!prepared || !prepared->component)
        return false; /* reported already */
    if (takes_signal(prepared, pipeline->signal))
        return true;
    if (prepared->entry->kind == WEIR_PROCESSOR)
        weir_problem_add(b->problems, use->place, pipeline->path,
                         "failed to create \"%s\" processor, in pipeline \"%s\": telemetry type is not supported",
                         use->id.text, pipeline->id.text);
    else
        weir_problem_add(b->problems, use->place, pipeline->path,
                         "failed to create \"%s\" %s for data type \"%s\": telemetry type is not supported",
                         use->id.text, weir_kind_name(prepared->entry->kind, false),
                         weir_signal_name(pipeline->signal));
    return false;
}

static void connect_nodes(const struct weir_pipeline *pipeline, struct graph_node *from, struct graph_node *to)
{
    weir_instance_connect(from->instance, pipeline->signal, pipeline->id.text, pipeline->ack, to->instance);
}

/* The processors of a pipeline, in order; `first` and `last` stay NULL when it has none. */
static void add_processors(struct builder *b, const struct weir_pipeline *pipeline, struct graph_node **first,
                           struct graph_node **last)
{
    for (size_t i = 0; i < pipeline->processors.count; i++) {
        const struct weir_use *use = &pipeline->processors.items[i];
        struct prepared *prepared = builder_find(b, WEIR_PROCESSOR, use->id.text);
        struct graph_node *node = make_node(b, prepared, pipeline->id.text);
        add_node(&b->graph->nodes, &b->graph->node_count, node);
        weir_instance_set_uses(node->instance, pipeline->signal);
        if (*last)
            connect_nodes(pipeline, *last, node);
        else
            *first = node;
        *last = node;
    }
}

/* Connects everything in `uses` as a source of the pipeline to `to`. */
static void connect_sources(struct builder *b, const struct weir_pipeline *pipeline, struct graph_node *to)
{
    for (size_t i = 0; i < pipeline->receivers.count; i++) {
        const struct weir_use *use = &pipeline->receivers.items[i];
        struct prepared *prepared = find_end(b, WEIR_RECEIVER, use->id.text);
        struct graph_node *node = shared_node(b, prepared);
        if (prepared->entry->kind == WEIR_RECEIVER)
            weir_instance_set_uses(node->instance, pipeline->signal);
        connect_nodes(pipeline, node, to);
    }
}

static void connect_exporters(struct builder *b, const struct weir_pipeline *pipeline, struct graph_node *last)
{
    for (size_t i = 0; i < pipeline->exporters.count; i++) {
        const struct weir_use *use = &pipeline->exporters.items[i];
        struct prepared *prepared = find_end(b, WEIR_EXPORTER, use->id.text);
        struct graph_node *node = shared_node(b, prepared);
        weir_instance_set_uses(node->instance, pipeline->signal);
        if (last)
            connect_nodes(pipeline, last, node);
        else
            connect_sources(b, pipeline, node);
    }
}

static bool check_uses(struct builder *b, const struct weir_pipeline *pipeline, const struct weir_uses *uses,
                       enum weir_kind kind)
{
    bool good = true;
    for (size_t i = 0; i < uses->count; i++)
        good &= check_signal(b, find_end(b, kind, uses->items[i].id.text), pipeline, &uses->items[i]);
    return good;
}

static void add_pipeline(struct builder *b, const struct weir_pipeline *pipeline)
{
    bool receivers = check_uses(b, pipeline, &pipeline->receivers, WEIR_RECEIVER);
    bool processors = check_uses(b, pipeline, &pipeline->processors, WEIR_PROCESSOR);
    bool exporters = check_uses(b, pipeline, &pipeline->exporters, WEIR_EXPORTER);
    if (!receivers || !processors || !exporters)
        return;
    struct graph_node *first = NULL, *last = NULL;
    add_processors(b, pipeline, &first, &last);
    connect_exporters(b, pipeline, last);
    if (first)
        connect_sources(b, pipeline, first);
}

static void add_extensions(struct builder *b)
{
    for (size_t i = 0; i < b->config->extensions.count; i++) {
        struct prepared *prepared = builder_find(b, WEIR_EXTENSION, b->config->extensions.items[i].id.text);
        if (!prepared || !prepared->component || prepared->node)
            continue;
        prepared->node = make_node(b, prepared, NULL);
        add_node(&b->graph->extensions, &b->graph->extension_count, prepared->node);
    }
}

static void create_node(struct builder *b, struct graph_node *node)
{
    struct weir_error error = WEIR_ERROR_INIT;
    const struct weir_component *component = weir_instance_component(node->instance);
    const char *id = weir_instance_id(node->instance);
    if (component->create(node->instance, &error) != 0) {
        struct prepared *prepared = builder_find(b, component->kind, id);
        weir_problem_add(b->problems, prepared->entry->place, prepared->entry->path, "failed to create \"%s\" %s: %s",
                         id, weir_kind_name(component->kind, false), weir_error_text(&error));
    }
    weir_error_free(&error);
}

static void create_nodes(struct builder *b)
{
    for (size_t i = 0; i < b->graph->extension_count; i++)
        create_node(b, b->graph->extensions[i]);
    for (size_t i = b->graph->node_count; i-- > 0;)
        create_node(b, b->graph->nodes[i]);
}

struct graph *graph_build(struct weir_config *config, struct registry *registry, const struct weir_host *host,
                          void *host_context, struct weir_problems *problems)
{
    struct builder b = { .config = config, .registry = registry, .problems = problems };
    b.graph = weir_xcalloc(1, sizeof *b.graph);
    b.graph->host = host;
    b.graph->host_context = host_context;
    prepare_entries(&b);
    for (size_t i = 0; i < config->pipeline_count; i++)
        add_pipeline(&b, &config->pipelines[i]);
    add_extensions(&b);
    builder_check_connectors(&b);
    if (builder_order(&b) && problems->errors == 0)
        create_nodes(&b);
    if (problems->errors == 0)
        builder_check_promises(&b);
    for (int kind = 0; kind < WEIR_KINDS; kind++)
        free(b.prepared[kind]);
    if (problems->errors == 0)
        return b.graph;
    graph_free(b.graph);
    return NULL;
}

static void destroy_node(struct graph_node *node)
{
    const struct weir_component *component = weir_instance_component(node->instance);
    if (component->destroy)
        component->destroy(node->instance);
}

static void free_nodes(struct graph_node **nodes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        weir_instance_free(nodes[i]->instance);
        weir_logger_free(nodes[i]->logger);
        free(nodes[i]);
    }
    free(nodes);
}

void graph_free(struct graph *graph)
{
    if (!graph)
        return;
    for (size_t i = 0; i < graph->node_count; i++)
        destroy_node(graph->nodes[i]);
    for (size_t i = graph->extension_count; i-- > 0;)
        destroy_node(graph->extensions[i]);
    free_nodes(graph->nodes, graph->node_count);
    free_nodes(graph->extensions, graph->extension_count);
    free(graph);
}
