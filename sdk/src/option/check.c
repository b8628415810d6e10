// SPDX-License-Identifier: Apache-2.0
/*
 * What a component's check function reports, with the place of the key it speaks of.
 */
#include <config.h>

#include "sdk/src/option/decode.h"

/* The node of "a::b" below the group, as far down as something was written; NULL if nothing was. */
static const struct weir_node *find_path(const struct weir_node *map, const char *key)
{
    const struct weir_node *deepest = NULL;
    while (map && map->type == WEIR_NODE_MAP) {
        const char *end = strstr(key, "::");
        size_t length = end ? (size_t)(end - key) : strlen(key);
        const struct weir_node *child = map->first;
        while (child && !weir_str_equal(child->key, weir_str_make(key, length)))
            child = child->next;
        if (child)
            deepest = child;
        if (!end)
            break;
        map = child;
        key = end + 2;
    }
    return deepest;
}

static void report(struct weir_checker *checker, const char *key, bool warning, const char *format,
                   va_list arguments) WEIR_PRINTF(4, 0);

static void report(struct weir_checker *checker, const char *key, bool warning, const char *format,
                   va_list arguments)
{
    struct decoder *decoder = checker->decoder;
    const struct weir_node *node = key ? find_path(checker->map, key) : NULL;
    size_t length = key ? decode_enter(decoder, key) : decoder->path.length;
    const char *path = weir_text_string(&decoder->path);
    struct weir_place place = node ? node->place : checker->place;

    struct weir_text text = { 0 };
    weir_text_vaddf(&text, format, arguments);
    /* A value that did not decode has been reported; what the check sees in its place is the default. */
    bool reported = key && ((node && node->broken) || decode_has_problem(decoder, checker->first));
    if (warning)
        weir_warning_add(decoder->problems, place, path, "%s", weir_text_string(&text));
    else if (!reported)
        weir_problem_add(decoder->problems, place, path, "%s", weir_text_string(&text));
    weir_text_free(&text);
    decode_leave(decoder, length);
}

void weir_check_fail(struct weir_checker *checker, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(checker, key, false, format, arguments);
    va_end(arguments);
}

void weir_check_warn(struct weir_checker *checker, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(checker, key, true, format, arguments);
    va_end(arguments);
}

void weir_check_distinct(struct weir_checker *checker, const char *key, const struct weir_strings *list)
{
    for (size_t i = 0; i < list->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (weir_str_equal_nocase(weir_str_of(list->items[i]), weir_str_of(list->items[j]))) {
                weir_check_fail(checker, key, "duplicate entry in %s: \"%s\" (case-insensitive)", key, list->items[i]);
                return;
            }
        }
    }
}

bool weir_check_given(const struct weir_checker *checker, const char *key)
{
    return weir_node_get(checker->map, key) != NULL;
}
