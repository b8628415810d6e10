// SPDX-License-Identifier: Apache-2.0
/*
 * The effective configuration as a document.
 */
#ifndef WEIR_CORE_CONFIG_PRINT_H
#define WEIR_CORE_CONFIG_PRINT_H

#include <weir/describe.h>

#include "core/config/config.h"

/* Finds the option table of an entry's component, NULL when it takes no keys; false when there is no such component,
 * whose entry is then shown as null. */
typedef bool weir_config_find_table(void *context, const struct weir_entry *entry,
                                    const struct weir_option_table **table);

/*
 * Adds the whole configuration with every default filled in, secrets masked unless dump->reveal. Entries are
 * decoded for it, which may add problems. The document can be loaded again. Main thread.
 */
void weir_config_print(struct weir_config *config, weir_config_find_table *find, void *context,
                       struct weir_dump *dump, struct weir_problems *problems);

#endif
