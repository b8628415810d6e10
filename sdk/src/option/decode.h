// SPDX-License-Identifier: Apache-2.0
/*
 * What the parts of the option decoder share. Private to sdk/src/option.
 */
#ifndef WEIR_OPTION_DECODE_H
#define WEIR_OPTION_DECODE_H

#include <weir/option.h>

/* One run of the decoder. */
struct decoder {
    struct weir_arena *arena;
    struct weir_problems *problems;
    struct weir_text path; /* of the value that is being decoded */
    bool off;              /* inside a section that is switched off: types are checked, values are not */
};

struct weir_checker {
    struct decoder *decoder;
    const struct weir_node *map; /* what was written for the group, NULL: nothing */
    struct weir_place place;     /* of the group */
    size_t first;                /* problems from here on belong to the group */
};

/* A row and the struct that its offset counts from, which differs for inlined tables. */
struct found_row {
    const struct weir_option *row;
    char *base;
};

/* count * size zeroed bytes from the arena; ends the process when memory is out. */
void *option_calloc(struct weir_arena *arena, size_t count, size_t size);

/* A NUL-terminated copy in the arena. */
char *option_copy(struct weir_arena *arena, struct weir_str text);

/* The row of `key`, also in inlined tables; row is NULL when there is none. `base` may be NULL. */
struct found_row option_find(const struct weir_option_table *table, struct weir_str key, char *base);

/* All keys of the table, inlined ones too; start zeroed but for `table`. Gives weir_nearest_name its
 * candidates. */
struct option_keys {
    const struct weir_option_table *table;
    size_t skip;
};
const char *option_next_key(void *keys);

/* Appends "::key" to the path and returns its former length, for decode_leave. */
size_t decode_enter(struct decoder *decoder, const char *key);
size_t decode_enter_index(struct decoder *decoder, size_t index);
void decode_leave(struct decoder *decoder, size_t length);

/* Adds a problem at the node and the current path. */
void decode_fail(struct decoder *decoder, const struct weir_node *node, const char *format, ...)
    WEIR_PRINTF(3, 4);

/* "expected type 'want', got unconvertible type '...'", with a hint if quotes are the cause. */
void decode_fail_type(struct decoder *decoder, const struct weir_node *node, const char *want);

/* The text a string field takes from the node; false, with a problem added, if it is no string. */
bool decode_text(struct decoder *decoder, const struct weir_node *node, struct weir_str *out);

/* Fill the field at `field` from the node (never NULL). */
void decode_scalar(struct decoder *decoder, const struct weir_option *row, const struct weir_node *node,
                   char *field);
void decode_strings(struct decoder *decoder, const struct weir_node *node, struct weir_strings *out);
void decode_ints(struct decoder *decoder, const struct weir_option *row, const struct weir_node *node,
                 struct weir_ints *out);
void decode_pairs(struct decoder *decoder, const struct weir_node *node, struct weir_pairs *out);
void decode_group_list(struct decoder *decoder, const struct weir_option *row, const struct weir_node *node,
                       struct weir_groups *out);
void decode_group_map(struct decoder *decoder, const struct weir_option *row, const struct weir_node *node,
                      struct weir_groups *out);

/* Lays what `map` (NULL: nothing was written) says over a group that holds its defaults, and checks it. */
void decode_body(struct decoder *decoder, const struct weir_option_table *table, const struct weir_node *map,
                 struct weir_place place, char *group);

/* True if an error stands at the current path among the problems from `first` on. */
bool decode_has_problem(const struct decoder *decoder, size_t first);

/* Sets a zeroed group to its defaults. */
void preset_group(struct weir_arena *arena, const struct weir_option_table *table, char *group);

/* Sets one field to what `text` says; false if the text does not fit the row. */
bool preset_field(struct weir_arena *arena, const struct weir_option *row, const char *text, char *field);

/* Splits at commas as a list field does; an empty text is an empty list. */
void preset_strings(struct weir_arena *arena, struct weir_str text, struct weir_strings *out);

/* The value of an enum's word; false if it has no such word. */
bool option_find_word(const struct weir_option *row, struct weir_str word, int *out);
const char *option_next_word(void *values);

/* The range of a row; false: none. `*max` is INT64_MAX when only the lower end counts. */
bool option_range(const struct weir_option *row, int64_t *min, int64_t *max);

#endif
