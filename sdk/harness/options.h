// SPDX-License-Identifier: Apache-2.0
/* Options of a test, written as JSON. */
#ifndef WEIR_HARNESS_OPTIONS_H
#define WEIR_HARNESS_OPTIONS_H

#include <weir/component.h>

/* Decodes `json` (NULL: defaults) by the component's table into memory of the arena; -1 with all problems in `error`. */
int harness_decode(const struct weir_component *component, const char *json, struct weir_arena *arena, void **out,
                   struct weir_error *error);

#endif
