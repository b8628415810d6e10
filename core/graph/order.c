// SPDX-License-Identifier: Apache-2.0
/* The order of the data, cycles, and connectors that lead nowhere. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "core/graph/build.h"

/* One step of the data: a pipeline between the components that feed it and those it feeds. Pipelines are what cycles
 * are made of, since only a connector leads from one pipeline into another. */
enum mark { UNSEEN, OPEN, DONE };

struct walk {
    struct builder *b;
    enum mark *marks;  /* of the pipelines */
    size_t *path;      /* open pipelines, outermost first */
    size_t depth;
    size_t *finished;  /* pipelines, those fed last first */
    size_t finished_count;
};

bool uses_include(const struct weir_uses *uses, const char *id)
{
    for (size_t i = 0; i < uses->count; i++)
        if (strcmp(uses->items[i].id.text, id) == 0)
            return true;
    return false;
}

static bool converts(const struct prepared *connector, enum weir_signal from, enum weir_signal to)
{
    return connector && connector->component && connector->component->converts[from][to] != WEIR_UNSUPPORTED;
}

const struct weir_use *builder_link(struct builder *b, const struct weir_pipeline *from,
                                    const struct weir_pipeline *to)
{
    for (size_t i = 0; i < from->exporters.count; i++) {
        const struct weir_use *use = &from->exporters.items[i];
        if (uses_include(&to->receivers, use->id.text) &&
            converts(builder_find(b, WEIR_CONNECTOR, use->id.text), from->signal, to->signal))
            return use;
    }
    return NULL;
}

static void add_cycle_step(struct weir_text *text, struct builder *b, const struct weir_pipeline *from,
                           const struct weir_pipeline *to)
{
    const struct weir_use *use = builder_link(b, from, to);
    weir_text_addf(text, "connector \"%s\" (%s to %s)", use->id.text, weir_signal_name(from->signal),
                   weir_signal_name(to->signal));
    for (size_t i = 0; i < to->processors.count; i++)
        weir_text_addf(text, " -> processor \"%s\" in pipeline \"%s\"", to->processors.items[i].id.text, to->id.text);
    weir_text_adds(text, " -> ");
}

static void report_cycle(struct walk *walk, size_t again)
{
    struct builder *b = walk->b;
    const struct weir_pipeline *pipelines = b->config->pipelines;
    struct weir_text text = { 0 };
    size_t start = 0;
    while (walk->path[start] != again)
        start++;
    const struct weir_pipeline *last = &pipelines[walk->path[walk->depth - 1]];
    const struct weir_use *closing = builder_link(b, last, &pipelines[again]);
    add_cycle_step(&text, b, last, &pipelines[again]);
    for (size_t i = start; i + 1 < walk->depth; i++)
        add_cycle_step(&text, b, &pipelines[walk->path[i]], &pipelines[walk->path[i + 1]]);
    weir_text_addf(&text, "connector \"%s\" (%s to %s)", closing->id.text, weir_signal_name(last->signal),
                   weir_signal_name(pipelines[again].signal));
    weir_problem_add(b->problems, pipelines[again].place, pipelines[again].path, "cycle detected: %s",
                     weir_text_string(&text));
    weir_text_free(&text);
}

/* Depth-first; as deep as the config has pipelines, so it keeps its own stack: `path`, with `next` as the child that
 * each is at. */
static bool visit(struct walk *walk, size_t start)
{
    const struct weir_config *config = walk->b->config;
    size_t *next = weir_xcalloc(config->pipeline_count, sizeof *next);
    bool good = true;
    walk->path[0] = start;
    walk->depth = 1;
    walk->marks[start] = OPEN;
    while (walk->depth > 0) {
        size_t at = walk->path[walk->depth - 1];
        if (next[at] == config->pipeline_count) {
            walk->marks[at] = DONE;
            walk->finished[walk->finished_count++] = at;
            walk->depth--;
            continue;
        }
        size_t child = next[at]++;
        if (!builder_link(walk->b, &config->pipelines[at], &config->pipelines[child]))
            continue;
        if (walk->marks[child] == OPEN) {
            report_cycle(walk, child);
            good = false;
        } else if (walk->marks[child] == UNSEEN) {
            walk->marks[child] = OPEN;
            walk->path[walk->depth++] = child;
        }
    }
    free(next);
    return good;
}

/* Position of a node: receivers before all pipelines, then each pipeline's processors and connectors in the order of
 * the data, exporters behind everything. */
static size_t rank_of(const struct plan_node *node, const struct walk *walk)
{
    const struct weir_config *config = walk->b->config;
    enum weir_kind kind = node->prepared->entry->kind;
    size_t rank = 0;
    if (kind == WEIR_RECEIVER)
        return 0;
    if (kind == WEIR_EXPORTER)
        return SIZE_MAX;
    for (size_t i = 0; i < walk->finished_count; i++) {
        const struct weir_pipeline *pipeline = &config->pipelines[walk->finished[i]];
        size_t position = 2 * (walk->finished_count - i);
        if (node->pipeline ? node->pipeline == pipeline
                           : uses_include(&pipeline->exporters, node->prepared->entry->id.text))
            rank = position + (node->pipeline == NULL) > rank ? position + (node->pipeline == NULL) : rank;
    }
    return rank;
}

/* Stable insertion by rank: processors of one pipeline were added in their own order. */
static void sort_nodes(struct plan_nodes *nodes, const struct walk *walk)
{
    for (size_t i = 1; i < nodes->count; i++) {
        struct plan_node *node = nodes->items[i];
        size_t rank = rank_of(node, walk), at = i;
        for (; at > 0 && rank_of(nodes->items[at - 1], walk) > rank; at--)
            nodes->items[at] = nodes->items[at - 1];
        nodes->items[at] = node;
    }
}

bool builder_order(struct builder *b)
{
    size_t count = b->config->pipeline_count ? b->config->pipeline_count : 1;
    struct walk walk = { .b = b };
    walk.marks = weir_xcalloc(count, sizeof *walk.marks);
    walk.path = weir_xcalloc(count, sizeof *walk.path);
    walk.finished = weir_xcalloc(count, sizeof *walk.finished);
    bool good = true;
    for (size_t i = 0; i < b->config->pipeline_count; i++)
        if (walk.marks[i] == UNSEEN)
            good &= visit(&walk, i);
    if (good)
        sort_nodes(&b->nodes, &walk);
    free(walk.marks);
    free(walk.path);
    free(walk.finished);
    return good;
}

static void check_connector_use(struct builder *b, const struct prepared *connector,
                                const struct weir_pipeline *pipeline, bool as_exporter, const struct weir_use *use)
{
    for (size_t i = 0; i < b->config->pipeline_count; i++) {
        const struct weir_pipeline *other = &b->config->pipelines[i];
        if (!uses_include(as_exporter ? &other->receivers : &other->exporters, use->id.text))
            continue;
        if (as_exporter ? converts(connector, pipeline->signal, other->signal)
                        : converts(connector, other->signal, pipeline->signal))
            return;
    }
    weir_problem_add(b->problems, use->place, pipeline->path,
                     "connector \"%s\" used as %s in [%s] pipeline but not used in any supported %s pipeline",
                     use->id.text, as_exporter ? "exporter" : "receiver", pipeline->id.text,
                     as_exporter ? "receiver" : "exporter");
}

static void check_connector_uses(struct builder *b, const struct weir_pipeline *pipeline,
                                 const struct weir_uses *uses, bool as_exporter)
{
    for (size_t i = 0; i < uses->count; i++) {
        const char *id = uses->items[i].id.text;
        const struct prepared *connector = builder_find(b, WEIR_CONNECTOR, id);
        if (connector && connector->component && !builder_find(b, as_exporter ? WEIR_EXPORTER : WEIR_RECEIVER, id))
            check_connector_use(b, connector, pipeline, as_exporter, &uses->items[i]);
    }
}

void builder_check_connectors(struct builder *b)
{
    for (size_t i = 0; i < b->config->pipeline_count; i++) {
        const struct weir_pipeline *pipeline = &b->config->pipelines[i];
        check_connector_uses(b, pipeline, &pipeline->exporters, true);
        check_connector_uses(b, pipeline, &pipeline->receivers, false);
    }
}
