// SPDX-License-Identifier: Apache-2.0
/*
 * Replaces ${scheme:rest} in the values of a configuration.
 */
#ifndef WEIR_CORE_CONFIG_EXPAND_H
#define WEIR_CORE_CONFIG_EXPAND_H

#include "core/config/provider.h"
#include "sdk/yaml/tree.h"

/*
 * Expands every string value below `root`; keys stay as they are. Only what the author of the configuration
 * wrote is scanned: what a variable or file brings in is taken as it is, "${" and "$$" included. What cannot
 * be expanded is reported, and its node marked as broken.
 */
void expand_tree(const struct provider *provider, struct weir_node *root, struct weir_problems *problems);

#endif
