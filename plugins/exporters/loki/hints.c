// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/loki/hints.h"

#include <stdio.h>

#define ATTRIBUTE_LABELS WEIR_STR("loki.attribute.labels")
#define RESOURCE_LABELS WEIR_STR("loki.resource.labels")
#define TENANT WEIR_STR("loki.tenant")
#define FORMAT WEIR_STR("loki.format")
#define LEVEL WEIR_STR("level")

bool loki_is_hint(struct weir_str key)
{
    return weir_str_equal(key, ATTRIBUTE_LABELS) || weir_str_equal(key, RESOURCE_LABELS) || weir_str_equal(key, TENANT)
           || weir_str_equal(key, FORMAT);
}

struct weir_str loki_text_of(const struct weir_value *value, struct weir_arena *arena)
{
    if (value->type == WEIR_VALUE_STRING)
        return value->string.data ? value->string : WEIR_STR("");
    struct weir_text text = { 0 };
    weir_value_print(value, &text);
    struct weir_str copy = weir_arena_copy(arena, weir_text_view(&text));
    weir_text_free(&text);
    return copy;
}

/* --- attributes by name --- */

static const struct weir_value *find(const struct weir_attributes *attributes, struct weir_str name);

/* `a.b.c` as the attribute `a.b` with a map that has `c`, or `a` with one that has `b.c`, and so on. */
static const struct weir_value *find_nested(const struct weir_attributes *attributes, struct weir_str name)
{
    for (size_t dot = name.length; dot-- > 0;) {
        if (name.data[dot] != '.')
            continue;
        const struct weir_value *outer = weir_attributes_get(attributes, weir_str_make(name.data, dot));
        if (!outer || outer->type != WEIR_VALUE_MAP)
            continue;
        const struct weir_value *inner
            = find(&outer->map, weir_str_make(name.data + dot + 1, name.length - dot - 1));
        if (inner)
            return inner;
    }
    return NULL;
}

/* As deep as values are on the wire, which is WEIR_BATCH_MAX_DEPTH at most; each map is looked into once. */
static const struct weir_value *find(const struct weir_attributes *attributes, struct weir_str name)
{
    const struct weir_value *value = weir_attributes_get(attributes, name);
    return value ? value : find_nested(attributes, name);
}

/* --- labels --- */

/* Where the labels of one hint come from. */
struct source {
    const struct weir_attributes *attributes;
    struct loki_labels *labels;
    size_t names;
};

static void add_text(struct loki_labels *labels, struct weir_str key, struct weir_str text)
{
    if (text.data)
        loki_labels_add(labels, key, text);
    else
        labels->problem = "out of memory";
}

static void add_named(struct source *source, struct weir_str name)
{
    name = weir_str_trim(name);
    if (++source->names > LOKI_NAMES_MAX) {
        source->labels->problem = "a hint with more than 1024 names of labels";
        return;
    }
    const struct weir_value *value = name.length ? find(source->attributes, name) : NULL;
    if (value)
        add_text(source->labels, name, loki_text_of(value, source->labels->arena));
}

static void add_listed(struct source *source, struct weir_str list)
{
    while (!source->labels->problem) {
        const char *comma = list.length ? memchr(list.data, ',', list.length) : NULL;
        size_t length = comma ? (size_t)(comma - list.data) : list.length;
        add_named(source, weir_str_make(list.data, length));
        if (!comma)
            break;
        list = weir_str_make(list.data + length + 1, list.length - length - 1);
    }
}

static void add_hinted(struct source *source, const struct weir_value *hint)
{
    if (!hint)
        return;
    if (hint->type == WEIR_VALUE_STRING) {
        add_listed(source, hint->string);
    } else if (hint->type == WEIR_VALUE_ARRAY) {
        for (size_t i = 0; i < hint->array.count && !source->labels->problem; i++)
            add_named(source, loki_text_of(&hint->array.items[i], source->labels->arena));
    } else {
        add_named(source, loki_text_of(hint, source->labels->arena));
    }
}

/* "ERROR3" for 19; empty for a number that is no severity. */
static struct weir_str level_of(int32_t severity, struct weir_arena *arena)
{
    static const char *const names[] = { "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL" };
    char text[16];
    if (severity < 1 || severity > 24)
        return WEIR_STR("");
    int step = (severity - 1) % 4;
    const char *name = names[(severity - 1) / 4];
    if (step == 0)
        return weir_str_of(name);
    snprintf(text, sizeof(text), "%s%d", name, step + 1);
    return weir_arena_copy(arena, weir_str_of(text));
}

/* An attribute of the record's own called level goes before its severity. */
static void add_level(const struct weir_log_record *log, struct loki_labels *labels)
{
    const struct weir_value *own = weir_attributes_get(&log->attributes, LEVEL);
    if (log->severity_number == 0)
        return;
    add_text(labels, LEVEL, own ? loki_text_of(own, labels->arena) : level_of(log->severity_number, labels->arena));
}

static void add_job(const struct weir_attributes *resource, struct loki_labels *labels)
{
    const struct weir_value *name = weir_attributes_get(resource, WEIR_STR("service.name"));
    const struct weir_value *name_space = weir_attributes_get(resource, WEIR_STR("service.namespace"));
    struct weir_text job = { 0 };
    if (!name)
        return;
    if (name_space) {
        weir_value_print(name_space, &job);
        weir_text_addc(&job, '/');
    }
    weir_value_print(name, &job);
    add_text(labels, WEIR_STR("job"), weir_arena_copy(labels->arena, weir_text_view(&job)));
    weir_text_free(&job);
}

static void add_instance(const struct weir_attributes *resource, struct loki_labels *labels)
{
    const struct weir_value *id = weir_attributes_get(resource, WEIR_STR("service.instance.id"));
    if (id)
        add_text(labels, WEIR_STR("instance"), loki_text_of(id, labels->arena));
}

void loki_hints_labels(const struct loki_default_labels *defaults, const struct weir_attributes *resource,
                       const struct weir_log_record *log, struct loki_labels *labels)
{
    struct source from_resource = { .attributes = resource, .labels = labels };
    struct source from_log = { .attributes = &log->attributes, .labels = labels };
    if (defaults->exporter)
        loki_labels_add(labels, WEIR_STR("exporter"), WEIR_STR("OTLP"));
    if (defaults->job)
        add_job(resource, labels);
    if (defaults->instance)
        add_instance(resource, labels);
    add_hinted(&from_resource, weir_attributes_get(resource, RESOURCE_LABELS));
    add_hinted(&from_resource, weir_attributes_get(&log->attributes, RESOURCE_LABELS));
    add_hinted(&from_log, weir_attributes_get(&log->attributes, ATTRIBUTE_LABELS));
    if (defaults->level)
        add_level(log, labels);
}

/* --- tenant and format --- */

struct weir_str loki_hints_tenant(const struct weir_attributes *resource, const struct weir_attributes *log,
                                  struct weir_arena *arena)
{
    const struct weir_value *hint = weir_attributes_get(resource, TENANT);
    hint = hint ? hint : weir_attributes_get(log, TENANT);
    if (!hint)
        return WEIR_STR("");
    struct weir_str name = loki_text_of(hint, arena);
    if (!name.data)
        return WEIR_STR_NONE;
    const struct weir_value *tenant = find(resource, name);
    tenant = tenant ? tenant : find(log, name);
    return tenant ? loki_text_of(tenant, arena) : WEIR_STR("");
}

struct weir_str loki_hints_format(const struct weir_attributes *resource, const struct weir_attributes *log,
                                  struct weir_arena *arena)
{
    const struct weir_value *hint = weir_attributes_get(resource, FORMAT);
    hint = hint ? hint : weir_attributes_get(log, FORMAT);
    return hint ? loki_text_of(hint, arena) : WEIR_STR("json");
}
