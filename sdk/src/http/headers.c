// SPDX-License-Identifier: Apache-2.0
/*
 * Lists of header fields.
 */
#include <config.h>

#include "sdk/src/http/headers.h"

static bool grow(struct headers *headers)
{
    size_t capacity = headers->capacity ? headers->capacity * 2 : 16;
    struct weir_http_header *items = weir_arena_calloc(&headers->arena, capacity, sizeof(*items));
    if (!items)
        return false;
    if (headers->count > 0)
        memcpy(items, headers->items, headers->count * sizeof(*items));
    headers->items = items;
    headers->capacity = capacity;
    return true;
}

static void lower(char *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (data[i] >= 'A' && data[i] <= 'Z')
            data[i] = (char)(data[i] + ('a' - 'A'));
    }
}

bool headers_add(struct headers *headers, struct weir_str name, struct weir_str value)
{
    if (headers->count == headers->capacity && !grow(headers))
        return false;
    size_t room = 0;
    if (!weir_size_add(name.length, value.length, &room) || !weir_size_add(room, 2, &room))
        return false;
    char *text = weir_arena_alloc(&headers->arena, room);
    if (!text)
        return false;
    if (name.length > 0)
        memcpy(text, name.data, name.length);
    lower(text, name.length);
    text[name.length] = '\0';
    char *second = text + name.length + 1;
    if (value.length > 0)
        memcpy(second, value.data, value.length);
    second[value.length] = '\0';
    headers->items[headers->count++] =
        (struct weir_http_header){ { text, name.length }, { second, value.length } };
    headers->bytes += name.length + value.length + HEADER_OVERHEAD;
    return true;
}

static bool is_lower(struct weir_str name)
{
    for (size_t i = 0; i < name.length; i++) {
        if (name.data[i] >= 'A' && name.data[i] <= 'Z')
            return false;
    }
    return true;
}

bool headers_lend(struct headers *headers, struct weir_str name, struct weir_str value)
{
    if (!is_lower(name))
        return headers_add(headers, name, value);
    if (headers->count == headers->capacity && !grow(headers))
        return false;
    headers->items[headers->count++] = (struct weir_http_header){ name, value };
    headers->bytes += name.length + value.length + HEADER_OVERHEAD;
    return true;
}

void headers_use(struct headers *headers, struct headers_room *room)
{
    headers->items = room->items;
    headers->capacity = WEIR_ARRAY_LENGTH(room->items);
    headers->arena.next = room->texts;
    headers->arena.end = room->texts + sizeof(room->texts);
}

struct weir_str headers_get(const struct headers *headers, const char *name)
{
    struct weir_str wanted = weir_str_of(name);
    for (size_t i = 0; i < headers->count; i++) {
        if (weir_str_equal(headers->items[i].name, wanted))
            return headers->items[i].value;
    }
    return WEIR_STR_NONE;
}

bool header_name_valid(struct weir_str name)
{
    for (size_t i = 0; i < name.length; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c <= 0x20 || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c))
            return false;
    }
    return name.length > 0;
}

bool header_value_valid(struct weir_str value)
{
    for (size_t i = 0; i < value.length; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

void headers_free(struct headers *headers)
{
    weir_arena_free(&headers->arena);
    *headers = (struct headers){ .items = NULL };
}
