// SPDX-License-Identifier: Apache-2.0
/* and, drop: what all of several policies sample, in their order up to the first that does not. */
#include <config.h>

#include <stdlib.h>

#include "plugins/processors/tail_sampling/policy.h"

struct conjunction {
    struct policy base;
    enum vote yes;
    struct policy **parts;
    size_t count;
};

static enum vote vote(struct policy *policy, const struct evidence *evidence)
{
    struct conjunction *own = (struct conjunction *)policy;
    for (size_t i = 0; i < own->count; i++)
        if (own->parts[i]->vote(own->parts[i], evidence) == VOTE_NOT_SAMPLED)
            return VOTE_NOT_SAMPLED;
    return own->yes;
}

static void release(struct policy *policy)
{
    struct conjunction *own = (struct conjunction *)policy;
    for (size_t i = 0; i < own->count; i++)
        policy_free(own->parts[i]);
    free(own->parts);
    free(own);
}

static struct policy *conjunction_new(enum vote yes, struct policy **parts, size_t count)
{
    struct conjunction *own = weir_xcalloc(1, sizeof *own);
    own->base = (struct policy){ .vote = vote, .free = release };
    own->yes = yes;
    own->parts = parts;
    own->count = count;
    for (size_t i = 0; i < count; i++)
        own->base.needs_whole |= parts[i]->needs_whole;
    return &own->base;
}

struct policy *policy_and(struct policy **parts, size_t count)
{
    return conjunction_new(VOTE_SAMPLED, parts, count);
}

struct policy *policy_drop(struct policy **parts, size_t count)
{
    return conjunction_new(VOTE_DROPPED, parts, count);
}
