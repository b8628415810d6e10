// SPDX-License-Identifier: Apache-2.0
/* Parts of the detailed form. */
#ifndef DEBUG_DETAILED_H
#define DEBUG_DETAILED_H

#include <weir/component.h>

/* "<title>:" and a line for each attribute; nothing when there are none. */
void detailed_attributes(struct weir_text *text, const char *title, const char *indent,
                         const struct weir_attributes *attributes);
void detailed_metric(struct weir_text *text, size_t index, const struct weir_metric *metric);

#endif
