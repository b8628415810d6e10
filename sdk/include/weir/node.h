// SPDX-License-Identifier: Apache-2.0
/*
 * The tree of a configuration after merging and expansion, each value with the place it was written.
 */
#ifndef WEIR_NODE_H
#define WEIR_NODE_H

#include <weir/arena.h>
#include <weir/error.h>

WEIR_BEGIN

/* Where a value stands: `source` is a file name or a provider URI such as "env:NAME"; line and column count
 * from 1, 0 when the source has no lines. */
struct weir_place {
    const char *source;
    unsigned line;
    unsigned column;
};

enum weir_node_type {
    WEIR_NODE_NULL,
    WEIR_NODE_BOOL,
    WEIR_NODE_INT,
    WEIR_NODE_DOUBLE,
    WEIR_NODE_STRING,
    WEIR_NODE_LIST,
    WEIR_NODE_MAP,
    WEIR_NODE_TIMESTAMP, /* a plain date such as 2024-05-01: never a string, `raw` has its text */
};

/*
 * One value. The whole tree lives in one arena and is read-only once the configuration is loaded, so any thread may
 * read it. Children of a map or list are a linked list in written order; the keys of a map are unique.
 */
struct weir_node {
    enum weir_node_type type;
    bool boolean;
    bool broken;           /* an error was reported for it: what decodes it leaves the field alone */
    bool expanded;         /* came whole from one ${...}: `raw` is what a string field takes */
    int64_t integer;       /* WEIR_NODE_INT; larger unsigned values become WEIR_NODE_DOUBLE */
    double number;         /* WEIR_NODE_DOUBLE */
    struct weir_str text;  /* WEIR_NODE_STRING: its value, NUL-terminated */
    struct weir_str raw;   /* scalars: the text as written, NUL-terminated */
    struct weir_place place;
    struct weir_str key;   /* in a map: the key, NUL-terminated */
    struct weir_place key_place;
    struct weir_node *first; /* children of a list or map */
    struct weir_node *last;
    struct weir_node *next; /* the sibling behind this one */
    size_t count;          /* number of children */
};

/* The child of a map under `key`, NULL when there is none or `map` is NULL or no map. Any thread. */
WEIR_EXPORT const struct weir_node *weir_node_get(const struct weir_node *map, const char *key);

/* "string", "int", "map", ...: the type as errors of upstream name it. Any thread. */
WEIR_EXPORT const char *weir_node_type_name(enum weir_node_type type);

/*
 * Errors of a configuration, all of one run, in the order they were found. Zero-initialise to start,
 * weir_problems_free to end. One thread.
 */
struct weir_problem {
    struct weir_place place; /* its source is a copy that the list owns */
    char *path;    /* receivers::otlp::protocols, "" for the whole */
    char *message; /* what is wrong, what was expected, what name was probably meant */
    bool warning;
};

struct weir_problems {
    struct weir_problem *items;
    size_t count;
    size_t capacity;
    size_t errors; /* those of `count` that are no warnings */
};

/* Adds an error or a warning; all arguments are copied. */
WEIR_EXPORT void weir_problem_add(struct weir_problems *problems, struct weir_place place, const char *path,
                                  const char *format, ...) WEIR_PRINTF(4, 5);
WEIR_EXPORT void weir_warning_add(struct weir_problems *problems, struct weir_place place, const char *path,
                                  const char *format, ...) WEIR_PRINTF(4, 5);

/* Brings them into the order of their sources, as first mentioned, and of the places in each. */
WEIR_EXPORT void weir_problems_sort(struct weir_problems *problems);

/* Adds one line for each, "file:line:column: path: message" ("warning: " before the message of a warning; place and
 * path only as far as they are known), to `text`. */
WEIR_EXPORT void weir_problems_print(const struct weir_problems *problems, struct weir_text *text);
WEIR_EXPORT void weir_problems_free(struct weir_problems *problems);

/* The candidate nearest to `name` by edit distance, NULL when none is near enough to be what was meant. `next`
 * yields candidates until it returns NULL. Any thread. */
WEIR_EXPORT const char *weir_nearest_name(const char *name, const char *(*next)(void *cursor), void *cursor);

WEIR_END

#endif
