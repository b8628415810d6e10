// SPDX-License-Identifier: Apache-2.0
/* The keys of policies (contrib-processors 1.3). */
#include <config.h>

#include "plugins/processors/tail_sampling/options.h"

static const struct weir_option latency_rows[] = {
    WEIR_OPTION(struct latency_options, threshold_ms, "threshold_ms", .preset = "0", .unit = "ms",
                .doc = "Traces that take at least this long."),
    WEIR_OPTION(struct latency_options, upper_threshold_ms, "upper_threshold_ms", .preset = "0", .unit = "ms",
                .doc = "Traces that take longer than threshold_ms, but not longer than this; 0: no limit."),
    WEIR_OPTION_END,
};
static const struct weir_option_table latency_table = { latency_rows, sizeof(struct latency_options), NULL };

static const struct weir_option numeric_rows[] = {
    WEIR_OPTION(struct numeric_options, key, "key", .doc = "The attribute, of a resource or span."),
    WEIR_OPTION(struct numeric_options, min_value, "min_value", .preset = "0", .doc = "Least value; 0: no limit."),
    WEIR_OPTION(struct numeric_options, max_value, "max_value", .preset = "0", .doc = "Greatest value; 0: no limit."),
    WEIR_OPTION(struct numeric_options, invert_match, "invert_match", .preset = "false",
                .doc = "Samples the traces that would not be."),
    WEIR_OPTION_END,
};
static const struct weir_option_table numeric_table = { numeric_rows, sizeof(struct numeric_options), NULL };

static const struct weir_option probabilistic_rows[] = {
    WEIR_OPTION(struct probabilistic_options, sampling_percentage, "sampling_percentage", .preset = "0", .unit = "%",
                .doc = "Which part of the traces, by a hash of the trace id."),
    WEIR_OPTION(struct probabilistic_options, hash_salt, "hash_salt",
                .doc = "Goes into the hash; collectors that shall decide alike need the same."),
    WEIR_OPTION_END,
};
static const struct weir_option_table probabilistic_table = { probabilistic_rows, sizeof(struct probabilistic_options),
                                                              NULL };

static const struct weir_option status_rows[] = {
    WEIR_OPTION(struct status_options, status_codes, "status_codes", .doc = "OK, ERROR, UNSET: any of them in any span."),
    WEIR_OPTION_END,
};
static const struct weir_option_table status_table = { status_rows, sizeof(struct status_options), NULL };

static const struct weir_option string_rows[] = {
    WEIR_OPTION(struct string_options, key, "key", .doc = "The attribute, of a resource or span."),
    WEIR_OPTION(struct string_options, values, "values", .doc = "The values, or expressions found anywhere in them."),
    WEIR_OPTION(struct string_options, enabled_regex_matching, "enabled_regex_matching", .preset = "false",
                .doc = "Whether the values are regular expressions."),
    WEIR_OPTION(struct string_options, cache_max_size, "cache_max_size", .preset = "0", .bounded = true, .min = INT32_MIN,
                .max = INT32_MAX, .unit = "values",
                .doc = "Values whose matching with the expressions is remembered; 0: 128."),
    WEIR_OPTION(struct string_options, invert_match, "invert_match", .preset = "false",
                .doc = "Samples the traces that would not be."),
    WEIR_OPTION_END,
};
static const struct weir_option_table string_table = { string_rows, sizeof(struct string_options), NULL };

static const struct weir_option trace_state_rows[] = {
    WEIR_OPTION(struct trace_state_options, key, "key", .doc = "The tracestate's member."),
    WEIR_OPTION(struct trace_state_options, values, "values", .doc = "The values, any of them in any span."),
    WEIR_OPTION_END,
};
static const struct weir_option_table trace_state_table = { trace_state_rows, sizeof(struct trace_state_options), NULL };

static const struct weir_option rate_rows[] = {
    WEIR_OPTION(struct rate_options, spans_per_second, "spans_per_second", .preset = "0", .bounded = true,
                .doc = "Spans of sampled traces, on average."),
    WEIR_OPTION(struct rate_options, burst_capacity, "burst_capacity", .preset = "0", .bounded = true, .unit = "spans",
                .doc = "Spans at one time; 0: twice the rate."),
    WEIR_OPTION_END,
};
static const struct weir_option_table rate_table = { rate_rows, sizeof(struct rate_options), NULL };

static const struct weir_option bytes_rows[] = {
    WEIR_OPTION(struct bytes_options, bytes_per_second, "bytes_per_second", .preset = "0", .bounded = true,
                .doc = "Encoded bytes of sampled traces, on average."),
    WEIR_OPTION(struct bytes_options, burst_capacity, "burst_capacity", .preset = "0", .bounded = true, .unit = "bytes",
                .doc = "Bytes at one time; 0: twice the rate."),
    WEIR_OPTION_END,
};
static const struct weir_option_table bytes_table = { bytes_rows, sizeof(struct bytes_options), NULL };

static const struct weir_option span_count_rows[] = {
    WEIR_OPTION(struct span_count_options, min_spans, "min_spans", .preset = "0", .bounded = true, .min = INT32_MIN,
                .max = INT32_MAX, .unit = "spans", .doc = "Traces with at least so many spans."),
    WEIR_OPTION(struct span_count_options, max_spans, "max_spans", .preset = "0", .bounded = true, .min = INT32_MIN,
                .max = INT32_MAX, .unit = "spans", .doc = "And with at most so many; 0: no limit."),
    WEIR_OPTION_END,
};
static const struct weir_option_table span_count_table = { span_count_rows, sizeof(struct span_count_options), NULL };

static const struct weir_option boolean_rows[] = {
    WEIR_OPTION(struct boolean_options, key, "key", .doc = "The attribute, of a resource or span."),
    WEIR_OPTION(struct boolean_options, value, "value", .preset = "false", .doc = "Its value."),
    WEIR_OPTION(struct boolean_options, invert_match, "invert_match", .preset = "false",
                .doc = "Samples the traces that would not be."),
    WEIR_OPTION_END,
};
static const struct weir_option_table boolean_table = { boolean_rows, sizeof(struct boolean_options), NULL };

#define LEAF_TYPES                                                                                     \
    { "always_sample", POLICY_ALWAYS_SAMPLE }, { "latency", POLICY_LATENCY },                          \
        { "numeric_attribute", POLICY_NUMERIC_ATTRIBUTE }, { "probabilistic", POLICY_PROBABILISTIC },  \
        { "status_code", POLICY_STATUS_CODE }, { "string_attribute", POLICY_STRING_ATTRIBUTE },        \
        { "trace_state", POLICY_TRACE_STATE }, { "trace_flags", POLICY_TRACE_FLAGS },                  \
        { "rate_limiting", POLICY_RATE_LIMITING }, { "bytes_limiting", POLICY_BYTES_LIMITING },        \
        { "span_count", POLICY_SPAN_COUNT }, { "boolean_attribute", POLICY_BOOLEAN_ATTRIBUTE },        \
    {                                                                                                  \
        "ottl_condition", POLICY_OTTL_CONDITION                                                        \
    }

static const struct weir_option_value leaf_types[] = { LEAF_TYPES, { NULL, 0 } };
static const struct weir_option_value part_types[] = { LEAF_TYPES, { "not", POLICY_NOT }, { NULL, 0 } };
static const struct weir_option_value composite_part_types[] = { LEAF_TYPES, { "and", POLICY_AND }, { NULL, 0 } };
static const struct weir_option_value policy_types[] = {
    LEAF_TYPES,
    { "not", POLICY_NOT },
    { "and", POLICY_AND },
    { "drop", POLICY_DROP },
    { "composite", POLICY_COMPOSITE },
    { NULL, 0 },
};

#define NO_OTTL "there is no OTTL yet, on which conditions are written; use the attribute, status and latency policies"

static void check_attribute(const char *type, const char *key, struct weir_checker *checker)
{
    if (!key || !*key)
        weir_check_fail(checker, type, "%s needs a key", type);
}

static void check_numeric(const struct numeric_options *options, struct weir_checker *checker)
{
    check_attribute("numeric_attribute", options->key, checker);
    if (options->min_value == 0 && options->max_value == 0)
        weir_check_fail(checker, "numeric_attribute", "min_value or max_value must be set, to other than 0");
    else if (options->min_value != 0 && options->max_value != 0 && options->min_value > options->max_value)
        weir_check_warn(checker, "numeric_attribute", "min_value is greater than max_value: nothing matches");
}

static void check_status(const struct weir_strings *codes, struct weir_checker *checker)
{
    if (codes->count == 0)
        weir_check_fail(checker, "status_code", "expected at least one status code to filter on");
    for (size_t i = 0; i < codes->count; i++)
        if (strcmp(codes->items[i], "OK") != 0 && strcmp(codes->items[i], "ERROR") != 0 &&
            strcmp(codes->items[i], "UNSET") != 0)
            weir_check_fail(checker, "status_code", "unknown status code \"%s\", supported: OK, ERROR, UNSET",
                            codes->items[i]);
}

static void check_leaf(const void *group, struct weir_checker *checker)
{
    const struct leaf_options *options = group;
    if (options->type == POLICY_NUMERIC_ATTRIBUTE)
        check_numeric(&options->numeric_attribute, checker);
    else if (options->type == POLICY_STATUS_CODE)
        check_status(&options->status_code.status_codes, checker);
    else if (options->type == POLICY_STRING_ATTRIBUTE)
        check_attribute("string_attribute", options->string_attribute.key, checker);
    else if (options->type == POLICY_BOOLEAN_ATTRIBUTE)
        check_attribute("boolean_attribute", options->boolean_attribute.key, checker);
    else if (options->type == POLICY_TRACE_STATE)
        check_attribute("trace_state", options->trace_state.key, checker);
    else if (options->type == POLICY_OTTL_CONDITION)
        weir_check_fail(checker, "type", NO_OTTL);
}

#define LEAF_ROWS(words)                                                                                             \
    WEIR_OPTION(struct leaf_options, name, "name", .doc = "Names the policy in metrics."),                           \
        WEIR_OPTION(struct leaf_options, type, "type", .values = (words), .required = true, .doc = "What it asks."), \
        WEIR_OPTION_GROUP(struct leaf_options, latency, "latency", &latency_table,                                   \
                          .doc = "From the first start to the last end of spans."),                                  \
        WEIR_OPTION_GROUP(struct leaf_options, numeric_attribute, "numeric_attribute", &numeric_table,               \
                          .doc = "An integer attribute within limits."),                                             \
        WEIR_OPTION_GROUP(struct leaf_options, probabilistic, "probabilistic", &probabilistic_table,                 \
                          .doc = "A part of the traces."),                                                           \
        WEIR_OPTION_GROUP(struct leaf_options, status_code, "status_code", &status_table,                            \
                          .doc = "The status of any span."),                                                         \
        WEIR_OPTION_GROUP(struct leaf_options, string_attribute, "string_attribute", &string_table,                  \
                          .doc = "A string attribute with one of some values."),                                     \
        WEIR_OPTION_GROUP(struct leaf_options, trace_state, "trace_state", &trace_state_table,                       \
                          .doc = "A member of the tracestate with one of some values."),                             \
        WEIR_OPTION_GROUP(struct leaf_options, rate_limiting, "rate_limiting", &rate_table,                          \
                          .doc = "As many spans as a rate allows."),                                                 \
        WEIR_OPTION_GROUP(struct leaf_options, bytes_limiting, "bytes_limiting", &bytes_table,                       \
                          .doc = "As many bytes as a rate allows."),                                                 \
        WEIR_OPTION_GROUP(struct leaf_options, span_count, "span_count", &span_count_table,                          \
                          .doc = "The number of spans."),                                                            \
        WEIR_OPTION_GROUP(struct leaf_options, boolean_attribute, "boolean_attribute", &boolean_table,               \
                          .doc = "A boolean attribute with one value."),                                             \
        WEIR_OPTION_REFUSED("ottl_condition", NO_OTTL), WEIR_OPTION_END

static const struct weir_option leaf_rows[] = { LEAF_ROWS(leaf_types) };
static const struct weir_option_table leaf_table = { leaf_rows, sizeof(struct leaf_options), check_leaf };
static const struct weir_option part_leaf_rows[] = { LEAF_ROWS(part_types) };
static const struct weir_option_table part_leaf_table = { part_leaf_rows, sizeof(struct leaf_options), check_leaf };
static const struct weir_option composite_leaf_rows[] = { LEAF_ROWS(composite_part_types) };
static const struct weir_option_table composite_leaf_table = { composite_leaf_rows, sizeof(struct leaf_options),
                                                               check_leaf };
static const struct weir_option policy_leaf_rows[] = { LEAF_ROWS(policy_types) };
static const struct weir_option_table policy_leaf_table = { policy_leaf_rows, sizeof(struct leaf_options), check_leaf };

static const struct weir_option not_rows[] = {
    WEIR_OPTION_OPTIONAL(struct not_options, inner, given, "not_sub_policy", &leaf_table, WEIR_NONE_OFF,
                         .doc = "The policy whose vote is turned round."),
    WEIR_OPTION_END,
};
static const struct weir_option_table not_table = { not_rows, sizeof(struct not_options), NULL };
#define NOT_ROW(type) WEIR_OPTION_GROUP(type, negation, "not", &not_table, .doc = "Traces that a policy does not sample.")

static void check_part(const void *group, struct weir_checker *checker)
{
    const struct part_options *options = group;
    if (options->leaf.type == POLICY_NOT && !options->negation.given)
        weir_check_fail(checker, "not", "not needs a not_sub_policy");
}

static const struct weir_option part_rows[] = {
    WEIR_OPTION_INLINE(struct part_options, leaf, &part_leaf_table),
    NOT_ROW(struct part_options),
    WEIR_OPTION_END,
};
static const struct weir_option_table part_table = { part_rows, sizeof(struct part_options), check_part };

static const struct weir_option and_rows[] = {
    WEIR_OPTION_LIST(struct and_options, parts, "and_sub_policy", &part_table, .doc = "Policies that all must sample."),
    WEIR_OPTION_END,
};
static const struct weir_option_table and_table = { and_rows, sizeof(struct and_options), NULL };

static const struct weir_option drop_rows[] = {
    WEIR_OPTION_LIST(struct and_options, parts, "drop_sub_policy", &part_table, .doc = "Policies that all must sample."),
    WEIR_OPTION_END,
};
static const struct weir_option_table drop_table = { drop_rows, sizeof(struct and_options), NULL };

static const struct weir_option composite_part_rows[] = {
    WEIR_OPTION_INLINE(struct composite_part_options, leaf, &composite_leaf_table),
    WEIR_OPTION_GROUP(struct composite_part_options, conjunction, "and", &and_table, .doc = "Policies that all must sample."),
    WEIR_OPTION_END,
};
static const struct weir_option_table composite_part_table = { composite_part_rows,
                                                               sizeof(struct composite_part_options), NULL };

static const struct weir_option allocation_rows[] = {
    WEIR_OPTION(struct allocation_options, policy, "policy", .doc = "The sub-policy's name."),
    WEIR_OPTION(struct allocation_options, percent, "percent", .preset = "0", .unit = "%",
                .doc = "Its part of max_total_spans_per_second; 0: an equal part."),
    WEIR_OPTION_END,
};
static const struct weir_option_table allocation_table = { allocation_rows, sizeof(struct allocation_options), NULL };

static void check_composite(const void *group, struct weir_checker *checker)
{
    const struct composite_options *options = group;
    const struct composite_part_options *parts = options->parts.items;
    const struct allocation_options *allocations = options->allocations.items;
    for (size_t i = 0; i < options->parts.count; i++) {
        bool found = false;
        for (size_t j = 0; parts[i].leaf.name && j < options->allocations.count; j++)
            found |= allocations[j].policy && strcmp(allocations[j].policy, parts[i].leaf.name) == 0;
        if (!found)
            weir_check_warn(checker, "rate_allocation", "the sub-policy \"%s\" has no allocation and so never samples",
                            parts[i].leaf.name ? parts[i].leaf.name : "");
    }
}

static const struct weir_option composite_rows[] = {
    WEIR_OPTION(struct composite_options, max_total_spans_per_second, "max_total_spans_per_second", .preset = "0",
                .bounded = true, .max = UINT32_MAX, .doc = "What the percentages of rate_allocation are parts of."),
    WEIR_OPTION_IGNORED("policy_order", "sub-policies vote in the order of composite_sub_policy, as upstream's do"),
    WEIR_OPTION_LIST(struct composite_options, parts, "composite_sub_policy", &composite_part_table,
                     .doc = "The first of these policies that samples settles the vote."),
    WEIR_OPTION_LIST(struct composite_options, allocations, "rate_allocation", &allocation_table,
                     .doc = "How many spans a second each of them may let through."),
    WEIR_OPTION_END,
};
static const struct weir_option_table composite_table = { composite_rows, sizeof(struct composite_options),
                                                          check_composite };

static void check_policy(const void *group, struct weir_checker *checker)
{
    const struct policy_options *options = group;
    if (options->leaf.type == POLICY_NOT && !options->negation.given)
        weir_check_fail(checker, "not", "not needs a not_sub_policy");
}

static const struct weir_option policy_rows[] = {
    WEIR_OPTION_INLINE(struct policy_options, leaf, &policy_leaf_table),
    NOT_ROW(struct policy_options),
    WEIR_OPTION_GROUP(struct policy_options, conjunction, "and", &and_table, .doc = "Traces that all of several policies sample."),
    WEIR_OPTION_GROUP(struct policy_options, drop, "drop", &drop_table,
                      .doc = "Traces that are dropped, whatever others say, where all of several policies sample them."),
    WEIR_OPTION_GROUP(struct policy_options, composite, "composite", &composite_table,
                      .doc = "Policies that share a rate."),
    WEIR_OPTION_END,
};
const struct weir_option_table policy_table = { policy_rows, sizeof(struct policy_options), check_policy };
