// SPDX-License-Identifier: Apache-2.0
/* A part of a configuration as text that is the same for all ways of writing the same. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "core/config/config.h"

/* With its length in front, so that no text can be taken for two. */
static void add_string(struct weir_text *text, struct weir_str string)
{
    weir_text_addf(text, "%zu:", string.length);
    if (string.length > 0)
        weir_text_add(text, string.data, string.length);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp((*(const struct weir_node *const *)a)->key.data, (*(const struct weir_node *const *)b)->key.data);
}

/* The keys of a map have no order. */
static void add_map(struct weir_text *text, const struct weir_node *map)
{
    const struct weir_node **children = weir_xcalloc(map->count ? map->count : 1, sizeof *children);
    size_t count = 0;
    for (const struct weir_node *child = map->first; child; child = child->next)
        children[count++] = child;
    qsort(children, count, sizeof *children, compare_keys);
    for (size_t i = 0; i < count; i++) {
        add_string(text, children[i]->key);
        weir_config_canonical(children[i], text);
    }
    free(children);
}

void weir_config_canonical(const struct weir_node *node, struct weir_text *text)
{
    if (!node) {
        weir_text_addc(text, '-');
        return;
    }
    switch (node->type) {
    case WEIR_NODE_MAP:
        weir_text_addc(text, '{');
        add_map(text, node);
        weir_text_addc(text, '}');
        break;
    case WEIR_NODE_LIST:
        weir_text_addc(text, '[');
        for (const struct weir_node *child = node->first; child; child = child->next)
            weir_config_canonical(child, text);
        weir_text_addc(text, ']');
        break;
    default:
        weir_text_addf(text, "%d%s,", (int)node->type, node->expanded ? "x" : "");
        add_string(text, node->raw.data ? node->raw : WEIR_STR(""));
        if (node->type == WEIR_NODE_STRING)
            add_string(text, node->text);
        break;
    }
}
