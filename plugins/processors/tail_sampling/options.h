// SPDX-License-Identifier: Apache-2.0
/* The keys of tail_sampling as they are written. */
#ifndef TAIL_SAMPLING_OPTIONS_H
#define TAIL_SAMPLING_OPTIONS_H

#include <weir/option.h>

enum policy_kind {
    POLICY_ALWAYS_SAMPLE,
    POLICY_LATENCY,
    POLICY_NUMERIC_ATTRIBUTE,
    POLICY_PROBABILISTIC,
    POLICY_STATUS_CODE,
    POLICY_STRING_ATTRIBUTE,
    POLICY_TRACE_STATE,
    POLICY_TRACE_FLAGS,
    POLICY_RATE_LIMITING,
    POLICY_BYTES_LIMITING,
    POLICY_SPAN_COUNT,
    POLICY_BOOLEAN_ATTRIBUTE,
    POLICY_OTTL_CONDITION,
    POLICY_NOT,
    POLICY_AND,
    POLICY_DROP,
    POLICY_COMPOSITE,
};

struct latency_options {
    int64_t threshold_ms;
    int64_t upper_threshold_ms; /* 0: none */
};

struct numeric_options {
    char *key;
    int64_t min_value; /* 0: none, for both */
    int64_t max_value;
    bool invert_match;
};

struct probabilistic_options {
    double sampling_percentage;
    char *hash_salt;
};

struct status_options {
    struct weir_strings status_codes;
};

struct string_options {
    char *key;
    struct weir_strings values;
    bool enabled_regex_matching;
    int64_t cache_max_size;
    bool invert_match;
};

struct trace_state_options {
    char *key;
    struct weir_strings values;
};

struct rate_options {
    int64_t spans_per_second;
    int64_t burst_capacity; /* 0: twice the rate */
};

struct bytes_options {
    int64_t bytes_per_second;
    int64_t burst_capacity;
};

struct span_count_options {
    int64_t min_spans;
    int64_t max_spans; /* 0: none */
};

struct boolean_options {
    char *key;
    bool value;
    bool invert_match;
};

/* A policy that has no other policies in it. */
struct leaf_options {
    char *name;
    int type; /* enum policy_kind */
    struct latency_options latency;
    struct numeric_options numeric_attribute;
    struct probabilistic_options probabilistic;
    struct status_options status_code;
    struct string_options string_attribute;
    struct trace_state_options trace_state;
    struct rate_options rate_limiting;
    struct bytes_options bytes_limiting;
    struct span_count_options span_count;
    struct boolean_options boolean_attribute;
};

struct not_options {
    bool given;
    struct leaf_options inner;
};

/* What `and` and `drop` are made of. */
struct part_options {
    struct leaf_options leaf;
    struct not_options negation;
};

struct and_options {
    struct weir_groups parts; /* struct part_options */
};

struct composite_part_options {
    struct leaf_options leaf;
    struct and_options conjunction;
};

struct allocation_options {
    char *policy;
    int64_t percent;
};

struct composite_options {
    int64_t max_total_spans_per_second;
    struct weir_groups parts;       /* struct composite_part_options */
    struct weir_groups allocations; /* struct allocation_options */
};

struct policy_options {
    struct leaf_options leaf;
    struct not_options negation;
    struct and_options conjunction;
    struct and_options drop;
    struct composite_options composite;
};

enum sampling_strategy {
    STRATEGY_TRACE_COMPLETE,
    STRATEGY_SPAN_INGEST,
};

struct decision_cache_options {
    int64_t sampled_cache_size;
    int64_t non_sampled_cache_size;
};

struct tail_config {
    struct weir_duration decision_wait;
    struct weir_duration decision_wait_after_root_received; /* 0: off */
    int64_t num_traces;
    bool block_on_overflow;
    int64_t expected_new_traces_per_sec;
    struct weir_groups policies; /* struct policy_options */
    struct decision_cache_options decision_cache;
    bool sample_on_first_match;
    bool drop_pending_traces_on_shutdown;
    int64_t maximum_trace_size_bytes; /* 0: off */
    int64_t maximum_pending_bytes;    /* 0: off */
    int sampling_strategy;
    struct weir_reference storage;
};

extern const struct weir_option_table tail_table;
extern const struct weir_option_table policy_table;

#endif
