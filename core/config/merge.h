// SPDX-License-Identifier: Apache-2.0
/* Laying one config tree on another. */
#ifndef WEIR_CORE_CONFIG_MERGE_H
#define WEIR_CORE_CONFIG_MERGE_H

#include "sdk/yaml/tree.h"

/* Where lists are appended instead of replaced (gate confmap.enableMergeAppendOption). */
struct merge_rules {
    bool append_lists;
};

/* Lays `over` on `under`, both maps: maps merge, all else is replaced, also by null. Nodes of `over` are
 * moved. */
void tree_merge(struct weir_node *under, struct weir_node *over, const struct merge_rules *rules);

#endif
