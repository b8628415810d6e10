// SPDX-License-Identifier: Apache-2.0
/* What a configuration wants: the component and the options of each entry, the nodes that pipelines use, the edges. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "core/graph/build.h"

/* The component of an entry and its decoded options. */
static const struct weir_component *prepare_entry(struct builder *b, const struct weir_entry *entry, void **options)
{
    struct weir_error error = WEIR_ERROR_INIT;
    const struct weir_component *component = registry_find(b->graph->registry, entry->kind, entry->id.type, &error);
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

static struct plan_node *add_node(struct plan_nodes *nodes, struct prepared *prepared,
                                  const struct weir_pipeline *pipeline)
{
    struct plan_node *node = weir_xcalloc(1, sizeof *node);
    node->prepared = prepared;
    node->pipeline = pipeline;
    node->identity = builder_identity(node);
    nodes->items = weir_xrealloc(nodes->items, (nodes->count + 1) * sizeof *nodes->items);
    nodes->items[nodes->count++] = node;
    return node;
}

/* Receivers, exporters and connectors: one for each id, made when the first pipeline names it. */
static struct plan_node *shared_node(struct builder *b, struct prepared *prepared)
{
    if (!prepared->node)
        prepared->node = add_node(&b->nodes, prepared, NULL);
    return prepared->node;
}

static void connect_nodes(const struct weir_pipeline *pipeline, struct plan_node *from, struct plan_node *to)
{
    from->edges = weir_xrealloc(from->edges, (from->edge_count + 1) * sizeof *from->edges);
    from->edges[from->edge_count++] = (struct plan_edge){ pipeline, to };
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

/* The processors of a pipeline, in order; `first` and `last` stay NULL when it has none. */
static void add_processors(struct builder *b, const struct weir_pipeline *pipeline, struct plan_node **first,
                           struct plan_node **last)
{
    for (size_t i = 0; i < pipeline->processors.count; i++) {
        const struct weir_use *use = &pipeline->processors.items[i];
        struct prepared *prepared = builder_find(b, WEIR_PROCESSOR, use->id.text);
        struct plan_node *node = add_node(&b->nodes, prepared, pipeline);
        node->uses[pipeline->signal] = true;
        if (*last)
            connect_nodes(pipeline, *last, node);
        else
            *first = node;
        *last = node;
    }
}

/* Connects everything in `uses` as a source of the pipeline to `to`. */
static void connect_sources(struct builder *b, const struct weir_pipeline *pipeline, struct plan_node *to)
{
    for (size_t i = 0; i < pipeline->receivers.count; i++) {
        const struct weir_use *use = &pipeline->receivers.items[i];
        struct prepared *prepared = find_end(b, WEIR_RECEIVER, use->id.text);
        struct plan_node *node = shared_node(b, prepared);
        if (prepared->entry->kind == WEIR_RECEIVER)
            node->uses[pipeline->signal] = true;
        connect_nodes(pipeline, node, to);
    }
}

static void connect_exporters(struct builder *b, const struct weir_pipeline *pipeline, struct plan_node *last)
{
    for (size_t i = 0; i < pipeline->exporters.count; i++) {
        const struct weir_use *use = &pipeline->exporters.items[i];
        struct prepared *prepared = find_end(b, WEIR_EXPORTER, use->id.text);
        struct plan_node *node = shared_node(b, prepared);
        node->uses[pipeline->signal] = true;
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
    struct plan_node *first = NULL, *last = NULL;
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
        prepared->node = add_node(&b->extensions, prepared, NULL);
    }
}

bool builder_lay_out(struct builder *b)
{
    prepare_entries(b);
    for (size_t i = 0; i < b->config->pipeline_count; i++)
        add_pipeline(b, &b->config->pipelines[i]);
    add_extensions(b);
    builder_check_connectors(b);
    if (b->problems->errors == 0) /* else some options may have been left half-read */
        builder_check_references(b);
    return builder_order(b) && b->problems->errors == 0;
}

static void free_nodes(struct plan_nodes *nodes)
{
    for (size_t i = 0; i < nodes->count; i++) {
        free(nodes->items[i]->edges);
        free(nodes->items[i]->identity);
        free(nodes->items[i]);
    }
    free(nodes->items);
}

void builder_free(struct builder *b)
{
    free_nodes(&b->nodes);
    free_nodes(&b->extensions);
    for (int kind = 0; kind < WEIR_KINDS; kind++)
        free(b->prepared[kind]);
}
