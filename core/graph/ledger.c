// SPDX-License-Identifier: Apache-2.0
/* The reconciliation at exit. */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "core/graph/graph.h"

static void print_reasons(const char *what, const char *unit, const struct weir_ledger_reason *reasons,
                          struct weir_text *text)
{
    for (int i = 0; i < WEIR_LEDGER_REASONS; i++)
        if (reasons[i].reason)
            weir_text_addf(text, "      %s %" PRIu64 " %s: %s\n", what, reasons[i].items, unit,
                           reasons[i].reason);
}

static bool print_row(const struct graph_row *row, struct weir_text *text)
{
    const struct weir_ledger *ledger = &row->ledger;
    int64_t rest = weir_ledger_remainder(ledger) - (int64_t)ledger->held;
    weir_text_addf(text, "    %s %s", weir_kind_name(row->component->kind, false), row->id);
    if (row->pipeline)
        weir_text_addf(text, " in %s", row->pipeline);
    weir_text_addf(text, ": accepted %" PRIu64, ledger->accepted);
    if (ledger->made)
        weir_text_addf(text, " + made %" PRIu64, ledger->made);
    if (row->component->kind == WEIR_EXPORTER)
        weir_text_addf(text, " = delivered %" PRIu64, ledger->delivered);
    else
        weir_text_addf(text, " = sent %" PRIu64, ledger->sent);
    weir_text_addf(text, " + dropped %" PRIu64, ledger->dropped);
    if (ledger->handed_over)
        weir_text_addf(text, " + handed over %" PRIu64, ledger->handed_over);
    weir_text_addf(text, " + held %" PRIu64, ledger->held);
    if (rest != 0)
        weir_text_addf(text, " (unexplained: %" PRId64 ")", rest);
    if (ledger->refused + ledger->failed + ledger->in_flight > 0)
        weir_text_addf(text, "; not accepted: %" PRIu64 " retryable, %" PRIu64 " permanent, %" PRIu64 " unanswered",
                       ledger->refused, ledger->failed, ledger->in_flight);
    weir_text_addc(text, '\n');
    print_reasons("dropped", "items", ledger->drops, text);
    print_reasons("refused", "requests", ledger->refusals, text);
    return rest == 0;
}

bool graph_print_ledger(const struct graph *graph, struct weir_text *text)
{
    bool closes = true;
    struct graph_rows rows;
    graph_ledger(graph, true, false, &rows);
    for (int signal = 0; signal < WEIR_SIGNALS; signal++) {
        struct weir_text lines = { 0 };
        for (size_t i = 0; i < rows.count; i++)
            if (rows.items[i].signal == (enum weir_signal)signal)
                closes &= print_row(&rows.items[i], &lines);
        if (lines.length > 0)
            weir_text_addf(text, "  %s\n%s", weir_signal_name((enum weir_signal)signal), lines.data);
        weir_text_free(&lines);
    }
    graph_rows_free(&rows);
    weir_text_addf(text, "  the ledger %s\n", closes ? "closes" : "DOES NOT CLOSE");
    return closes;
}
