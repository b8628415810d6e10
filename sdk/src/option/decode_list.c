// SPDX-License-Identifier: Apache-2.0
/*
 * Lists and maps: of strings, of name and value pairs, of groups.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/option/decode.h"

static void fail_list(struct decoder *decoder, const struct weir_node *node)
{
    decode_fail(decoder, node, "source data must be an array or slice, got %s; expected a list",
                weir_node_type_name(node->type));
}

void decode_strings(struct decoder *decoder, const struct weir_node *node, struct weir_strings *out)
{
    if (node->type == WEIR_NODE_NULL)
        return;
    out->present = true;
    if (node->type == WEIR_NODE_STRING) {
        preset_strings(decoder->arena, node->text, out);
        return;
    }
    if (node->type != WEIR_NODE_LIST) {
        fail_list(decoder, node);
        return;
    }
    char **items = option_calloc(decoder->arena, node->count, sizeof(char *));
    size_t count = 0;
    for (const struct weir_node *child = node->first; child; child = child->next) {
        struct weir_str text = WEIR_STR_NONE;
        size_t length = decode_enter_index(decoder, count);
        (void)decode_text(decoder, child, &text);
        items[count++] = option_copy(decoder->arena, text);
        decode_leave(decoder, length);
    }
    out->items = items;
    out->count = count;
}

void decode_ints(struct decoder *decoder, const struct weir_option *row, const struct weir_node *node,
                 struct weir_ints *out)
{
    struct weir_option element = *row; // its range is that of each
    element.kind = WEIR_OPTION_KIND_INT;
    if (node->type == WEIR_NODE_NULL)
        return;
    if (node->type != WEIR_NODE_LIST) {
        fail_list(decoder, node);
        return;
    }
    int64_t *items = option_calloc(decoder->arena, node->count, sizeof(*items));
    size_t count = 0;
    for (const struct weir_node *child = node->first; child; child = child->next) {
        size_t length = decode_enter_index(decoder, count);
        decode_scalar(decoder, &element, child, (char *)&items[count++]);
        decode_leave(decoder, length);
    }
    *out = (struct weir_ints){ items, count };
}

static int compare_pairs(const void *a, const void *b)
{
    return strcmp(((const struct weir_pair *)a)->name, ((const struct weir_pair *)b)->name);
}

static void pairs_from_map(struct decoder *decoder, const struct weir_node *map, struct weir_pairs *out)
{
    struct weir_pair *items = option_calloc(decoder->arena, map->count, sizeof(*items));
    size_t count = 0;
    for (const struct weir_node *child = map->first; child; child = child->next) {
        struct weir_str text = WEIR_STR_NONE;
        size_t length = decode_enter(decoder, child->key.data);
        (void)decode_text(decoder, child, &text);
        items[count].name = option_copy(decoder->arena, child->key);
        items[count++].value = option_copy(decoder->arena, text);
        decode_leave(decoder, length);
    }
    qsort(items, count, sizeof(*items), compare_pairs);
    out->items = items;
    out->count = count;
}

/* One {name: ..., value: ...} of a list. */
struct listed_pair {
    char *name;
    char *value;
};
static const struct weir_option pair_options[] = {
    WEIR_OPTION(struct listed_pair, name, "name", .preset = "", .required = true, .doc = "Name."),
    WEIR_OPTION(struct listed_pair, value, "value", .preset = "", .doc = "Value."),
    WEIR_OPTION_END,
};
static const struct weir_option_table pair_table = { pair_options, sizeof(struct listed_pair), NULL };

static const struct weir_node *find_name(const struct weir_node *list, size_t before, const char *name)
{
    const struct weir_node *element = list->first;
    for (size_t i = 0; i < before && element; i++, element = element->next) {
        const struct weir_node *other = weir_node_get(element, "name");
        if (other && weir_str_is(other->expanded ? other->raw : other->text, name))
            return element;
    }
    return NULL;
}

static void pairs_from_list(struct decoder *decoder, const struct weir_node *list, struct weir_pairs *out)
{
    struct weir_pair *items = option_calloc(decoder->arena, list->count, sizeof(*items));
    size_t count = 0;
    for (const struct weir_node *child = list->first; child; child = child->next) {
        struct listed_pair pair = { 0 };
        size_t length = decode_enter_index(decoder, count);
        preset_group(decoder->arena, &pair_table, (char *)&pair);
        decode_body(decoder, &pair_table, child, child->place, (char *)&pair);
        if (pair.name[0] && find_name(list, count, pair.name))
            decode_fail(decoder, child, "duplicate keys in map-style list: [%s]", pair.name);
        items[count].name = pair.name;
        items[count++].value = pair.value;
        decode_leave(decoder, length);
    }
    out->items = items;
    out->count = count;
}

void decode_pairs(struct decoder *decoder, const struct weir_node *node, struct weir_pairs *out)
{
    if (node->type == WEIR_NODE_MAP)
        pairs_from_map(decoder, node, out);
    else if (node->type == WEIR_NODE_LIST)
        pairs_from_list(decoder, node, out);
    else if (node->type != WEIR_NODE_NULL)
        decode_fail_type(decoder, node, "map");
}

void decode_group_list(struct decoder *decoder, const struct weir_option *row, const struct weir_node *node,
                       struct weir_groups *out)
{
    if (node->type == WEIR_NODE_NULL)
        return;
    if (node->type != WEIR_NODE_LIST) {
        fail_list(decoder, node);
        return;
    }
    char *items = option_calloc(decoder->arena, node->count, row->table->size);
    size_t count = 0;
    for (const struct weir_node *child = node->first; child; child = child->next, count++) {
        char *element = items + count * row->table->size;
        size_t length = decode_enter_index(decoder, count);
        preset_group(decoder->arena, row->table, element);
        decode_body(decoder, row->table, child, child->place, element);
        decode_leave(decoder, length);
    }
    out->items = items;
    out->count = count;
}

void decode_group_map(struct decoder *decoder, const struct weir_option *row, const struct weir_node *node,
                      struct weir_groups *out)
{
    if (node->type == WEIR_NODE_NULL)
        return;
    if (node->type != WEIR_NODE_MAP) {
        decode_fail_type(decoder, node, "map");
        return;
    }
    char *items = option_calloc(decoder->arena, node->count, row->table->size);
    size_t count = 0;
    for (const struct weir_node *child = node->first; child; child = child->next, count++) {
        char *element = items + count * row->table->size;
        size_t length = decode_enter(decoder, child->key.data);
        preset_group(decoder->arena, row->table, element);
        *(char **)(void *)(element + row->key_offset) = option_copy(decoder->arena, child->key);
        decode_body(decoder, row->table, child, child->place, element);
        decode_leave(decoder, length);
    }
    out->items = items;
    out->count = count;
}
