// SPDX-License-Identifier: Apache-2.0
/* trace_flags: any span with the sampled bit in its W3C trace flags. */
#include <config.h>

#include "plugins/processors/tail_sampling/policy.h"

struct flags {
    struct policy base;
    struct span_probe probe;
};

static bool matches(const struct span_probe *probe, const struct span_view *span)
{
    (void)probe;
    return (span->flags & 1) != 0;
}

static enum vote vote(struct policy *policy, const struct evidence *evidence)
{
    const struct flags *own = (const struct flags *)policy;
    return probe_get(evidence->bits, own->probe.bit) ? VOTE_SAMPLED : VOTE_NOT_SAMPLED;
}

struct policy *policy_trace_flags(struct probes *probes)
{
    struct flags *own = weir_xcalloc(1, sizeof *own);
    own->base.vote = vote;
    own->probe.test = matches;
    probes_add_span(probes, &own->probe);
    return &own->base;
}
