// SPDX-License-Identifier: Apache-2.0
/*
 * The id of a component or pipeline in a configuration: type[/name].
 */
#ifndef WEIR_ID_H
#define WEIR_ID_H

#include <weir/arena.h>
#include <weir/error.h>

WEIR_BEGIN

/* "otlp/eu" is type "otlp", name "eu". The strings live in the arena they were parsed into; `name` is "" when the
 * id has none. `text` is the id as it prints: both halves without the white space around them. */
struct weir_id {
    const char *type;
    const char *name;
    const char *text;
};

/*
 * Splits `text` at its first "/" into `out`, with copies in `arena`. Returns 0, or -1 with the reason in `error`
 * and `out` untouched. A type is a letter and up to 62 letters, digits or "_"; a name is 1 to 1024 bytes of UTF-8
 * without separators, control characters and symbols (OpenTelemetry Collector, component.ID). Any thread.
 */
WEIR_EXPORT int weir_id_parse(struct weir_str text, struct weir_arena *arena, struct weir_id *out,
                              struct weir_error *error);

/* True if both print the same. Any thread. */
static inline bool weir_id_equal(struct weir_id a, struct weir_id b)
{
    return strcmp(a.text, b.text) == 0;
}

WEIR_END

#endif
