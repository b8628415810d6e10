// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheusremotewrite/translate.h"

#include <stdlib.h>

#define MILLISECOND 1000000u
/* What the labels of an exemplar may have together (OpenMetrics, "Exemplars"). */
#define EXEMPLAR_CHARACTERS 128

/* Where the walk through the batch is. */
struct walk {
    const struct prw_rules *rules;
    struct series_set *set;
    struct prw_skipped *skipped;
    const struct weir_attributes *resource; /* of the labels, NULL: none */
    struct weir_attributes identity;        /* of the resource */
    const struct weir_scope *scope;
    const struct weir_metric *metric;
    const struct weir_data_point *point;
    struct family *family;
    struct weir_prometheus_labels labels; /* of the point */
    uint64_t hash;                        /* of those */
    bool booked;                          /* the point has been counted for a series */
    bool failed;                          /* memory is out */
    uint64_t newest;                      /* time of the resource's points */
};

/* --- the configuration --- */

void prw_rules_init(struct prw_rules *rules, const struct prw_config *config)
{
    *rules = (struct prw_rules){ .config = config, .strategy = prw_strategy(config) };
    bool utf8 = rules->strategy >= WEIR_PROMETHEUS_UTF8_SUFFIXED;
    rules->label_rule = utf8 ? WEIR_PROMETHEUS_LABEL_UTF8 : WEIR_PROMETHEUS_LABEL_WRITTEN;
    rules->name_space = weir_str_of(config->name_space);
    rules->external = weir_xcalloc(config->external_labels.count + 1, sizeof(*rules->external));
    for (size_t i = 0; i < config->external_labels.count; i++) {
        const struct weir_pair *pair = &config->external_labels.items[i];
        struct weir_text name = { 0 };
        if (weir_prometheus_label_name(rules->label_rule, weir_str_of(pair->name), &name))
            rules->external[rules->external_count++] = (struct weir_prometheus_label){
                .name = weir_arena_copy(&rules->arena, weir_text_view(&name)), .value = weir_str_of(pair->value)
            };
        weir_text_free(&name);
    }
}

void prw_rules_free(struct prw_rules *rules)
{
    weir_arena_free(&rules->arena);
    free(rules->external);
}

static bool add_external(const struct prw_rules *rules, struct weir_prometheus_labels *labels)
{
    for (size_t i = 0; i < rules->external_count; i++) {
        if (!weir_prometheus_labels_add(labels, WEIR_PROMETHEUS_EXTERNAL, rules->external[i].name,
                                        rules->external[i].value))
            return false;
    }
    return true;
}

/* --- labels and series --- */

/* Those of the point, without the name and what tells its series apart. */
static bool make_labels(struct walk *walk)
{
    const struct prw_rules *rules = walk->rules;
    struct weir_str clash;
    walk->labels.count = 0;
    if (!add_external(rules, &walk->labels)
        || !weir_prometheus_labels_add_attributes(&walk->labels, rules->label_rule, WEIR_PROMETHEUS_ATTRIBUTE,
                                                  &walk->point->attributes, walk->resource)
        || (walk->resource
            && !weir_prometheus_labels_add_attributes(&walk->labels, rules->label_rule, WEIR_PROMETHEUS_ATTRIBUTE,
                                                      walk->resource, NULL))
        || (!rules->config->disable_scope_info
            && !weir_prometheus_labels_add_scope(&walk->labels, rules->label_rule, walk->scope, WEIR_STR_NONE))
        || !weir_prometheus_labels_add_identity(&walk->labels, &walk->identity)
        || !weir_prometheus_labels_finish(&walk->labels, &clash))
        return false;
    walk->hash = series_hash(walk->labels.items, walk->labels.count);
    return true;
}

/* Puts one more label where it belongs among the sorted ones, in the place of one of its name, and its hash into that of
 * all. */
static void insert(struct weir_prometheus_label *labels, size_t *count, struct weir_prometheus_label label, uint64_t *hash)
{
    size_t at = *count;
    while (at > 0 && weir_str_compare(labels[at - 1].name, label.name) > 0)
        at--;
    *hash += series_hash(&label, 1);
    if (at > 0 && weir_str_equal(labels[at - 1].name, label.name)) {
        *hash -= series_hash(&labels[at - 1], 1);
        labels[at - 1] = label;
        return;
    }
    memmove(&labels[at + 1], &labels[at], (*count - at) * sizeof(*labels));
    labels[at] = label;
    ++*count;
}

/* The series of the point's labels with a name and perhaps another label. */
static struct series *find_series(struct walk *walk, struct weir_str name, const char *label, struct weir_str value)
{
    struct weir_arena *arena = &walk->set->arena;
    size_t count = walk->labels.count;
    uint64_t hash = walk->hash;
    struct weir_prometheus_label *labels = weir_arena_alloc(arena, (count + 2) * sizeof(*labels));
    if (!labels)
        return NULL;
    if (count)
        memcpy(labels, walk->labels.items, count * sizeof(*labels));
    insert(labels, &count, (struct weir_prometheus_label){ .name = WEIR_STR("__name__"), .value = name }, &hash);
    if (label) {
        struct weir_str copy = weir_arena_copy(arena, value);
        if (!copy.data)
            return NULL;
        insert(labels, &count, (struct weir_prometheus_label){ .name = weir_str_of(label), .value = copy }, &hash);
    }
    return series_find(walk->set, labels, count, hash, walk->family);
}

/* --- exemplars --- */

static size_t characters(struct weir_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.length; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

/* A label with an id in hex. */
static bool add_id(struct weir_prometheus_labels *labels, struct weir_str name, struct weir_str id)
{
    static const char digits[] = "0123456789abcdef";
    if (id.length == 0)
        return true;
    char *text = weir_arena_alloc(labels->arena, id.length * 2);
    if (!text)
        return false;
    for (size_t i = 0; i < id.length; i++) {
        text[2 * i] = digits[(unsigned char)id.data[i] >> 4];
        text[2 * i + 1] = digits[(unsigned char)id.data[i] & 15];
    }
    return weir_prometheus_labels_add(labels, WEIR_PROMETHEUS_OWN, name, weir_str_make(text, id.length * 2));
}

static bool add_ids(struct weir_prometheus_labels *labels, const struct weir_exemplar *exemplar)
{
    return add_id(labels, WEIR_STR("trace_id"), exemplar->trace_id)
           && add_id(labels, WEIR_STR("span_id"), exemplar->span_id);
}

static bool add_exemplar(struct walk *walk, struct series *series, const struct weir_exemplar *from)
{
    struct weir_prometheus_labels labels = { .arena = &walk->set->arena };
    struct weir_str clash;
    size_t length = 0;
    if (!add_ids(&labels, from)
        || !weir_prometheus_labels_add_attributes(&labels, walk->rules->label_rule, WEIR_PROMETHEUS_ATTRIBUTE,
                                                  &from->filtered_attributes, NULL)
        || !weir_prometheus_labels_finish(&labels, &clash))
        return false;
    for (size_t i = 0; i < labels.count; i++)
        length += characters(labels.items[i].name) + characters(labels.items[i].value);
    if (length > EXEMPLAR_CHARACTERS) {
        labels = (struct weir_prometheus_labels){ .arena = &walk->set->arena };
        if (!add_ids(&labels, from) || !weir_prometheus_labels_finish(&labels, &clash))
            return false;
    }
    struct exemplar exemplar = { .labels = labels.items, .label_count = labels.count,
                                 .value = weir_prometheus_exemplar_value(from),
                                 .timestamp = (int64_t)(from->time_unix_nano / MILLISECOND) };
    return series_add_exemplar(walk->set, series, &exemplar);
}

/* Those of the point that belong to the sample: to its bucket, or all of a counter's. */
static bool add_exemplars(struct walk *walk, struct series *series, size_t bucket)
{
    const struct weir_data_point *point = walk->point;
    if (bucket == WEIR_PROMETHEUS_NO_BUCKET && walk->family->type != WEIR_PROMETHEUS_COUNTER
        && walk->metric->type != WEIR_METRIC_EXPONENTIAL_HISTOGRAM)
        return true;
    for (size_t i = 0; i < point->exemplar_count; i++) {
        const struct weir_exemplar *exemplar = &point->exemplars[i];
        if (bucket != WEIR_PROMETHEUS_NO_BUCKET
            && weir_prometheus_bucket_of(point, weir_prometheus_exemplar_value(exemplar)) != bucket)
            continue;
        if (!add_exemplar(walk, series, exemplar))
            return false;
    }
    return true;
}

/* --- points --- */

static bool put(struct walk *walk, struct series *series, size_t bucket, double value,
                const struct weir_prometheus_native *native)
{
    struct sample sample = { .value = value, .native = native,
                             .timestamp = (int64_t)(walk->point->time_unix_nano / MILLISECOND),
                             .start = (int64_t)(walk->point->start_time_unix_nano / MILLISECOND) };
    if (!series || !series_add_sample(walk->set, series, &sample) || !add_exemplars(walk, series, bucket))
        return false;
    series->items += !walk->booked;
    walk->booked = true;
    return true;
}

static void on_sample(void *user, const struct weir_prometheus_sample *sample)
{
    struct walk *walk = user;
    struct weir_str name = walk->family->name;
    if (walk->failed)
        return;
    if (*sample->suffix) {
        size_t suffix = strlen(sample->suffix);
        char *text = weir_arena_alloc(&walk->set->arena, name.length + suffix);
        if (text) {
            memcpy(text, name.data, name.length);
            memcpy(text + name.length, sample->suffix, suffix);
        }
        name = weir_str_make(text, name.length + suffix);
    }
    walk->failed = !name.data
                   || !put(walk, find_series(walk, name, sample->label, sample->label_value), sample->bucket,
                           sample->value, NULL);
}

static void skip(struct walk *walk, uint64_t items, const char *reason)
{
    if (walk->skipped->items == 0)
        weir_text_addf(&walk->skipped->reason, "metric \"%.*s\": %s", WEIR_STR_ARG(walk->metric->name), reason);
    walk->skipped->items += items;
}

static void translate_native(struct walk *walk)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_prometheus_native *native = weir_arena_calloc(&walk->set->arena, 1, sizeof(*native));
    if (!native)
        walk->failed = true;
    else if (weir_prometheus_native_of(walk->point, &walk->set->arena, native, &error) < 0)
        skip(walk, 1, weir_error_text(&error));
    else
        walk->failed = !put(walk, find_series(walk, walk->family->name, NULL, WEIR_STR_NONE),
                            WEIR_PROMETHEUS_NO_BUCKET, 0, native);
    weir_error_free(&error);
}

static void translate_point(struct walk *walk)
{
    walk->booked = false;
    if (walk->point->time_unix_nano > walk->newest)
        walk->newest = walk->point->time_unix_nano;
    if (!make_labels(walk))
        walk->failed = true;
    else if (walk->metric->type == WEIR_METRIC_EXPONENTIAL_HISTOGRAM)
        translate_native(walk);
    else
        weir_prometheus_expand(walk->metric, walk->point, on_sample, walk);
}

/* --- metrics --- */

/* Why the metric cannot be sent; NULL: it can. */
static const char *unfit(const struct weir_metric *metric)
{
    bool has_temporality = metric->type == WEIR_METRIC_SUM || metric->type == WEIR_METRIC_HISTOGRAM
                           || metric->type == WEIR_METRIC_EXPONENTIAL_HISTOGRAM;
    if (metric->type == WEIR_METRIC_EMPTY)
        return "it has no data";
    if (has_temporality && metric->temporality != WEIR_TEMPORALITY_CUMULATIVE)
        return "its temporality is not cumulative";
    return NULL;
}

static bool make_family(struct walk *walk, struct weir_error *error)
{
    const struct weir_metric *metric = walk->metric;
    struct series_set *set = walk->set;
    struct weir_text name = { 0 }, unit = { 0 };
    int result = weir_prometheus_metric_name(walk->rules->strategy, walk->rules->name_space, metric, &name, error);
    struct family *family = weir_arena_calloc(&set->arena, 1, sizeof(*family));
    if (family && result == 0) {
        weir_prometheus_unit(metric->unit, &unit);
        family->name = weir_arena_copy(&set->arena, weir_text_view(&name));
        family->unit = weir_arena_copy(&set->arena, weir_text_view(&unit));
        family->help = metric->description;
        family->type = weir_prometheus_type_of(metric);
        *(set->last_family ? &set->last_family->next : &set->families) = family;
        set->last_family = family;
    }
    walk->failed = !family || (result == 0 && (!family->name.data || !family->unit.data));
    walk->family = family;
    weir_text_free(&name);
    weir_text_free(&unit);
    return result == 0 && !walk->failed;
}

static void translate_metric(struct walk *walk)
{
    struct weir_error error = WEIR_ERROR_INIT;
    const char *why = unfit(walk->metric);
    if (why)
        skip(walk, walk->metric->point_count, why);
    else if (!make_family(walk, &error)) {
        if (!walk->failed)
            skip(walk, walk->metric->point_count, weir_error_text(&error));
    } else {
        for (size_t i = 0; i < walk->metric->point_count && !walk->failed; i++) {
            walk->point = &walk->metric->points[i];
            translate_point(walk);
        }
    }
    weir_error_free(&error);
}

/* --- resources --- */

/* All of them, or all but those that job and instance are made of. */
static bool copy_attributes(struct weir_arena *arena, const struct weir_attributes *from, bool others_only,
                            struct weir_attributes *out)
{
    *out = (struct weir_attributes){ .capacity = from->count };
    if (from->count == 0)
        return true;
    out->items = weir_arena_calloc(arena, from->count, sizeof(*out->items));
    for (size_t i = 0; out->items && i < from->count; i++) {
        if (!others_only || !weir_prometheus_identifies(from->items[i].key))
            out->items[out->count++] = from->items[i];
    }
    return out->items != NULL;
}

/* target_info, for a resource that says more than which it is. */
static bool add_target_info(struct walk *walk, const struct weir_attributes *attributes)
{
    struct weir_prometheus_labels labels = { .arena = &walk->set->arena, .sparse = true };
    const struct prw_rules *rules = walk->rules;
    struct weir_attributes others;
    struct weir_text name = { 0 };
    struct weir_str clash;
    bool utf8 = rules->label_rule == WEIR_PROMETHEUS_LABEL_UTF8;
    if (!weir_prometheus_labels_add_identity(&labels, attributes))
        return false;
    if (!copy_attributes(&walk->set->arena, attributes, true, &others))
        return false;
    if (labels.count == 0 || others.count == 0 || walk->newest == 0)
        return true;
    if (rules->name_space.length)
        weir_text_addf(&name, "%.*s_", WEIR_STR_ARG(rules->name_space));
    weir_text_adds(&name, "target_info");
    struct weir_str copy = weir_arena_copy(&walk->set->arena, weir_text_view(&name));
    weir_text_free(&name);
    if (!add_external(rules, &labels)
        || !weir_prometheus_labels_add_attributes(&labels, utf8 ? WEIR_PROMETHEUS_LABEL_UTF8
                                                                : WEIR_PROMETHEUS_LABEL_SCRAPED,
                                                  WEIR_PROMETHEUS_ATTRIBUTE, &others, NULL)
        || !weir_prometheus_labels_add(&labels, WEIR_PROMETHEUS_OWN, WEIR_STR("__name__"), copy)
        || !weir_prometheus_labels_finish(&labels, &clash))
        return false;
    struct series *series = series_find(walk->set, labels.items, labels.count,
                                        series_hash(labels.items, labels.count), NULL);
    struct sample sample = { .value = 1, .timestamp = (int64_t)(walk->newest / MILLISECOND) };
    return series && series_add_sample(walk->set, series, &sample);
}

/* The attributes that become labels of every series, and those that say which resource it is. */
static bool take_resource(struct walk *walk, const struct weir_attributes *attributes, struct weir_attributes *labels)
{
    const struct prw_config *config = walk->rules->config;
    walk->identity = *attributes;
    walk->resource = NULL;
    walk->newest = 0;
    if (!config->conversion.enabled)
        return true;
    walk->resource = labels;
    return copy_attributes(&walk->set->arena, attributes, config->conversion.exclude_service_attributes, labels);
}

static bool translate_group(struct walk *walk, struct weir_group *group)
{
    const struct weir_resource *resource = weir_group_resource(group);
    struct weir_attributes labels = { 0 };
    if (!resource || !take_resource(walk, &resource->attributes, &labels))
        return false;
    for (struct weir_scope_group *scope = weir_group_first_scope(group); scope; scope = weir_scope_group_next(scope)) {
        walk->scope = weir_scope_group_scope(scope);
        if (!walk->scope)
            return false;
        for (struct weir_entry *entry = weir_scope_group_first(scope); entry; entry = weir_entry_next(entry)) {
            walk->metric = weir_entry_metric(entry);
            if (!walk->metric)
                return false;
            translate_metric(walk);
            if (walk->failed)
                return false;
        }
    }
    return !walk->rules->config->target_info.enabled || add_target_info(walk, &resource->attributes);
}

bool prw_translate(const struct prw_rules *rules, struct weir_batch *batch, struct series_set *set,
                   struct prw_skipped *skipped)
{
    struct walk walk = { .rules = rules, .set = set, .skipped = skipped, .labels = { .arena = &set->arena, .sparse = true } };
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group)) {
        if (!translate_group(&walk, group))
            return false;
    }
    series_sort(set);
    return true;
}
