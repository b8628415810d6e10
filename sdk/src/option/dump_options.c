// SPDX-License-Identifier: Apache-2.0
/*
 * The values of a decoded group as a document: what `weir print-config` shows.
 */
#include <config.h>

#include <weir/describe.h>

#include "sdk/src/option/decode.h"

static void dump_rows(const struct weir_option_table *table, const char *group, struct weir_dump *dump);

/* A list that was not given is null, which keeps the default when it is read again; an empty one may mean something. */
static void dump_strings(const struct weir_strings *strings, bool secret, struct weir_dump *dump)
{
    if (!strings->present && strings->count == 0) {
        weir_dump_null(dump);
        return;
    }
    weir_dump_begin_list(dump);
    for (size_t i = 0; i < strings->count; i++) {
        if (secret)
            weir_dump_secret(dump, weir_str_of(strings->items[i]));
        else
            weir_dump_string(dump, weir_str_of(strings->items[i]));
    }
    weir_dump_end(dump);
}

static void dump_pairs(const struct weir_pairs *pairs, bool secret, struct weir_dump *dump)
{
    weir_dump_begin_map(dump);
    for (size_t i = 0; i < pairs->count; i++) {
        weir_dump_key(dump, weir_str_of(pairs->items[i].name));
        if (secret)
            weir_dump_secret(dump, weir_str_of(pairs->items[i].value));
        else
            weir_dump_string(dump, weir_str_of(pairs->items[i].value));
    }
    weir_dump_end(dump);
}

/* A section that is off, in the form that keeps it off when the document is loaded. */
static void dump_off(const struct weir_option *row, struct weir_dump *dump)
{
    if (row->presence == WEIR_NONE_OFF) {
        weir_dump_null(dump);
        return;
    }
    weir_dump_begin_map(dump);
    weir_dump_key(dump, WEIR_STR("enabled"));
    weir_dump_bool(dump, false);
    weir_dump_end(dump);
}

static void dump_group(const struct weir_option *row, const char *base, struct weir_dump *dump)
{
    if (row->present_offset != WEIR_NO_OFFSET && !*(const bool *)(base + row->present_offset)) {
        dump_off(row, dump);
        return;
    }
    weir_dump_begin_map(dump);
    dump_rows(row->table, base + row->offset, dump);
    weir_dump_end(dump);
}

static void dump_groups(const struct weir_option *row, const struct weir_groups *groups,
                        struct weir_dump *dump)
{
    bool map = row->kind == WEIR_OPTION_KIND_GROUP_MAP;
    if (map)
        weir_dump_begin_map(dump);
    else
        weir_dump_begin_list(dump);
    for (size_t i = 0; i < groups->count; i++) {
        const char *element = (const char *)groups->items + i * row->table->size;
        if (map)
            weir_dump_key(dump, weir_str_of(*(char *const *)(const void *)(element + row->key_offset)));
        weir_dump_begin_map(dump);
        dump_rows(row->table, element, dump);
        weir_dump_end(dump);
    }
    weir_dump_end(dump);
}

static void dump_ints(const struct weir_ints *ints, struct weir_dump *dump)
{
    weir_dump_begin_list(dump);
    for (size_t i = 0; i < ints->count; i++)
        weir_dump_int(dump, ints->items[i]);
    weir_dump_end(dump);
}

static void dump_enum(const struct weir_option *row, int value, struct weir_dump *dump)
{
    for (const struct weir_option_value *word = row->values; word && word->name; word++) {
        if (word->value == value) {
            weir_dump_string(dump, weir_str_of(word->name));
            return;
        }
    }
    weir_dump_null(dump);
}

static void dump_field(const struct weir_option *row, const char *base, struct weir_dump *dump)
{
    const void *field = base + row->offset;
    switch (row->kind) {
    case WEIR_OPTION_KIND_BOOL:
        weir_dump_bool(dump, *(const bool *)field);
        break;
    case WEIR_OPTION_KIND_INT:
        weir_dump_int(dump, *(const int64_t *)field);
        break;
    case WEIR_OPTION_KIND_DOUBLE:
        weir_dump_double(dump, *(const double *)field);
        break;
    case WEIR_OPTION_KIND_STRING:
        weir_dump_string(dump, weir_str_of(*(char *const *)field));
        break;
    case WEIR_OPTION_KIND_ENUM:
        dump_enum(row, *(const int *)field, dump);
        break;
    case WEIR_OPTION_KIND_SECRET:
        weir_dump_secret(dump, weir_str_of(((const struct weir_secret *)field)->text));
        break;
    case WEIR_OPTION_KIND_DURATION:
        weir_dump_duration(dump, *(const struct weir_duration *)field);
        break;
    case WEIR_OPTION_KIND_STRINGS:
        dump_strings(field, false, dump);
        break;
    case WEIR_OPTION_KIND_SECRETS:
        dump_strings(&((const struct weir_secrets *)field)->strings, true, dump);
        break;
    case WEIR_OPTION_KIND_INTS:
        dump_ints(field, dump);
        break;
    case WEIR_OPTION_KIND_PAIRS:
        dump_pairs(field, false, dump);
        break;
    case WEIR_OPTION_KIND_SECRET_PAIRS:
        dump_pairs(&((const struct weir_secret_pairs *)field)->pairs, true, dump);
        break;
    case WEIR_OPTION_KIND_REFERENCE:
        if (((const struct weir_reference *)field)->id)
            weir_dump_string(dump, weir_str_of(((const struct weir_reference *)field)->id));
        else
            weir_dump_null(dump);
        break;
    case WEIR_OPTION_KIND_GROUP:
        dump_group(row, base, dump);
        break;
    case WEIR_OPTION_KIND_GROUP_LIST:
    case WEIR_OPTION_KIND_GROUP_MAP:
        dump_groups(row, field, dump);
        break;
    default:
        weir_dump_node(dump, ((const struct weir_subtree *)field)->node);
    }
}

/* Keys without an effect, and parts of a configuration that were not written: an empty one may mean something else. */
static bool is_absent(const struct weir_option *row, const char *group)
{
    if (row->kind == WEIR_OPTION_KIND_SUBTREE)
        return !((const struct weir_subtree *)(const void *)(group + row->offset))->node;
    return row->kind == WEIR_OPTION_KIND_REFUSED || row->kind == WEIR_OPTION_KIND_IGNORED || row->replaced_by;
}

static void dump_rows(const struct weir_option_table *table, const char *group, struct weir_dump *dump)
{
    for (const struct weir_option *row = table->options; row->key; row++) {
        if (row->kind == WEIR_OPTION_KIND_INLINE) {
            dump_rows(row->table, group + row->offset, dump);
        } else if (!is_absent(row, group)) {
            weir_dump_key(dump, weir_str_of(row->key));
            dump_field(row, group, dump);
        }
    }
}

void weir_options_dump(const struct weir_option_table *table, const void *group, struct weir_dump *dump)
{
    weir_dump_begin_map(dump);
    dump_rows(table, group, dump);
    weir_dump_end(dump);
}
