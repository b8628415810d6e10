// SPDX-License-Identifier: Apache-2.0
/* The probabilistic_sampler processor: keeps a part of the spans or log records, the same part in every collector
 * (contrib-processors section 2). */
#include <config.h>

#include <math.h>
#include <stdlib.h>

#include "plugins/processors/probabilistic_sampler/sampler.h"

static void check(const void *group, struct weir_checker *checker)
{
    const struct sampler_config *config = group;
    double percentage = config->sampling_percentage;
    if (!isfinite(percentage))
        weir_check_fail(checker, "sampling_percentage", "sampling rate is invalid: %f%%", percentage);
    else if (percentage < 0)
        weir_check_fail(checker, "sampling_percentage", "sampling rate is negative: %f%%", percentage);
    else if (percentage > 0 && percentage / 100 < PROBABILITY_MIN)
        weir_check_fail(checker, "sampling_percentage", "sampling rate is too small: %g%%", percentage);
}

static const struct weir_option_value modes[] = {
    { "hash_seed", SAMPLER_HASH_SEED },
    { "equalizing", SAMPLER_EQUALIZING },
    { "proportional", SAMPLER_PROPORTIONAL },
    { "", SAMPLER_HASH_SEED },
    { NULL, 0 },
};
static const struct weir_option_value sources[] = {
    { "traceID", SAMPLER_TRACE_ID },
    { "record", SAMPLER_RECORD },
    { "", SAMPLER_TRACE_ID },
    { NULL, 0 },
};

static const struct weir_option options[] = {
    WEIR_OPTION(struct sampler_config, sampling_percentage, "sampling_percentage", .preset = "0", .unit = "%",
                .doc = "How much is kept; 100 or more: everything."),
    WEIR_OPTION(struct sampler_config, hash_seed, "hash_seed", .preset = "0", .bounded = true, .max = UINT32_MAX,
                .doc = "Seed of the hash; collectors that shall keep the same need the same."),
    WEIR_OPTION(struct sampler_config, mode, "mode", .preset = "hash_seed", .values = modes,
                .doc = "By a hash of the trace id, or by OpenTelemetry's consistent probabilities."),
    WEIR_OPTION(struct sampler_config, fail_closed, "fail_closed", .preset = "true",
                .doc = "Whether an item that cannot be decided on is dropped."),
    WEIR_OPTION(struct sampler_config, sampling_precision, "sampling_precision", .preset = "4", .bounded = true,
                .min = 1, .max = 14, .doc = "Hexadecimal digits of the threshold that is written."),
    WEIR_OPTION(struct sampler_config, attribute_source, "attribute_source", .preset = "traceID", .values = sources,
                .doc = "Log records: whether the trace id or from_attribute is hashed."),
    WEIR_OPTION(struct sampler_config, from_attribute, "from_attribute",
                .doc = "Log records: the attribute that is hashed, by attribute_source or where there is no trace id."),
    WEIR_OPTION(struct sampler_config, sampling_priority, "sampling_priority",
                .doc = "Log records: attribute that holds the record's own percentage."),
    WEIR_OPTION_END,
};
static const struct weir_option_table table = { options, sizeof(struct sampler_config), check };

enum {
    TRACES_SAMPLED,
    LOGS_SAMPLED,
};
static const struct weir_instrument metrics[] = {
    [TRACES_SAMPLED] = { "processor_probabilistic_sampler_count_traces_sampled", WEIR_COUNTER, WEIR_LEVEL_BASIC,
                         "{traces}", "Count of traces that were sampled or not", NULL, 0 },
    [LOGS_SAMPLED] = { "processor_probabilistic_sampler_count_logs_sampled", WEIR_COUNTER, WEIR_LEVEL_BASIC,
                       "{logs}", "Count of logs that were sampled or not", NULL, 0 },
    { .name = NULL },
};

static void make_counts(struct weir_instance *instance, struct sampler *sampler)
{
    const char *attribute = sampler->config->from_attribute;
    const char *const policies[SAMPLER_POLICIES] = {
        [POLICY_TRACE_ID_HASH] = "trace_id_hash",    [POLICY_TRACE_ID_W3C] = "trace_id_w3c",
        [POLICY_RANDOMNESS] = "sampling_randomness", [POLICY_PRIORITY] = "sampling_priority",
        [POLICY_MISSING] = "missing_randomness",     [POLICY_ATTRIBUTE] = attribute && *attribute ? attribute : "record",
    };
    unsigned instrument = weir_instance_signal(instance) == WEIR_TRACES ? TRACES_SAMPLED : LOGS_SAMPLED;
    for (int policy = 0; policy < SAMPLER_POLICIES; policy++)
        for (int kept = 0; kept < 2; kept++) {
            struct weir_label labels[] = { { "policy", policies[policy] }, { "sampled", kept ? "true" : "false" } };
            sampler->counts[policy][kept] = weir_meter_series(instance, instrument, labels, 2);
        }
}

static int create(struct weir_instance *instance, struct weir_error *error)
{
    const struct sampler_config *config = weir_instance_config(instance);
    struct sampler *sampler = weir_xcalloc(1, sizeof *sampler);
    (void)error;
    sampler->config = config;
    sampler->ratio = config->sampling_percentage < 100 ? config->sampling_percentage / 100 : 1;
    if (config->mode == SAMPLER_HASH_SEED)
        sampler->threshold = threshold_hashed((float)config->sampling_percentage);
    else if (config->sampling_percentage > 0)
        sampler->threshold = threshold_of(sampler->ratio, (int)config->sampling_precision);
    sampler->never = config->sampling_percentage == 0 || sampler->threshold == THRESHOLD_NEVER;
    make_counts(instance, sampler);
    weir_instance_set_data(instance, sampler);
    return 0;
}

static void destroy(struct weir_instance *instance)
{
    free(weir_instance_data(instance));
    weir_instance_set_data(instance, NULL);
}

/* Removes what is not kept; false when memory is out. */
static bool pass_scope(struct weir_instance *instance, struct weir_batch *batch, struct weir_scope_group *scope)
{
    sampler_pass *pass = weir_batch_signal(batch) == WEIR_TRACES ? sampler_pass_span : sampler_pass_record;
    for (struct weir_entry *entry = weir_scope_group_first(scope), *next; entry; entry = next) {
        bool kept = false;
        next = weir_entry_next(entry);
        if (!pass(weir_instance_data(instance), weir_instance_logger(instance), batch, entry, &kept))
            return false;
        if (!kept)
            weir_entry_remove(entry);
    }
    if (!weir_scope_group_first(scope))
        weir_scope_group_remove(scope);
    return true;
}

static bool pass_group(struct weir_instance *instance, struct weir_batch *batch, struct weir_group *group)
{
    for (struct weir_scope_group *scope = weir_group_first_scope(group), *next; scope; scope = next) {
        next = weir_scope_group_next(scope);
        if (!pass_scope(instance, batch, scope))
            return false;
    }
    if (!weir_group_first_scope(group))
        weir_group_remove(group);
    return true;
}

static bool pass_batch(struct weir_instance *instance, struct weir_batch *batch)
{
    for (struct weir_group *group = weir_batch_first_group(batch), *next; group; group = next) {
        next = weir_group_next(group);
        if (!pass_group(instance, batch, group))
            return false;
    }
    weir_batch_commit(batch);
    return true;
}

static void consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    size_t items = weir_batch_items(batch);
    if (pass_batch(weir_shard_instance(shard), batch)) {
        weir_shard_send_rest(shard, batch, ack, items - weir_batch_items(batch), "sampled");
        return;
    }
    struct weir_result refused = WEIR_RESULT_RETRYABLE("out of memory");
    weir_batch_unref(batch);
    weir_ack_complete(ack, &refused);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_PROCESSOR,
    .type = "probabilistic_sampler",
    .version = PACKAGE_VERSION,
    .summary = "Keeps a part of the spans or log records, the same part in every collector.",
    .stability = { [WEIR_TRACES] = WEIR_BETA, [WEIR_LOGS] = WEIR_ALPHA },
    .traits = WEIR_MUTATES,
    .options = &table,
    .metrics = metrics,
    .create = create,
    .consume = consume,
    .destroy = destroy,
};
