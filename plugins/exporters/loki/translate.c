// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/loki/translate.h"

#include <weir/context.h>

/* The longest tenant: Loki takes 150 bytes. */
#define TENANT_MAX 256

/* Scratch memory that is kept from one record to the next. */
#define SCRATCH_KEPT ((size_t)64 << 10)

/* Where a batch's records go to. */
struct translation {
    const struct loki_rules *rules;
    struct loki_push *push;
    struct loki_skipped *skipped;
    struct weir_buffer *line;  /* of the record at hand */
    struct weir_arena scratch; /* for the record at hand */
    struct loki_told told;     /* of the records before it */
    uint64_t now;
    struct weir_str tenant; /* that the configuration names */
    const struct weir_resource *resource;
    const struct weir_scope *scope;
};

void loki_rules_init(struct loki_rules *rules, const struct loki_config *config)
{
    rules->config = config;
    rules->mode = loki_mode(config);
    if (rules->mode == LOKI_MAPPED)
        loki_map_init(&rules->map, &config->labels);
}

void loki_rules_free(struct loki_rules *rules)
{
    loki_map_free(&rules->map);
}

static void skip(struct loki_skipped *skipped, const char *reason)
{
    skipped->items++;
    if (skipped->reason.length == 0)
        weir_text_adds(&skipped->reason, reason);
}

/* --- tenants --- */

static struct weir_str from_context(const struct weir_context *context, const char *key)
{
    size_t count = 0;
    const struct weir_metadata *metadata = weir_context_metadata(context, &count);
    for (size_t i = 0; i < count; i++) {
        if (weir_str_equal_nocase(metadata[i].key, weir_str_of(key)))
            return metadata[i].value;
    }
    return WEIR_STR("");
}

struct weir_str loki_configured_tenant(const struct loki_config *config, struct weir_batch *batch)
{
    if (config->tenant_on && config->tenant.source == LOKI_TENANT_CONTEXT)
        return from_context(weir_batch_context(batch), config->tenant.value);
    if (config->tenant_on && config->tenant.source == LOKI_TENANT_STATIC)
        return weir_str_of(config->tenant.value);
    return weir_str_of(config->tenant_id ? config->tenant_id : "");
}

bool loki_is_tenant(struct weir_str tenant)
{
    for (size_t i = 0; i < tenant.length; i++) {
        if (tenant.data[i] <= ' ' || tenant.data[i] > '~')
            return false;
    }
    return tenant.length <= TENANT_MAX;
}

static struct weir_str tenant_of(struct translation *translation, const struct weir_log_record *log)
{
    const struct loki_config *config = translation->rules->config;
    const struct weir_attributes *resource = &translation->resource->attributes;
    if (translation->rules->mode == LOKI_HINTED)
        return loki_hints_tenant(resource, &log->attributes, &translation->scratch);
    if (!config->tenant_on || config->tenant.source != LOKI_TENANT_ATTRIBUTE)
        return translation->tenant;
    const struct weir_value *value = weir_attributes_get(resource, weir_str_of(config->tenant.value));
    return value ? loki_text_of(value, &translation->scratch) : WEIR_STR("");
}

/* --- lines --- */

/* All attributes, or with `labels` those that are neither labels nor hints. */
static bool select_attributes(const struct weir_attributes *attributes, const struct loki_labels *labels,
                              struct weir_arena *arena, struct loki_attributes *out)
{
    out->items = weir_arena_calloc(arena, attributes->count, sizeof(*out->items));
    for (size_t i = 0; out->items && i < attributes->count; i++) {
        struct weir_str key = attributes->items[i].key;
        if (!labels || (!loki_labels_has(labels, key) && !loki_is_hint(key)))
            out->items[out->count++] = &attributes->items[i];
    }
    return out->items != NULL;
}

static void write_hinted(struct translation *translation, const struct loki_record *record, struct loki_line *line)
{
    struct weir_arena *arena = &translation->scratch;
    struct weir_str format
        = loki_hints_format(&translation->resource->attributes, &record->log->attributes, arena);
    if (weir_str_is(format, "json"))
        loki_line_json(line, record, &translation->told, arena);
    else if (weir_str_is(format, "logfmt"))
        loki_line_logfmt(line, record, arena);
    else if (weir_str_is(format, "raw"))
        loki_line_raw(line, record);
    else
        line->problem = "invalid format in loki.format, expected one of: json, logfmt, raw";
}

static void write_mapped(struct translation *translation, const struct loki_record *record, struct loki_line *line)
{
    if (translation->rules->config->format == LOKI_FORMAT_JSON)
        loki_line_json(line, record, &translation->told, &translation->scratch);
    else
        loki_map_line(&translation->rules->map, record, line);
}

/* Fills translation->line; what is wrong with the record, NULL: nothing. */
static const char *write_line(struct translation *translation, const struct loki_record *record)
{
    struct loki_line line = { .out = translation->line };
    translation->line->length = 0;
    if (translation->rules->mode == LOKI_HINTED)
        write_hinted(translation, record, &line);
    else
        write_mapped(translation, record, &line);
    return line.problem;
}

/* --- records --- */

static struct weir_str hinted_labels(const struct translation *translation, struct loki_record *record,
                                     struct loki_labels *labels)
{
    const struct weir_attributes *resource = &translation->resource->attributes;
    loki_hints_labels(&translation->rules->config->defaults, resource, record->log, labels);
    if (!select_attributes(&record->log->attributes, labels, labels->arena, &record->attributes)
        || !select_attributes(resource, labels, labels->arena, &record->resource))
        labels->problem = "out of memory";
    return loki_labels_finish(labels);
}

static struct weir_str mapped_labels(const struct translation *translation, struct loki_record *record,
                                     struct loki_labels *labels)
{
    if (!select_attributes(&record->log->attributes, NULL, labels->arena, &record->attributes)
        || !select_attributes(&translation->resource->attributes, NULL, labels->arena, &record->resource))
        labels->problem = "out of memory";
    else
        loki_map_labels(&translation->rules->map, record, labels);
    if (!labels->problem && labels->count == 0)
        labels->problem = "a record without any of the configured labels";
    return loki_labels_finish(labels);
}

static uint64_t time_of(const struct weir_log_record *log, uint64_t now)
{
    if (log->time_unix_nano)
        return log->time_unix_nano;
    return log->observed_time_unix_nano ? log->observed_time_unix_nano : now;
}

/* What keeps the record from being sent; NULL: it is in `push`. */
static const char *add_record(struct translation *translation, const struct weir_log_record *log)
{
    struct loki_record record = { .log = log, .scope = translation->scope };
    bool hinted = translation->rules->mode == LOKI_HINTED;
    struct loki_labels labels = { .arena = &translation->scratch, .named = !hinted };
    struct weir_str name = hinted ? hinted_labels(translation, &record, &labels)
                                  : mapped_labels(translation, &record, &labels);
    struct weir_str tenant = tenant_of(translation, log);
    const char *problem = labels.problem;
    if (!problem && !loki_is_tenant(tenant))
        problem = LOKI_NO_TENANT;
    if (!problem)
        problem = write_line(translation, &record);
    if (problem)
        return problem;
    const struct weir_buffer *line = translation->line;
    struct loki_stream *stream = loki_push_stream(translation->push, tenant, name);
    if (!stream || !loki_push_add(translation->push, stream, time_of(log, translation->now),
                                  weir_str_make((const char *)line->data, line->length)))
        return "out of memory";
    return NULL;
}

static enum loki_translated add_scope(struct translation *translation, struct weir_scope_group *group)
{
    translation->scope = weir_scope_group_scope(group);
    for (struct weir_entry *entry = weir_scope_group_first(group); entry; entry = weir_entry_next(entry)) {
        const struct weir_log_record *log = weir_entry_log_record(entry);
        if (!log || !translation->scope)
            return LOKI_NO_MEMORY;
        const char *problem = add_record(translation, log);
        if (problem)
            skip(translation->skipped, problem);
        if (translation->scratch.held > SCRATCH_KEPT)
            weir_arena_free(&translation->scratch);
        if (translation->push->arena.held > LOKI_PUSH_MAX)
            return LOKI_TOO_MUCH;
    }
    return LOKI_TRANSLATED;
}

static enum loki_translated add_groups(struct translation *translation, struct weir_batch *batch)
{
    enum loki_translated result = LOKI_TRANSLATED;
    for (struct weir_group *group = weir_batch_first_group(batch); group; group = weir_group_next(group)) {
        translation->resource = weir_group_resource(group);
        if (!translation->resource)
            return LOKI_NO_MEMORY;
        struct weir_scope_group *scope = weir_group_first_scope(group);
        for (; scope && result == LOKI_TRANSLATED; scope = weir_scope_group_next(scope))
            result = add_scope(translation, scope);
        if (result != LOKI_TRANSLATED)
            break;
    }
    return result == LOKI_TOO_MUCH && weir_batch_items(batch) == 1 ? LOKI_TRANSLATED : result;
}

enum loki_translated loki_translate(const struct loki_rules *rules, struct weir_batch *batch, uint64_t now,
                                    struct loki_push *push, struct loki_skipped *skipped)
{
    struct translation translation = { .rules = rules, .push = push, .skipped = skipped, .now = now };
    translation.tenant = loki_configured_tenant(rules->config, batch);
    translation.line = weir_buffer_new(1024);
    enum loki_translated result = translation.line ? add_groups(&translation, batch) : LOKI_NO_MEMORY;
    weir_buffer_unref(translation.line);
    loki_told_free(&translation.told);
    weir_arena_free(&translation.scratch);
    return result;
}
