// SPDX-License-Identifier: Apache-2.0
/* Sampling spans: the tracestate carries what samplers know, sampling.priority overrules them. */
#include <config.h>

#include "plugins/processors/probabilistic_sampler/sampler.h"
#include "plugins/processors/probabilistic_sampler/tracestate.h"

/* 0 drops, more than 0 keeps; a number, or one as text. */
static void find_priority(struct weir_entry *entry, struct evidence *evidence)
{
    struct weir_value value;
    double priority = -1;
    if (!weir_entry_attribute(entry, WEIR_STR("sampling.priority"), &value))
        return;
    if (value.type == WEIR_VALUE_INT)
        priority = (double)value.integer;
    else if (value.type == WEIR_VALUE_DOUBLE)
        priority = value.number;
    else if (value.type == WEIR_VALUE_STRING && !weir_str_to_double(value.string, &priority))
        return;
    evidence->has_priority = priority >= 0;
    evidence->priority = priority == 0 ? THRESHOLD_NEVER : THRESHOLD_ALWAYS;
}

static void read_state(struct weir_str text, struct tracestate *state, struct evidence *evidence)
{
    evidence->problem = tracestate_parse(text, state);
    if (evidence->problem)
        return;
    evidence->has_carrier = true;
    evidence->has_rv = state->has_randomness;
    evidence->has_th = state->has_threshold;
    evidence->rv = state->randomness;
    evidence->th = state->threshold;
}

static bool write_state(struct weir_batch *batch, struct weir_entry *entry, struct weir_str before,
                        struct tracestate *state, const struct evidence *evidence)
{
    struct weir_text text = { 0 };
    bool good = true;
    state->has_randomness = evidence->has_rv;
    state->has_threshold = evidence->has_th;
    state->randomness = evidence->rv;
    state->threshold = evidence->th;
    tracestate_print(state, &text);
    if (!weir_str_equal(weir_text_view(&text), before)) {
        struct weir_span *span = weir_entry_edit_span(entry);
        struct weir_str copy = weir_arena_copy(weir_batch_arena(batch), weir_text_view(&text));
        good = span && copy.data;
        if (good)
            span->trace_state = copy;
    }
    weir_text_free(&text);
    return good;
}

bool sampler_pass_span(const struct sampler *sampler, struct weir_logger *logger, struct weir_batch *batch,
                       struct weir_entry *entry, bool *kept)
{
    static const char no_trace_id[16];
    struct weir_span_index index;
    struct tracestate state;
    struct evidence evidence = { .problem = NULL };
    weir_entry_span_index(entry, &index);
    find_priority(entry, &evidence);
    read_state(index.trace_state, &state, &evidence);
    struct weir_str hashed = index.trace_id.length == 16 ? index.trace_id : (struct weir_str){ no_trace_id, 16 };
    sampler_find_randomness(sampler, &evidence, index.trace_id, hashed, POLICY_TRACE_ID_HASH);
    *kept = sampler_decide(sampler, logger, &evidence);
    return !*kept || !evidence.has_carrier || write_state(batch, entry, index.trace_state, &state, &evidence);
}
