// SPDX-License-Identifier: Apache-2.0
/* latency: how long the trace took, which is tested after every span, as upstream does: a long trace may have been in\n * the window of an upper limit on its way. */
#include <config.h>

#include "plugins/processors/tail_sampling/policy.h"

struct latency {
    struct policy base;
    struct latency_probe probe;
    int64_t threshold;
    int64_t upper;
};

static bool at_least(const struct latency_probe *probe, int64_t milliseconds)
{
    return milliseconds >= WEIR_CONTAINER_OF(probe, struct latency, probe)->threshold;
}

static bool between(const struct latency_probe *probe, int64_t milliseconds)
{
    const struct latency *own = WEIR_CONTAINER_OF(probe, struct latency, probe);
    return own->threshold < milliseconds && milliseconds <= own->upper;
}

static enum vote vote(struct policy *policy, const struct evidence *evidence)
{
    const struct latency *own = (const struct latency *)policy;
    return probe_get(evidence->bits, own->probe.bit) ? VOTE_SAMPLED : VOTE_NOT_SAMPLED;
}

struct policy *policy_latency(const struct latency_options *options, struct probes *probes)
{
    struct latency *own = weir_xcalloc(1, sizeof *own);
    own->base.vote = vote;
    own->base.needs_whole = options->upper_threshold_ms != 0;
    own->threshold = options->threshold_ms;
    own->upper = options->upper_threshold_ms;
    own->probe.test = own->upper == 0 ? at_least : between;
    probes_add_latency(probes, &own->probe);
    return &own->base;
}
