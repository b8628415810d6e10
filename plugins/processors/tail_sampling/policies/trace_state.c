// SPDX-License-Identifier: Apache-2.0
/*
 * trace_state: any span whose tracestate has a member with one of some values. A tracestate that W3C Trace Context 3.3
 * does not allow matches nothing.
 */
#include <config.h>

#include <weir/tracestate.h>

#include "plugins/processors/tail_sampling/policy.h"

#define MEMBERS 32

struct trace_state {
    struct policy base;
    struct span_probe probe;
    struct weir_str key;
    const struct weir_strings *values;
};

/* The parts before and behind the first separator; false, with all of it in `left`, without one. */
static bool cut(struct weir_str text, char separator, struct weir_str *left, struct weir_str *right)
{
    const char *at = text.length > 0 ? memchr(text.data, separator, text.length) : NULL;
    size_t length = at ? (size_t)(at - text.data) : text.length;
    *left = weir_str_make(text.data, length);
    *right = at ? weir_str_make(at + 1, text.length - length - 1) : WEIR_STR_NONE;
    return at != NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Blanks before the key and behind the value do not count. */
static bool parse_member(struct weir_str member, struct weir_str *key, struct weir_str *value)
{
    if (!cut(member, '=', key, value))
        return false;
    while (key->length > 0 && is_blank(key->data[0]))
        *key = weir_str_make(key->data + 1, key->length - 1);
    while (value->length > 0 && is_blank(value->data[value->length - 1]))
        value->length--;
    return weir_tracestate_is_key(*key) && weir_tracestate_is_value(*value);
}

static bool is_wanted(const struct trace_state *own, struct weir_str value)
{
    for (size_t i = 0; i < own->values->count; i++)
        if (own->key.length + strlen(own->values->items[i]) < 256 && weir_str_is(value, own->values->items[i]))
            return true;
    return false;
}

static bool matches(const struct span_probe *probe, const struct span_view *span)
{
    const struct trace_state *own = WEIR_CONTAINER_OF(probe, struct trace_state, probe);
    struct weir_str keys[MEMBERS], rest = span->trace_state;
    size_t count = 0;
    bool found = false;
    while (rest.length > 0) {
        struct weir_str member, value;
        cut(rest, ',', &member, &rest);
        if (member.length == 0)
            continue;
        if (count == MEMBERS || !parse_member(member, &keys[count], &value))
            return false;
        for (size_t i = 0; i < count; i++)
            if (weir_str_equal(keys[i], keys[count]))
                return false;
        found |= weir_str_equal(keys[count], own->key) && is_wanted(own, value);
        count++;
    }
    return found;
}

static enum vote vote(struct policy *policy, const struct evidence *evidence)
{
    const struct trace_state *own = (const struct trace_state *)policy;
    return probe_get(evidence->bits, own->probe.bit) ? VOTE_SAMPLED : VOTE_NOT_SAMPLED;
}

struct policy *policy_trace_state(const struct trace_state_options *options, struct probes *probes)
{
    struct trace_state *own = weir_xcalloc(1, sizeof *own);
    own->base.vote = vote;
    own->key = weir_str_of(options->key);
    own->values = &options->values;
    own->probe.test = matches;
    probes_add_span(probes, &own->probe);
    return &own->base;
}
