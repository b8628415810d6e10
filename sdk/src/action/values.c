// SPDX-License-Identifier: Apache-2.0
/* The values that actions make: literals, copies, hashes, conversions, what the context knows. */
#include <config.h>

#include <math.h>
#include <string.h>

#include <weir/digest.h>

#include "sdk/src/action/action.h"

static bool copy_text(struct weir_str text, struct weir_arena *arena, struct weir_str *out)
{
    if (text.length == 0) {
        *out = WEIR_STR("");
        return true;
    }
    *out = weir_arena_copy(arena, text);
    return out->data != NULL;
}

static bool copy_array(const struct weir_values *from, struct weir_arena *arena, struct weir_values *out)
{
    out->count = from->count;
    out->items = weir_arena_calloc(arena, from->count ? from->count : 1, sizeof *out->items);
    for (size_t i = 0; out->items && i < from->count; i++)
        if (!action_copy_value(&from->items[i], arena, &out->items[i]))
            return false;
    return out->items != NULL;
}

static bool copy_map(const struct weir_attributes *from, struct weir_arena *arena, struct weir_attributes *out)
{
    out->count = out->capacity = from->count;
    out->items = weir_arena_calloc(arena, from->count ? from->count : 1, sizeof *out->items);
    for (size_t i = 0; out->items && i < from->count; i++)
        if (!copy_text(from->items[i].key, arena, &out->items[i].key) ||
            !action_copy_value(&from->items[i].value, arena, &out->items[i].value))
            return false;
    return out->items != NULL;
}

/* As deep as a value of the config. */
bool action_copy_value(const struct weir_value *value, struct weir_arena *arena, struct weir_value *out)
{
    *out = *value;
    switch (value->type) {
    case WEIR_VALUE_STRING:
    case WEIR_VALUE_BYTES:
        return copy_text(value->string, arena, &out->string);
    case WEIR_VALUE_ARRAY:
        return copy_array(&value->array, arena, &out->array);
    case WEIR_VALUE_MAP:
        return copy_map(&value->map, arena, &out->map);
    default:
        return true;
    }
}

static bool list_of_node(const struct weir_node *node, struct weir_arena *arena, struct weir_value *out)
{
    struct weir_values values = { .count = node->count };
    values.items = weir_arena_calloc(arena, node->count ? node->count : 1, sizeof *values.items);
    size_t i = 0;
    for (const struct weir_node *child = node->first; values.items && child; child = child->next)
        if (!action_value_of_node(child, arena, &values.items[i++]))
            return false;
    *out = (struct weir_value){ .type = WEIR_VALUE_ARRAY, .array = values };
    return values.items != NULL;
}

static bool map_of_node(const struct weir_node *node, struct weir_arena *arena, struct weir_value *out)
{
    struct weir_attributes map = { .count = node->count, .capacity = node->count };
    map.items = weir_arena_calloc(arena, node->count ? node->count : 1, sizeof *map.items);
    size_t i = 0;
    for (const struct weir_node *child = node->first; map.items && child; child = child->next, i++)
        if (!copy_text(child->key, arena, &map.items[i].key) ||
            !action_value_of_node(child, arena, &map.items[i].value))
            return false;
    *out = (struct weir_value){ .type = WEIR_VALUE_MAP, .map = map };
    return map.items != NULL;
}

bool action_value_of_node(const struct weir_node *node, struct weir_arena *arena, struct weir_value *out)
{
    switch (node->type) {
    case WEIR_NODE_NULL:
        *out = (struct weir_value){ .type = WEIR_VALUE_EMPTY };
        return true;
    case WEIR_NODE_BOOL:
        *out = weir_value_bool(node->boolean);
        return true;
    case WEIR_NODE_INT:
        *out = weir_value_int(node->integer);
        return true;
    case WEIR_NODE_DOUBLE:
        *out = weir_value_double(node->number);
        return true;
    case WEIR_NODE_LIST:
        return list_of_node(node, arena, out);
    case WEIR_NODE_MAP:
        return map_of_node(node, arena, out);
    default:
        *out = (struct weir_value){ .type = WEIR_VALUE_STRING };
        return copy_text(node->type == WEIR_NODE_STRING ? node->text : node->raw, arena, &out->string);
    }
}

/* The bytes that upstream hashes; an empty view for types that it does not. */
static struct weir_str hashed_bytes(const struct weir_value *value, uint8_t bytes[8])
{
    uint64_t bits = 0;
    switch (value->type) {
    case WEIR_VALUE_STRING:
        return value->string.length ? value->string : WEIR_STR("");
    case WEIR_VALUE_BOOL:
        bytes[0] = value->boolean;
        return (struct weir_str){ (const char *)bytes, 1 };
    case WEIR_VALUE_INT:
        bits = (uint64_t)value->integer;
        break;
    case WEIR_VALUE_DOUBLE:
        memcpy(&bits, &value->number, sizeof bits);
        break;
    default:
        return WEIR_STR_NONE;
    }
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(bits >> (8 * i));
    return (struct weir_str){ (const char *)bytes, 8 };
}

bool action_hash(struct weir_value *value, struct weir_arena *arena)
{
    uint8_t bytes[8];
    struct weir_str input = hashed_bytes(value, bytes);
    char hex[WEIR_SHA256_HEX];
    struct weir_str digest = WEIR_STR("");
    if (input.data && (!weir_sha256_hex(input.data, input.length, hex) ||
                       !copy_text((struct weir_str){ hex, sizeof hex - 1 }, arena, &digest)))
        return false;
    *value = weir_value_string(digest);
    return true;
}

static bool to_string(struct weir_value *value, struct weir_arena *arena)
{
    struct weir_text text = { 0 };
    struct weir_str copy;
    if (value->type == WEIR_VALUE_STRING)
        return true;
    weir_value_print(value, &text);
    bool good = copy_text(weir_text_view(&text), arena, &copy);
    weir_text_free(&text);
    if (good)
        *value = weir_value_string(copy);
    return good;
}

/* As Go converts a float to an int64; outside of its range the value is left alone. */
static bool fits_int(double number)
{
    return number >= -9223372036854775808.0 && number < 9223372036854775808.0;
}

static void to_int(struct weir_value *value)
{
    int64_t integer;
    if (value->type == WEIR_VALUE_DOUBLE && fits_int(value->number))
        *value = weir_value_int((int64_t)trunc(value->number));
    else if (value->type == WEIR_VALUE_BOOL)
        *value = weir_value_int(value->boolean);
    else if (value->type == WEIR_VALUE_STRING && weir_str_to_i64(value->string, &integer))
        *value = weir_value_int(integer);
}

static void to_double(struct weir_value *value)
{
    double number;
    if (value->type == WEIR_VALUE_INT)
        *value = weir_value_double((double)value->integer);
    else if (value->type == WEIR_VALUE_BOOL)
        *value = weir_value_double(value->boolean);
    else if (value->type == WEIR_VALUE_STRING && weir_str_to_double(value->string, &number))
        *value = weir_value_double(number);
}

bool action_convert(struct weir_value *value, enum conversion conversion, struct weir_arena *arena)
{
    if (conversion == CONVERT_STRING)
        return to_string(value, arena);
    if (conversion == CONVERT_INT)
        to_int(value);
    else
        to_double(value);
    return true;
}

static bool take_prefix(struct weir_str *name, const char *prefix)
{
    size_t length = strlen(prefix);
    if (name->length < length || memcmp(name->data, prefix, length) != 0)
        return false;
    name->data += length;
    name->length -= length;
    return true;
}

/* The peer without its port. */
static struct weir_str client_address(const struct weir_context *context)
{
    struct weir_str peer = weir_context_peer(context);
    size_t end = peer.length;
    while (end > 0 && peer.data[end - 1] != ':')
        end--;
    if (end > 0)
        peer.length = end - 1;
    if (peer.length >= 2 && peer.data[0] == '[' && peer.data[peer.length - 1] == ']')
        peer = (struct weir_str){ peer.data + 1, peer.length - 2 };
    return peer;
}

static void join_values(const struct weir_metadata *items, size_t count, struct weir_str name, struct weir_text *text,
                        bool *found)
{
    for (size_t i = 0; i < count; i++) {
        if (!weir_str_equal_nocase(items[i].key, name))
            continue;
        if (*found)
            weir_text_addc(text, ';');
        weir_text_add(text, items[i].value.data, items[i].value.length);
        *found = true;
    }
}

bool action_context_value(const struct weir_context *context, struct weir_str name, struct weir_arena *arena,
                          struct weir_value *out)
{
    struct weir_text text = { 0 };
    bool found = false;
    size_t count = 0;
    if (weir_str_is(name, "client.address")) {
        struct weir_str address = client_address(context);
        found = address.length > 0;
        weir_text_add(&text, address.data, address.length);
    } else if (take_prefix(&name, "auth.")) {
        const struct weir_metadata *items = weir_context_attributes(context, &count);
        join_values(items, count, name, &text, &found);
    } else {
        take_prefix(&name, "metadata.");
        const struct weir_metadata *items = weir_context_metadata(context, &count);
        join_values(items, count, name, &text, &found);
    }
    struct weir_str copy;
    found = found && copy_text(weir_text_view(&text), arena, &copy);
    weir_text_free(&text);
    if (found)
        *out = weir_value_string(copy);
    return found;
}
