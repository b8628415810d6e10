// SPDX-License-Identifier: Apache-2.0
/* always_sample: every trace. */
#include <config.h>

#include "plugins/processors/tail_sampling/policy.h"

static enum vote vote(struct policy *policy, const struct evidence *evidence)
{
    (void)policy;
    (void)evidence;
    return VOTE_SAMPLED;
}

struct policy *policy_always_sample(void)
{
    struct policy *policy = weir_xcalloc(1, sizeof *policy);
    policy->vote = vote;
    return policy;
}
