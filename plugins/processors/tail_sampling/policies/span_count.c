// SPDX-License-Identifier: Apache-2.0
/* span_count: the number of spans, whatever their chunks. */
#include <config.h>

#include "plugins/processors/tail_sampling/policy.h"

struct span_count {
    struct policy base;
    int64_t least, most;
};

static enum vote vote(struct policy *policy, const struct evidence *evidence)
{
    const struct span_count *own = (const struct span_count *)policy;
    int64_t spans = (int64_t)evidence->spans;
    return own->least <= spans && (own->most == 0 || spans <= own->most) ? VOTE_SAMPLED : VOTE_NOT_SAMPLED;
}

struct policy *policy_span_count(const struct span_count_options *options)
{
    struct span_count *own = weir_xcalloc(1, sizeof *own);
    own->base.vote = vote;
    own->base.needs_whole = options->max_spans != 0;
    own->least = options->min_spans;
    own->most = options->max_spans;
    return &own->base;
}
