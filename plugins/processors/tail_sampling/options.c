// SPDX-License-Identifier: Apache-2.0
/* The keys of the processor itself (contrib-processors 1.1). */
#include <config.h>

#include <weir/storage.h>

#include "plugins/processors/tail_sampling/options.h"

static const struct weir_option cache_rows[] = {
    WEIR_OPTION(struct decision_cache_options, sampled_cache_size, "sampled_cache_size", .preset = "0", .bounded = true,
                .max = INT32_MAX, .unit = "traces",
                .doc = "How many ids of sampled traces are kept for spans that come later; 0: none."),
    WEIR_OPTION(struct decision_cache_options, non_sampled_cache_size, "non_sampled_cache_size", .preset = "0",
                .bounded = true, .max = INT32_MAX, .unit = "traces",
                .doc = "How many ids of traces that were not sampled are kept; 0: none."),
    WEIR_OPTION_END,
};
static const struct weir_option_table cache_table = { cache_rows, sizeof(struct decision_cache_options), NULL };

static const struct weir_option_value strategies[] = {
    { "trace-complete", STRATEGY_TRACE_COMPLETE },
    { "span-ingest", STRATEGY_SPAN_INGEST },
    { "", STRATEGY_TRACE_COMPLETE },
    { NULL, 0 },
};

static void check_names(const struct weir_groups *policies, struct weir_checker *checker)
{
    const struct policy_options *items = policies->items;
    for (size_t i = 0; i < policies->count; i++) {
        if (!items[i].leaf.name || !*items[i].leaf.name)
            weir_check_fail(checker, "policies", "policy %zu has an empty name", i + 1);
        for (size_t j = 0; items[i].leaf.name && j < i; j++)
            if (items[j].leaf.name && strcmp(items[i].leaf.name, items[j].leaf.name) == 0)
                weir_check_fail(checker, "policies", "duplicate policy name \"%s\"", items[i].leaf.name);
    }
}

static void check(const void *group, struct weir_checker *checker)
{
    const struct tail_config *config = group;
    check_names(&config->policies, checker);
    if (config->storage.id && config->drop_pending_traces_on_shutdown)
        weir_check_fail(checker, "storage", "storage keeps what drop_pending_traces_on_shutdown drops: set one of them");
    if (config->policies.count == 0)
        weir_check_warn(checker, "policies", "without policies no trace is sampled");
}

#define HOUR (INT64_C(3600) * 1000000000)

static const struct weir_option rows[] = {
    WEIR_OPTION(struct tail_config, decision_wait, "decision_wait", .preset = "30s", .bounded = true, .max = 24 * HOUR,
                .doc = "Time from a trace's first span to its decision, in whole seconds."),
    WEIR_OPTION(struct tail_config, decision_wait_after_root_received, "decision_wait_after_root_received",
                .preset = "0s", .bounded = true, .max = 24 * HOUR,
                .doc = "Time from a trace's root span to its decision, where that is earlier; 0: off."),
    WEIR_OPTION(struct tail_config, num_traces, "num_traces", .preset = "50000", .bounded = true, .min = 1,
                .max = INT32_MAX, .unit = "traces", .doc = "Most traces that are held, with those decided."),
    WEIR_OPTION(struct tail_config, block_on_overflow, "block_on_overflow", .preset = "false",
                .doc = "Whether clients wait when there is no room, or the oldest traces go."),
    WEIR_OPTION(struct tail_config, expected_new_traces_per_sec, "expected_new_traces_per_sec", .preset = "0",
                .bounded = true, .max = INT32_MAX, .unit = "traces/s", .doc = "Sizes the table of traces beforehand."),
    WEIR_OPTION_LIST(struct tail_config, policies, "policies", &policy_table,
                     .doc = "Who votes on each trace, in order."),
    WEIR_OPTION_GROUP(struct tail_config, decision_cache, "decision_cache", &cache_table,
                      .doc = "Decisions that are remembered after their traces have gone."),
    WEIR_OPTION(struct tail_config, sample_on_first_match, "sample_on_first_match", .preset = "false",
                .doc = "Whether the first policy that says sampled ends the vote."),
    WEIR_OPTION(struct tail_config, drop_pending_traces_on_shutdown, "drop_pending_traces_on_shutdown",
                .preset = "false", .doc = "Whether undecided traces are dropped at the end, or decided as they are."),
    WEIR_OPTION(struct tail_config, maximum_trace_size_bytes, "maximum_trace_size_bytes", .preset = "0",
                .bounded = true, .unit = "bytes", .doc = "A trace that grows beyond this is dropped at once; 0: off."),
    WEIR_OPTION(struct tail_config, maximum_pending_bytes, "maximum_pending_bytes", .preset = "0", .bounded = true,
                .unit = "bytes",
                .doc = "Most memory for undecided traces, of which one trace gets an eighth at most; 0: off."),
    WEIR_OPTION(struct tail_config, sampling_strategy, "sampling_strategy", .preset = "trace-complete",
                .values = strategies, .doc = "Whether whole traces are voted on, or what arrives of them, as it does."),
    WEIR_OPTION(struct tail_config, storage, "storage", .interface = WEIR_STORAGE, .noun = "storage extension",
                .doc = "The storage extension that keeps undecided traces while the collector is not running."),
    WEIR_OPTION_REFUSED("tail_storage", "there is no extension that stores spans for tail_sampling"),
    WEIR_OPTION_END,
};
const struct weir_option_table tail_table = { rows, sizeof(struct tail_config), check };
