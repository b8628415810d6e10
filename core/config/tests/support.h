// SPDX-License-Identifier: Apache-2.0
/*
 * What the tests of configurations share.
 */
#ifndef WEIR_CORE_CONFIG_TESTS_SUPPORT_H
#define WEIR_CORE_CONFIG_TESTS_SUPPORT_H

#include "core/config/config.h"
#include "sdk/yaml/tree.h"
#include "tests/unit/suite.h"

/* Reads and expands YAML under the name "t.yaml". */
struct weir_node *support_read(const char *yaml, struct weir_arena *arena, struct weir_problems *problems);

/* Loads the texts, in order, each as a file of its own: 1.yaml, 2.yaml, ... in an empty working directory. */
struct weir_config *support_load(const char *const *yamls, size_t count, const char *const *sets,
                                 size_t set_count, struct weir_config_gates gates,
                                 struct weir_problems *problems);

/* As support_load with one text and nothing else. */
struct weir_config *support_load_one(const char *yaml, struct weir_problems *problems);

/* Asserts that the problems print exactly so, then frees them. */
void support_problems(struct weir_problems *problems, const char *expected);

/* Writes a tree in one line: {a: 1, b: [x, null]}; strings in "", doubles with a point. */
void support_show(const struct weir_node *node, struct weir_text *text);

#endif
