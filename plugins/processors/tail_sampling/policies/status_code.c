// SPDX-License-Identifier: Apache-2.0
/* status_code: any span with one of some codes. */
#include <config.h>

#include <weir/telemetry.h>

#include "plugins/processors/tail_sampling/policy.h"

struct status {
    struct policy base;
    struct span_probe probe;
    bool wanted[3]; /* by code */
};

static bool matches(const struct span_probe *probe, const struct span_view *span)
{
    const struct status *own = WEIR_CONTAINER_OF(probe, struct status, probe);
    return span->status >= 0 && span->status < 3 && own->wanted[span->status];
}

static enum vote vote(struct policy *policy, const struct evidence *evidence)
{
    const struct status *own = (const struct status *)policy;
    return probe_get(evidence->bits, own->probe.bit) ? VOTE_SAMPLED : VOTE_NOT_SAMPLED;
}

struct policy *policy_status_code(const struct status_options *options, struct probes *probes)
{
    struct status *own = weir_xcalloc(1, sizeof *own);
    own->base.vote = vote;
    for (size_t i = 0; i < options->status_codes.count; i++) {
        const char *code = options->status_codes.items[i];
        int number = strcmp(code, "OK") == 0 ? WEIR_STATUS_OK : strcmp(code, "ERROR") == 0 ? WEIR_STATUS_ERROR : 0;
        own->wanted[number] = true;
    }
    own->probe.test = matches;
    probes_add_span(probes, &own->probe);
    return &own->base;
}
