// SPDX-License-Identifier: Apache-2.0
/* Deciding. */
#include <config.h>

#include "plugins/processors/probabilistic_sampler/sampler.h"

static void hashed_randomness(const struct sampler *sampler, struct evidence *evidence, struct weir_str hashed,
                              enum sampler_policy policy)
{
    if (hashed.length > 0) {
        evidence->has_randomness = true;
        evidence->randomness = randomness_hashed((uint32_t)sampler->config->hash_seed, hashed);
        evidence->policy = policy;
    }
    if (evidence->problem)
        return;
    if (evidence->has_rv || evidence->has_th) {
        evidence->problem = evidence->has_rv ? "item has sampling randomness in use" : "item has sampling threshold in use";
        evidence->has_carrier = false; /* somebody else's: not to be touched */
        return;
    }
    evidence->has_rv = evidence->has_randomness;
    evidence->rv = evidence->randomness;
}

void sampler_find_randomness(const struct sampler *sampler, struct evidence *evidence, struct weir_str trace_id,
                             struct weir_str hashed, enum sampler_policy hashed_policy)
{
    evidence->policy = POLICY_MISSING;
    if (sampler->never) {
        *evidence = (struct evidence){ .has_randomness = true,
                                       .randomness = RANDOMNESS_MAX,
                                       .policy = POLICY_PRIORITY,
                                       .has_priority = evidence->has_priority,
                                       .priority = evidence->priority };
    } else if (sampler->config->mode == SAMPLER_HASH_SEED) {
        hashed_randomness(sampler, evidence, hashed, hashed_policy);
    } else if (evidence->has_rv) {
        evidence->has_randomness = true;
        evidence->randomness = evidence->rv;
        evidence->policy = POLICY_RANDOMNESS;
    } else if (trace_id.length == 16) {
        evidence->has_randomness = true;
        evidence->randomness = randomness_of_trace_id((const uint8_t *)trace_id.data);
        evidence->policy = POLICY_TRACE_ID_W3C;
    }
}

/* An arriving threshold above the randomness is a lie: the item would not be here. */
static void check_consistency(struct evidence *evidence)
{
    if (evidence->problem)
        return;
    if (!evidence->has_randomness) {
        evidence->problem = "missing randomness";
    } else if (evidence->has_carrier && evidence->has_th && evidence->th > evidence->randomness) {
        evidence->has_th = false;
        evidence->problem = "inconsistent arriving threshold: item should not have been sampled";
    }
}

static uint64_t proportional(const struct sampler *sampler, const struct evidence *evidence)
{
    double incoming = evidence->has_carrier && evidence->has_th ? threshold_probability(evidence->th) : 1;
    double product = incoming * sampler->ratio;
    return product < PROBABILITY_MIN ? THRESHOLD_NEVER
                                     : threshold_of(product, (int)sampler->config->sampling_precision);
}

static uint64_t mode_threshold(const struct sampler *sampler, const struct evidence *evidence)
{
    if (sampler->never)
        return THRESHOLD_NEVER;
    if (sampler->config->mode == SAMPLER_PROPORTIONAL)
        return proportional(sampler, evidence);
    bool arrives = sampler->config->mode == SAMPLER_EQUALIZING && evidence->has_carrier && evidence->has_th;
    return arrives && evidence->th > sampler->threshold ? evidence->th : sampler->threshold;
}

bool sampler_decide(const struct sampler *sampler, struct weir_logger *logger, struct evidence *evidence)
{
    uint64_t threshold;
    check_consistency(evidence);
    if (evidence->problem) {
        weir_log(logger, WEIR_INFO, "sampling failed", WEIR_F_TEXT("error", evidence->problem));
        threshold = sampler->config->fail_closed ? THRESHOLD_NEVER : THRESHOLD_ALWAYS;
    } else {
        threshold = mode_threshold(sampler, evidence);
    }
    if (evidence->has_priority) {
        threshold = evidence->priority;
        evidence->policy = POLICY_PRIORITY;
    }
    bool kept = threshold <= evidence->randomness;
    weir_series_add(sampler->counts[evidence->policy][kept], 1);
    if (kept && evidence->has_carrier && !(evidence->has_th && threshold < evidence->th)) {
        evidence->has_th = true;
        evidence->th = threshold;
    }
    return kept;
}
