// SPDX-License-Identifier: Apache-2.0
/*
 * From the tree of a configuration to the struct of a component, by its option table.
 */
#include <config.h>

#include "sdk/src/option/decode.h"

static void decode_section(struct decoder *decoder, const struct weir_option_table *table,
                           const struct weir_node *map, struct weir_place place, char *group,
                           bool has_enabled);

size_t decode_enter(struct decoder *decoder, const char *key)
{
    size_t length = decoder->path.length;
    weir_text_addf(&decoder->path, "%s%s", length ? "::" : "", key);
    return length;
}

size_t decode_enter_index(struct decoder *decoder, size_t index)
{
    size_t length = decoder->path.length;
    weir_text_addf(&decoder->path, "[%zu]", index);
    return length;
}

void decode_leave(struct decoder *decoder, size_t length)
{
    decoder->path.length = length;
    if (decoder->path.data)
        decoder->path.data[length] = '\0';
}

void decode_fail(struct decoder *decoder, const struct weir_node *node, const char *format, ...)
{
    if (node->broken)
        return;
    struct weir_text text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    weir_text_vaddf(&text, format, arguments);
    va_end(arguments);
    weir_problem_add(decoder->problems, node->place, weir_text_string(&decoder->path), "%s",
                     weir_text_string(&text));
    weir_text_free(&text);
}

/* The group of the table that has the key, which was perhaps indented too little; NULL if there is none. */
static const char *group_with(const struct weir_option_table *table, const char *key)
{
    for (const struct weir_option *row = table->options; row->key; row++) {
        const char *inside = row->kind == WEIR_OPTION_KIND_INLINE ? group_with(row->table, key) : NULL;
        if (inside)
            return inside;
        if (row->kind == WEIR_OPTION_KIND_GROUP && option_find(row->table, weir_str_of(key), NULL).row)
            return row->key;
    }
    return NULL;
}

/* What could have been meant by an unknown key: that of a group, the nearest known one, else a list of all that fits
 * a line or two. */
static void add_known_keys(struct weir_text *text, const struct weir_option_table *table, const char *key)
{
    enum { SHOWN = 20 };
    struct option_keys keys = { table, 0 };
    const char *nearest = weir_nearest_name(key, option_next_key, &keys);
    const char *group = group_with(table, key);
    if (group) {
        weir_text_addf(text, " (it belongs below \"%s\": is it indented too little?)", group);
        return;
    }
    if (nearest) {
        weir_text_addf(text, " (did you mean \"%s\"?)", nearest);
        return;
    }
    keys = (struct option_keys){ table, 0 };
    size_t shown = 0;
    for (const char *known = option_next_key(&keys); known; known = option_next_key(&keys)) {
        if (shown == SHOWN) {
            weir_text_adds(text, ", ...");
            break;
        }
        weir_text_addf(text, "%s%s", shown++ == 0 ? " (known keys: " : ", ", known);
    }
    weir_text_adds(text, shown > 0 ? ")" : " (no keys are expected here)");
}

static void fail_unknown(struct decoder *decoder, const struct weir_option_table *table,
                         const struct weir_node *child)
{
    struct weir_text hint = { 0 };
    add_known_keys(&hint, table, child->key.data);
    weir_problem_add(decoder->problems, child->key_place, weir_text_string(&decoder->path),
                     "has invalid keys: %s%s", child->key.data, weir_text_string(&hint));
    weir_text_free(&hint);
}

/* Reads `enabled`, which every optional section has. */
static bool section_enabled(struct decoder *decoder, const struct weir_node *node)
{
    const struct weir_node *enabled = weir_node_get(node, "enabled");
    if (!enabled)
        return true;
    if (enabled->type == WEIR_NODE_BOOL)
        return enabled->boolean;
    size_t length = decode_enter(decoder, "enabled");
    decode_fail(decoder, enabled, "unexpected type %s for 'enabled', expected true or false",
                weir_node_type_name(enabled->type));
    decode_leave(decoder, length);
    return true;
}

static void decode_optional(struct decoder *decoder, const struct weir_option *row,
                            const struct weir_node *node, char *base)
{
    bool *flag = (void *)(base + row->present_offset);
    bool null = node->type == WEIR_NODE_NULL;
    if (null && row->presence == WEIR_NONE_OFF) {
        *flag = false;
        return;
    }
    *flag = null || section_enabled(decoder, node);
    bool was_off = decoder->off;
    decoder->off = was_off || !*flag;
    decode_section(decoder, row->table, node, node->place, base + row->offset, true);
    decoder->off = was_off;
}

static void decode_field(struct decoder *decoder, const struct weir_option *row, const struct weir_node *node,
                         char *base)
{
    char *field = base + row->offset;
    switch (row->kind) {
    case WEIR_OPTION_KIND_REFUSED:
        weir_problem_add(decoder->problems, node->key_place, weir_text_string(&decoder->path), "%s",
                         row->doc);
        return;
    case WEIR_OPTION_KIND_IGNORED:
        weir_warning_add(decoder->problems, node->key_place, weir_text_string(&decoder->path), "%s",
                         row->doc);
        return;
    case WEIR_OPTION_KIND_GROUP:
        if (row->present_offset != WEIR_NO_OFFSET)
            decode_optional(decoder, row, node, base);
        else
            decode_body(decoder, row->table, node, node->place, field);
        return;
    case WEIR_OPTION_KIND_GROUP_LIST:
        decode_group_list(decoder, row, node, (void *)field);
        return;
    case WEIR_OPTION_KIND_GROUP_MAP:
        decode_group_map(decoder, row, node, (void *)field);
        return;
    case WEIR_OPTION_KIND_STRINGS:
    case WEIR_OPTION_KIND_SECRETS:
        decode_strings(decoder, node, (void *)field);
        return;
    case WEIR_OPTION_KIND_INTS:
        decode_ints(decoder, row, node, (void *)field);
        return;
    case WEIR_OPTION_KIND_PAIRS:
        decode_pairs(decoder, node, (void *)field);
        return;
    case WEIR_OPTION_KIND_SECRET_PAIRS:
        decode_pairs(decoder, node, &((struct weir_secret_pairs *)(void *)field)->pairs);
        return;
    case WEIR_OPTION_KIND_SUBTREE:
        ((struct weir_subtree *)(void *)field)->node = node;
        return;
    default:
        decode_scalar(decoder, row, node, field);
        return;
    }
}

/* True if a key that fills the same field as the row, or the row's own, was given a value. */
static bool field_given(const struct weir_option_table *table, const struct weir_option *row,
                        const struct weir_node *map)
{
    for (const struct weir_option *other = table->options; other->key; other++) {
        if (other->offset != row->offset || other->kind != row->kind)
            continue;
        const struct weir_node *node = weir_node_get(map, other->key);
        if (node && (node->type != WEIR_NODE_NULL || node->broken))
            return true;
    }
    return false;
}

/* The text that a required field holds; NULL if the row is no text. */
static char **required_text(const struct weir_option *row, char *field)
{
    switch (row->kind) {
    case WEIR_OPTION_KIND_STRING:
        return (char **)(void *)field;
    case WEIR_OPTION_KIND_SECRET:
        return &((struct weir_secret *)(void *)field)->text;
    case WEIR_OPTION_KIND_REFERENCE:
        return &((struct weir_reference *)(void *)field)->id;
    default:
        return NULL;
    }
}

static bool list_is_empty(const struct weir_option *row, const char *field)
{
    switch (row->kind) {
    case WEIR_OPTION_KIND_STRINGS:
    case WEIR_OPTION_KIND_SECRETS:
        return ((const struct weir_strings *)(const void *)field)->count == 0;
    case WEIR_OPTION_KIND_INTS:
        return ((const struct weir_ints *)(const void *)field)->count == 0;
    case WEIR_OPTION_KIND_GROUP_LIST:
    case WEIR_OPTION_KIND_GROUP_MAP:
        return ((const struct weir_groups *)(const void *)field)->count == 0;
    default:
        return false;
    }
}

bool decode_has_problem(const struct decoder *decoder, size_t first)
{
    for (size_t i = first; i < decoder->problems->count; i++) {
        const struct weir_problem *problem = &decoder->problems->items[i];
        if (!problem->warning && strcmp(problem->path, weir_text_string(&decoder->path)) == 0)
            return true;
    }
    return false;
}

static void check_required(struct weir_checker *checker, const struct weir_option_table *table,
                           const struct weir_option *row, char *field)
{
    struct decoder *decoder = checker->decoder;
    char **text = required_text(row, field);
    if (text && !*text)
        *text = option_calloc(decoder->arena, 1, 1);
    bool missing = text ? !(*text)[0] : !field_given(table, row, checker->map) || list_is_empty(row, field);
    const struct weir_node *node = weir_node_get(checker->map, row->key);
    if (!missing || decoder->off || (node && node->broken))
        return;
    size_t length = decode_enter(decoder, row->key);
    if (!decode_has_problem(decoder, checker->first))
        weir_problem_add(decoder->problems, node ? node->place : checker->place,
                         weir_text_string(&decoder->path), "%s: required key \"%s\" %s",
                         row->doc ? row->doc : "missing", row->key, node ? "is empty" : "is missing");
    decode_leave(decoder, length);
}

/* Checks the rows that nothing was written for, then what the table itself checks; inlined tables too. */
static void check_body(struct weir_checker *checker, const struct weir_option_table *table, char *group)
{
    struct decoder *decoder = checker->decoder;
    for (const struct weir_option *row = table->options; row->key; row++) {
        if (row->kind == WEIR_OPTION_KIND_INLINE) {
            check_body(checker, row->table, group + row->offset);
            continue;
        }
        if (row->required)
            check_required(checker, table, row, group + row->offset);
        if (row->kind != WEIR_OPTION_KIND_GROUP || weir_node_get(checker->map, row->key))
            continue;
        if (row->present_offset != WEIR_NO_OFFSET && row->presence != WEIR_SOME)
            continue;
        size_t length = decode_enter(decoder, row->key);
        decode_body(decoder, row->table, NULL, checker->place, group + row->offset);
        decode_leave(decoder, length);
    }
    if (table->check && !decoder->off)
        table->check(group, checker);
}

/* As decode_body; `has_enabled`: the section takes `enabled`, which the caller has read. */
static void decode_section(struct decoder *decoder, const struct weir_option_table *table,
                           const struct weir_node *map, struct weir_place place, char *group,
                           bool has_enabled)
{
    size_t first = decoder->problems->count;
    if (map && map->type != WEIR_NODE_MAP && map->type != WEIR_NODE_NULL) {
        decode_fail(decoder, map, "expected a map or struct, got \"%s\"", weir_node_type_name(map->type));
        return;
    }
    for (const struct weir_node *child = map ? map->first : NULL; child; child = child->next) {
        struct found_row found = option_find(table, child->key, group);
        if (!found.row) {
            if (!(has_enabled && weir_str_is(child->key, "enabled")))
                fail_unknown(decoder, table, child);
            continue;
        }
        size_t length = decode_enter(decoder, found.row->key);
        if (found.row->replaced_by)
            weir_warning_add(decoder->problems, child->key_place, weir_text_string(&decoder->path),
                             "\"%s\" is deprecated; use \"%s\" instead", found.row->key,
                             found.row->replaced_by);
        if (!child->broken)
            decode_field(decoder, found.row, child, found.base);
        decode_leave(decoder, length);
    }
    struct weir_checker checker = { decoder, map, place, first };
    check_body(&checker, table, group);
}

void decode_body(struct decoder *decoder, const struct weir_option_table *table, const struct weir_node *map,
                 struct weir_place place, char *group)
{
    decode_section(decoder, table, map, place, group, false);
}

size_t weir_options_decode(const struct weir_option_table *table, const struct weir_node *node,
                           const char *path, void *group, struct weir_arena *arena,
                           struct weir_problems *problems)
{
    size_t before = problems->errors;
    struct decoder decoder = { .arena = arena, .problems = problems };
    struct weir_place nowhere = { NULL, 0, 0 };
    weir_text_adds(&decoder.path, path ? path : "");
    memset(group, 0, table->size);
    preset_group(arena, table, group);
    decode_body(&decoder, table, node, node ? node->place : nowhere, group);
    weir_text_free(&decoder.path);
    return problems->errors - before;
}
