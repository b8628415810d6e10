// SPDX-License-Identifier: Apache-2.0
/* What nodes count, added up over all that had the same id in the life of the process. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "core/graph/node.h"

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_labels(const struct weir_label *a, size_t a_count, const struct weir_label *b, size_t b_count)
{
    bool same = a_count == b_count;
    for (size_t i = 0; same && i < a_count; i++)
        same = strcmp(a[i].name, b[i].name) == 0 && strcmp(a[i].value, b[i].value) == 0;
    return same;
}

/* The row that `like` belongs to, made when there is none. */
static struct graph_row *get_row(struct graph_rows *rows, const struct graph_row *like, bool by_labels)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct graph_row *row = &rows->items[i];
        if (row->component == like->component && row->signal == like->signal && strcmp(row->id, like->id) == 0 &&
            same_text(row->pipeline, like->pipeline) &&
            (!by_labels || same_labels(row->labels, row->label_count, like->labels, like->label_count)))
            return row;
    }
    rows->items = weir_xrealloc(rows->items, (rows->count + 1) * sizeof *rows->items);
    struct graph_row *row = &rows->items[rows->count++];
    *row = (struct graph_row){ .component = like->component, .signal = like->signal };
    row->id = weir_xstrdup(like->id);
    row->pipeline = like->pipeline ? weir_xstrdup(like->pipeline) : NULL;
    row->label_count = like->label_count;
    row->labels = weir_xcalloc(like->label_count ? like->label_count : 1, sizeof *row->labels);
    for (size_t i = 0; i < like->label_count; i++)
        row->labels[i] =
            (struct weir_label){ weir_xstrdup(like->labels[i].name), weir_xstrdup(like->labels[i].value) };
    return row;
}

static void add_transport(struct graph_row *row, const char *name, uint64_t accepted, uint64_t refused)
{
    size_t at = 0;
    while (at < row->transport_count && strcmp(row->transports[at].name, name) != 0)
        at++;
    if (at == row->transport_count) {
        row->transports = weir_xrealloc(row->transports, (at + 1) * sizeof *row->transports);
        row->transports[at] = (struct graph_transport){ .name = weir_xstrdup(name) };
        row->transport_count++;
    }
    row->transports[at].accepted += accepted;
    row->transports[at].refused += refused;
}

static void add_row(struct graph_rows *rows, const struct graph_row *part, bool by_labels)
{
    struct graph_row *row = get_row(rows, part, by_labels);
    weir_ledger_add(&row->ledger, &part->ledger);
    for (size_t i = 0; i < part->transport_count; i++)
        add_transport(row, part->transports[i].name, part->transports[i].accepted, part->transports[i].refused);
}

/* Nothing was ever counted. */
static bool is_empty(const struct weir_ledger *ledger)
{
    return ledger->offered == 0 && ledger->made == 0 && ledger->held == 0 && ledger->refusals[0].reason == NULL;
}

static void add_signal(struct graph_rows *rows, const struct graph_node *node, enum weir_signal signal, bool quiet,
                       bool by_labels)
{
    const struct weir_component *component = weir_instance_component(node->instance);
    struct graph_row like = { .component = component, .signal = signal };
    weir_instance_ledger(node->instance, signal, quiet, &like.ledger);
    if (is_empty(&like.ledger))
        return;
    like.id = (char *)(uintptr_t)weir_instance_id(node->instance);
    like.pipeline = node->pipeline;
    like.labels = (struct weir_label *)(uintptr_t)weir_instance_labels(node->instance, &like.label_count);
    struct graph_row *row = get_row(rows, &like, by_labels);
    weir_ledger_add(&row->ledger, &like.ledger);
    const char *transport;
    uint64_t accepted, refused;
    for (size_t i = 0; component->kind == WEIR_RECEIVER &&
                       weir_instance_transport(node->instance, signal, i, &transport, &accepted, &refused);
         i++)
        add_transport(row, transport, accepted, refused);
}

static void add_node(struct graph_rows *rows, const struct graph_node *node, bool quiet, bool by_labels)
{
    if (weir_instance_component(node->instance)->kind == WEIR_EXTENSION)
        return;
    for (int signal = 0; signal < WEIR_SIGNALS; signal++)
        add_signal(rows, node, (enum weir_signal)signal, quiet, by_labels);
}

void graph_ledger(const struct graph *graph, bool quiet, bool by_labels, struct graph_rows *out)
{
    *out = (struct graph_rows){ 0 };
    for (size_t i = 0; i < graph->node_count; i++)
        add_node(out, graph->nodes[i], quiet, by_labels);
    for (size_t i = 0; i < graph->retiring_count; i++)
        add_node(out, graph->retiring[i], quiet, by_labels);
    for (size_t i = 0; i < graph->past.count; i++)
        add_row(out, &graph->past.items[i], by_labels);
}

void graph_remember(struct graph *graph, const struct graph_node *node)
{
    add_node(&graph->past, node, true, true);
}

void graph_rows_free(struct graph_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct graph_row *row = &rows->items[i];
        for (size_t l = 0; l < row->label_count; l++) {
            free((char *)(uintptr_t)row->labels[l].name);
            free((char *)(uintptr_t)row->labels[l].value);
        }
        for (size_t t = 0; t < row->transport_count; t++)
            free(row->transports[t].name);
        free(row->labels);
        free(row->transports);
        free(row->id);
        free(row->pipeline);
    }
    free(rows->items);
    *rows = (struct graph_rows){ 0 };
}
