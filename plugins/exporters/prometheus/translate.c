// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/prometheus/translate.h"

#include <stdlib.h>

#include "plugins/exporters/prometheus/text.h"

/* One attribute of an identity. */
struct pair {
    struct weir_str key, value;
};

/* Where the walk through the batch is. */
struct walk {
    const struct prom_rules *rules;
    struct store *store;
    struct prom_skipped *skipped;
    int64_t now;
    struct weir_arena arena; /* for one resource */
    const struct weir_attributes *resource; /* whose attributes become labels; NULL: none */
    struct weir_prometheus_labels derived;  /* job and instance */
    const struct weir_scope *scope;
    struct weir_str schema_url;
    const struct weir_metric *metric;
    struct part *part; /* locked, the metric's */
    struct family *family;
    struct weir_text key; /* the identity; its first `metric_key` bytes are the same for the metric's points */
    size_t metric_key;
    struct pair *pairs;
    size_t pair_capacity;
    bool taken; /* the resource has a point in the store */
};

/* --- the configuration --- */

void prom_rules_init(struct prom_rules *rules, const struct prom_config *config)
{
    *rules = (struct prom_rules){ .config = config, .strategy = (enum weir_prometheus_strategy)config->strategy };
    bool utf8 = rules->strategy >= WEIR_PROMETHEUS_UTF8_SUFFIXED;
    rules->label_rule = utf8 ? WEIR_PROMETHEUS_LABEL_UTF8 : WEIR_PROMETHEUS_LABEL_SCRAPED;
    rules->name_space = weir_str_of(config->name_space);
    rules->constant = weir_xcalloc(config->const_labels.count + 1, sizeof(*rules->constant));
    for (size_t i = 0; i < config->const_labels.count; i++) {
        const struct weir_pair *pair = &config->const_labels.items[i];
        struct weir_text name = { 0 };
        if (weir_prometheus_label_name(rules->label_rule, weir_str_of(pair->name), &name))
            rules->constant[rules->constant_count++] = (struct weir_prometheus_label){
                .name = weir_arena_copy(&rules->arena, weir_text_view(&name)), .value = weir_str_of(pair->value)
            };
        weir_text_free(&name);
    }
}

void prom_rules_free(struct prom_rules *rules)
{
    weir_arena_free(&rules->arena);
    free(rules->constant);
}

/* Adds a text so that it cannot run into the next. */
static void add_piece(struct weir_text *key, struct weir_str piece)
{
    weir_text_add(key, (const char *)&piece.length, sizeof(piece.length));
    weir_text_add(key, piece.data, piece.length);
}

void prom_rules_key(const struct prom_rules *rules, struct weir_text *key)
{
    const struct prom_config *config = rules->config;
    weir_text_addf(key, "%d %d %d %d ", (int)rules->strategy, config->without_scope_info, config->conversion.enabled,
                   config->conversion.exclude_service_attributes);
    add_piece(key, rules->name_space);
    for (size_t i = 0; i < rules->constant_count; i++) {
        add_piece(key, rules->constant[i].name);
        add_piece(key, rules->constant[i].value);
    }
}

void prom_target_name(const struct prom_rules *rules, struct weir_text *name)
{
    if (rules->name_space.length && weir_prometheus_label_name(rules->label_rule, rules->name_space, name))
        weir_text_addc(name, '_');
    weir_text_adds(name, "target_info");
}

/* --- what does not fit --- */

static void skip(struct walk *walk, uint64_t items, const char *reason)
{
    if (items && walk->skipped->items == 0)
        weir_text_addf(&walk->skipped->reason, "metric \"%.*s\": %s", WEIR_STR_ARG(walk->metric->name), reason);
    walk->skipped->items += items;
}

/* --- identities --- */

static struct weir_str text_of(struct walk *walk, const struct weir_value *value)
{
    struct weir_text text = { 0 };
    if (value->type == WEIR_VALUE_STRING)
        return value->string;
    weir_value_print(value, &text);
    struct weir_str copy = weir_arena_copy(&walk->arena, weir_text_view(&text));
    weir_text_free(&text);
    return copy;
}

static bool add_pairs(struct walk *walk, const struct weir_attributes *attributes, const struct weir_attributes *over,
                      size_t *count)
{
    for (size_t i = 0; i < attributes->count; i++) {
        const struct weir_attribute *attribute = &attributes->items[i];
        if (over && weir_attributes_get(over, attribute->key))
            continue;
        struct weir_str value = text_of(walk, &attribute->value);
        if (!value.data && attribute->value.type != WEIR_VALUE_STRING)
            return false;
        walk->pairs[(*count)++] = (struct pair){ attribute->key, value };
    }
    return true;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *left = a, *right = b;
    int order = weir_str_compare(left->key, right->key);
    return order ? order : weir_str_compare(left->value, right->value);
}

/* Adds the attributes to the identity, in order of their keys. */
static bool add_attributes(struct walk *walk, const struct weir_attributes *attributes,
                           const struct weir_attributes *over)
{
    size_t wanted = attributes->count + (over ? over->count : 0), count = 0;
    if (wanted > walk->pair_capacity) {
        struct pair *pairs = realloc(walk->pairs, wanted * sizeof(*pairs));
        if (!pairs)
            return false;
        walk->pairs = pairs;
        walk->pair_capacity = wanted;
    }
    if (!add_pairs(walk, attributes, over, &count) || (over && !add_pairs(walk, over, NULL, &count)))
        return false;
    if (count > 1)
        qsort(walk->pairs, count, sizeof(*walk->pairs), compare_pairs);
    for (size_t i = 0; i < count; i++) {
        add_piece(&walk->key, walk->pairs[i].key);
        add_piece(&walk->key, walk->pairs[i].value);
    }
    return true;
}

/* All that the metric's points have in common. */
static bool begin_key(struct walk *walk)
{
    const struct weir_metric *metric = walk->metric;
    weir_text_clear(&walk->key);
    weir_text_addc(&walk->key, (char)metric->type);
    add_piece(&walk->key, metric->name);
    add_piece(&walk->key, walk->scope->name);
    add_piece(&walk->key, walk->scope->version);
    add_piece(&walk->key, walk->schema_url);
    for (size_t i = 0; i < walk->derived.count; i++) {
        add_piece(&walk->key, walk->derived.items[i].name);
        add_piece(&walk->key, walk->derived.items[i].value);
    }
    weir_text_addc(&walk->key, 's');
    if (!add_attributes(walk, &walk->scope->attributes, NULL))
        return false;
    weir_text_addc(&walk->key, 'p');
    walk->metric_key = walk->key.length;
    return true;
}

/* --- labels --- */

/* Those of the point's series. */
static bool make_labels(const struct walk *walk, const struct weir_data_point *point,
                        struct weir_prometheus_labels *labels, struct weir_str *clash)
{
    const struct prom_rules *rules = walk->rules;
    for (size_t i = 0; i < rules->constant_count; i++) {
        if (!weir_prometheus_labels_add(labels, WEIR_PROMETHEUS_EXTERNAL, rules->constant[i].name,
                                        rules->constant[i].value))
            return false;
    }
    for (size_t i = 0; i < walk->derived.count; i++) {
        if (!weir_prometheus_labels_add(labels, WEIR_PROMETHEUS_DERIVED, walk->derived.items[i].name,
                                        walk->derived.items[i].value))
            return false;
    }
    return weir_prometheus_labels_add_attributes(labels, rules->label_rule, WEIR_PROMETHEUS_ATTRIBUTE,
                                                 &point->attributes, walk->resource)
           && (!walk->resource
               || weir_prometheus_labels_add_attributes(labels, rules->label_rule, WEIR_PROMETHEUS_ATTRIBUTE,
                                                        walk->resource, NULL))
           && (rules->config->without_scope_info
               || weir_prometheus_labels_add_scope(labels, rules->label_rule, walk->scope, walk->schema_url))
           && weir_prometheus_labels_finish(labels, clash);
}

static struct series *add_series(struct walk *walk, const struct weir_data_point *point)
{
    struct weir_prometheus_labels labels = { .arena = &walk->arena };
    struct weir_str clash = WEIR_STR_NONE, shown;
    struct weir_text text = { 0 };
    if (!make_labels(walk, point, &labels, &clash))
        return NULL;
    for (size_t i = 0; i < labels.count; i++)
        text_add_label(&text, labels.items[i].name, labels.items[i].value);
    shown = weir_str_make(weir_text_string(&text), text.length);
    struct series *series = part_add_series(walk->part, weir_text_view(&walk->key),
                                            clash.data ? WEIR_STR_NONE : shown, clash);
    weir_text_free(&text);
    return series;
}

/* --- points --- */

/* False when memory is out. `ended` is set when the series ends with this point. */
static bool put_point(struct walk *walk, const struct weir_data_point *point, bool *ended)
{
    struct value *value = NULL;
    walk->key.length = walk->metric_key;
    if (!add_attributes(walk, &point->attributes, walk->resource))
        return false;
    struct series *series = part_find_series(walk->part, weir_text_view(&walk->key));
    *ended = point->flags & WEIR_POINT_NO_RECORDED_VALUE;
    if (*ended) {
        if (series)
            part_remove_series(walk->part, series);
        return true;
    }
    enum value_verdict verdict = value_next(series ? series->value : NULL, walk->metric, point, &value);
    if (verdict == VALUE_MISPLACED)
        skip(walk, 1, "a delta starts before the one that came before it has ended");
    if (verdict == VALUE_TAKEN && !series && !(series = add_series(walk, point)))
        verdict = VALUE_NO_MEMORY;
    if (verdict == VALUE_TAKEN) {
        series_set(series, walk->family, value, walk->now);
        walk->taken = true;
    } else
        value_unref(value);
    return verdict != VALUE_NO_MEMORY;
}

/* --- metrics --- */

/* The metric's family, in walk->family. False when memory is out. */
static bool find_family(struct walk *walk, struct weir_error *error)
{
    const struct weir_metric *metric = walk->metric;
    struct weir_text key = { 0 }, name = { 0 };
    weir_text_addc(&key, (char)metric->type);
    weir_text_addc(&key, metric->monotonic ? 'm' : ' ');
    add_piece(&key, metric->name);
    add_piece(&key, metric->unit);
    add_piece(&key, metric->description);
    walk->family = part_find_family(walk->part, weir_text_view(&key));
    if (!walk->family || walk->family->name.length == 0) {
        weir_prometheus_metric_name(walk->rules->strategy, walk->rules->name_space, metric, &name, error);
        if (!walk->family)
            walk->family = part_add_family(walk->part, weir_text_view(&key), weir_prometheus_type_of(metric),
                                           weir_text_view(&name), metric->description);
    }
    weir_text_free(&key);
    weir_text_free(&name);
    return walk->family != NULL;
}

static bool put_points(struct walk *walk)
{
    bool ended = false;
    /* Behind one that ends its series, the others of the metric wait for the next batch, as upstream has it. */
    for (size_t i = 0; i < walk->metric->point_count && !ended; i++) {
        if (!put_point(walk, &walk->metric->points[i], &ended))
            return false;
    }
    return true;
}

static bool put_metric(struct walk *walk)
{
    struct weir_error error = WEIR_ERROR_INIT;
    const char *unfit = value_unfit(walk->metric);
    bool good = true;
    if (unfit) {
        skip(walk, walk->metric->point_count, unfit);
        return true;
    }
    if (!begin_key(walk))
        return false;
    walk->part = store_lock(walk->store, walk->metric->name);
    if (!find_family(walk, &error))
        good = false;
    else if (walk->family->name.length == 0)
        skip(walk, walk->metric->point_count, weir_error_text(&error));
    else
        good = put_points(walk);
    store_unlock(walk->part);
    weir_error_free(&error);
    return good;
}

/* --- resources --- */

/* target_info of a resource that says which instance of which job it is. */
static bool put_target(struct walk *walk, const struct weir_attributes *attributes)
{
    struct weir_prometheus_labels labels = { .arena = &walk->arena };
    struct weir_attributes others = { .items = weir_arena_calloc(&walk->arena, attributes->count + 1,
                                                                 sizeof(*others.items)) };
    struct weir_text text = { 0 };
    struct weir_str clash;
    if (walk->derived.count < 2)
        return true;
    if (!others.items)
        return false;
    for (size_t i = 0; i < attributes->count; i++) {
        if (!weir_prometheus_identifies(attributes->items[i].key))
            others.items[others.count++] = attributes->items[i];
    }
    if (!weir_prometheus_labels_add_attributes(&labels, walk->rules->label_rule, WEIR_PROMETHEUS_ATTRIBUTE, &others,
                                               NULL)
        || !weir_prometheus_labels_add_identity(&labels, attributes)
        || !weir_prometheus_labels_finish(&labels, &clash))
        return false;
    for (size_t i = 0; i < labels.count; i++)
        text_add_label(&text, labels.items[i].name, labels.items[i].value);
    weir_text_clear(&walk->key);
    for (size_t i = 0; i < walk->derived.count; i++)
        add_piece(&walk->key, walk->derived.items[i].value);
    bool good = store_set_target(walk->store, weir_text_view(&walk->key), weir_text_view(&text), walk->now);
    weir_text_free(&text);
    return good;
}

/* The attributes that become labels of every series. */
static bool take_resource(struct walk *walk, const struct weir_attributes *attributes, struct weir_attributes *labels)
{
    const struct prom_conversion *conversion = &walk->rules->config->conversion;
    walk->resource = NULL;
    walk->taken = false;
    walk->derived = (struct weir_prometheus_labels){ .arena = &walk->arena };
    if (!weir_prometheus_labels_add_identity(&walk->derived, attributes))
        return false;
    if (!conversion->enabled)
        return true;
    labels->items = weir_arena_calloc(&walk->arena, attributes->count + 1, sizeof(*labels->items));
    for (size_t i = 0; labels->items && i < attributes->count; i++) {
        if (!conversion->exclude_service_attributes || !weir_prometheus_identifies(attributes->items[i].key))
            labels->items[labels->count++] = attributes->items[i];
    }
    walk->resource = labels;
    return labels->items != NULL;
}

static bool put_scope(struct walk *walk, struct weir_scope_group *scope)
{
    walk->scope = weir_scope_group_scope(scope);
    walk->schema_url = weir_scope_group_schema_url(scope);
    if (!walk->scope)
        return false;
    for (struct weir_entry *entry = weir_scope_group_first(scope); entry; entry = weir_entry_next(entry)) {
        walk->metric = weir_entry_metric(entry);
        if (!walk->metric || !put_metric(walk))
            return false;
    }
    return true;
}

static bool put_group(struct walk *walk, struct weir_group *group)
{
    const struct weir_resource *resource = weir_group_resource(group);
    struct weir_attributes labels = { 0 };
    if (!resource || !take_resource(walk, &resource->attributes, &labels))
        return false;
    for (struct weir_scope_group *scope = weir_group_first_scope(group); scope; scope = weir_scope_group_next(scope)) {
        if (!put_scope(walk, scope))
            return false;
    }
    return !walk->taken || put_target(walk, &resource->attributes);
}

bool prom_translate(const struct prom_rules *rules, struct store *store, struct weir_batch *batch, int64_t now,
                    struct prom_skipped *skipped)
{
    struct walk walk = { .rules = rules, .store = store, .skipped = skipped, .now = now };
    bool good = true;
    for (struct weir_group *group = weir_batch_first_group(batch); good && group; group = weir_group_next(group)) {
        good = put_group(&walk, group);
        weir_arena_free(&walk.arena);
    }
    weir_text_free(&walk.key);
    free(walk.pairs);
    return good;
}
