// SPDX-License-Identifier: Apache-2.0
/* composite: the first of several policies that samples decides, within its spans for each second of the wall clock. */
#include <config.h>

#include <stdatomic.h>
#include <stdlib.h>

#include "plugins/processors/tail_sampling/policy.h"

struct share {
    struct policy *policy;
    uint64_t allocation;
    _Atomic uint64_t used; /* the second's last 24 bits and above 40 bits of spans: that all workers see both at once */
};

struct composite {
    struct policy base;
    uint64_t most;
    struct share *shares;
    size_t count;
};

#define SPAN_BITS 40

static bool charge(const struct composite *own, struct share *share, uint64_t spans, int64_t second)
{
    uint64_t stamp = (uint64_t)second << SPAN_BITS;
    uint64_t used = atomic_load(&share->used);
    for (;;) {
        uint64_t before = used >> SPAN_BITS << SPAN_BITS == stamp ? used - stamp : 0;
        uint64_t after = before + spans;
        if (after > share->allocation || after > own->most)
            return false;
        if (atomic_compare_exchange_weak(&share->used, &used, stamp | after))
            return true;
    }
}

/* Who samples first settles it, also where it has used up its spans: then the trace is not sampled. */
static enum vote vote(struct policy *policy, const struct evidence *evidence)
{
    struct composite *own = (struct composite *)policy;
    for (size_t i = 0; i < own->count; i++) {
        struct share *share = &own->shares[i];
        if (share->policy->vote(share->policy, evidence) == VOTE_SAMPLED)
            return charge(own, share, evidence->spans, evidence->second) ? VOTE_SAMPLED : VOTE_NOT_SAMPLED;
    }
    return VOTE_NOT_SAMPLED;
}

static void release(struct policy *policy)
{
    struct composite *own = (struct composite *)policy;
    for (size_t i = 0; i < own->count; i++)
        policy_free(own->shares[i].policy);
    free(own->shares);
    free(own);
}

struct policy *policy_composite(struct policy **parts, const int64_t *allocations, size_t count, int64_t most)
{
    struct composite *own = weir_xcalloc(1, sizeof *own);
    own->base = (struct policy){ .vote = vote, .free = release };
    own->most = (uint64_t)most;
    own->shares = weir_xcalloc(count + 1, sizeof *own->shares);
    own->count = count;
    for (size_t i = 0; i < count; i++) {
        own->shares[i].policy = parts[i];
        own->shares[i].allocation = (uint64_t)allocations[i];
        own->base.needs_whole |= parts[i]->needs_whole;
    }
    free(parts);
    return &own->base;
}
