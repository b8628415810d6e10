// SPDX-License-Identifier: Apache-2.0
/* Sampling log records: two attributes carry what samplers know, a third may say the percentage of its record. */
#include <config.h>

#include "plugins/processors/probabilistic_sampler/sampler.h"

#define RANDOMNESS_KEY WEIR_STR("sampling.randomness")
#define THRESHOLD_KEY WEIR_STR("sampling.threshold")

static bool given(const char *text)
{
    return text && *text;
}

static void read_carrier(const struct weir_log_record *record, struct evidence *evidence)
{
    const struct weir_value *rv = weir_attributes_get(&record->attributes, RANDOMNESS_KEY);
    const struct weir_value *th = weir_attributes_get(&record->attributes, THRESHOLD_KEY);
    evidence->has_rv = rv && rv->type == WEIR_VALUE_STRING;
    evidence->has_th = th && th->type == WEIR_VALUE_STRING;
    if (evidence->has_rv && !randomness_parse(rv->string, &evidence->rv))
        evidence->problem = "sampling.randomness: must have 14 hex digits";
    else if (evidence->has_th && !threshold_parse(th->string, &evidence->th))
        evidence->problem = "sampling.threshold: must have 1 to 14 hex digits";
    else
        evidence->has_carrier = true;
}

/* A percentage from which the record's own threshold follows. */
static void find_priority(const struct sampler *sampler, const struct weir_log_record *record,
                          struct evidence *evidence)
{
    const char *key = sampler->config->sampling_priority;
    const struct weir_value *value = given(key) ? weir_attributes_get(&record->attributes, weir_str_of(key)) : NULL;
    double probability = 0;
    if (value && value->type == WEIR_VALUE_INT)
        probability = (double)value->integer / 100;
    else if (value && value->type == WEIR_VALUE_DOUBLE)
        probability = value->number / 100;
    if (probability >= PROBABILITY_MIN && probability <= 1) {
        evidence->has_priority = true;
        evidence->priority = threshold_of(probability, (int)sampler->config->sampling_precision);
    }
}

/* What hash_seed hashes: the trace id or, by config or where there is none, an attribute, whose text stands in `text`. */
static struct weir_str hashed_bytes(const struct sampler_config *config, const struct weir_log_record *record,
                                    struct weir_text *text, enum sampler_policy *policy)
{
    *policy = POLICY_TRACE_ID_HASH;
    if (config->attribute_source == SAMPLER_TRACE_ID && record->trace_id.length == 16)
        return record->trace_id;
    const struct weir_value *value =
        given(config->from_attribute) ? weir_attributes_get(&record->attributes, weir_str_of(config->from_attribute))
                                      : NULL;
    if (!value)
        return WEIR_STR_NONE;
    *policy = POLICY_ATTRIBUTE;
    if (value->type == WEIR_VALUE_BYTES || value->type == WEIR_VALUE_STRING)
        return value->string;
    weir_value_print(value, text);
    return weir_text_view(text);
}

static bool set(struct weir_log_record *record, struct weir_arena *arena, struct weir_str key,
                const struct weir_text *text)
{
    struct weir_str copy = weir_arena_copy(arena, weir_text_view(text));
    return copy.data && weir_attributes_set(&record->attributes, arena, key, weir_value_string(copy));
}

static bool write_carrier(struct weir_batch *batch, struct weir_entry *entry, const struct evidence *evidence)
{
    struct weir_log_record *record = weir_entry_edit_log_record(entry);
    struct weir_arena *arena = weir_batch_arena(batch);
    struct weir_text rv = { 0 }, th = { 0 };
    if (evidence->has_rv)
        randomness_print(evidence->rv, &rv);
    if (evidence->has_th)
        threshold_print(evidence->th, &th);
    bool good = record && (!evidence->has_rv || set(record, arena, RANDOMNESS_KEY, &rv)) &&
                (!evidence->has_th || set(record, arena, THRESHOLD_KEY, &th));
    weir_text_free(&rv);
    weir_text_free(&th);
    return good;
}

bool sampler_pass_record(const struct sampler *sampler, struct weir_logger *logger, struct weir_batch *batch,
                         struct weir_entry *entry, bool *kept)
{
    const struct weir_log_record *record = weir_entry_log_record(entry);
    struct evidence evidence = { .problem = NULL };
    struct weir_text text = { 0 };
    enum sampler_policy policy;
    if (!record)
        return false;
    read_carrier(record, &evidence);
    find_priority(sampler, record, &evidence);
    struct weir_str hashed = hashed_bytes(sampler->config, record, &text, &policy);
    sampler_find_randomness(sampler, &evidence, record->trace_id, hashed, policy);
    weir_text_free(&text);
    *kept = sampler_decide(sampler, logger, &evidence);
    return !*kept || !evidence.has_carrier || write_carrier(batch, entry, &evidence);
}
