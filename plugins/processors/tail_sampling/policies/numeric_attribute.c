// SPDX-License-Identifier: Apache-2.0
/* numeric_attribute: an integer attribute of any resource or span within limits; what is no integer reads as 0. */
#include <config.h>

#include "plugins/processors/tail_sampling/policy.h"

struct numeric {
    struct policy base;
    struct attribute_probe probe;
    int64_t least, most;
    bool invert;
};

static bool matches(const struct attribute_probe *probe, const struct probe_value *value, bool of_resource)
{
    const struct numeric *own = WEIR_CONTAINER_OF(probe, struct numeric, probe);
    (void)of_resource;
    return own->least <= value->integer && value->integer <= own->most;
}

static enum vote vote(struct policy *policy, const struct evidence *evidence)
{
    const struct numeric *own = (const struct numeric *)policy;
    return probe_get(evidence->bits, own->probe.bit) != own->invert ? VOTE_SAMPLED : VOTE_NOT_SAMPLED;
}

struct policy *policy_numeric_attribute(const struct numeric_options *options, struct probes *probes)
{
    struct numeric *own = weir_xcalloc(1, sizeof *own);
    own->base.vote = vote;
    own->least = options->min_value != 0 ? options->min_value : INT64_MIN;
    own->most = options->max_value != 0 ? options->max_value : INT64_MAX;
    own->invert = options->invert_match;
    own->probe.test = matches;
    probes_add_attribute(probes, options->key, &own->probe);
    return &own->base;
}
