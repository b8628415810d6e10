// SPDX-License-Identifier: Apache-2.0
/*
 * Option tables for people: as text, as a Markdown table, as a commented YAML sample.
 */
#include <config.h>

#include <weir/describe.h>

#include "sdk/src/option/schema.h"
#include "sdk/src/option/words.h"

/* "duration, default 5s, at least 0s" */
static void add_facts(const struct weir_option *row, struct weir_text *text)
{
    struct weir_text part = { 0 };
    weir_text_adds(text, words_type(row));
    words_default(row, &part);
    if (part.length)
        weir_text_addf(text, ", %s", weir_text_string(&part));
    weir_text_clear(&part);
    words_limits(row, &part);
    if (part.length)
        weir_text_addf(text, ", %s", weir_text_string(&part));
    weir_text_free(&part);
}

static void indent(struct weir_text *text, unsigned level)
{
    for (unsigned i = 0; i < level; i++)
        weir_text_adds(text, "  ");
}

static void text_rows(const struct weir_option_table *table, unsigned level, struct weir_text *text)
{
    for (const struct weir_option *row = table->options; row->key; row++) {
        if (row->kind == WEIR_OPTION_KIND_INLINE) {
            text_rows(row->table, level, text);
            continue;
        }
        indent(text, level);
        weir_text_addf(text, "%s (", row->key);
        add_facts(row, text);
        weir_text_adds(text, ")\n");
        indent(text, level + 2);
        words_doc(row, text);
        weir_text_addc(text, '\n');
        if (words_has_keys(row) && level < WORDS_DEPTH_MAX)
            text_rows(row->table, level + 1, text);
    }
}

/* Adds text as the cell of a Markdown table. */
static void add_cell(struct weir_text *text, const char *cell)
{
    for (; *cell; cell++) {
        if (*cell == '|' || *cell == '*' || *cell == '_' || *cell == '<')
            weir_text_addc(text, '\\');
        weir_text_addc(text, *cell);
    }
}

static void markdown_row(const struct weir_option *row, const char *path, struct weir_text *text)
{
    struct weir_text part = { 0 };
    weir_text_addf(text, "| `%s` | ", path);
    add_cell(text, words_type(row));
    weir_text_adds(text, " | ");
    const char *preset = words_preset(row);
    if (preset)
        weir_text_addf(text, "`%s`", preset[0] ? preset : "\"\"");
    else
        words_default(row, text);
    weir_text_adds(text, " | ");
    words_doc(row, &part);
    if (row->kind == WEIR_OPTION_KIND_ENUM || row->unit || row->min || row->max || row->bounded) {
        weir_text_adds(&part, " (");
        words_limits(row, &part);
        weir_text_adds(&part, ")");
    }
    add_cell(text, weir_text_string(&part));
    weir_text_adds(text, " |\n");
    weir_text_free(&part);
}

static void markdown_rows(const struct weir_option_table *table, struct weir_text *path, unsigned level,
                          struct weir_text *text)
{
    for (const struct weir_option *row = table->options; row->key; row++) {
        if (row->kind == WEIR_OPTION_KIND_INLINE) {
            markdown_rows(row->table, path, level, text);
            continue;
        }
        size_t length = path->length;
        weir_text_addf(path, "%s%s", length ? "::" : "", row->key);
        markdown_row(row, weir_text_string(path), text);
        if (row->kind == WEIR_OPTION_KIND_GROUP_LIST)
            weir_text_adds(path, "[]");
        if (row->kind == WEIR_OPTION_KIND_GROUP_MAP)
            weir_text_adds(path, "::<name>");
        if (words_has_keys(row) && level < WORDS_DEPTH_MAX)
            markdown_rows(row->table, path, level + 1, text);
        path->length = length;
        path->data[length] = '\0';
    }
}

/* The default as a YAML value; false if there is none to show. */
static bool add_yaml_default(const struct weir_option *row, struct weir_text *text)
{
    if (!row->preset)
        return false;
    struct weir_dump dump = { .text = text };
    bool quoted = row->kind == WEIR_OPTION_KIND_STRING || row->kind == WEIR_OPTION_KIND_SECRET ||
                  row->kind == WEIR_OPTION_KIND_ENUM || row->kind == WEIR_OPTION_KIND_REFERENCE ||
                  row->kind == WEIR_OPTION_KIND_STRINGS || row->kind == WEIR_OPTION_KIND_SECRETS;
    if (row->kind == WEIR_OPTION_KIND_INTS)
        weir_text_addf(text, "[%s]\n", row->preset);
    else if (quoted)
        weir_dump_string(&dump, weir_str_of(row->preset));
    else
        weir_text_addf(text, "%s\n", row->preset);
    return true;
}

/* `shown`: the keys are real; otherwise they are comments, as of a section that is off. */
static void yaml_rows(const struct weir_option_table *table, unsigned level, bool shown,
                      struct weir_text *text)
{
    for (const struct weir_option *row = table->options; row->key; row++) {
        if (row->kind == WEIR_OPTION_KIND_INLINE) {
            yaml_rows(row->table, level, shown, text);
            continue;
        }
        if (row->kind == WEIR_OPTION_KIND_REFUSED || row->kind == WEIR_OPTION_KIND_IGNORED ||
            row->replaced_by)
            continue;
        indent(text, level);
        weir_text_adds(text, "# ");
        words_doc(row, text);
        weir_text_adds(text, " (");
        add_facts(row, text);
        weir_text_adds(text, ")\n");

        bool on = row->kind == WEIR_OPTION_KIND_GROUP &&
                  (row->presence == WEIR_ALWAYS || row->presence == WEIR_SOME);
        indent(text, level);
        weir_text_addf(text, "%s%s:", shown && (on || row->preset) ? "" : "#", row->key);
        if (row->preset)
            weir_text_addc(text, ' ');
        if (!add_yaml_default(row, text))
            weir_text_addc(text, '\n');
        if (row->kind == WEIR_OPTION_KIND_GROUP && level < WORDS_DEPTH_MAX)
            yaml_rows(row->table, level + 1, shown && on, text);
    }
}

void weir_options_describe(const struct weir_option_table *table, const char *title,
                           enum weir_describe_format format, struct weir_text *text)
{
    struct weir_text path = { 0 };
    if (!table)
        table = &schema_no_table;
    switch (format) {
    case WEIR_DESCRIBE_TEXT:
        weir_text_addf(text, "%s\n\n%s", title, table->options[0].key ? "" : "It takes no keys.\n");
        text_rows(table, 1, text);
        break;
    case WEIR_DESCRIBE_MARKDOWN:
        weir_text_addf(text, "# %s\n\n", title);
        weir_text_adds(text, table->options[0].key
                                 ? "| Key | Type | Default | Meaning |\n| --- | --- | --- | --- |\n"
                                 : "It takes no keys.\n");
        markdown_rows(table, &path, 0, text);
        break;
    case WEIR_DESCRIBE_JSON_SCHEMA:
        schema_add(table, title, text);
        break;
    case WEIR_DESCRIBE_YAML:
        weir_text_addf(text, "# %s\n%s", title, table->options[0].key ? "" : "{}\n");
        yaml_rows(table, 0, true, text);
        break;
    }
    weir_text_free(&path);
}
