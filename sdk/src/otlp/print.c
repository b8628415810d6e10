// SPDX-License-Identifier: Apache-2.0
/*
 * Values as text, as upstream prints them.
 */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>

#include <weir/batch.h>
#include <weir/json.h>

#include "sdk/src/base/encoding.h"

static void print_json(const struct weir_value *value, struct weir_text *text, unsigned depth);

static int by_key(const void *a, const void *b)
{
    const struct weir_attribute *const *left = a, *const *right = b;
    int order = weir_str_compare((*left)->key, (*right)->key);
    return order != 0 ? order : (*left > *right) - (*left < *right);
}

/* Sorted by key; of several under one key the last. */
static void print_map(const struct weir_attributes *map, struct weir_text *text, unsigned depth)
{
    const struct weir_attribute **sorted = calloc(map->count + 1, sizeof(const struct weir_attribute *));
    if (!sorted)
        return;
    for (size_t i = 0; i < map->count; i++)
        sorted[i] = &map->items[i];
    qsort(sorted, map->count, sizeof(const struct weir_attribute *), by_key);
    weir_text_addc(text, '{');
    bool first = true;
    for (size_t i = 0; i < map->count; i++) {
        if (sorted[i + 1] && weir_str_equal(sorted[i]->key, sorted[i + 1]->key))
            continue;
        weir_text_adds(text, first ? "\"" : ",\"");
        weir_text_add_json(text, sorted[i]->key);
        weir_text_adds(text, "\":");
        print_json(&sorted[i]->value, text, depth);
        first = false;
    }
    weir_text_addc(text, '}');
    free(sorted);
}

static void print_array(const struct weir_values *array, struct weir_text *text, unsigned depth)
{
    weir_text_addc(text, '[');
    for (size_t i = 0; i < array->count; i++) {
        if (i > 0)
            weir_text_addc(text, ',');
        print_json(&array->items[i], text, depth);
    }
    weir_text_addc(text, ']');
}

static bool is_finite(double number)
{
    return number - number == 0;
}

static void print_double(double number, struct weir_text *text)
{
    char room[WEIR_JSON_DOUBLE_ROOM];
    if (is_finite(number))
        weir_text_add(text, room, weir_json_format_double(room, number));
    else if (number > 0)
        weir_text_adds(text, "Infinity");
    else
        weir_text_adds(text, number < 0 ? "-Infinity" : "NaN");
}

static void print(const struct weir_value *value, struct weir_text *text, unsigned depth)
{
    switch (value->type) {
    case WEIR_VALUE_EMPTY:
        break;
    case WEIR_VALUE_STRING:
        weir_text_add(text, value->string.data, value->string.length);
        break;
    case WEIR_VALUE_BOOL:
        weir_text_adds(text, value->boolean ? "true" : "false");
        break;
    case WEIR_VALUE_INT:
        weir_text_addf(text, "%" PRId64, value->integer);
        break;
    case WEIR_VALUE_DOUBLE:
        print_double(value->number, text);
        break;
    case WEIR_VALUE_ARRAY:
        print_array(&value->array, text, depth);
        break;
    case WEIR_VALUE_MAP:
        print_map(&value->map, text, depth);
        break;
    case WEIR_VALUE_BYTES:
        base64_add(text, value->string, true);
        break;
    }
}

/* Inside JSON strings are quoted, and so is what JSON has no number for. Depth is capped as on the wire. */
static void print_json(const struct weir_value *value, struct weir_text *text, unsigned depth)
{
    if (value->type == WEIR_VALUE_EMPTY || ++depth > WEIR_BATCH_MAX_DEPTH) {
        weir_text_adds(text, "null");
    } else if (value->type == WEIR_VALUE_STRING) {
        weir_text_addc(text, '"');
        weir_text_add_json(text, value->string);
        weir_text_addc(text, '"');
    } else {
        bool quoted = value->type == WEIR_VALUE_BYTES ||
                      (value->type == WEIR_VALUE_DOUBLE && !is_finite(value->number));
        weir_text_adds(text, quoted ? "\"" : "");
        print(value, text, depth);
        weir_text_adds(text, quoted ? "\"" : "");
    }
}

void weir_value_print(const struct weir_value *value, struct weir_text *text)
{
    print(value, text, 1);
}
