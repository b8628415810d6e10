// SPDX-License-Identifier: Apache-2.0
/*
 * JSON Schema from option tables. Private to sdk/src/option.
 */
#ifndef WEIR_OPTION_SCHEMA_H
#define WEIR_OPTION_SCHEMA_H

#include <weir/option.h>

/* The table of a component without keys. */
extern const struct weir_option_table schema_no_table;

/* Adds a schema document (draft 2020-12) for the value of the component's entry. */
void schema_add(const struct weir_option_table *table, const char *title, struct weir_text *text);

#endif
