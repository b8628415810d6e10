// SPDX-License-Identifier: Apache-2.0
/* Policies: each votes on a trace. The types stand in policies/, one file each. */
#ifndef TAIL_SAMPLING_POLICY_H
#define TAIL_SAMPLING_POLICY_H

#include <weir/error.h>

#include "plugins/processors/tail_sampling/options.h"
#include "plugins/processors/tail_sampling/probe.h"

enum vote {
    VOTE_NOT_SAMPLED,
    VOTE_SAMPLED,
    VOTE_DROPPED,
};

/* What is known of a trace, or of a part of one, when it is voted on. */
struct evidence {
    const uint8_t *trace_id;
    const uint64_t *bits; /* answers of the probes */
    uint64_t spans;
    uint64_t bytes;
    int64_t now;    /* the worker's clock */
    int64_t second; /* since 1970 */
};

/* One policy; embedded first in the struct of its type. `vote` may be called on every worker at once: what it changes is
 * atomic. */
struct policy {
    enum vote (*vote)(struct policy *policy, const struct evidence *evidence);
    void (*free)(struct policy *policy); /* NULL: free() will do */
    bool needs_whole; /* cannot say yes to a part of a trace (sampling_strategy: span-ingest) */
};

/* Make a policy of this type; register its probes. NULL with `error` set. Main thread, in create. */
struct policy *policy_always_sample(void);
struct policy *policy_latency(const struct latency_options *options, struct probes *probes);
struct policy *policy_numeric_attribute(const struct numeric_options *options, struct probes *probes);
struct policy *policy_probabilistic(const struct probabilistic_options *options);
struct policy *policy_status_code(const struct status_options *options, struct probes *probes);
struct policy *policy_string_attribute(const struct string_options *options, struct probes *probes,
                                       struct weir_error *error);
struct policy *policy_trace_state(const struct trace_state_options *options, struct probes *probes);
struct policy *policy_trace_flags(struct probes *probes);
struct policy *policy_rate_limiting(const struct rate_options *options);
struct policy *policy_bytes_limiting(const struct bytes_options *options);
struct policy *policy_span_count(const struct span_count_options *options);
struct policy *policy_boolean_attribute(const struct boolean_options *options, struct probes *probes);
struct policy *policy_not(struct policy *inner);
struct policy *policy_and(struct policy **parts, size_t count);
struct policy *policy_drop(struct policy **parts, size_t count);
/* allocations[i]: spans a second for parts[i]. */
struct policy *policy_composite(struct policy **parts, const int64_t *allocations, size_t count, int64_t most);

/* The policy that `options` describe, of any type. NULL with `error` set. */
struct policy *policy_new(const struct policy_options *options, struct probes *probes,
                          struct weir_error *error);
/* Accepts NULL. */
void policy_free(struct policy *policy);

#endif
