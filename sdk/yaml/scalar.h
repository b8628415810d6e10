// SPDX-License-Identifier: Apache-2.0
/*
 * The type of a plain YAML scalar.
 */
#ifndef WEIR_YAML_SCALAR_H
#define WEIR_YAML_SCALAR_H

#include <weir/node.h>

/*
 * Sets type and value of a node from the plain scalar in its `raw`, as go-yaml v3 does: the YAML 1.2 core
 * schema, and of YAML 1.1 octal 0123, binary, "_" in numbers, and timestamps; yes, no, on and off are
 * strings.
 */
void scalar_resolve(struct weir_node *node);

#endif
