// SPDX-License-Identifier: Apache-2.0
/*
 * Option rows in words, for the texts that describe them. Private to sdk/src/option.
 */
#ifndef WEIR_OPTION_WORDS_H
#define WEIR_OPTION_WORDS_H

#include <weir/option.h>

/* Tables may hold themselves through lists; descriptions stop at this depth. */
enum { WORDS_DEPTH_MAX = 8 };

/* "string", "duration", "list of strings", "section": what is written as the value. */
const char *words_type(const struct weir_option *row);

/* The default as a user would write it; a switch without a preset is false. NULL: none to show. */
const char *words_preset(const struct weir_option *row);

/* Adds "required", or "default 5s", or nothing. */
void words_default(const struct weir_option *row, struct weir_text *text);

/* Adds "one of a, b", "at least 1 MiB", or nothing. */
void words_limits(const struct weir_option *row, struct weir_text *text);

/* Adds the doc, and behind it what is deprecated, refused or without effect. */
void words_doc(const struct weir_option *row, struct weir_text *text);

/* True for rows with a table of their own whose keys stand under theirs. */
bool words_has_keys(const struct weir_option *row);

#endif
