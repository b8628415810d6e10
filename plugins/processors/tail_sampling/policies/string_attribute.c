// SPDX-License-Identifier: Apache-2.0
/*
 * string_attribute: a string attribute of any resource or span with one of some values, or in which one of some
 * expressions is found. Empty values of spans are never looked at; those of resources are, and what is no string there
 * reads as empty.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/regex.h>
#include <weir/worker.h>

#include "plugins/processors/tail_sampling/policies/value_cache.h"
#include "plugins/processors/tail_sampling/policy.h"

#define CACHE_SIZE 128

struct string {
    struct policy base;
    struct attribute_probe probe;
    bool invert;
    const struct weir_strings *values;
    struct weir_regex **expressions; /* NULL: the values themselves */
    size_t expression_count;
    size_t cache_size;
    struct value_cache **caches; /* by worker; NULL until first used */
    unsigned cache_count;
};

static bool is_looked_at(const struct probe_value *value, bool of_resource)
{
    return of_resource || value->string.length > 0;
}

static bool equals(const struct attribute_probe *probe, const struct probe_value *value, bool of_resource)
{
    const struct string *own = WEIR_CONTAINER_OF(probe, struct string, probe);
    (void)of_resource;
    for (size_t i = 0; value->string.length > 0 && i < own->values->count; i++)
        if (weir_str_is(value->string, own->values->items[i]))
            return true;
    return false;
}

static bool is_found(const struct string *own, struct weir_str value)
{
    for (size_t i = 0; i < own->expression_count; i++)
        if (weir_regex_matches(own->expressions[i], value))
            return true;
    return false;
}

static bool matches(const struct attribute_probe *probe, const struct probe_value *value, bool of_resource)
{
    const struct string *own = WEIR_CONTAINER_OF(probe, struct string, probe);
    bool matched = false;
    if (!is_looked_at(value, of_resource))
        return false;
    struct value_cache **cache = &own->caches[weir_worker_index(weir_worker_current())];
    if (!*cache)
        *cache = value_cache_new(own->cache_size);
    if (value_cache_get(*cache, value->string, &matched))
        return matched;
    matched = is_found(own, value->string);
    value_cache_put(*cache, value->string, matched);
    return matched;
}

static enum vote vote(struct policy *policy, const struct evidence *evidence)
{
    const struct string *own = (const struct string *)policy;
    return probe_get(evidence->bits, own->probe.bit) != own->invert ? VOTE_SAMPLED : VOTE_NOT_SAMPLED;
}

static void release(struct policy *policy)
{
    struct string *own = (struct string *)policy;
    for (size_t i = 0; i < own->expression_count; i++)
        weir_regex_free(own->expressions[i]);
    for (unsigned i = 0; i < own->cache_count; i++)
        value_cache_free(own->caches[i]);
    free(own->expressions);
    free(own->caches);
    free(own);
}

static int compile(struct string *own, const struct weir_strings *values, struct weir_error *error)
{
    own->expressions = weir_xcalloc(values->count + 1, sizeof(struct weir_regex *));
    for (; own->expression_count < values->count; own->expression_count++) {
        size_t i = own->expression_count;
        own->expressions[i] = weir_regex_new(weir_str_of(values->items[i]), error);
        if (!own->expressions[i])
            return weir_error_prefix(error, "string_attribute: \"%s\"", values->items[i]);
    }
    own->cache_count = weir_worker_count();
    own->caches = weir_xcalloc(own->cache_count, sizeof(struct value_cache *));
    return 0;
}

struct policy *policy_string_attribute(const struct string_options *options, struct probes *probes,
                                       struct weir_error *error)
{
    struct string *own = weir_xcalloc(1, sizeof *own);
    own->base = (struct policy){ .vote = vote, .free = release };
    own->values = &options->values;
    own->invert = options->invert_match;
    own->cache_size = options->cache_max_size > 0 ? (size_t)options->cache_max_size : CACHE_SIZE;
    own->probe.test = options->enabled_regex_matching ? matches : equals;
    if (options->enabled_regex_matching && compile(own, &options->values, error) != 0) {
        release(&own->base);
        return NULL;
    }
    probes_add_attribute(probes, options->key, &own->probe);
    return &own->base;
}
