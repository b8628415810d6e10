// SPDX-License-Identifier: Apache-2.0
/*
 * Checks option tables for mistakes of those who wrote them.
 */
#include <config.h>

#include <weir/describe.h>

#include "sdk/src/option/decode.h"

/* Tables may hold themselves through lists; what is this deep has been seen. */
enum { DEPTH_MAX = 8 };

struct verifier {
    struct weir_text *found;
    struct weir_arena arena;
    const struct weir_option_table *top; /* with inlined tables: where keys must be unique */
};

static void complain(struct verifier *verifier, const struct weir_option *row, const char *what)
{
    weir_text_addf(verifier->found, "%s%s: %s", verifier->found->length ? "\n" : "", row->key, what);
}

static size_t field_size(const struct weir_option *row)
{
    switch (row->kind) {
    case WEIR_OPTION_KIND_BOOL:
        return sizeof(bool);
    case WEIR_OPTION_KIND_ENUM:
        return sizeof(int);
    case WEIR_OPTION_KIND_STRINGS:
    case WEIR_OPTION_KIND_SECRETS:
        return sizeof(struct weir_strings);
    case WEIR_OPTION_KIND_INTS:
        return sizeof(struct weir_ints);
    case WEIR_OPTION_KIND_PAIRS:
    case WEIR_OPTION_KIND_SECRET_PAIRS:
        return sizeof(struct weir_pairs);
    case WEIR_OPTION_KIND_GROUP:
    case WEIR_OPTION_KIND_INLINE:
        return row->table ? row->table->size : 0;
    case WEIR_OPTION_KIND_GROUP_LIST:
    case WEIR_OPTION_KIND_GROUP_MAP:
        return sizeof(struct weir_groups);
    case WEIR_OPTION_KIND_REFUSED:
    case WEIR_OPTION_KIND_IGNORED:
        return 0;
    default:
        return 8;
    }
}

static bool ints_in_limits(const struct weir_ints *ints, int64_t min, int64_t max)
{
    for (size_t i = 0; i < ints->count; i++)
        if (ints->items[i] < min || ints->items[i] > max)
            return false;
    return true;
}

static bool in_limits(const struct weir_option *row, const void *field)
{
    int64_t min;
    int64_t max;
    if (!option_range(row, &min, &max))
        return true;
    if (row->kind == WEIR_OPTION_KIND_INTS)
        return ints_in_limits(field, min, max);
    if (row->kind == WEIR_OPTION_KIND_DOUBLE)
        return *(const double *)field >= (double)min && *(const double *)field <= (double)max;
    return *(const int64_t *)field >= min && *(const int64_t *)field <= max;
}

static bool is_number(enum weir_option_kind kind)
{
    return kind == WEIR_OPTION_KIND_INT || kind == WEIR_OPTION_KIND_DOUBLE ||
           kind == WEIR_OPTION_KIND_DURATION || kind == WEIR_OPTION_KIND_INTS;
}

static void verify_preset(struct verifier *verifier, const struct weir_option *row)
{
    union {
        int64_t words[4];
        double number;
    } field = { { 0 } };
    if (row->preset && row->required)
        complain(verifier, row, "is required, and has a default");
    if (row->preset && !preset_field(&verifier->arena, row, row->preset, (char *)&field))
        complain(verifier, row, "has a default that does not parse");
    else if (is_number(row->kind) && !row->required && !row->replaced_by && !in_limits(row, &field))
        complain(verifier, row, "has a default outside its limits");
    int64_t min;
    int64_t max;
    if (option_range(row, &min, &max) && (min > max || !is_number(row->kind)))
        complain(verifier, row, "has limits that mean nothing");
}

static void verify_row(struct verifier *verifier, const struct weir_option_table *table,
                       const struct weir_option *row)
{
    bool group = row->kind == WEIR_OPTION_KIND_GROUP || row->kind == WEIR_OPTION_KIND_GROUP_LIST ||
                 row->kind == WEIR_OPTION_KIND_GROUP_MAP;
    if (!row->doc || !row->doc[0])
        complain(verifier, row, "has no doc");
    if (option_find(verifier->top, weir_str_of(row->key), NULL).row != row)
        complain(verifier, row, "stands twice");
    if (row->replaced_by && !strstr(row->replaced_by, "::") &&
        !option_find(verifier->top, weir_str_of(row->replaced_by), NULL).row)
        complain(verifier, row, "is replaced by a key that is not there");
    if (row->kind == WEIR_OPTION_KIND_ENUM && (!row->values || !row->values[0].name))
        complain(verifier, row, "is an enum without values");
    if (group && (!row->table || !row->table->options))
        complain(verifier, row, "is a group without a table");
    if (row->presence != WEIR_ALWAYS && row->present_offset == WEIR_NO_OFFSET)
        complain(verifier, row, "can be off, but has no flag that says so");
    if (row->present_offset != WEIR_NO_OFFSET && row->present_offset >= table->size)
        complain(verifier, row, "has its flag outside the struct");
    if (field_size(row) > table->size || row->offset > table->size - field_size(row))
        complain(verifier, row, "lies outside the struct");
    if (!group)
        verify_preset(verifier, row);
}

static void verify_table(struct verifier *verifier, const struct weir_option_table *table, unsigned depth)
{
    if (depth > DEPTH_MAX)
        return;
    for (const struct weir_option *row = table->options; row->key; row++) {
        if (row->kind == WEIR_OPTION_KIND_INLINE) {
            verify_table(verifier, row->table, depth + 1);
            continue;
        }
        verify_row(verifier, table, row);
        if (row->table) {
            struct verifier inner = { verifier->found, verifier->arena, row->table };
            verify_table(&inner, row->table, depth + 1);
            verifier->arena = inner.arena;
        }
    }
}

int weir_options_verify(const struct weir_option_table *table, struct weir_error *error)
{
    struct weir_text found = { 0 };
    struct verifier verifier = { &found, { 0 }, table };
    verify_table(&verifier, table, 0);
    int result = found.length ? weir_error_set(error, "%s", weir_text_string(&found)) : 0;
    weir_arena_free(&verifier.arena);
    weir_text_free(&found);
    return result;
}
