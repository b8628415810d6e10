// SPDX-License-Identifier: Apache-2.0
/* Turns a plugin file into a component. */
#ifndef WEIR_CORE_REGISTRY_LOAD_H
#define WEIR_CORE_REGISTRY_LOAD_H

#include <weir/component.h>
#include <weir/error.h>

/* Checks the file, loads it, checks what it exports; `type` is the name it was looked up by. NULL with a sentence,
 * without the path, in `error`. The structure returned is complete for this version of the host. */
const struct weir_component *load_plugin(const char *path, enum weir_kind kind, const char *type,
                                         struct weir_error *error);

#endif
