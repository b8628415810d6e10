// SPDX-License-Identifier: Apache-2.0
/* boolean_attribute: an attribute of any resource or span with one value; what is no boolean reads as false. */
#include <config.h>

#include "plugins/processors/tail_sampling/policy.h"

struct boolean {
    struct policy base;
    struct attribute_probe probe;
    bool value;
    bool invert;
};

static bool matches(const struct attribute_probe *probe, const struct probe_value *value, bool of_resource)
{
    (void)of_resource;
    return value->boolean == WEIR_CONTAINER_OF(probe, struct boolean, probe)->value;
}

static enum vote vote(struct policy *policy, const struct evidence *evidence)
{
    const struct boolean *own = (const struct boolean *)policy;
    return probe_get(evidence->bits, own->probe.bit) != own->invert ? VOTE_SAMPLED : VOTE_NOT_SAMPLED;
}

struct policy *policy_boolean_attribute(const struct boolean_options *options, struct probes *probes)
{
    struct boolean *own = weir_xcalloc(1, sizeof *own);
    own->base.vote = vote;
    own->value = options->value;
    own->invert = options->invert_match;
    own->probe.test = matches;
    probes_add_attribute(probes, options->key, &own->probe);
    return &own->base;
}
