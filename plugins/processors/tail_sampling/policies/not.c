// SPDX-License-Identifier: Apache-2.0
/* not: the other of sampled and not sampled. */
#include <config.h>

#include <stdlib.h>

#include "plugins/processors/tail_sampling/policy.h"

struct negation {
    struct policy base;
    struct policy *inner;
};

static enum vote vote(struct policy *policy, const struct evidence *evidence)
{
    struct policy *inner = ((struct negation *)policy)->inner;
    return inner->vote(inner, evidence) == VOTE_SAMPLED ? VOTE_NOT_SAMPLED : VOTE_SAMPLED;
}

static void release(struct policy *policy)
{
    policy_free(((struct negation *)policy)->inner);
    free(policy);
}

struct policy *policy_not(struct policy *inner)
{
    struct negation *own = weir_xcalloc(1, sizeof *own);
    own->base = (struct policy){ .vote = vote, .free = release, .needs_whole = inner->needs_whole };
    own->inner = inner;
    return &own->base;
}
