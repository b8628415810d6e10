// SPDX-License-Identifier: Apache-2.0
/* One instance under test. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "plugins/processors/tail_sampling/tests/run.h"

const struct weir_component *tail_component;
struct weir_harness *tail;
static size_t looked_at;

/* Series go on from one instance to the next: what they showed when this one began. */
static struct {
    const char *name;
    double before;
} counters[] = {
    { "count_traces_sampled", 0 },
    { "global_count_traces_sampled", 0 },
    { "early_releases_from_cache_decision", 0 },
    { "new_trace_id_received", 0 },
    { "sampling_late_span_age", 0 },
    { "sampling_policy_evaluation_error", 0 },
    { "sampling_policy_execution_count", 0 },
    { "sampling_trace_dropped_too_early", 0 },
    { "sampling_trace_removal_age", 0 },
    { "sampling_traces_on_memory", 0 },
    { "traces_dropped_too_large", 0 },
};

static double read_series(const char *name)
{
    char full[128];
    snprintf(full, sizeof full, "processor_tail_sampling_%s", name);
    return weir_harness_series(tail, full);
}

static char *json_of(const char *text)
{
    char *json = weir_xstrdup(text);
    for (char *c = json; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    return json;
}

void tail_start(const char *options)
{
    char *json = json_of(options);
    tail = make_harness(tail_component, json, WEIR_TRACES);
    looked_at = 0;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(counters); i++)
        counters[i].before = read_series(counters[i].name);
    free(json);
}

void tail_stop(void)
{
    weir_harness_free(tail);
    tail = NULL;
}

char *tail_refusal(const char *options)
{
    struct weir_error error = WEIR_ERROR_INIT;
    char *json = json_of(options);
    struct weir_harness *harness = weir_harness_new(tail_component, json, WEIR_TRACES, &error);
    char *text = weir_xstrdup(harness ? "" : weir_error_text(&error));
    if (harness)
        weir_harness_free(harness);
    weir_error_free(&error);
    free(json);
    return text;
}

size_t offer(const char *text)
{
    struct weir_batch *batch;
    size_t last = 0;
    while ((batch = spans_next(&text)))
        last = weir_harness_consume(tail, batch);
    return last;
}

void seconds(int count)
{
    for (int i = 0; i < count; i++)
        weir_harness_advance(tail, SECOND);
}

void assert_sent(const char *traces)
{
    struct weir_batch *batches[64];
    char found[256];
    size_t count = 0;
    for (; looked_at < weir_harness_sent_count(tail); looked_at++) {
        ck_assert_uint_lt(count, 64);
        batches[count++] = weir_harness_sent(tail, looked_at);
    }
    spans_traces(batches, count, found);
    ck_assert_str_eq(found, traces);
}

void assert_names(size_t n, const char *names)
{
    char found[256];
    ck_assert_uint_lt(n, weir_harness_sent_count(tail));
    spans_names(weir_harness_sent(tail, n), found);
    ck_assert_str_eq(found, names);
}

double series(const char *name)
{
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(counters); i++)
        if (strcmp(counters[i].name, name) == 0)
            return read_series(name) - counters[i].before;
    ck_abort_msg("no such series: %s", name);
    return 0;
}

uint64_t dropped(const char *reason)
{
    struct weir_ledger ledger;
    weir_harness_ledger(tail, &ledger);
    for (int i = 0; i < WEIR_LEDGER_REASONS; i++)
        if (ledger.drops[i].reason && strcmp(ledger.drops[i].reason, reason) == 0)
            return ledger.drops[i].items;
    return 0;
}

uint64_t held(void)
{
    struct weir_ledger ledger;
    weir_harness_ledger(tail, &ledger);
    return ledger.held;
}
