// SPDX-License-Identifier: Apache-2.0
/* Views of the ledger and of the components' own instruments. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "core/service/metrics.h"

/* One row for each signal. */
#define BY_SIGNAL(before, about)                                                                                 \
    {                                                                                                            \
        [WEIR_TRACES] = { before "spans", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{span}", about " spans", NULL, 0 },    \
        [WEIR_METRICS] = { before "metric_points", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{datapoint}",                 \
                           about " metric points", NULL, 0 },                                                    \
        [WEIR_LOGS] = { before "log_records", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{record}", about " log records",   \
                        NULL, 0 },                                                                               \
        [WEIR_PROFILES] = { before "profile_samples", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{sample}",                 \
                            about " profile samples", NULL, 0 },                                                 \
    }

static const struct weir_instrument accepted[WEIR_SIGNALS] =
    BY_SIGNAL("otelcol_receiver_accepted_", "Number of successfully accepted");
static const struct weir_instrument refused[WEIR_SIGNALS] =
    BY_SIGNAL("otelcol_receiver_refused_", "Number of refused");
static const struct weir_instrument failed[WEIR_SIGNALS] =
    BY_SIGNAL("otelcol_receiver_failed_", "Number of failed");
static const struct weir_instrument sent[WEIR_SIGNALS] =
    BY_SIGNAL("otelcol_exporter_sent_", "Number of successfully sent");
static const struct weir_instrument send_failed[WEIR_SIGNALS] =
    BY_SIGNAL("otelcol_exporter_send_failed_", "Number of failed");

static const struct weir_instrument incoming = {
    "otelcol_processor_incoming_items", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{item}",
    "Number of items passed to the processor", NULL, 0,
};
static const struct weir_instrument outgoing = {
    "otelcol_processor_outgoing_items", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{item}",
    "Number of items emitted from the processor", NULL, 0,
};
static const struct weir_instrument ledger_items = {
    "weir_ledger_items", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{item}",
    "What became of the items that a component has seen", NULL, 0,
};
static const struct weir_instrument ledger_held = {
    "weir_ledger_held_items", WEIR_GAUGE, WEIR_LEVEL_BASIC, "{item}",
    "Items a component has acknowledged and neither passed on nor dropped", NULL, 0,
};
static const struct weir_instrument ledger_dropped = {
    "weir_ledger_dropped_items", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{item}",
    "Items that ended in a component, by reason", NULL, 0,
};
static const struct weir_instrument refused_requests = {
    "weir_receiver_refused_requests", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{request}",
    "Requests refused before their items could be counted, by reason", NULL, 0,
};

struct collection {
    struct exposition *exposition;
    enum weir_meter_level level;
};

static void collect_receiver(struct collection *c, struct weir_instance *instance, enum weir_signal signal)
{
    const char *transport;
    uint64_t accepted_items = 0, refused_items = 0;
    for (size_t i = 0;
         weir_instance_transport(instance, signal, i, &transport, &accepted_items, &refused_items); i++) {
        struct weir_text labels = { 0 };
        exposition_label(&labels, "receiver", weir_instance_id(instance));
        exposition_label(&labels, "transport", transport);
        const char *text = weir_text_string(&labels);
        exposition_add(c->exposition, &accepted[signal], text, (double)accepted_items);
        exposition_add(c->exposition, &refused[signal], text, (double)refused_items);
        exposition_add(c->exposition, &failed[signal], text, 0);
        weir_text_free(&labels);
    }
}

/* True if the component has a metric of this name: then it knows better than the ledger. */
static bool has_instrument(const struct weir_instance *instance, const char *name)
{
    const struct weir_instrument *row = weir_instance_component(instance)->metrics;
    while (row && row->name && strcmp(row->name, name) != 0)
        row++;
    return row && row->name;
}

static uint64_t dropped_for(const struct weir_ledger *ledger, const char *reason)
{
    for (int i = 0; i < WEIR_LEDGER_REASONS; i++)
        if (ledger->drops[i].reason && strcmp(ledger->drops[i].reason, reason) == 0)
            return ledger->drops[i].items;
    return 0;
}

static void collect_exporter(struct collection *c, struct weir_instance *instance, enum weir_signal signal,
                             const struct weir_ledger *ledger)
{
    bool holds = weir_instance_component(instance)->traits & WEIR_HOLDS;
    bool counts_itself = has_instrument(instance, "exporter_send_failed_spans");
    uint64_t lost = holds ? ledger->dropped : ledger->refused + ledger->failed;
    uint64_t delivered = holds ? ledger->delivered + dropped_for(ledger, "partial_success") : ledger->accepted;
    struct weir_text labels = { 0 };
    size_t count = 0;
    const struct weir_label *own = weir_instance_labels(instance, &count);
    exposition_label(&labels, "exporter", weir_instance_id(instance));
    for (size_t i = 0; i < count; i++)
        exposition_label(&labels, own[i].name, own[i].value);
    const char *text = weir_text_string(&labels);
    exposition_add(c->exposition, &sent[signal], text, (double)delivered);
    if (lost > 0 && !counts_itself)
        exposition_add(c->exposition, &send_failed[signal], text, (double)lost);
    weir_text_free(&labels);
}

static void collect_processor(struct collection *c, struct weir_instance *instance, enum weir_signal signal,
                              const struct weir_ledger *ledger)
{
    struct weir_text labels = { 0 };
    exposition_label(&labels, "processor", weir_instance_id(instance));
    exposition_label(&labels, "otel_signal", weir_signal_name(signal));
    const char *text = weir_text_string(&labels);
    exposition_add(c->exposition, &incoming, text, (double)ledger->offered);
    exposition_add(c->exposition, &outgoing, text, (double)(ledger->sent + ledger->send_failed));
    weir_text_free(&labels);
}

static char *ledger_labels(const struct graph_node *node, enum weir_signal signal, const char *name,
                           const char *value)
{
    struct weir_text labels = { 0 };
    exposition_label(&labels, "kind", weir_kind_name(weir_instance_component(node->instance)->kind, false));
    exposition_label(&labels, "id", weir_instance_id(node->instance));
    if (node->pipeline)
        exposition_label(&labels, "pipeline", node->pipeline);
    exposition_label(&labels, "signal", weir_signal_name(signal));
    if (name)
        exposition_label(&labels, name, value);
    return weir_text_steal(&labels);
}

static void add_state(struct collection *c, const struct graph_node *node, enum weir_signal signal,
                      const char *state, uint64_t items)
{
    char *labels = ledger_labels(node, signal, "state", state);
    exposition_add(c->exposition, &ledger_items, labels, (double)items);
    free(labels);
}

static void add_reasons(struct collection *c, const struct graph_node *node, enum weir_signal signal,
                        const struct weir_instrument *instrument, const struct weir_ledger_reason *reasons)
{
    for (int i = 0; i < WEIR_LEDGER_REASONS; i++) {
        if (!reasons[i].reason)
            continue;
        char *labels = ledger_labels(node, signal, "reason", reasons[i].reason);
        exposition_add(c->exposition, instrument, labels, (double)reasons[i].items);
        free(labels);
    }
}

static void collect_ledger(struct collection *c, const struct graph_node *node, enum weir_signal signal,
                           const struct weir_ledger *ledger)
{
    int64_t held = weir_ledger_remainder(ledger);
    char *labels = ledger_labels(node, signal, NULL, NULL);
    add_state(c, node, signal, "accepted", ledger->accepted);
    add_state(c, node, signal, "refused", ledger->refused);
    add_state(c, node, signal, "failed", ledger->failed);
    add_state(c, node, signal, "sent", ledger->sent);
    add_state(c, node, signal, "delivered", ledger->delivered);
    add_state(c, node, signal, "dropped", ledger->dropped);
    add_state(c, node, signal, "made", ledger->made);
    exposition_add(c->exposition, &ledger_held, labels, held > 0 ? (double)held : 0);
    add_reasons(c, node, signal, &ledger_dropped, ledger->drops);
    add_reasons(c, node, signal, &refused_requests, ledger->refusals);
    free(labels);
}

static bool touched(const struct weir_ledger *ledger)
{
    return ledger->offered > 0 || ledger->made > 0 || ledger->refusals[0].reason != NULL;
}

static void collect_node(struct collection *c, const struct graph_node *node, enum weir_signal signal)
{
    struct weir_ledger ledger;
    const struct weir_component *component = weir_instance_component(node->instance);
    weir_instance_ledger(node->instance, signal, false, &ledger);
    if (!touched(&ledger))
        return;
    collect_ledger(c, node, signal, &ledger);
    if (component->kind == WEIR_RECEIVER)
        collect_receiver(c, node->instance, signal);
    else if (component->kind == WEIR_EXPORTER)
        collect_exporter(c, node->instance, signal, &ledger);
    else if (component->kind == WEIR_PROCESSOR && !(component->traits & WEIR_HOLDS))
        collect_processor(c, node->instance, signal, &ledger);
}

/* Components name their instruments without the prefix; the row with it is kept for the life of the process. */
static const struct weir_instrument *prefixed(const struct weir_instrument *instrument)
{
    static struct known {
        struct known *next;
        const struct weir_instrument *from;
        struct weir_instrument row;
    } *all;
    for (struct known *k = all; k; k = k->next)
        if (k->from == instrument)
            return &k->row;
    struct known *known = weir_xcalloc(1, sizeof *known);
    known->from = instrument;
    known->row = *instrument;
    known->row.name = weir_xasprintf("otelcol_%s", instrument->name);
    known->next = all;
    all = known;
    return &known->row;
}

static void collect_series(const struct weir_series_view *view, void *argument)
{
    struct collection *c = argument;
    bool untouched = view->instrument->kind == WEIR_COUNTER && view->value == 0;
    if (view->instrument->level > c->level || untouched) /* as upstream's counters: from the first addition on */
        return;
    struct weir_text labels = { 0 };
    exposition_label(&labels, weir_kind_name(view->kind, false), view->id);
    for (size_t i = 0; i < view->label_count; i++)
        exposition_label(&labels, view->labels[i].name, view->labels[i].value);
    const struct weir_instrument *row = prefixed(view->instrument);
    if (row->kind == WEIR_HISTOGRAM)
        exposition_observe(c->exposition, row, weir_text_string(&labels), view->buckets, view->observations,
                           view->value);
    else
        exposition_add(c->exposition, row, weir_text_string(&labels), view->value);
    weir_text_free(&labels);
}

void metrics_collect(struct exposition *exposition, const struct graph *graph, enum weir_meter_level level)
{
    struct collection collection = { exposition, level };
    if (level == WEIR_LEVEL_NONE)
        return;
    for (size_t i = 0; i < graph->node_count; i++)
        for (int signal = 0; signal < WEIR_SIGNALS; signal++)
            collect_node(&collection, graph->nodes[i], (enum weir_signal)signal);
    weir_meter_visit(collect_series, &collection);
    metrics_collect_listeners(exposition);
    metrics_collect_certificates(exposition);
    metrics_collect_process(exposition);
}
