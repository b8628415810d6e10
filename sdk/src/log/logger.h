// SPDX-License-Identifier: Apache-2.0
/* The inside of the log, for the files of this folder. */
#ifndef WEIR_LOG_LOGGER_H
#define WEIR_LOG_LOGGER_H

#include <weir/sys/host.h>

/* Adds the fields as JSON members without braces, spaced as upstream does: `"k": "v", "n": 1`. */
void log_add_fields(struct weir_text *text, const struct weir_field *fields);

/* True if this line is to be written now; counts it. Any thread. */
bool log_sample(enum weir_log_level level, const char *message, const struct weir_logging *logging, int64_t now);

#endif
