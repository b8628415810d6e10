// SPDX-License-Identifier: Apache-2.0
/*
 * What option tables say, for people and tools: reference texts, JSON schemas, and the values of a decoded group.
 */
#ifndef WEIR_DESCRIBE_H
#define WEIR_DESCRIBE_H

#include <weir/option.h>

WEIR_BEGIN

enum weir_describe_format {
    WEIR_DESCRIBE_TEXT,        /* columns for a terminal */
    WEIR_DESCRIBE_MARKDOWN,    /* a table */
    WEIR_DESCRIBE_JSON_SCHEMA, /* JSON Schema draft 2020-12 */
    WEIR_DESCRIBE_YAML,        /* a commented sample with the defaults */
};

/* Adds a description of all keys of the table (NULL: a component without keys). `title` heads it, such as
 * "exporter otlp". Any thread. */
WEIR_EXPORT void weir_options_describe(const struct weir_option_table *table, const char *title,
                                       enum weir_describe_format format, struct weir_text *text);

/* Levels that a document may have. */
#define WEIR_DUMP_DEPTH 256

/*
 * A document in the making, YAML or JSON (indented by two spaces). Zero-initialise, set `text`, `json` and
 * `reveal`; values are added in order, in a map each one behind its weir_dump_key. What stands deeper than
 * WEIR_DUMP_DEPTH levels is left out. One thread.
 */
struct weir_dump {
    struct weir_text *text;
    bool json;
    bool reveal; /* show secrets instead of [REDACTED] */
    /* Private. */
    unsigned depth;
    bool empty;        /* nothing was added yet to the innermost list or map */
    bool keyed;        /* a key waits for its value */
    bool dashed;       /* YAML: the line so far is the "- " of an item */
    uint64_t lists[4]; /* a bit for each level: it is a list */
};

/* Begins a map or list, which is the next value; closed by weir_dump_end. */
WEIR_EXPORT void weir_dump_begin_map(struct weir_dump *dump);
WEIR_EXPORT void weir_dump_begin_list(struct weir_dump *dump);
/* Ends the map or list that was begun last. */
WEIR_EXPORT void weir_dump_end(struct weir_dump *dump);
WEIR_EXPORT void weir_dump_key(struct weir_dump *dump, struct weir_str key);
WEIR_EXPORT void weir_dump_null(struct weir_dump *dump);
WEIR_EXPORT void weir_dump_bool(struct weir_dump *dump, bool value);
WEIR_EXPORT void weir_dump_int(struct weir_dump *dump, int64_t value);
WEIR_EXPORT void weir_dump_double(struct weir_dump *dump, double value);
WEIR_EXPORT void weir_dump_string(struct weir_dump *dump, struct weir_str value);
/* "[REDACTED]" unless the dump reveals secrets; an empty one is shown as empty. */
WEIR_EXPORT void weir_dump_secret(struct weir_dump *dump, struct weir_str value);
/* "5s" in YAML, nanoseconds in JSON. */
WEIR_EXPORT void weir_dump_duration(struct weir_dump *dump, struct weir_duration value);
/* A part of a configuration as it is. NULL is null. */
WEIR_EXPORT void weir_dump_node(struct weir_dump *dump, const struct weir_node *node);

/* The version of JSON Schema that is written. */
#define WEIR_SCHEMA_DIALECT "https://json-schema.org/draft/2020-12/schema"

/* Adds the schema of what a table decodes (NULL: a component without keys), as a part of a larger schema, which has the
 * definitions at its top. The dump is JSON. */
WEIR_EXPORT void weir_schema_value(const struct weir_option_table *table, struct weir_dump *dump);
/* Adds "$defs", which weir_schema_value refers to. */
WEIR_EXPORT void weir_schema_definitions(struct weir_dump *dump);

/* A map with the value of every key of a decoded group, defaults included. Any thread that may read the group. */
WEIR_EXPORT void weir_options_dump(const struct weir_option_table *table, const void *group,
                                   struct weir_dump *dump);

/*
 * Checks a table itself: every key once and documented, defaults that parse and lie within their limits, enums and
 * groups complete, fields inside their struct, keys named in replaced_by known. Returns 0, or -1 with everything that is
 * wrong in `error`, a line each. For tests. Any thread.
 */
WEIR_EXPORT int weir_options_verify(const struct weir_option_table *table, struct weir_error *error);

WEIR_END

#endif
