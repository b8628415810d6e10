// SPDX-License-Identifier: Apache-2.0
/*
 * Options as one table: a row for each key says its name, the field it fills, its default, its limits and its
 * documentation. Decoding, defaults, errors, `weir describe`, reference pages and the JSON schema all come from it.
 *
 *     struct debug_config {
 *         int verbosity;
 *         int64_t sampling_initial;
 *     };
 *     static const struct weir_option debug_options[] = {
 *         WEIR_OPTION(struct debug_config, verbosity, "verbosity", .preset = "basic", .values = verbosities,
 *                     .doc = "How much is written for each batch."),
 *         WEIR_OPTION(struct debug_config, sampling_initial, "sampling_initial", .preset = "2", .min = 1,
 *                     .doc = "Messages written first in each second."),
 *         WEIR_OPTION_END,
 *     };
 *     static const struct weir_option_table debug_table = { debug_options, sizeof(struct debug_config), check };
 */
#ifndef WEIR_OPTION_H
#define WEIR_OPTION_H

#include <weir/node.h>

WEIR_BEGIN

/*
 * What a field holds when its key is absent: the preset; without one zero, NULL for strings. A null (`timeout:`, or an
 * environment variable that is unset) is zero, false or "" for a scalar, the preset for an enum, a list or a map.
 * A string that was given, or whose row is required, is never NULL.
 *
 * Field types. The row's kind is taken from the type of the field, so a table cannot disagree with its struct.
 */

/* A length of time in nanoseconds, written in Go's syntax ("1m30s"); a bare integer means nanoseconds. */
struct weir_duration {
    int64_t ns;
};

/* Text that is never shown: prints as [REDACTED] everywhere. */
struct weir_secret {
    char *text; /* NULL when unset */
};

struct weir_strings {
    char **items;
    size_t count;
    bool present; /* the key was given, even as an empty list */
};

struct weir_ints {
    int64_t *items;
    size_t count;
};

/* Name and value pairs in order; from a map (sorted by name) or a list of {name, value}. */
struct weir_pairs {
    struct weir_pair {
        char *name;
        char *value;
    } *items;
    size_t count;
};

/* Values that must not be shown: HTTP headers and the like. */
struct weir_secret_pairs {
    struct weir_pairs pairs;
};

/* A list of texts that must not be shown: tokens. */
struct weir_secrets {
    struct weir_strings strings;
};

/* Another component named in the config, such as `storage: file_storage/a`. */
struct weir_reference {
    char *id; /* NULL when unset */
};

/* A part of the tree that the component decodes itself. */
struct weir_subtree {
    const struct weir_node *node; /* NULL when the key is absent; lives as long as the configuration */
};

/* A list (or a map: then each element's WEIR_OPTION_KEY_FIELD holds its key) of groups, elements side by side. */
struct weir_groups {
    void *items;
    size_t count;
};

enum weir_option_kind {
    WEIR_OPTION_KIND_END = 0,
    WEIR_OPTION_KIND_BOOL,         /* bool */
    WEIR_OPTION_KIND_INT,          /* int64_t, with min and max */
    WEIR_OPTION_KIND_DOUBLE,       /* double */
    WEIR_OPTION_KIND_STRING,       /* char * */
    WEIR_OPTION_KIND_ENUM,         /* int, index by value from `values` */
    WEIR_OPTION_KIND_SECRET,       /* struct weir_secret */
    WEIR_OPTION_KIND_DURATION,     /* struct weir_duration; min and max in nanoseconds */
    WEIR_OPTION_KIND_STRINGS,      /* struct weir_strings */
    WEIR_OPTION_KIND_PAIRS,        /* struct weir_pairs */
    WEIR_OPTION_KIND_SECRET_PAIRS, /* struct weir_secret_pairs */
    WEIR_OPTION_KIND_REFERENCE,    /* struct weir_reference */
    WEIR_OPTION_KIND_SUBTREE,      /* struct weir_subtree */
    WEIR_OPTION_KIND_GROUP,        /* a struct with a table of its own */
    WEIR_OPTION_KIND_INLINE,       /* the same, its keys standing among ours */
    WEIR_OPTION_KIND_GROUP_LIST,   /* struct weir_groups from a YAML list */
    WEIR_OPTION_KIND_GROUP_MAP,    /* struct weir_groups from a YAML map */
    WEIR_OPTION_KIND_REFUSED,      /* a key known upstream that cannot work here: giving it is an error, with `doc` as the reason */
    WEIR_OPTION_KIND_IGNORED,      /* a key whose effect does not exist here (a Go buffer size): accepted with a warning that says so */
    WEIR_OPTION_KIND_SECRETS,      /* struct weir_secrets */
    WEIR_OPTION_KIND_INTS,         /* struct weir_ints, with min and max of each */
};

/* One word of an enum. The first row with a given value is the one that is shown; more are accepted spellings. */
struct weir_option_value {
    const char *name; /* NULL ends the list */
    int value;
};

/* How a group behaves when its key is absent, null or present (collector-core 1.8). */
enum weir_option_presence {
    WEIR_ALWAYS = 0,  /* an ordinary group: always there, defaults unless given */
    WEIR_SOME,        /* on unless `enabled: false` */
    WEIR_DEFAULT_OFF, /* off when the key is absent; on, with defaults, as soon as the key is there */
    WEIR_NONE_OFF,    /* off when the key is absent or null; on, with the defaults of its table, when it is a map */
};

#define WEIR_OPTION_UNSET INT64_MIN
#define WEIR_NO_OFFSET SIZE_MAX

struct weir_option_table;

struct weir_option {
    const char *key;
    enum weir_option_kind kind;
    size_t offset;
    const char *preset;                     /* the default, as a user would write it (lists: "a,b"); NULL: zero or unset */
    bool required;                          /* absent or empty is an error */
    bool nocase;                            /* enum words compare without regard to case */
    bool bounded;                           /* min and max count; implied when one of them is not 0 */
    int64_t min, max;                       /* inclusive; max 0 with min >= 0 means no upper limit */
    const struct weir_option_value *values; /* WEIR_OPTION_KIND_ENUM */
    const char *unit;                       /* "bytes", "MiB", "%", NULL */
    const char *doc;                        /* one sentence */
    const char *since;                      /* weir version that brought it, NULL: 0.1 */
    const char *replaced_by;                /* deprecated: works, and warns with this key */
    const struct weir_option_table *table;  /* groups */
    enum weir_option_presence presence;     /* groups */
    size_t present_offset;                  /* groups that can be off: offset of a bool that says whether it is on */
    size_t key_offset;                      /* group maps: offset, in the element, of a char * for its key */
    const char *interface;                  /* references: what the extension must offer (WEIR_STORAGE); NULL: nothing */
    const char *noun;                       /* references: what errors call such an extension; NULL: "extension" */
};

/* Reports from a check function; see weir_check_fail. */
struct weir_checker;

struct weir_option_table {
    const struct weir_option *options; /* ended by WEIR_OPTION_END */
    size_t size;                       /* of the struct they fill */
    /* Checks what no single row can; reports with weir_check_fail; NULL: nothing to check. Runs on the main thread,
     * opens nothing, for every group that is on. */
    void (*check)(const void *group, struct weir_checker *checker);
};

/* Reports that `key` (NULL: the group itself) is wrong; the checker adds file, line and path. */
WEIR_EXPORT void weir_check_fail(struct weir_checker *checker, const char *key, const char *format, ...)
    WEIR_PRINTF(3, 4);
/* As weir_check_fail, for what is allowed but probably not meant. */
WEIR_EXPORT void weir_check_warn(struct weir_checker *checker, const char *key, const char *format, ...)
    WEIR_PRINTF(3, 4);
/* Reports a text that is twice in the list that is `key`, compared without case. */
WEIR_EXPORT void weir_check_distinct(struct weir_checker *checker, const char *key, const struct weir_strings *list);
/* True if `key` was written in this group (also as null). */
WEIR_EXPORT bool weir_check_given(const struct weir_checker *checker, const char *key);

#ifndef __cplusplus
/* clang-format off */
#define WEIR_OPTION_KIND_OF(field)                                \
    _Generic((field),                                             \
        bool: WEIR_OPTION_KIND_BOOL,                              \
        int: WEIR_OPTION_KIND_ENUM,                               \
        int64_t: WEIR_OPTION_KIND_INT,                            \
        double: WEIR_OPTION_KIND_DOUBLE,                          \
        char *: WEIR_OPTION_KIND_STRING,                          \
        struct weir_duration: WEIR_OPTION_KIND_DURATION,          \
        struct weir_secret: WEIR_OPTION_KIND_SECRET,              \
        struct weir_strings: WEIR_OPTION_KIND_STRINGS,            \
        struct weir_ints: WEIR_OPTION_KIND_INTS,                  \
        struct weir_pairs: WEIR_OPTION_KIND_PAIRS,                \
        struct weir_secret_pairs: WEIR_OPTION_KIND_SECRET_PAIRS,  \
        struct weir_secrets: WEIR_OPTION_KIND_SECRETS,            \
        struct weir_reference: WEIR_OPTION_KIND_REFERENCE,        \
        struct weir_subtree: WEIR_OPTION_KIND_SUBTREE)
/* clang-format on */

/* A row for a scalar, list or map of scalars. More designated initialisers may follow. */
#define WEIR_OPTION(type, field, name, ...)                                                                   \
    { .key = (name), .kind = WEIR_OPTION_KIND_OF(((type *)0)->field), .offset = offsetof(type, field),         \
      .present_offset = WEIR_NO_OFFSET, __VA_ARGS__ }
/* A group that is always there: `field` is the struct. */
#define WEIR_OPTION_GROUP(type, field, name, group_table, ...)                                                \
    { .key = (name), .kind = WEIR_OPTION_KIND_GROUP, .offset = offsetof(type, field), .table = (group_table),  \
      .present_offset = WEIR_NO_OFFSET, __VA_ARGS__ }
/* A group that can be off: `flag` is a bool field of the same struct. */
#define WEIR_OPTION_OPTIONAL(type, field, flag, name, group_table, how, ...)                                  \
    { .key = (name), .kind = WEIR_OPTION_KIND_GROUP, .offset = offsetof(type, field), .table = (group_table),  \
      .presence = (how), .present_offset = offsetof(type, flag), __VA_ARGS__ }
/* A group whose keys stand among ours. */
#define WEIR_OPTION_INLINE(type, field, group_table)                                                          \
    { .key = "", .kind = WEIR_OPTION_KIND_INLINE, .offset = offsetof(type, field), .table = (group_table),     \
      .present_offset = WEIR_NO_OFFSET }
/* A list of groups; `field` is a struct weir_groups. */
#define WEIR_OPTION_LIST(type, field, name, element_table, ...)                                               \
    { .key = (name), .kind = WEIR_OPTION_KIND_GROUP_LIST, .offset = offsetof(type, field),                     \
      .table = (element_table), .present_offset = WEIR_NO_OFFSET, __VA_ARGS__ }
/* A map of groups; `element_key` is the char * of the element that takes the key. */
#define WEIR_OPTION_MAP(type, field, name, element_table, element_type, element_key, ...)                     \
    { .key = (name), .kind = WEIR_OPTION_KIND_GROUP_MAP, .offset = offsetof(type, field),                      \
      .table = (element_table), .present_offset = WEIR_NO_OFFSET,                                              \
      .key_offset = offsetof(element_type, element_key), __VA_ARGS__ }
/* Known upstream, cannot work here (yet): an error that gives the reason. */
#define WEIR_OPTION_REFUSED(name, reason)                                                                     \
    { .key = (name), .kind = WEIR_OPTION_KIND_REFUSED, .doc = (reason), .present_offset = WEIR_NO_OFFSET }
/* Known upstream, without meaning in this implementation: accepted, with a warning that gives the reason. */
#define WEIR_OPTION_IGNORED(name, reason)                                                                     \
    { .key = (name), .kind = WEIR_OPTION_KIND_IGNORED, .doc = (reason), .present_offset = WEIR_NO_OFFSET }
#define WEIR_OPTION_END { .key = NULL }
#endif

/*
 * Fills `group` (table->size bytes) with defaults and then with what `node` says (NULL or a null node: defaults
 * only). Strings and lists are allocated in `arena`. `path` names the place in the config ("exporters::otlp/gw").
 * Adds every problem to `problems` and goes on; returns how many errors it added. Main thread.
 */
WEIR_EXPORT size_t weir_options_decode(const struct weir_option_table *table, const struct weir_node *node,
                                       const char *path, void *group, struct weir_arena *arena,
                                       struct weir_problems *problems);

/* A reference that was written in the configuration. */
struct weir_reference_use {
    const struct weir_option *row;
    const char *id;
    const char *path; /* "exporters::otlp_grpc::auth::authenticator"; during the call */
    struct weir_place place;
};

/*
 * Calls `visit` for each reference in `group`, which weir_options_decode has filled from `node` and `path` without
 * errors; not for those of groups that are off. Main thread.
 */
WEIR_EXPORT void weir_options_references(const struct weir_option_table *table, const struct weir_node *node,
                                         const char *path, const void *group,
                                         void (*visit)(void *user, const struct weir_reference_use *use), void *user);

/* Parses Go's duration syntax (time.ParseDuration): "1h15m30.5s", "-1.5h", "0"; false on anything else. Any thread. */
WEIR_EXPORT bool weir_duration_parse(struct weir_str text, struct weir_duration *out);

/* Adds the duration as Go prints it ("1m30s", "200ms", "0s"). Any thread. */
WEIR_EXPORT void weir_duration_print(struct weir_duration duration, struct weir_text *text);

WEIR_END

#endif
