// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/loki/mapping.h"

#include <stdio.h>
#include <stdlib.h>

/* --- the configuration --- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The attribute's own name with what a label's must not have replaced. */
static struct weir_str own_name(const char *key)
{
    char *name = weir_xstrdup(key);
    for (char *at = name; *at; at++) {
        if (!is_word(*at) || (at == name && *at >= '0' && *at <= '9'))
            *at = '_';
    }
    return weir_str_of(name);
}

static void set_list(struct loki_mapped_list *list, const struct weir_pairs *pairs)
{
    list->items = weir_xcalloc(pairs->count + 1, sizeof(*list->items));
    list->count = pairs->count;
    for (size_t i = 0; i < pairs->count; i++) {
        const struct weir_pair *pair = &pairs->items[i];
        list->items[i].key = weir_str_of(pair->name);
        list->items[i].name = *pair->value ? weir_str_of(weir_xstrdup(pair->value)) : own_name(pair->name);
    }
}

static void free_list(struct loki_mapped_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free((char *)(uintptr_t)list->items[i].name.data);
    free(list->items);
    *list = (struct loki_mapped_list){ .items = NULL };
}

void loki_map_init(struct loki_map *map, const struct loki_mapping *config)
{
    set_list(&map->attributes, &config->attributes);
    set_list(&map->resource, &config->resource);
    set_list(&map->record, &config->record);
}

void loki_map_free(struct loki_map *map)
{
    free_list(&map->attributes);
    free_list(&map->resource);
    free_list(&map->record);
}

/* --- labels --- */

static const struct loki_mapped *find(const struct loki_mapped_list *list, struct weir_str key)
{
    for (size_t i = 0; i < list->count; i++) {
        if (weir_str_equal(list->items[i].key, key))
            return &list->items[i];
    }
    return NULL;
}

/* Only texts become labels; of attributes with one name the first. */
static void add_attributes(const struct loki_mapped_list *list, const struct loki_attributes *attributes,
                           struct loki_labels *labels)
{
    for (size_t i = attributes->count; i-- > 0;) {
        const struct weir_attribute *attribute = attributes->items[i];
        const struct loki_mapped *mapped = find(list, attribute->key);
        if (mapped && attribute->value.type == WEIR_VALUE_STRING)
            loki_labels_add(labels, mapped->name, attribute->value.string);
    }
}

static struct weir_str hex(weir_id_bytes id, struct weir_arena *arena)
{
    char *text = loki_id_is_set(id) ? weir_arena_alloc(arena, id.length * 2 + 1) : NULL;
    for (size_t i = 0; text && i < id.length; i++)
        snprintf(text + 2 * i, 3, "%02x", (unsigned char)id.data[i]);
    return weir_str_make(text, text ? id.length * 2 : 0);
}

/* "Error2" for 18. */
static struct weir_str severity_name(int32_t number, struct weir_arena *arena)
{
    static const char *const names[] = { "Trace", "Debug", "Info", "Warn", "Error", "Fatal" };
    char text[16];
    if (number < 1 || number > 24)
        return WEIR_STR_NONE;
    int step = (number - 1) % 4;
    snprintf(text, sizeof(text), step ? "%s%d" : "%s", names[(number - 1) / 4], step + 1);
    return weir_arena_copy(arena, weir_str_of(text));
}

static struct weir_str field(const struct weir_log_record *log, struct weir_str key, struct weir_arena *arena)
{
    if (weir_str_is(key, "traceID"))
        return hex(log->trace_id, arena);
    if (weir_str_is(key, "spanID"))
        return hex(log->span_id, arena);
    if (weir_str_is(key, "severity"))
        return log->severity_text;
    return severity_name(log->severity_number, arena);
}

void loki_map_labels(const struct loki_map *map, const struct loki_record *record, struct loki_labels *labels)
{
    add_attributes(&map->attributes, &record->attributes, labels);
    add_attributes(&map->resource, &record->resource, labels);
    for (size_t i = 0; i < map->record.count; i++) {
        struct weir_str value = field(record->log, map->record.items[i].key, labels->arena);
        if (value.length)
            loki_labels_add(labels, map->record.items[i].name, value);
    }
}

/* --- the line --- */

static void add_key(struct loki_line *line, struct weir_str key)
{
    loki_line_add(line, key);
    loki_line_addc(line, '=');
}

static void add_fields(const struct loki_map *map, const struct weir_log_record *log, struct loki_line *line)
{
    struct weir_str severity = WEIR_STR("severity"), number = WEIR_STR("severityN"), trace = WEIR_STR("traceID"),
                    span = WEIR_STR("spanID");
    if (!find(&map->record, severity) && log->severity_text.length) {
        add_key(line, severity);
        loki_line_add(line, log->severity_text);
        loki_line_addc(line, ' ');
    }
    if (!find(&map->record, number) && log->severity_number > 0) {
        add_key(line, number);
        loki_line_add_number(line, log->severity_number);
        loki_line_addc(line, ' ');
    }
    if (!find(&map->record, trace) && loki_id_is_set(log->trace_id)) {
        add_key(line, trace);
        loki_line_add_hex(line, log->trace_id);
        loki_line_addc(line, ' ');
    }
    if (!find(&map->record, span) && loki_id_is_set(log->span_id)) {
        add_key(line, span);
        loki_line_add_hex(line, log->span_id);
        loki_line_addc(line, ' ');
    }
}

static void add_others(const struct loki_mapped_list *list, const struct loki_attributes *attributes,
                       struct loki_line *line)
{
    for (size_t i = 0; i < attributes->count && !line->problem; i++) {
        if (find(list, attributes->items[i]->key))
            continue;
        add_key(line, attributes->items[i]->key);
        loki_line_add_value(line, &attributes->items[i]->value);
        loki_line_addc(line, ' ');
    }
}

void loki_map_line(const struct loki_map *map, const struct loki_record *record, struct loki_line *line)
{
    add_fields(map, record->log, line);
    add_others(&map->attributes, &record->attributes, line);
    add_others(&map->resource, &record->resource, line);
    loki_line_raw(line, record);
}
