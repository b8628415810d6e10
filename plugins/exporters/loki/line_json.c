// SPDX-License-Identifier: Apache-2.0
/*
 * Lines in JSON, byte for byte as Go's encoder writes upstream's lokiEntry: keys of maps sorted, <, > and & escaped.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/json.h>

#include "plugins/exporters/loki/line.h"

static void add_value(struct loki_line *line, const struct weir_value *value, struct weir_arena *arena);

static int by_key(const void *a, const void *b)
{
    const struct weir_attribute *const *left = a, *const *right = b;
    int order = weir_str_compare((*left)->key, (*right)->key);
    return order != 0 ? order : (*left > *right) - (*left < *right);
}

/* Sorts the pointers; of several attributes with one key the last counts. */
static void add_sorted(struct loki_line *line, const struct weir_attribute **items, size_t count,
                       struct weir_arena *arena)
{
    bool first = true;
    qsort(items, count, sizeof(const struct weir_attribute *), by_key);
    loki_line_addc(line, '{');
    for (size_t i = 0; i < count && !line->problem; i++) {
        if (i + 1 < count && weir_str_equal(items[i]->key, items[i + 1]->key))
            continue;
        if (!first)
            loki_line_addc(line, ',');
        first = false;
        loki_line_add_quoted(line, items[i]->key, true);
        loki_line_addc(line, ':');
        add_value(line, &items[i]->value, arena);
    }
    loki_line_addc(line, '}');
}

static void add_map(struct loki_line *line, const struct weir_attributes *map, struct weir_arena *arena)
{
    const struct weir_attribute **items = weir_arena_calloc(arena, map->count, sizeof(*items));
    if (!items) {
        line->problem = "out of memory";
        return;
    }
    for (size_t i = 0; i < map->count; i++)
        items[i] = &map->items[i];
    add_sorted(line, items, map->count, arena);
}

static void add_array(struct loki_line *line, const struct weir_values *array, struct weir_arena *arena)
{
    loki_line_addc(line, '[');
    for (size_t i = 0; i < array->count && !line->problem; i++) {
        if (i > 0)
            loki_line_addc(line, ',');
        add_value(line, &array->items[i], arena);
    }
    loki_line_addc(line, ']');
}

/* Numbers that JSON has not are strings: upstream drops the record instead. */
static void add_double(struct loki_line *line, double number)
{
    char room[WEIR_JSON_DOUBLE_ROOM];
    if (number - number == 0)
        loki_line_add(line, weir_str_make(room, weir_json_format_double(room, number)));
    else if (number > 0)
        loki_line_add(line, WEIR_STR("\"Infinity\""));
    else
        loki_line_add(line, number < 0 ? WEIR_STR("\"-Infinity\"") : WEIR_STR("\"NaN\""));
}

/* As deep as values are on the wire, which is WEIR_BATCH_MAX_DEPTH at most. */
static void add_value(struct loki_line *line, const struct weir_value *value, struct weir_arena *arena)
{
    switch (value->type) {
    case WEIR_VALUE_EMPTY:
        loki_line_add(line, WEIR_STR("null"));
        break;
    case WEIR_VALUE_STRING:
        loki_line_add_quoted(line, value->string, true);
        break;
    case WEIR_VALUE_BOOL:
        loki_line_add(line, value->boolean ? WEIR_STR("true") : WEIR_STR("false"));
        break;
    case WEIR_VALUE_INT:
        loki_line_add_number(line, value->integer);
        break;
    case WEIR_VALUE_DOUBLE:
        add_double(line, value->number);
        break;
    case WEIR_VALUE_ARRAY:
        add_array(line, &value->array, arena);
        break;
    case WEIR_VALUE_MAP:
        add_map(line, &value->map, arena);
        break;
    case WEIR_VALUE_BYTES:
        loki_line_addc(line, '"');
        loki_line_add_value(line, value);
        loki_line_addc(line, '"');
        break;
    }
}

/* Members of the outer object, each behind a comma but the first; `key` has its quotes and colon. */
static inline void add_key(struct loki_line *line, struct weir_str key)
{
    if (line->problem)
        return;
    if (line->out->data[line->out->length - 1] != '{')
        loki_line_addc(line, ',');
    loki_line_add(line, key);
}

static void add_text(struct loki_line *line, struct weir_str key, struct weir_str text)
{
    if (text.length == 0)
        return;
    add_key(line, key);
    loki_line_add_quoted(line, text, true);
}

static void add_id(struct loki_line *line, struct weir_str key, weir_id_bytes id)
{
    if (!loki_id_is_set(id))
        return;
    add_key(line, key);
    loki_line_addc(line, '"');
    loki_line_add_hex(line, id);
    loki_line_addc(line, '"');
}

static void add_scope(struct loki_line *line, const struct weir_scope *scope, struct weir_arena *arena)
{
    if (!scope || scope->name.length == 0)
        return;
    add_key(line, WEIR_STR("\"instrumentation_scope\":"));
    loki_line_addc(line, '{');
    add_text(line, WEIR_STR("\"name\":"), scope->name);
    add_text(line, WEIR_STR("\"version\":"), scope->version);
    if (scope->attributes.count) {
        add_key(line, WEIR_STR("\"attributes\":"));
        add_map(line, &scope->attributes, arena);
    }
    loki_line_addc(line, '}');
}

static void add_attributes(struct loki_line *line, struct weir_str key, const struct loki_attributes *attributes,
                           struct weir_arena *arena)
{
    if (attributes->count == 0)
        return;
    const struct weir_attribute **items = weir_arena_calloc(arena, attributes->count, sizeof(*items));
    if (!items) {
        line->problem = "out of memory";
        return;
    }
    memcpy(items, attributes->items, attributes->count * sizeof(*items));
    add_key(line, key);
    add_sorted(line, items, attributes->count, arena);
}

/* --- resource and scope --- */

void loki_told_free(struct loki_told *told)
{
    weir_buffer_unref(told->text);
    weir_buffer_unref(told->resource);
    *told = (struct loki_told){ 0 };
}

static bool has_told(const struct loki_told *told, const struct loki_record *record)
{
    size_t length = record->resource.count * sizeof(*record->resource.items);
    return told->text && told->scope == record->scope && told->resource->length == length
           && (length == 0 || memcmp(told->resource->data, record->resource.items, length) == 0);
}

/* Without memory nothing is kept. */
static void keep(struct loki_told *told, const struct loki_record *record, struct weir_str text)
{
    loki_told_free(told);
    told->scope = record->scope;
    told->resource = weir_buffer_copy(record->resource.items, record->resource.count * sizeof(*record->resource.items));
    told->text = told->resource ? weir_buffer_copy(text.data, text.length) : NULL;
}

static void tell_again(struct loki_line *line, const struct loki_told *told)
{
    if (told->text->length > 0)
        add_key(line, weir_str_make((const char *)told->text->data, told->text->length));
}

static void tell(struct loki_line *line, const struct loki_record *record, struct loki_told *told,
                 struct weir_arena *arena)
{
    size_t from = line->out->length;
    if (has_told(told, record)) {
        tell_again(line, told);
        return;
    }
    add_attributes(line, WEIR_STR("\"resources\":"), &record->resource, arena);
    add_scope(line, record->scope, arena);
    if (line->problem)
        return;
    from += from < line->out->length && line->out->data[from] == ',';
    keep(told, record, weir_str_make((const char *)line->out->data + from, line->out->length - from));
}

void loki_line_json(struct loki_line *line, const struct loki_record *record, struct loki_told *told,
                    struct weir_arena *arena)
{
    const struct weir_log_record *log = record->log;
    loki_line_addc(line, '{');
    if (log->body.type != WEIR_VALUE_EMPTY) {
        add_key(line, WEIR_STR("\"body\":"));
        add_value(line, &log->body, arena);
    }
    add_id(line, WEIR_STR("\"traceid\":"), log->trace_id);
    add_id(line, WEIR_STR("\"spanid\":"), log->span_id);
    add_text(line, WEIR_STR("\"severity\":"), log->severity_text);
    if (log->flags) {
        add_key(line, WEIR_STR("\"flags\":"));
        loki_line_add_number(line, log->flags);
    }
    add_attributes(line, WEIR_STR("\"attributes\":"), &record->attributes, arena);
    tell(line, record, told, arena);
    loki_line_addc(line, '}');
}
