// SPDX-License-Identifier: Apache-2.0
/* From options to policies. */
#include <config.h>

#include <stdlib.h>

#include "plugins/processors/tail_sampling/policy.h"

void policy_free(struct policy *policy)
{
    if (policy && policy->free)
        policy->free(policy);
    else
        free(policy);
}

static void free_all(struct policy **policies, size_t count)
{
    for (size_t i = 0; i < count; i++)
        policy_free(policies[i]);
    free(policies);
}

static struct policy *new_leaf(const struct leaf_options *options, struct probes *probes, struct weir_error *error)
{
    switch (options->type) {
    case POLICY_ALWAYS_SAMPLE:
        return policy_always_sample();
    case POLICY_LATENCY:
        return policy_latency(&options->latency, probes);
    case POLICY_NUMERIC_ATTRIBUTE:
        return policy_numeric_attribute(&options->numeric_attribute, probes);
    case POLICY_PROBABILISTIC:
        return policy_probabilistic(&options->probabilistic);
    case POLICY_STATUS_CODE:
        return policy_status_code(&options->status_code, probes);
    case POLICY_STRING_ATTRIBUTE:
        return policy_string_attribute(&options->string_attribute, probes, error);
    case POLICY_TRACE_STATE:
        return policy_trace_state(&options->trace_state, probes);
    case POLICY_TRACE_FLAGS:
        return policy_trace_flags(probes);
    case POLICY_RATE_LIMITING:
        return policy_rate_limiting(&options->rate_limiting);
    case POLICY_BYTES_LIMITING:
        return policy_bytes_limiting(&options->bytes_limiting);
    case POLICY_SPAN_COUNT:
        return policy_span_count(&options->span_count);
    case POLICY_BOOLEAN_ATTRIBUTE:
        return policy_boolean_attribute(&options->boolean_attribute, probes);
    default:
        weir_error_set(error, "unknown policy type");
        return NULL;
    }
}

static struct policy *new_not(const struct not_options *options, struct probes *probes, struct weir_error *error)
{
    struct policy *inner = new_leaf(&options->inner, probes, error);
    return inner ? policy_not(inner) : NULL;
}

/* The policies that `and` and `drop` are made of; NULL with `error` set. */
static struct policy **new_parts(const struct weir_groups *groups, struct probes *probes, struct weir_error *error)
{
    const struct part_options *options = groups->items;
    struct policy **parts = weir_xcalloc(groups->count + 1, sizeof *parts);
    for (size_t i = 0; i < groups->count; i++) {
        parts[i] = options[i].leaf.type == POLICY_NOT ? new_not(&options[i].negation, probes, error)
                                                      : new_leaf(&options[i].leaf, probes, error);
        if (!parts[i]) {
            free_all(parts, i);
            return NULL;
        }
    }
    return parts;
}

static struct policy *new_and(const struct and_options *options, struct probes *probes, struct weir_error *error)
{
    struct policy **parts = new_parts(&options->parts, probes, error);
    return parts ? policy_and(parts, options->parts.count) : NULL;
}

static struct policy *new_drop(const struct and_options *options, struct probes *probes, struct weir_error *error)
{
    struct policy **parts = new_parts(&options->parts, probes, error);
    return parts ? policy_drop(parts, options->parts.count) : NULL;
}

/* Without a row in rate_allocation: nothing. In the floating point that upstream computes it in. */
static int64_t allocation_of(const struct composite_options *options, const char *name)
{
    const struct allocation_options *rows = options->allocations.items;
    double total = (double)options->max_total_spans_per_second, allocation = 0;
    for (size_t i = 0; name && i < options->allocations.count; i++) {
        if (!rows[i].policy || strcmp(rows[i].policy, name) != 0)
            continue;
        allocation = rows[i].percent > 0 ? (double)rows[i].percent / 100 * total : total / (double)options->parts.count;
    }
    return allocation < 9e15 ? (int64_t)allocation : INT64_C(9000000000000000);
}

static struct policy *new_composite(const struct composite_options *options, struct probes *probes,
                                    struct weir_error *error)
{
    const struct composite_part_options *rows = options->parts.items;
    size_t count = options->parts.count;
    struct policy **parts = weir_xcalloc(count + 1, sizeof *parts);
    int64_t *allocations = weir_xcalloc(count + 1, sizeof *allocations);
    size_t made = 0;
    for (; made < count; made++) {
        parts[made] = rows[made].leaf.type == POLICY_AND ? new_and(&rows[made].conjunction, probes, error)
                                                         : new_leaf(&rows[made].leaf, probes, error);
        if (!parts[made])
            break;
        allocations[made] = allocation_of(options, rows[made].leaf.name);
    }
    struct policy *policy = NULL;
    if (made == count)
        policy = policy_composite(parts, allocations, count, options->max_total_spans_per_second);
    else
        free_all(parts, made);
    free(allocations);
    return policy;
}

struct policy *policy_new(const struct policy_options *options, struct probes *probes, struct weir_error *error)
{
    switch (options->leaf.type) {
    case POLICY_NOT:
        return new_not(&options->negation, probes, error);
    case POLICY_AND:
        return new_and(&options->conjunction, probes, error);
    case POLICY_DROP:
        return new_drop(&options->drop, probes, error);
    case POLICY_COMPOSITE:
        return new_composite(&options->composite, probes, error);
    default:
        return new_leaf(&options->leaf, probes, error);
    }
}
