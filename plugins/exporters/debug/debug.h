// SPDX-License-Identifier: Apache-2.0
/* The debug exporter's texts. */
#ifndef DEBUG_DEBUG_H
#define DEBUG_DEBUG_H

#include <weir/component.h>

/* Adds the batch in the "normal" form: a line for each item (collector-core 8.4). */
void debug_print_normal(struct weir_batch *batch, struct weir_text *text);

/* Adds the batch in the "detailed" form: every field on a line of its own. */
void debug_print_detailed(struct weir_batch *batch, struct weir_text *text);

#endif
