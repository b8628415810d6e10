// SPDX-License-Identifier: Apache-2.0
/*
 * Merges one configuration over another.
 */
#include <config.h>

#include "core/config/merge.h"

/* Where a map stands, as far as appending lists must know. */
enum region {
    ROOT,
    SERVICE,       /* service itself */
    BELOW_SERVICE, /* anything deeper */
    ELSEWHERE,
};

static enum region region_below(enum region region, struct weir_str key)
{
    if (region == ROOT)
        return weir_str_is(key, "service") ? SERVICE : ELSEWHERE;
    return region == ELSEWHERE ? ELSEWHERE : BELOW_SERVICE;
}

static bool list_appends(enum region region, struct weir_str key)
{
    if (region == SERVICE && weir_str_is(key, "extensions"))
        return true;
    return (region == SERVICE || region == BELOW_SERVICE) &&
           (weir_str_is(key, "receivers") || weir_str_is(key, "exporters"));
}

static bool list_has(const struct weir_node *list, const struct weir_node *item)
{
    for (const struct weir_node *child = list->first; child; child = child->next) {
        if (child->type == item->type && item->type == WEIR_NODE_STRING &&
            weir_str_equal(child->text, item->text))
            return true;
    }
    return false;
}

static void append(struct weir_node *under, struct weir_node *over)
{
    for (struct weir_node *next, *item = over->first; item; item = next) {
        next = item->next;
        if (!list_has(under, item))
            tree_append(under, item);
    }
}

static void merge_map(struct weir_node *under, struct weir_node *over, const struct merge_rules *rules,
                      enum region region)
{
    for (struct weir_node *next, *child = over->first; child; child = next) {
        next = child->next;
        struct weir_node *there = tree_find(under, child->key);
        if (!there) {
            tree_append(under, child);
        } else if (there->type == WEIR_NODE_MAP && child->type == WEIR_NODE_MAP) {
            merge_map(there, child, rules, region_below(region, child->key));
        } else if (rules->append_lists && list_appends(region, child->key) && there->type == WEIR_NODE_LIST &&
                   child->type == WEIR_NODE_LIST) {
            append(there, child);
        } else {
            tree_become(there, child);
            there->key_place = child->key_place;
        }
    }
}

void tree_merge(struct weir_node *under, struct weir_node *over, const struct merge_rules *rules)
{
    merge_map(under, over, rules, ROOT);
}
