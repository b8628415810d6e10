// SPDX-License-Identifier: Apache-2.0
/*
 * JSON Schema (draft 2020-12) from option tables, for editors. It describes a configuration before expansion:
 * in place of every scalar there may be a text with ${...} in it.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/describe.h>

#include "sdk/src/option/decode.h"
#include "sdk/src/option/schema.h"
#include "sdk/src/option/words.h"

static const struct weir_option no_options[] = { WEIR_OPTION_END };
const struct weir_option_table schema_no_table = { no_options, 1, NULL };

static void add_text(struct weir_dump *dump, const char *key, const char *value)
{
    weir_dump_key(dump, weir_str_of(key));
    weir_dump_string(dump, weir_str_of(value));
}

static void add_flag(struct weir_dump *dump, const char *key, bool value)
{
    weir_dump_key(dump, weir_str_of(key));
    weir_dump_bool(dump, value);
}

static void add_reference(struct weir_dump *dump, const char *name)
{
    char *reference = weir_xasprintf("#/$defs/%s", name);
    add_text(dump, "$ref", reference);
    free(reference);
}

/* { "type": name } or, for "expansion", a reference to what $defs has. */
static void add_type(struct weir_dump *dump, const char *name)
{
    weir_dump_begin_map(dump);
    if (strcmp(name, "expansion") == 0)
        add_reference(dump, name);
    else
        add_text(dump, "type", name);
    weir_dump_end(dump);
}

static void begin_choice(struct weir_dump *dump)
{
    weir_dump_key(dump, WEIR_STR("anyOf"));
    weir_dump_begin_list(dump);
}

/* Null and ${...}, which may stand in the place of every scalar; ends the choice. */
static void end_choice(struct weir_dump *dump)
{
    add_type(dump, "null");
    add_type(dump, "expansion");
    weir_dump_end(dump);
}

static void add_number(const struct weir_option *row, const char *type, struct weir_dump *dump)
{
    int64_t min;
    int64_t max;
    begin_choice(dump);
    weir_dump_begin_map(dump);
    add_text(dump, "type", type);
    if (option_range(row, &min, &max)) {
        weir_dump_key(dump, WEIR_STR("minimum"));
        weir_dump_int(dump, min);
        if (max != INT64_MAX) {
            weir_dump_key(dump, WEIR_STR("maximum"));
            weir_dump_int(dump, max);
        }
    }
    weir_dump_end(dump);
    end_choice(dump);
}

static void add_ints(const struct weir_option *row, struct weir_dump *dump)
{
    begin_choice(dump);
    weir_dump_begin_map(dump);
    add_text(dump, "type", "array");
    weir_dump_key(dump, WEIR_STR("items"));
    weir_dump_begin_map(dump);
    add_number(row, "integer", dump);
    weir_dump_end(dump);
    weir_dump_end(dump);
    end_choice(dump);
}

static void add_enum(const struct weir_option *row, struct weir_dump *dump)
{
    begin_choice(dump);
    weir_dump_begin_map(dump);
    weir_dump_key(dump, WEIR_STR("enum"));
    weir_dump_begin_list(dump);
    for (const struct weir_option_value *value = row->values; value && value->name; value++)
        weir_dump_string(dump, weir_str_of(value->name));
    weir_dump_end(dump);
    weir_dump_end(dump);
    end_choice(dump);
}

static void add_object(const struct weir_option_table *table, bool optional, unsigned level,
                       struct weir_dump *dump);

/* A section; null is one without keys. */
static void add_section(const struct weir_option_table *table, bool optional, unsigned level,
                        struct weir_dump *dump)
{
    weir_dump_begin_map(dump);
    if (level < WORDS_DEPTH_MAX)
        add_object(table, optional, level + 1, dump);
    weir_dump_end(dump);
}

static void add_group(const struct weir_option *row, unsigned level, struct weir_dump *dump)
{
    begin_choice(dump);
    if (row->kind == WEIR_OPTION_KIND_GROUP) {
        add_section(row->table, row->present_offset != WEIR_NO_OFFSET, level, dump);
    } else {
        bool list = row->kind == WEIR_OPTION_KIND_GROUP_LIST;
        weir_dump_begin_map(dump);
        add_text(dump, "type", list ? "array" : "object");
        weir_dump_key(dump, weir_str_of(list ? "items" : "additionalProperties"));
        weir_dump_begin_map(dump);
        begin_choice(dump);
        add_section(row->table, false, level, dump);
        end_choice(dump);
        weir_dump_end(dump);
        weir_dump_end(dump);
    }
    end_choice(dump);
}

static void add_default_ints(const struct weir_option *row, struct weir_dump *dump)
{
    struct weir_arena arena = { 0 };
    struct weir_ints ints = { 0 };
    weir_dump_begin_list(dump);
    if (preset_field(&arena, row, row->preset, (char *)&ints))
        for (size_t i = 0; i < ints.count; i++)
            weir_dump_int(dump, ints.items[i]);
    weir_dump_end(dump);
    weir_arena_free(&arena);
}

static void add_default(const struct weir_option *row, struct weir_dump *dump)
{
    int64_t whole;
    double number;
    const char *text = words_preset(row);
    if (!text)
        return;
    struct weir_str preset = weir_str_of(text);
    weir_dump_key(dump, WEIR_STR("default"));
    if (row->kind == WEIR_OPTION_KIND_INTS)
        add_default_ints(row, dump);
    else if (row->kind == WEIR_OPTION_KIND_BOOL)
        weir_dump_bool(dump, strcmp(text, "true") == 0);
    else if (row->kind == WEIR_OPTION_KIND_INT && weir_str_to_i64(preset, &whole))
        weir_dump_int(dump, whole);
    else if (row->kind == WEIR_OPTION_KIND_DOUBLE && weir_str_to_double(preset, &number))
        weir_dump_double(dump, number);
    else
        weir_dump_string(dump, preset);
}

static void add_value(const struct weir_option *row, unsigned level, struct weir_dump *dump)
{
    switch (row->kind) {
    case WEIR_OPTION_KIND_BOOL:
        add_reference(dump, "boolean");
        break;
    case WEIR_OPTION_KIND_INT:
        add_number(row, "integer", dump);
        break;
    case WEIR_OPTION_KIND_DOUBLE:
        add_number(row, "number", dump);
        break;
    case WEIR_OPTION_KIND_DURATION:
        add_reference(dump, "duration");
        break;
    case WEIR_OPTION_KIND_ENUM:
        add_enum(row, dump);
        break;
    case WEIR_OPTION_KIND_STRINGS:
    case WEIR_OPTION_KIND_SECRETS:
        add_reference(dump, "strings");
        break;
    case WEIR_OPTION_KIND_INTS:
        add_ints(row, dump);
        break;
    case WEIR_OPTION_KIND_PAIRS:
    case WEIR_OPTION_KIND_SECRET_PAIRS:
        add_reference(dump, "pairs");
        break;
    case WEIR_OPTION_KIND_GROUP:
    case WEIR_OPTION_KIND_GROUP_LIST:
    case WEIR_OPTION_KIND_GROUP_MAP:
        add_group(row, level, dump);
        break;
    case WEIR_OPTION_KIND_STRING:
    case WEIR_OPTION_KIND_SECRET:
    case WEIR_OPTION_KIND_REFERENCE:
        add_reference(dump, "string");
        break;
    default:
        break;
    }
}

static void add_property(const struct weir_option *row, unsigned level, struct weir_dump *dump)
{
    struct weir_text doc = { 0 };
    struct weir_text limits = { 0 };
    words_doc(row, &doc);
    words_limits(row, &limits);
    if (limits.length && row->kind != WEIR_OPTION_KIND_ENUM)
        weir_text_addf(&doc, " (%s)", weir_text_string(&limits));
    weir_dump_key(dump, weir_str_of(row->key));
    weir_dump_begin_map(dump);
    add_text(dump, "description", weir_text_string(&doc));
    add_value(row, level, dump);
    add_default(row, dump);
    if (row->replaced_by || row->kind == WEIR_OPTION_KIND_IGNORED)
        add_flag(dump, "deprecated", true);
    if (row->kind == WEIR_OPTION_KIND_SECRET || row->kind == WEIR_OPTION_KIND_SECRET_PAIRS ||
        row->kind == WEIR_OPTION_KIND_SECRETS)
        add_flag(dump, "writeOnly", true);
    weir_dump_end(dump);
    weir_text_free(&doc);
    weir_text_free(&limits);
}

static void add_properties(const struct weir_option_table *table, unsigned level, struct weir_dump *dump)
{
    for (const struct weir_option *row = table->options; row->key; row++) {
        if (row->kind == WEIR_OPTION_KIND_INLINE)
            add_properties(row->table, level, dump);
        else if (row->kind != WEIR_OPTION_KIND_REFUSED)
            add_property(row, level, dump);
    }
}

/* Another key may fill the field of a required one, so that the schema must not ask for it. */
static bool has_other_name(const struct weir_option_table *table, const struct weir_option *row)
{
    for (const struct weir_option *other = table->options; other->key; other++) {
        if (other != row && other->offset == row->offset && other->kind == row->kind)
            return true;
    }
    return false;
}

static void add_required(const struct weir_option_table *table, struct weir_dump *dump)
{
    for (const struct weir_option *row = table->options; row->key; row++) {
        if (row->kind == WEIR_OPTION_KIND_INLINE)
            add_required(row->table, dump);
        else if (row->required && !has_other_name(table, row))
            weir_dump_string(dump, weir_str_of(row->key));
    }
}

static bool has_required(const struct weir_option_table *table)
{
    for (const struct weir_option *row = table->options; row->key; row++) {
        if (row->kind == WEIR_OPTION_KIND_INLINE ? has_required(row->table)
                                                 : row->required && !has_other_name(table, row))
            return true;
    }
    return false;
}

/* The members of the schema of a map with the table's keys. */
static void add_object(const struct weir_option_table *table, bool optional, unsigned level,
                       struct weir_dump *dump)
{
    add_text(dump, "type", "object");
    weir_dump_key(dump, WEIR_STR("properties"));
    weir_dump_begin_map(dump);
    add_properties(table, level, dump);
    if (optional && !option_find(table, WEIR_STR("enabled"), NULL).row) {
        weir_dump_key(dump, WEIR_STR("enabled"));
        weir_dump_begin_map(dump);
        add_text(dump, "description", "Switches the section on or off.");
        add_reference(dump, "boolean");
        weir_dump_end(dump);
    }
    weir_dump_end(dump);
    if (has_required(table)) {
        weir_dump_key(dump, WEIR_STR("required"));
        weir_dump_begin_list(dump);
        add_required(table, dump);
        weir_dump_end(dump);
    }
    add_flag(dump, "additionalProperties", false);
}

/* Numbers and booleans are no texts; they need quotes. */
static void define_string(struct weir_dump *dump)
{
    static const char *const types[] = { "string", "null" };
    weir_dump_key(dump, WEIR_STR("type"));
    weir_dump_begin_list(dump);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(types); i++)
        weir_dump_string(dump, weir_str_of(types[i]));
    weir_dump_end(dump);
}

static void define_boolean(struct weir_dump *dump)
{
    begin_choice(dump);
    add_type(dump, "boolean");
    end_choice(dump);
}

static void define_expansion(struct weir_dump *dump)
{
    add_text(dump, "type", "string");
    add_text(dump, "pattern", "\\$\\{[^}]+\\}");
}

static void define_duration(struct weir_dump *dump)
{
    begin_choice(dump);
    weir_dump_begin_map(dump);
    add_text(dump, "type", "string");
    add_text(dump, "pattern",
             "^[-+]?(0|([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|\xc2\xb5s|\xce\xbcs|ms|s|m|h)"
             "(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|\xc2\xb5s|\xce\xbcs|ms|s|m|h))*)$");
    weir_dump_end(dump);
    add_type(dump, "integer");
    end_choice(dump);
}

static void define_strings(struct weir_dump *dump)
{
    begin_choice(dump);
    weir_dump_begin_map(dump);
    add_text(dump, "type", "array");
    weir_dump_key(dump, WEIR_STR("items"));
    add_type(dump, "string");
    weir_dump_end(dump);
    add_type(dump, "string");
    add_type(dump, "null");
    weir_dump_end(dump);
}

/* A map of texts, or a list of {name, value}. */
static void define_pairs(struct weir_dump *dump)
{
    begin_choice(dump);
    weir_dump_begin_map(dump);
    add_text(dump, "type", "object");
    weir_dump_key(dump, WEIR_STR("additionalProperties"));
    weir_dump_begin_map(dump);
    add_reference(dump, "string");
    weir_dump_end(dump);
    weir_dump_end(dump);
    weir_dump_begin_map(dump);
    add_text(dump, "type", "array");
    weir_dump_key(dump, WEIR_STR("items"));
    add_type(dump, "object");
    weir_dump_end(dump);
    end_choice(dump);
}

void weir_schema_definitions(struct weir_dump *dump)
{
    static const struct {
        const char *name;
        void (*define)(struct weir_dump *dump);
    } definitions[] = {
        { "boolean", define_boolean },     { "duration", define_duration }, { "expansion", define_expansion },
        { "pairs", define_pairs },         { "string", define_string },     { "strings", define_strings },
    };
    weir_dump_key(dump, WEIR_STR("$defs"));
    weir_dump_begin_map(dump);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(definitions); i++) {
        weir_dump_key(dump, weir_str_of(definitions[i].name));
        weir_dump_begin_map(dump);
        definitions[i].define(dump);
        weir_dump_end(dump);
    }
    weir_dump_end(dump);
}

void weir_schema_value(const struct weir_option_table *table, struct weir_dump *dump)
{
    weir_dump_begin_map(dump);
    begin_choice(dump);
    add_section(table ? table : &schema_no_table, false, 0, dump);
    end_choice(dump);
    weir_dump_end(dump);
}

void schema_add(const struct weir_option_table *table, const char *title, struct weir_text *text)
{
    struct weir_dump dump = { .text = text, .json = true };
    weir_dump_begin_map(&dump);
    add_text(&dump, "$schema", WEIR_SCHEMA_DIALECT);
    add_text(&dump, "title", title);
    begin_choice(&dump);
    add_section(table, false, 0, &dump);
    end_choice(&dump);
    weir_schema_definitions(&dump);
    weir_dump_end(&dump);
}
