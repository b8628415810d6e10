// SPDX-License-Identifier: Apache-2.0
/*
 * Defaults: fields from the text of their row.
 */
#include <config.h>

#include "sdk/src/option/decode.h"

void preset_strings(struct weir_arena *arena, struct weir_str text, struct weir_strings *out)
{
    size_t count = text.length > 0 ? 1 : 0;
    for (size_t i = 0; i < text.length; i++)
        count += text.data[i] == ',';
    out->items = option_calloc(arena, count, sizeof(char *));
    out->count = count;
    for (size_t i = 0, at = 0; i < count; i++) {
        const char *comma = at < text.length ? memchr(text.data + at, ',', text.length - at) : NULL;
        size_t end = comma ? (size_t)(comma - text.data) : text.length;
        out->items[i] = option_copy(arena, weir_str_make(text.data + at, end - at));
        at = end + 1;
    }
}

static bool preset_bool(const char *text, bool *out)
{
    bool yes = strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "false") != 0)
        return false;
    *out = yes;
    return true;
}

static bool preset_ints(struct weir_arena *arena, struct weir_str text, struct weir_ints *out)
{
    struct weir_strings strings = { .items = NULL };
    preset_strings(arena, text, &strings);
    int64_t *items = option_calloc(arena, strings.count, sizeof(*items));
    for (size_t i = 0; i < strings.count; i++) {
        if (!weir_str_to_i64(weir_str_of(strings.items[i]), &items[i]))
            return false;
    }
    *out = (struct weir_ints){ items, strings.count };
    return true;
}

bool preset_field(struct weir_arena *arena, const struct weir_option *row, const char *text, char *field)
{
    struct weir_str view = weir_str_of(text);
    void *to = field;
    switch (row->kind) {
    case WEIR_OPTION_KIND_BOOL:
        return preset_bool(text, to);
    case WEIR_OPTION_KIND_INT:
        return weir_str_to_i64(view, to);
    case WEIR_OPTION_KIND_DOUBLE:
        return weir_str_to_double(view, to);
    case WEIR_OPTION_KIND_DURATION:
        return weir_duration_parse(view, to);
    case WEIR_OPTION_KIND_ENUM:
        return option_find_word(row, view, to);
    case WEIR_OPTION_KIND_STRING:
        *(char **)to = option_copy(arena, view);
        return true;
    case WEIR_OPTION_KIND_SECRET:
        ((struct weir_secret *)to)->text = option_copy(arena, view);
        return true;
    case WEIR_OPTION_KIND_REFERENCE:
        ((struct weir_reference *)to)->id = option_copy(arena, view);
        return true;
    case WEIR_OPTION_KIND_STRINGS:
    case WEIR_OPTION_KIND_SECRETS:
        preset_strings(arena, view, to);
        return true;
    case WEIR_OPTION_KIND_INTS:
        return preset_ints(arena, view, to);
    default:
        return false;
    }
}

void preset_group(struct weir_arena *arena, const struct weir_option_table *table, char *group)
{
    for (const struct weir_option *row = table->options; row->key; row++) {
        char *field = group + row->offset;
        if (row->kind == WEIR_OPTION_KIND_GROUP || row->kind == WEIR_OPTION_KIND_INLINE)
            preset_group(arena, row->table, field);
        else if (row->preset)
            (void)preset_field(arena, row, row->preset, field);
        if (row->kind == WEIR_OPTION_KIND_GROUP && row->present_offset != WEIR_NO_OFFSET)
            *(bool *)(void *)(group + row->present_offset) = row->presence == WEIR_SOME;
    }
}
