// SPDX-License-Identifier: Apache-2.0
/*
 * Lookup in config trees, and the names of their types.
 */
#include <config.h>

#include <weir/node.h>

const struct weir_node *weir_node_get(const struct weir_node *map, const char *key)
{
    if (!map || map->type != WEIR_NODE_MAP)
        return NULL;
    for (const struct weir_node *child = map->first; child; child = child->next) {
        if (weir_str_is(child->key, key))
            return child;
    }
    return NULL;
}

const char *weir_node_type_name(enum weir_node_type type)
{
    static const char *const names[] = {
        [WEIR_NODE_NULL] = "null",    [WEIR_NODE_BOOL] = "bool",           [WEIR_NODE_INT] = "int",
        [WEIR_NODE_DOUBLE] = "float", [WEIR_NODE_STRING] = "string",       [WEIR_NODE_LIST] = "list",
        [WEIR_NODE_MAP] = "map",      [WEIR_NODE_TIMESTAMP] = "timestamp",
    };
    return names[type];
}
