// SPDX-License-Identifier: Apache-2.0
/* What decides whether an item is kept, whatever signal it belongs to (contrib-processors section 2). */
#ifndef PROBABILISTIC_SAMPLER_SAMPLER_H
#define PROBABILISTIC_SAMPLER_SAMPLER_H

#include <weir/component.h>

#include "plugins/processors/probabilistic_sampler/threshold.h"

enum sampler_mode {
    SAMPLER_HASH_SEED,
    SAMPLER_EQUALIZING,
    SAMPLER_PROPORTIONAL,
};

enum sampler_source {
    SAMPLER_TRACE_ID,
    SAMPLER_RECORD,
};

struct sampler_config {
    double sampling_percentage;
    int64_t hash_seed;
    int mode; /* enum sampler_mode */
    bool fail_closed;
    int64_t sampling_precision;
    int attribute_source; /* enum sampler_source */
    char *from_attribute;
    char *sampling_priority;
};

/* Why an item was kept or not, as the metric says it. */
enum sampler_policy {
    POLICY_TRACE_ID_HASH,
    POLICY_TRACE_ID_W3C,
    POLICY_RANDOMNESS,
    POLICY_PRIORITY,
    POLICY_MISSING,
    POLICY_ATTRIBUTE,
};
#define SAMPLER_POLICIES 6

/* Of one processor; unchanging after create. */
struct sampler {
    const struct sampler_config *config;
    bool never;         /* 0 %: only priorities keep anything */
    double ratio;       /* of the modes that know probabilities; at most 1 */
    uint64_t threshold; /* of hash_seed and equalizing */
    struct weir_series *counts[SAMPLER_POLICIES][2]; /* not kept, kept */
};

/* What is known of one item, and what is to be written back when it is kept. */
struct evidence {
    const char *problem;  /* NULL: none */
    bool has_randomness;
    uint64_t randomness;
    enum sampler_policy policy;
    bool has_carrier;     /* there is a place for what follows */
    bool has_rv, has_th;
    uint64_t rv, th;
    bool has_priority;    /* the item says what its threshold is */
    uint64_t priority;
};

/* Fills the randomness by the sampler's mode; the carrier's members are filled. `hashed` is what hash_seed hashes (no
 * data: nothing to be had), `trace_id` 16 bytes or no data. */
void sampler_find_randomness(const struct sampler *sampler, struct evidence *evidence, struct weir_str trace_id,
                             struct weir_str hashed, enum sampler_policy hashed_policy);

/* Decides and counts; when true, the carrier's rv and th are those to be written. */
bool sampler_decide(const struct sampler *sampler, struct weir_logger *logger, struct evidence *evidence);

/* Says whether one entry is kept, and writes into it, if it is, what the next sampler needs; false when memory is out. */
typedef bool sampler_pass(const struct sampler *sampler, struct weir_logger *logger, struct weir_batch *batch,
                          struct weir_entry *entry, bool *kept);
sampler_pass sampler_pass_span;
sampler_pass sampler_pass_record;

#endif
