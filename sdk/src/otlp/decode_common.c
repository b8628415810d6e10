// SPDX-License-Identifier: Apache-2.0
/*
 * Decoding of values, attributes, resources and scopes.
 */
#include <config.h>

#include "sdk/src/otlp/read.h"

bool otlp_list_room(struct weir_arena *arena, void *list, size_t count, size_t more, size_t size)
{
    if (more == 0)
        return true;
    char *room = weir_arena_calloc(arena, count + more, size);
    if (!room)
        return false;
    void *old;
    memcpy(&old, list, sizeof(old));
    if (count > 0)
        memcpy(room, old, count * size);
    memcpy(list, &room, sizeof(old));
    return true;
}

bool otlp_attributes_room(struct weir_arena *arena, struct weir_attributes *attributes, size_t more)
{
    if (!otlp_list_room(arena, &attributes->items, attributes->count, more, sizeof(*attributes->items)))
        return false;
    attributes->capacity = attributes->count + more;
    return true;
}

static size_t count_of(struct weir_str bytes, uint32_t number)
{
    struct otlp_counts counts;
    otlp_count_fields(bytes, &counts);
    return counts.of[number];
}

static bool decode_array(struct weir_arena *arena, struct weir_str bytes, struct weir_values *out)
{
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    if (!otlp_list_room(arena, &out->items, out->count, count_of(bytes, 1), sizeof(*out->items)))
        return false;
    while (otlp_read_next(&cursor, &field)) {
        if (field.number == 1 && !otlp_decode_value(arena, field.bytes, &out->items[out->count++]))
            return false;
    }
    return true;
}

static bool decode_map(struct weir_arena *arena, struct weir_str bytes, struct weir_attributes *out)
{
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    if (!otlp_attributes_room(arena, out, count_of(bytes, 1)))
        return false;
    while (otlp_read_next(&cursor, &field)) {
        if (field.number == 1 && !otlp_read_attribute(arena, field.bytes, out))
            return false;
    }
    return true;
}

/* Another member of the oneof replaces the one that was there; the same message again is merged into it. */
static void become(struct weir_value *value, enum weir_value_type type)
{
    if (value->type != type || (type != WEIR_VALUE_ARRAY && type != WEIR_VALUE_MAP))
        *value = (struct weir_value){ .type = type };
}

bool otlp_decode_value(struct weir_arena *arena, struct weir_str bytes, struct weir_value *out)
{
    static const enum weir_value_type types[] = { WEIR_VALUE_EMPTY, WEIR_VALUE_STRING, WEIR_VALUE_BOOL,
                                                  WEIR_VALUE_INT,   WEIR_VALUE_DOUBLE, WEIR_VALUE_ARRAY,
                                                  WEIR_VALUE_MAP,   WEIR_VALUE_BYTES,  WEIR_VALUE_EMPTY };
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        if (field.number >= WEIR_ARRAY_LENGTH(types))
            continue;
        become(out, types[field.number]);
        bool done = true;
        switch (out->type) {
        case WEIR_VALUE_STRING:
        case WEIR_VALUE_BYTES:
            out->string = field.bytes;
            break;
        case WEIR_VALUE_BOOL:
            out->boolean = field.value != 0;
            break;
        case WEIR_VALUE_INT:
            out->integer = (int64_t)field.value;
            break;
        case WEIR_VALUE_DOUBLE:
            out->number = otlp_double(field.value);
            break;
        case WEIR_VALUE_ARRAY:
            done = decode_array(arena, field.bytes, &out->array);
            break;
        case WEIR_VALUE_MAP:
            done = decode_map(arena, field.bytes, &out->map);
            break;
        case WEIR_VALUE_EMPTY:
            break;
        }
        if (!done)
            return false;
    }
    return true;
}

bool otlp_decode_attribute(struct weir_arena *arena, struct weir_str bytes, struct weir_attribute *out)
{
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        if (field.number == 1)
            out->key = field.bytes;
        else if (field.number == 2 && !otlp_decode_value(arena, field.bytes, &out->value))
            return false;
    }
    return true;
}

static bool decode_entity_ref(struct weir_arena *arena, struct weir_str bytes, struct weir_entity_ref *out)
{
    struct otlp_counts counts;
    otlp_count_fields(bytes, &counts);
    if (!otlp_list_room(arena, &out->id_keys, 0, counts.of[3], sizeof(*out->id_keys)) ||
        !otlp_list_room(arena, &out->description_keys, 0, counts.of[4], sizeof(*out->description_keys)))
        return false;
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        switch (field.number) {
        case 1:
            out->schema_url = field.bytes;
            break;
        case 2:
            out->type = field.bytes;
            break;
        case 3:
            out->id_keys[out->id_key_count++] = field.bytes;
            break;
        case 4:
            out->description_keys[out->description_key_count++] = field.bytes;
            break;
        default:
            break;
        }
    }
    return true;
}

bool otlp_decode_resource(struct weir_arena *arena, struct weir_str bytes, struct weir_resource *out)
{
    struct otlp_counts counts;
    otlp_count_fields(bytes, &counts);
    if (!otlp_attributes_room(arena, &out->attributes, counts.of[1]) ||
        !otlp_list_room(arena, &out->entity_refs, out->entity_ref_count, counts.of[3],
                        sizeof(*out->entity_refs)))
        return false;
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        bool done = true;
        if (field.number == 1)
            done = otlp_read_attribute(arena, field.bytes, &out->attributes);
        else if (field.number == 2)
            out->dropped_attributes_count = (uint32_t)field.value;
        else if (field.number == 3)
            done = decode_entity_ref(arena, field.bytes, &out->entity_refs[out->entity_ref_count++]);
        if (!done)
            return false;
    }
    return true;
}

bool otlp_decode_scope(struct weir_arena *arena, struct weir_str bytes, struct weir_scope *out)
{
    if (!otlp_attributes_room(arena, &out->attributes, count_of(bytes, 3)))
        return false;
    struct weir_cursor cursor = otlp_read_start(bytes);
    struct otlp_read field;
    while (otlp_read_next(&cursor, &field)) {
        bool done = true;
        if (field.number == 1)
            out->name = field.bytes;
        else if (field.number == 2)
            out->version = field.bytes;
        else if (field.number == 3)
            done = otlp_read_attribute(arena, field.bytes, &out->attributes);
        else if (field.number == 4)
            out->dropped_attributes_count = (uint32_t)field.value;
        if (!done)
            return false;
    }
    return true;
}
