// SPDX-License-Identifier: Apache-2.0
/* Finds the references to other components in decoded options, with the place where each was written. */
#include <config.h>

#include "sdk/src/option/decode.h"

struct search {
    struct decoder path; /* only its path is used */
    void (*visit)(void *user, const struct weir_reference_use *use);
    void *user;
};

static void search_group(struct search *search, const struct weir_option_table *table, const struct weir_node *map,
                         char *group);

static void search_elements(struct search *search, const struct weir_option *row, const struct weir_node *node,
                            const struct weir_groups *groups)
{
    size_t i = 0;
    bool keyed = row->kind == WEIR_OPTION_KIND_GROUP_MAP;
    for (const struct weir_node *child = node->first; child && i < groups->count; child = child->next, i++) {
        size_t length = keyed ? decode_enter(&search->path, child->key.data) : decode_enter_index(&search->path, i);
        search_group(search, row->table, child, (char *)groups->items + i * row->table->size);
        decode_leave(&search->path, length);
    }
}

static void search_field(struct search *search, const struct weir_option *row, const struct weir_node *node, char *base)
{
    char *field = base + row->offset;
    const struct weir_reference *reference = (const void *)field;
    switch (row->kind) {
    case WEIR_OPTION_KIND_REFERENCE:
        if (reference->id) {
            struct weir_reference_use use = { row, reference->id, weir_text_string(&search->path.path), node->place };
            search->visit(search->user, &use);
        }
        return;
    case WEIR_OPTION_KIND_GROUP:
        if (row->present_offset == WEIR_NO_OFFSET || *(bool *)(void *)(base + row->present_offset))
            search_group(search, row->table, node, field);
        return;
    case WEIR_OPTION_KIND_GROUP_LIST:
    case WEIR_OPTION_KIND_GROUP_MAP:
        search_elements(search, row, node, (void *)field);
        return;
    default:
        return;
    }
}

static void search_group(struct search *search, const struct weir_option_table *table, const struct weir_node *map,
                         char *group)
{
    for (const struct weir_node *child = map ? map->first : NULL; child; child = child->next) {
        struct found_row found = option_find(table, child->key, group);
        if (!found.row)
            continue; /* `enabled` of a group that can be off */
        size_t length = decode_enter(&search->path, found.row->key);
        search_field(search, found.row, child, found.base);
        decode_leave(&search->path, length);
    }
}

void weir_options_references(const struct weir_option_table *table, const struct weir_node *node, const char *path,
                             const void *group, void (*visit)(void *user, const struct weir_reference_use *use),
                             void *user)
{
    struct search search = { .visit = visit, .user = user };
    weir_text_adds(&search.path.path, path);
    search_group(&search, table, node, (char *)group);
    weir_text_free(&search.path.path);
}
