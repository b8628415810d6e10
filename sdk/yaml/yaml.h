// SPDX-License-Identifier: Apache-2.0
/*
 * YAML text to config trees.
 */
#ifndef WEIR_YAML_YAML_H
#define WEIR_YAML_YAML_H

#include "sdk/yaml/tree.h"

struct yaml_source {
    const char *name; /* in the places of the nodes; must live as long as they */
    bool lines;       /* its lines and columns mean something to the user */
};

/*
 * Reads the first document of the text; an empty one is a null node. What cannot be read is added to
 * `problems`, with `complaint` (may be "") before the parser's words where the text is no YAML. Returns NULL
 * if no tree could be made; after duplicate keys and the like there is one, but also a problem.
 */
struct weir_node *yaml_read(struct weir_arena *arena, struct weir_str text, struct yaml_source source,
                            const char *complaint, struct weir_problems *problems);

#endif
