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

static const struct weir_instrument reload_total = {
    "weir_config_reloads", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{reload}",
    "Reloads of the configuration, by outcome", NULL, 0,
};
static const struct weir_instrument reload_good = {
    "weir_config_last_reload_successful", WEIR_GAUGE, WEIR_LEVEL_BASIC, "",
    "1 if the newest configuration runs, 0 if it was refused", NULL, 0,
};
static const struct weir_instrument reload_time = {
    "weir_config_last_reload_success_timestamp", WEIR_GAUGE, WEIR_LEVEL_BASIC, "s",
    "When the running configuration was read, in seconds since 1970", NULL, 0,
};

struct collection {
    struct exposition *exposition;
    enum weir_meter_level level;
};

static void collect_receiver(struct collection *c, const struct graph_row *row)
{
    for (size_t i = 0; i < row->transport_count; i++) {
        const struct graph_transport *transport = &row->transports[i];
        struct weir_text labels = { 0 };
        exposition_label(&labels, "receiver", row->id);
        exposition_label(&labels, "transport", transport->name);
        const char *text = weir_text_string(&labels);
        exposition_add(c->exposition, &accepted[row->signal], text, (double)transport->accepted);
        exposition_add(c->exposition, &refused[row->signal], text, (double)transport->refused);
        exposition_add(c->exposition, &failed[row->signal], text, 0);
        weir_text_free(&labels);
    }
}

static uint64_t dropped_for(const struct weir_ledger *ledger, const char *reason)
{
    for (int i = 0; i < WEIR_LEDGER_REASONS; i++)
        if (ledger->drops[i].reason && strcmp(ledger->drops[i].reason, reason) == 0)
            return ledger->drops[i].items;
    return 0;
}

static void collect_exporter(struct collection *c, const struct graph_row *row)
{
    const struct weir_ledger *ledger = &row->ledger;
    bool holds = row->component->traits & WEIR_HOLDS;
    char *own = weir_xasprintf("exporter_send_failed_%s", weir_signal_items(row->signal));
    bool counts_itself = weir_meter_has(WEIR_EXPORTER, row->id, own); // then it knows better than the ledger
    uint64_t lost = holds ? ledger->dropped : ledger->refused + ledger->failed;
    uint64_t delivered = holds ? ledger->delivered + dropped_for(ledger, "partial_success") : ledger->accepted;
    struct weir_text labels = { 0 };
    exposition_label(&labels, "exporter", row->id);
    for (size_t i = 0; i < row->label_count; i++)
        exposition_label(&labels, row->labels[i].name, row->labels[i].value);
    const char *text = weir_text_string(&labels);
    exposition_add(c->exposition, &sent[row->signal], text, (double)delivered);
    if (lost > 0 && !counts_itself)
        exposition_add(c->exposition, &send_failed[row->signal], text, (double)lost);
    weir_text_free(&labels);
    free(own);
}

static void collect_processor(struct collection *c, const struct graph_row *row)
{
    struct weir_text labels = { 0 };
    exposition_label(&labels, "processor", row->id);
    exposition_label(&labels, "otel_signal", weir_signal_name(row->signal));
    const char *text = weir_text_string(&labels);
    exposition_add(c->exposition, &incoming, text, (double)row->ledger.offered);
    exposition_add(c->exposition, &outgoing, text, (double)(row->ledger.sent + row->ledger.send_failed));
    weir_text_free(&labels);
}

static char *ledger_labels(const struct graph_row *row, const char *name, const char *value)
{
    struct weir_text labels = { 0 };
    exposition_label(&labels, "kind", weir_kind_name(row->component->kind, false));
    exposition_label(&labels, "id", row->id);
    if (row->pipeline)
        exposition_label(&labels, "pipeline", row->pipeline);
    exposition_label(&labels, "signal", weir_signal_name(row->signal));
    if (name)
        exposition_label(&labels, name, value);
    return weir_text_steal(&labels);
}

static void add_state(struct collection *c, const struct graph_row *row, const char *state, uint64_t items)
{
    char *labels = ledger_labels(row, "state", state);
    exposition_add(c->exposition, &ledger_items, labels, (double)items);
    free(labels);
}

static void add_reasons(struct collection *c, const struct graph_row *row, const struct weir_instrument *instrument,
                        const struct weir_ledger_reason *reasons)
{
    for (int i = 0; i < WEIR_LEDGER_REASONS; i++) {
        if (!reasons[i].reason)
            continue;
        char *labels = ledger_labels(row, "reason", reasons[i].reason);
        exposition_add(c->exposition, instrument, labels, (double)reasons[i].items);
        free(labels);
    }
}

static void collect_ledger(struct collection *c, const struct graph_row *row)
{
    const struct weir_ledger *ledger = &row->ledger;
    int64_t held = weir_ledger_remainder(ledger);
    char *labels = ledger_labels(row, NULL, NULL);
    add_state(c, row, "accepted", ledger->accepted);
    add_state(c, row, "refused", ledger->refused);
    add_state(c, row, "failed", ledger->failed);
    add_state(c, row, "sent", ledger->sent);
    add_state(c, row, "delivered", ledger->delivered);
    add_state(c, row, "dropped", ledger->dropped);
    add_state(c, row, "made", ledger->made);
    if (ledger->handed_over > 0)
        add_state(c, row, "handed_over", ledger->handed_over);
    exposition_add(c->exposition, &ledger_held, labels, held > 0 ? (double)held : 0);
    add_reasons(c, row, &ledger_dropped, ledger->drops);
    add_reasons(c, row, &refused_requests, ledger->refusals);
    free(labels);
}

static void collect_row(struct collection *c, const struct graph_row *row)
{
    collect_ledger(c, row);
    if (row->component->kind == WEIR_RECEIVER)
        collect_receiver(c, row);
    else if (row->component->kind == WEIR_EXPORTER)
        collect_exporter(c, row);
    else if (row->component->kind == WEIR_PROCESSOR && !(row->component->traits & WEIR_HOLDS))
        collect_processor(c, row);
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

void metrics_collect_reloads(struct exposition *exposition, const struct reload_counts *reloads)
{
    exposition_add(exposition, &reload_total, "outcome=\"done\"", (double)reloads->done);
    exposition_add(exposition, &reload_total, "outcome=\"refused\"", (double)reloads->refused);
    exposition_add(exposition, &reload_good, "", reloads->last_done);
    exposition_add(exposition, &reload_time, "", (double)(reloads->last / 1000000) / 1e3);
}

void metrics_collect(struct exposition *exposition, const struct graph *graph, enum weir_meter_level level)
{
    struct collection collection = { exposition, level };
    if (level == WEIR_LEVEL_NONE)
        return;
    struct graph_rows rows;
    graph_ledger(graph, false, true, &rows);
    for (size_t i = 0; i < rows.count; i++)
        collect_row(&collection, &rows.items[i]);
    graph_rows_free(&rows);
    weir_meter_visit(collect_series, &collection);
    metrics_collect_listeners(exposition);
    metrics_collect_certificates(exposition);
    metrics_collect_process(exposition);
}
