// SPDX-License-Identifier: Apache-2.0
/*
 * From the merged tree to the model of a configuration. Private to core/config.
 */
#ifndef WEIR_CORE_CONFIG_MODEL_H
#define WEIR_CORE_CONFIG_MODEL_H

#include "core/config/config.h"
#include "sdk/yaml/tree.h"

/* Fills the model from config->root, and reports what is wrong with it as a whole. */
void model_build(struct weir_config *config, struct weir_problems *problems);

/* Fills extensions, pipelines and telemetry from the service section (NULL: nothing was written). */
void model_service(struct weir_config *config, const struct weir_node *service,
                   struct weir_problems *problems);

/* Reports what does not fit together: references to nothing, pipelines without ends. */
void model_check(const struct weir_config *config, struct weir_problems *problems);

/* Reports a node that is no map; true if it is one. Null is neither. */
bool model_is_map(const struct weir_node *node, const char *path, struct weir_problems *problems);

/* Reports the key of `child` as unknown in the map at `path`, with the nearest of `known` (NULL-terminated).
 */
void model_unknown_key(const struct weir_node *child, const char *path, const char *const *known,
                       struct weir_problems *problems);

/* "receivers", ...: the section that holds the components of a kind. */
const char *model_section_name(enum weir_kind kind);

/* The name of the top-level section that the name was meant to be; NULL: none. */
const char *model_nearest_section(const char *name);

#endif
