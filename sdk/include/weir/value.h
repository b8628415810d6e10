// SPDX-License-Identifier: Apache-2.0
/*
 * Attribute values and attribute lists (opentelemetry/proto/common/v1: AnyValue, KeyValue).
 */
#ifndef WEIR_VALUE_H
#define WEIR_VALUE_H

#include <weir/arena.h>

WEIR_BEGIN

enum weir_value_type {
    WEIR_VALUE_EMPTY, /* no member of the oneof set */
    WEIR_VALUE_STRING,
    WEIR_VALUE_BOOL,
    WEIR_VALUE_INT,
    WEIR_VALUE_DOUBLE,
    WEIR_VALUE_ARRAY,
    WEIR_VALUE_MAP,
    WEIR_VALUE_BYTES,
};

struct weir_attribute;
struct weir_value;

/* Attributes in written order. Keys are unique by the specification, not by force: a lookup finds the first. */
struct weir_attributes {
    struct weir_attribute *items;
    size_t count;
    size_t capacity;
};

struct weir_values {
    struct weir_value *items;
    size_t count;
};

/* Strings and bytes are views into the batch that holds the value, or into whatever the maker pointed them at. */
struct weir_value {
    enum weir_value_type type;
    union {
        struct weir_str string; /* WEIR_VALUE_STRING and WEIR_VALUE_BYTES */
        bool boolean;
        int64_t integer;
        double number;
        struct weir_values array;
        struct weir_attributes map;
    };
};

struct weir_attribute {
    struct weir_str key;
    struct weir_value value;
};

static inline struct weir_value weir_value_string(struct weir_str s)
{
    struct weir_value value = { WEIR_VALUE_STRING, { s } };
    return value;
}
static inline struct weir_value weir_value_int(int64_t integer)
{
    struct weir_value value = { WEIR_VALUE_INT, { WEIR_STR_NONE } };
    value.integer = integer;
    return value;
}
static inline struct weir_value weir_value_double(double number)
{
    struct weir_value value = { WEIR_VALUE_DOUBLE, { WEIR_STR_NONE } };
    value.number = number;
    return value;
}
static inline struct weir_value weir_value_bool(bool boolean)
{
    struct weir_value value = { WEIR_VALUE_BOOL, { WEIR_STR_NONE } };
    value.boolean = boolean;
    return value;
}

/* The first value under `key`, NULL when there is none. Any thread that may read the list. */
WEIR_EXPORT const struct weir_value *weir_attributes_get(const struct weir_attributes *attributes,
                                                         struct weir_str key);

/* Sets `key` to `value`, in place or as a new last one; key and value are kept as given (views, not copies), room
 * comes from `arena`. false, with the list unchanged, when memory is out. The list's writer only. */
WEIR_EXPORT bool weir_attributes_set(struct weir_attributes *attributes, struct weir_arena *arena,
                                     struct weir_str key, struct weir_value value) WEIR_MUST_USE;

/* Removes every attribute under `key`; true if there was one. The list's writer only. */
WEIR_EXPORT bool weir_attributes_remove(struct weir_attributes *attributes, struct weir_str key);

/* Adds the value as upstream prints it in text: strings bare, maps and arrays as compact JSON with sorted keys, bytes
 * as base64, doubles in their shortest form (collector-core 8.4). Any thread that may read it. */
WEIR_EXPORT void weir_value_print(const struct weir_value *value, struct weir_text *text);

WEIR_END

#endif
