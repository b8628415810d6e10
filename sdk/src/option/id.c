// SPDX-License-Identifier: Apache-2.0
/*
 * Parses component ids: type[/name].
 */
#include <config.h>

#include <weir/id.h>

#include "sdk/src/option/id_ranges.h"

enum { TYPE_MAX = 63, NAME_MAX_BYTES = 1024 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool type_is_valid(struct weir_str type)
{
    if (type.length > TYPE_MAX || !is_letter(type.data[0]))
        return false;
    for (size_t i = 1; i < type.length; i++) {
        char c = type.data[i];
        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '_')
            return false;
    }
    return true;
}

static bool is_refused(uint32_t point)
{
    size_t low = 0;
    size_t high = WEIR_ARRAY_LENGTH(id_refused_ranges);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (point > id_refused_ranges[middle][1])
            low = middle + 1;
        else
            high = middle;
    }
    return low < WEIR_ARRAY_LENGTH(id_refused_ranges) && point >= id_refused_ranges[low][0];
}

/* Reads one code point of text that is known to be UTF-8 and moves `at` behind it. */
static uint32_t next_point(struct weir_str text, size_t *at)
{
    unsigned char lead = (unsigned char)text.data[(*at)++];
    int more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    uint32_t point = more == 0 ? lead : lead & (0x3fu >> more);
    for (; more > 0; more--)
        point = point << 6 | ((unsigned char)text.data[(*at)++] & 0x3fu);
    return point;
}

static bool name_is_valid(struct weir_str name)
{
    if (name.length > NAME_MAX_BYTES || !weir_utf8_valid(name.data, name.length))
        return false;
    for (size_t at = 0; at < name.length;) {
        if (is_refused(next_point(name, &at)))
            return false;
    }
    return true;
}

int weir_id_parse(struct weir_str text, struct weir_arena *arena, struct weir_id *out,
                  struct weir_error *error)
{
    const char *slash = text.length ? memchr(text.data, '/', text.length) : NULL;
    size_t split = slash ? (size_t)(slash - text.data) : text.length;
    struct weir_str type = weir_str_trim(weir_str_make(text.data, split));
    struct weir_str name = WEIR_STR_NONE;
    if (slash)
        name = weir_str_trim(weir_str_make(slash + 1, text.length - split - 1));

    if (type.length == 0 && !slash)
        return weir_error_set(error, "id must not be empty");
    if (type.length == 0)
        return weir_error_set(error, "in \"%.*s\" id: the part before / should not be empty",
                              WEIR_STR_ARG(text));
    if (!type_is_valid(type))
        return weir_error_set(error, "in \"%.*s\" id: invalid character(s) in type \"%.*s\"",
                              WEIR_STR_ARG(text), WEIR_STR_ARG(type));
    if (slash && name.length == 0)
        return weir_error_set(error, "in \"%.*s\" id: the part after / should not be empty",
                              WEIR_STR_ARG(text));
    if (slash && !name_is_valid(name))
        return weir_error_set(error, "in \"%.*s\" id: invalid character(s) in name \"%.*s\"",
                              WEIR_STR_ARG(text), WEIR_STR_ARG(name));

    size_t length = type.length + (slash ? 1 + name.length : 0);
    struct weir_id id;
    id.type = weir_arena_copy(arena, type).data;
    id.name = weir_arena_copy(arena, name).data;
    char *whole = weir_arena_alloc(arena, length + 1);
    if (!id.type || !id.name || !whole)
        return weir_error_set(error, "out of memory");
    memcpy(whole, type.data, type.length);
    if (slash) {
        whole[type.length] = '/';
        memcpy(whole + type.length + 1, name.data, name.length);
    }
    whole[length] = '\0';
    id.text = whole;
    *out = id;
    return 0;
}
