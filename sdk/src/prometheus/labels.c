// SPDX-License-Identifier: Apache-2.0
/*
 * Label sets: what a data point, its scope and its resource say, under names that occur once (contrib-receivers-exporters
 * 4.3, 4.4 and 5.4).
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/prometheus/label_names.h"

static bool grow(struct weir_prometheus_labels *labels)
{
    size_t capacity = labels->capacity ? labels->capacity * 2 : 16;
    struct weir_prometheus_label *items = weir_arena_calloc(labels->arena, capacity, sizeof(*items));
    if (!items)
        return false;
    if (labels->count)
        memcpy(items, labels->items, labels->count * sizeof(*items));
    labels->items = items;
    labels->capacity = capacity;
    return true;
}

static bool add(struct weir_prometheus_labels *labels, struct weir_prometheus_label label)
{
    if (!label.name.data || (!label.value.data && label.value.length))
        return false;
    if (labels->count == labels->capacity && !grow(labels))
        return false;
    labels->items[labels->count++] = label;
    return true;
}

bool weir_prometheus_labels_add(struct weir_prometheus_labels *labels, enum weir_prometheus_rank rank,
                                struct weir_str name, struct weir_str value)
{
    return add(labels, (struct weir_prometheus_label){ .name = name, .value = value, .key = name, .rank = rank });
}

/* The name for the key behind the prefix, without data when memory is out. False for keys that cannot become one. */
static bool name_of(struct weir_prometheus_labels *labels, enum weir_prometheus_label_rule rule, struct weir_str prefix,
                    struct weir_str key, struct weir_str *name)
{
    char *room = weir_arena_alloc(labels->arena, prefix.length + key.length + PROMETHEUS_LABEL_MORE);
    *name = WEIR_STR_NONE;
    if (!room)
        return true;
    struct weir_str made = prometheus_label_name(rule, key, room + prefix.length);
    if (made.length == 0)
        return false;
    *name = made;
    if (prefix.length == 0)
        return true;
    memmove(room + prefix.length, made.data, made.length);
    memcpy(room, prefix.data, prefix.length);
    *name = weir_str_make(room, prefix.length + made.length);
    return true;
}

static struct weir_str value_of(struct weir_prometheus_labels *labels, const struct weir_value *value)
{
    struct weir_text text = { 0 };
    if (value->type == WEIR_VALUE_STRING)
        return value->string;
    weir_value_print(value, &text);
    struct weir_str copy = weir_arena_copy(labels->arena, weir_text_view(&text));
    weir_text_free(&text);
    return copy;
}

static bool add_attribute(struct weir_prometheus_labels *labels, enum weir_prometheus_label_rule rule, int rank,
                          struct weir_str prefix, const struct weir_attribute *attribute)
{
    struct weir_prometheus_label label = { .key = attribute->key, .rank = rank };
    if (!name_of(labels, rule, prefix, attribute->key, &label.name))
        return true;
    label.value = value_of(labels, &attribute->value);
    if (labels->sparse && label.value.length == 0)
        return true;
    return add(labels, label);
}

bool weir_prometheus_labels_add_attributes(struct weir_prometheus_labels *labels, enum weir_prometheus_label_rule rule,
                                           enum weir_prometheus_rank rank, const struct weir_attributes *attributes,
                                           const struct weir_attributes *over)
{
    for (size_t i = 0; i < attributes->count; i++) {
        if (over && weir_attributes_get(over, attributes->items[i].key))
            continue;
        if (!add_attribute(labels, rule, rank, WEIR_STR_NONE, &attributes->items[i]))
            return false;
    }
    return true;
}

bool weir_prometheus_identifies(struct weir_str key)
{
    return weir_str_is(key, "service.name") || weir_str_is(key, "service.namespace")
           || weir_str_is(key, "service.instance.id");
}

/* The attribute's value; empty when there is none. */
static struct weir_str text_of(struct weir_prometheus_labels *labels, const struct weir_attributes *attributes,
                               const char *key)
{
    const struct weir_value *value = weir_attributes_get(attributes, weir_str_of(key));
    return value ? value_of(labels, value) : WEIR_STR("");
}

bool weir_prometheus_labels_add_identity(struct weir_prometheus_labels *labels, const struct weir_attributes *resource)
{
    struct weir_str name_space = text_of(labels, resource, "service.namespace");
    struct weir_str name = text_of(labels, resource, "service.name");
    struct weir_str instance = text_of(labels, resource, "service.instance.id");
    struct weir_str job = name;
    if (name.length && name_space.length) {
        struct weir_text text = { 0 };
        weir_text_addf(&text, "%.*s/%.*s", WEIR_STR_ARG(name_space), WEIR_STR_ARG(name));
        job = weir_arena_copy(labels->arena, weir_text_view(&text));
        weir_text_free(&text);
    }
    if (job.length && !weir_prometheus_labels_add(labels, WEIR_PROMETHEUS_DERIVED, WEIR_STR("job"), job))
        return false;
    return instance.length == 0
           || weir_prometheus_labels_add(labels, WEIR_PROMETHEUS_DERIVED, WEIR_STR("instance"), instance);
}

static bool add_scope_text(struct weir_prometheus_labels *labels, struct weir_str name, struct weir_str value)
{
    if (labels->sparse && value.length == 0)
        return true;
    return weir_prometheus_labels_add(labels, WEIR_PROMETHEUS_DERIVED, name, value);
}

bool weir_prometheus_labels_add_scope(struct weir_prometheus_labels *labels, enum weir_prometheus_label_rule rule,
                                      const struct weir_scope *scope, struct weir_str schema_url)
{
    if (!add_scope_text(labels, WEIR_STR("otel_scope_name"), scope->name)
        || !add_scope_text(labels, WEIR_STR("otel_scope_version"), scope->version)
        || (!labels->sparse && !add_scope_text(labels, WEIR_STR("otel_scope_schema_url"), schema_url)))
        return false;
    for (size_t i = 0; i < scope->attributes.count; i++) {
        const struct weir_attribute *attribute = &scope->attributes.items[i];
        if (weir_str_is(attribute->key, "name") || weir_str_is(attribute->key, "version")
            || weir_str_is(attribute->key, "schema_url"))
            continue;
        if (!add_attribute(labels, rule, WEIR_PROMETHEUS_DERIVED, WEIR_STR("otel_scope_"), attribute))
            return false;
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct weir_prometheus_label *left = a, *right = b;
    int order = weir_str_compare(left->name, right->name);
    if (order == 0)
        order = (left->rank > right->rank) - (left->rank < right->rank);
    return order ? order : weir_str_compare(left->key, right->key);
}

/* Joins what two attributes say under one name. */
static bool join(struct weir_arena *arena, struct weir_prometheus_label *label, struct weir_str more)
{
    struct weir_text text = { 0 };
    if (weir_str_equal(label->value, more))
        return true;
    weir_text_addf(&text, "%.*s;%.*s", WEIR_STR_ARG(label->value), WEIR_STR_ARG(more));
    label->value = weir_arena_copy(arena, weir_text_view(&text));
    weir_text_free(&text);
    return label->value.data != NULL;
}

bool weir_prometheus_labels_finish(struct weir_prometheus_labels *labels, struct weir_str *clash)
{
    size_t kept = 0;
    *clash = WEIR_STR_NONE;
    if (labels->count == 0)
        return true;
    qsort(labels->items, labels->count, sizeof(*labels->items), compare);
    for (size_t i = 1; i < labels->count; i++) {
        struct weir_prometheus_label *last = &labels->items[kept], *next = &labels->items[i];
        if (!weir_str_equal(last->name, next->name)) {
            labels->items[++kept] = *next;
            continue;
        }
        *clash = next->name;
        if (next->rank == WEIR_PROMETHEUS_ATTRIBUTE && last->rank == WEIR_PROMETHEUS_ATTRIBUTE) {
            if (!join(labels->arena, last, next->value))
                return false;
        } else
            *last = *next;
    }
    labels->count = kept + 1;
    return true;
}
