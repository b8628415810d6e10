// SPDX-License-Identifier: Apache-2.0
/*
 * Names, labels and numbers as the text formats write them (Prometheus, "Exposition formats"; OpenMetrics 1.0).
 */
#ifndef PROMETHEUS_TEXT_H
#define PROMETHEUS_TEXT_H

#include <weir/str.h>

/* What becomes of names with other characters than letters, digits and underscores: the escaping that a scraper asks for
 * (Prometheus, "UTF-8 support"). */
enum escaping {
    ESCAPE_UNDERSCORES, /* one for each odd character */
    ESCAPE_DOTS,        /* _dot_ for a dot, two underscores for one and for anything else */
    ESCAPE_VALUES,      /* U__ before the name, _hex_ for each odd character */
    ESCAPE_NOT,         /* as they are, in quotes */
};

/* True for a name that needs no quotes; those of metrics may have colons. */
bool text_is_plain_name(struct weir_str name, bool metric);

/* Adds the name, escaped; without quotes. */
void text_add_name(struct weir_text *text, struct weir_str name, bool metric, enum escaping escaping);

/* Adds a string as the inside of quotes. */
void text_add_quoted(struct weir_text *text, struct weir_str string);

/* Adds name="value", behind a comma where something is there; the name in quotes if it needs them. */
void text_add_label(struct weir_text *text, struct weir_str name, struct weir_str value);

/* Takes the first of labels that text_add_label has made off the front; false: there is none. */
bool text_next_label(struct weir_str *labels, struct weir_text *name, struct weir_text *value);

/* Adds labels that text_add_label has made, with their names escaped. */
void text_add_labels(struct weir_text *text, struct weir_str labels, enum escaping escaping);

/* Adds a number as Go's strconv writes it (format 'g'); with `point`, as OpenMetrics, never without a point or an
 * exponent. */
void text_add_number(struct weir_text *text, double value, bool point);

/* Adds nanoseconds as seconds, all digits that count, at least one behind the point. */
void text_add_seconds(struct weir_text *text, uint64_t nanoseconds);

#endif
